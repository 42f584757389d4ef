"""The worked examples of docs/rating.md, "Changes inside a window", one by one."""

from freezegun import freeze_time

from odoo.tests import tagged

from .ledger_case import APRIL, FEBRUARY, MARCH, LedgerCase


@tagged("post_install", "-at_install")
class TestWorkedExamples(LedgerCase):
    """100 calls included, 0.50 each above; the open window is January 2026."""

    def _run_rating_job(self, day):
        self.env.flush_all()
        with freeze_time(day), self.enter_registry_test_mode():
            self.env.ref(
                "fusion_centralized_billing.cron_rate_usage"
            ).method_direct_trigger()
        self.env.invalidate_all()

    def _last_invoice(self):
        return self.order.invoice_ids.sorted("id")[-1]

    def test_plan_change(self):
        self._record(120, "2026-01-10 00:00:00")
        with freeze_time("2026-01-20 09:00:00"):
            self.order.plan_id = self._create_plan(name="Large")
            self._create_charge(
                plan_id=self.order.plan_id.id, included_quota=1000, price_per_unit=0.1
            )
        self._record(80, "2026-01-25 00:00:00")
        self.assertEqual(self._usage_amount(self._invoice(FEBRUARY)), 50.0)
        self._record(1200, "2026-02-10 00:00:00")
        self.assertEqual(self._usage_amount(self._invoice(MARCH)), 20.0)

    def test_price_that_is_edited(self):
        self._record(120, "2026-01-10 00:00:00")
        self.assertEqual(self._open_amount(), 10.0)
        with freeze_time("2026-01-20 09:00:00"):
            self.charge.price_per_unit = 0.4
        self._record(80, "2026-01-25 00:00:00")
        self.assertEqual(self._usage_amount(self._invoice(FEBRUARY)), 40.0)

    def test_price_from_a_date_on(self):
        self.charge.date_end = "2026-01-19"
        self._create_charge(date_start="2026-01-20", price_per_unit=0.4)
        self._record(120, "2026-01-10 00:00:00")
        self._record(80, "2026-01-25 00:00:00")
        self.assertEqual(self._usage_amount(self._invoice(FEBRUARY)), 50.0)
        self._record(200, "2026-02-10 00:00:00")
        self.assertEqual(self._usage_amount(self._invoice(MARCH)), 40.0)

    def test_pause(self):
        self._record(120, "2026-01-10 00:00:00")
        with freeze_time("2026-01-20 09:00:00"):
            self.order.subscription_state = "4_paused"
        self._record(60, "2026-01-25 00:00:00")
        between = self._record(40, "2026-02-10 00:00:00")
        self._set_window(self.order, *MARCH)
        with freeze_time("2026-03-01 09:00:00"):
            self.order.subscription_state = "3_progress"
        self.assertTrue(between.unallocated)
        self._record(110, "2026-03-10 00:00:00")
        move = self._invoice(APRIL)
        self.assertEqual(
            sorted(self._usage_lines(move).mapped("price_subtotal")), [5.0, 40.0]
        )

    def test_renewal(self):
        self._record(120, "2026-01-10 00:00:00")
        with freeze_time("2026-01-20 09:00:00"):
            self._mark_renewed(self.order)
        renewal = self._create_subscription(subscription_id=self.order.id)
        self._set_window(renewal, *FEBRUARY)
        self._record(60, "2026-01-25 00:00:00")
        self._record(110, "2026-02-10 00:00:00", order=renewal)
        self._run_rating_job("2026-02-01 09:00:00")
        last = self._last_invoice()
        self.assertEqual((last.state, last.amount_untaxed), ("posted", 40.0))
        renewal._fc_rate_usage()
        self.assertEqual(sum(renewal._fc_open_ratings().mapped("amount")), 5.0)

    def test_close(self):
        self._record(150, "2026-01-10 00:00:00")
        with freeze_time("2026-01-20 09:00:00"):
            self.order._fc_close()
        last = self._last_invoice()
        self.assertEqual((last.state, last.amount_untaxed), ("posted", 25.0))
        with freeze_time("2026-02-03 09:00:00"):
            late = self._record(30, "2026-01-15 00:00:00")
            after = self._record(7, "2026-02-03 00:00:00")
        self.assertEqual((late.unallocated, after.unallocated), (False, True))
        self._run_rating_job("2026-02-03 10:00:00")
        last = self._last_invoice()
        self.assertEqual((last.state, last.amount_untaxed), ("posted", 15.0))
