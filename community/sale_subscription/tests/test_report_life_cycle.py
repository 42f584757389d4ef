from freezegun import freeze_time

from odoo.fields import Command
from odoo.tests import tagged

from .report_common import COUNTS, COUNTS_OF_A, MRR, MRR_OF_A, ReportCase


@tagged("post_install", "-at_install")
class TestReportLifeCycle(ReportCase):
    """The same story of company A, as it happens to real orders."""

    def _sell(self, day, plan, quantity, **values):
        """A subscription of ``quantity`` fees of 10, confirmed on ``day``."""
        with freeze_time(day):
            order = self.env["sale.order"].with_company(self.company_a)
            order = order.create(
                {
                    "company_id": self.company_a.id,
                    "partner_id": self.partner.id,
                    "plan_id": plan.id,
                    # Nothing is due: the company has no journal to invoice it in.
                    "next_invoice_date": "2027-01-01",
                    "order_line": [
                        Command.create(
                            {"product_id": self.fee.id, "product_uom_qty": quantity}
                        )
                    ],
                    **values,
                }
            )
            order.action_confirm()
        return order

    def _on(self, day, method, *args):
        with freeze_time(day):
            return method(*args)

    def _renew(self, order, **line_values):
        renewal = order._create_upsell_renew_order("2_renewal")
        renewal.plan_id = self.yearly
        renewal.order_line.write(line_values)
        renewal.action_confirm()

    def test_story(self):
        self.fee.list_price = 10
        abroad = self.env["product.pricelist"].create(
            {
                "name": "Abroad",
                "currency_id": self.foreign.id,
                "company_id": self.company_a.id,
            }
        )
        s1 = self._sell("2026-01-03", self.monthly, 10)
        s2 = self._sell("2026-01-05", self.monthly, 20)
        s3 = self._sell("2026-01-20", self.yearly, 48)
        s5 = self._sell("2026-01-31", self.monthly, 6)
        s4 = self._sell("2026-02-01", self.monthly, 8)
        self._on("2026-02-12", s1.order_line.write, {"product_uom_qty": 15})
        self._on("2026-02-28", s2.pause_subscription)
        self._sell("2026-03-01", self.monthly, 4.5, pricelist_id=abroad.id)
        self._on("2026-03-15", s3.set_close)
        self._on("2026-03-31", s4.pause_subscription)
        self._on("2026-04-01", s1.order_line.write, {"product_uom_qty": 12})
        self._on("2026-04-10", s2.resume_subscription)
        self._on("2026-04-11", s4.set_close)
        with freeze_time("2026-04-30"):
            self._renew(s5, product_uom_qty=96, price_unit=10)
        self._on("2026-05-31", s3.set_open)
        found = self._read(self._report(), MRR, ["month:month"])
        self.assertAmounts(found, MRR_OF_A)
        found = self._read(self._report(), COUNTS, ["month:month"])
        self.assertAmounts(found, COUNTS_OF_A)

    def test_closed_then_renewed_is_reopened_not_expanded(self):
        order = self._sell("2026-01-03", self.monthly, 10)
        self._on("2026-02-10", order.set_close)
        with freeze_time("2026-03-10"):
            self._renew(order, product_uom_qty=180, price_unit=10)
        names = ("churn_mrr", "reopen_mrr", "expansion_mrr", "transfer_mrr")
        names += ("closing_mrr", "reopen_count", "transfer_count", "closing_count")
        found = self._read(self._report(), names)
        self.assertAmounts(found, {(): (-100, 150, 0, 0, 150, 1, 0, 1)})

    def test_plan_changed_during_a_pause_then_closed(self):
        """The change leaves a row of its own, of no amount, between pause and churn."""
        self.fee.list_price = 10
        order = self._sell("2026-01-03", self.monthly, 10)
        self._on("2026-02-10", order.pause_subscription)
        self._on("2026-03-10", order.change_plan, self.yearly)
        self._on("2026-04-10", order.set_close)
        names = ("new_mrr", "churn_mrr", "pause_mrr", "closing_mrr", "churn_count")
        found = self._read(self._report(), names)
        self.assertAmounts(found, {(): (100, -100, 0, 0, 1)})

    def test_paused_again_by_a_cancelled_renewal_then_closed(self):
        """Given back paused, of which the log says nothing."""
        self.fee.list_price = 10
        order = self._sell("2026-01-03", self.monthly, 10)
        self._on("2026-02-10", order.pause_subscription)
        with freeze_time("2026-03-10"):
            self._renew(order, product_uom_qty=120, price_unit=10)
        self._on("2026-03-12", order.renewal_id._action_cancel)
        self._on("2026-04-10", order.set_close)
        names = ("new_mrr", "churn_mrr", "closing_mrr", "churn_count")
        found = self._read(self._report(), names)
        self.assertAmounts(found, {(): (100, -100, 0, 1)})
