from odoo.fields import Command
from odoo.tests import tagged

from .life_documents import DocumentCase


@tagged("post_install", "-at_install")
class TestClosingWhenDue(DocumentCase):
    """A subscription is closed while an invoice of it is due, or was made that day.

    Whatever closes first invoices what is due, so that the usage since then has a
    window. A call costs 1.00, without a quota.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.charge.write({"included_quota": 0, "price_per_unit": 1.0})

    def _unallocated_events(self):
        return self.env["fusion.billing.usage"].search(
            [
                ("subscription_id", "=", self.order.id),
                ("unallocated", "=", True),
                ("voided_at", "=", False),
            ]
        )

    def _check_all_is_billed(self, amount):
        self.assertEqual(self.net(), amount)
        self.assertFalse(self._unallocated_events())

    def _use_on_both_sides_of_the_boundary(self):
        self.use(10, "2026-01-20", "a")
        self.use(100, "2026-02-01 03:00:00", "b")

    def test_after_the_job_came(self):
        self._use_on_both_sides_of_the_boundary()
        self.day("2026-02-01 04:00:00")
        self.cancel("2026-02-02 12:00:00")
        self._check_all_is_billed(110.0)

    def test_before_the_job_came(self):
        """Cancelled on 2 February; the job had not come since the 31st."""
        self._use_on_both_sides_of_the_boundary()
        self.cancel("2026-02-02 12:00:00")
        self._check_all_is_billed(110.0)
        # the base fee of February was due, too
        self.assertGreater(self.net_total(), 120.0)

    def test_later_on_the_day_it_is_due(self):
        """Closed on 1 February itself, before the job: the 100 calls are that day's."""
        self._use_on_both_sides_of_the_boundary()
        self.cancel("2026-02-01 12:00:00")
        self._check_all_is_billed(110.0)

    def test_later_on_the_day_it_was_invoiced(self):
        self._use_on_both_sides_of_the_boundary()
        self.day("2026-02-01 04:00:00")
        self.cancel("2026-02-01 12:00:00")
        self._check_all_is_billed(110.0)

    def test_while_the_invoice_waits_for_usage(self):
        """The service waits 72 hours after each window for what is on its way."""
        self.service.write({"invoice_wait": "hours", "invoice_wait_hours": 72})
        self.order.fc_service_id = self.service
        self.use(10, "2026-01-20", "a")
        self.assertFalse(self.day("2026-02-01 09:00:00"))
        self.use(100, "2026-02-01 03:00:00", "b", now="2026-02-01 10:00:00")
        self.cancel("2026-02-02 12:00:00")
        self._check_all_is_billed(110.0)

    def test_after_it_could_not_be_invoiced_for_months(self):
        """No journal since January: 100 calls in each of three months."""
        journal = self.env["account.journal"].search(
            [("type", "=", "sale"), ("company_id", "=", self.company.id)]
        )
        journal.active = False
        for month in (1, 2, 3):
            self.use(100, f"2026-0{month}-20", f"k{month}")
            self.day(f"2026-0{month + 1}-01 09:00:00")
        self.assertTrue(self.order.subscription_error)
        journal.active = True
        self.cancel("2026-04-02 12:00:00")
        self._check_all_is_billed(300.0)

    def test_months_that_were_missed_have_a_quota_each(self):
        """Above 60 calls a month: 40.00 for each of three months, not 240.00."""
        self.charge.included_quota = 60
        for month in (1, 2, 3):
            self.use(100, f"2026-0{month}-20", f"k{month}")
        self.cancel("2026-04-02 12:00:00")
        self._check_all_is_billed(120.0)

    def test_weeks_that_were_missed(self):
        """Above 60 calls a week: 40.00 in each of three weeks."""
        weekly = self._create_plan(name="Weekly", billing_period_unit="week")
        self._create_charge(plan_id=weekly.id, included_quota=60, price_per_unit=1.0)
        self.order = self._create_subscription(plan_id=weekly.id)
        for day in ("02", "09", "16"):
            self.use(100, f"2026-01-{day}", f"k{day}")
        self.cancel("2026-01-18 12:00:00")
        self._check_all_is_billed(120.0)

    def test_by_people(self):
        self._use_on_both_sides_of_the_boundary()
        self.at("2026-02-02 12:00:00", self.order.set_close)
        self._check_all_is_billed(110.0)

    def test_by_cancelling_the_order(self):
        self._use_on_both_sides_of_the_boundary()
        self.at("2026-02-02 12:00:00", self.order.action_cancel)
        self._check_all_is_billed(110.0)

    def test_usage_of_the_last_window_that_comes_after_it(self):
        self._use_on_both_sides_of_the_boundary()
        self.cancel("2026-02-02 12:00:00")
        self.use(5, "2026-02-01 05:00:00", "c", now="2026-02-03 08:00:00")
        self.day("2026-02-04 09:00:00")
        self._check_all_is_billed(115.0)

    def test_what_is_unallocated_can_be_billed_elsewhere(self):
        """Calls after the end: finance bills them with another subscription."""
        other = self._create_subscription(start="2026-01-15")
        self._use_on_both_sides_of_the_boundary()
        self.cancel("2026-02-02 12:00:00", order=self.order)
        self.use(7, "2026-03-20", "after")
        usage = self._unallocated_events()
        self.assertEqual(usage.mapped("quantity"), [7.0])
        self.at(
            "2026-03-21 09:00:00",
            lambda: (
                self.env["fusion.billing.usage.move.wizard"]
                .with_context(active_ids=usage.ids)
                .create({"subscription_id": other.id, "reason": "went on there"})
                .action_move()
            ),
        )
        self.days("2026-03-21 10:00:00", "2026-04-15 09:00:00")
        self._check_all_is_billed(117.0)

    # -- down payments -----------------------------------------------------------

    def _pay_down(self, at, amount):
        def run():
            wizard = (
                self.env["sale.advance.payment.inv"]
                .with_context(active_model="sale.order", active_ids=self.order.ids)
                .create(
                    {
                        "sale_order_ids": [Command.set(self.order.ids)],
                        "advance_payment_method": "fixed",
                        "fixed_amount": amount,
                    }
                )
            )
            before = self.order.invoice_ids
            wizard.create_invoices()
            self.order.invalidate_recordset()
            (self.order.invoice_ids - before).action_post()

        self.at(at, run)

    def test_a_down_payment_counts_at_closing(self):
        """30.00 were paid down on 90.00: 60.00 are left."""
        self._pay_down("2026-01-05 09:00:00", 30.0)
        self.use(90, "2026-01-10", "a")
        before = self.net_total()
        self.cancel("2026-01-20 12:00:00")
        self.assertEqual(self.net_total() - before, 60.0)

    def test_a_down_payment_counts_when_the_order_is_closed_by_people(self):
        self._pay_down("2026-01-05 09:00:00", 30.0)
        self.use(90, "2026-01-10", "a")
        before = self.net_total()
        self.at("2026-01-20 12:00:00", self.order.set_close)
        self.assertEqual(self.net_total() - before, 60.0)
