from importlib.util import module_from_spec, spec_from_file_location

from freezegun import freeze_time

from odoo.tests import tagged
from odoo.tools import file_path

from .discount_common import DiscountCase


@tagged("post_install", "-at_install")
class TestDeferredDates(DiscountCase):
    """What is paid in advance says to which days its revenue belongs."""

    def _get_days(self, invoice):
        return [
            (str(line.deferred_start_date), str(line.deferred_end_date))
            for line in invoice.invoice_line_ids
        ]

    def test_a_period(self):
        """Its first and its last day; what is invoiced once has none."""
        self._run(self._quote(self.hosting, self.setup_fee), "2026-01-31")
        self.assertEqual(
            self._get_days(self._run_cron("2026-01-31")),
            [("2026-01-31", "2026-02-27"), ("False", "False")],
        )

    def test_a_discount_has_the_days_of_what_it_is_on(self):
        self._run(self._quote(discount=("amount", 15, "always")))
        self.assertEqual(
            self._get_days(self._run_cron("2026-01-01")),
            [("2026-01-01", "2026-01-31")] * 2,
        )

    def test_days_of_an_upsell(self):
        order = self._run(self._quote())
        self._invoice_months(order, 1)
        with freeze_time("2026-01-17"):
            upsell = order._create_upsell_renew_order("7_upsell")
            upsell.order_line.product_uom_qty = 1
            upsell.action_confirm()
        invoice = self._run_cron("2026-01-18")
        self.assertEqual(self._get_days(invoice), [("2026-01-17", "2026-01-31")])

    def test_accounting_may_say_otherwise(self):
        self._run(self._quote())
        line = self._run_cron("2026-01-01").invoice_line_ids
        line.deferred_end_date = "2026-12-31"
        line.flush_recordset()
        self.assertEqual(str(line.deferred_end_date), "2026-12-31")
        self.assertEqual(str(line.charged_until), "2026-02-01")

    def test_on_what_is_no_subscription(self):
        """Entered by hand, it stays."""
        move = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.partner.id,
                "invoice_line_ids": [
                    (
                        0,
                        0,
                        {
                            "name": "Sample",
                            "price_unit": 12,
                            "deferred_start_date": "2026-01-01",
                            "deferred_end_date": "2026-12-31",
                        },
                    )
                ],
            }
        )
        self.assertEqual(self._get_days(move), [("2026-01-01", "2026-12-31")])

    def test_invoices_from_before_the_update(self):
        self._run(self._quote(self.hosting, self.setup_fee))
        invoice = self._run_cron("2026-01-01")
        lines = invoice.invoice_line_ids
        lines.flush_recordset()
        self.env.cr.execute(
            "UPDATE account_move_line SET deferred_start_date = NULL,"
            " deferred_end_date = NULL WHERE id IN %s",
            [tuple(lines.ids)],
        )
        path = "sale_subscription/migrations/19.0.1.3.0/pre-deferred_dates.py"
        spec = spec_from_file_location("pre_deferred_dates", file_path(path))
        script = module_from_spec(spec)
        spec.loader.exec_module(script)
        script.migrate(self.env.cr, "19.0.1.2.0")
        lines.invalidate_recordset()
        self.assertEqual(
            self._get_days(invoice),
            [("2026-01-01", "2026-01-31"), ("False", "False")],
        )
