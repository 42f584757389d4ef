from freezegun import freeze_time

from odoo.tests import tagged

from ..common import BillingCase


@tagged("post_install", "-at_install")
class TestRenewal(BillingCase):
    """A subscription renewed on 20 January, in its window of January.

    The charge costs 0.50 a call above 100.
    """

    def setUp(self):
        super().setUp()
        self._record(150)
        with freeze_time("2026-01-20"):
            self._mark_renewed(self.order)

    def _run_cron(self, day):
        self.env.flush_all()
        with freeze_time(day), self.enter_registry_test_mode():
            self.env.ref(
                "fusion_centralized_billing.cron_rate_usage"
            ).method_direct_trigger()
        self.env.invalidate_all()

    def test_last_window_is_billed_when_it_is_over(self):
        """50 above the quota by the 20th, and 100 more on the 25th: 150 x 0.50."""
        with freeze_time("2026-01-26"):
            answer = self._post_usage(
                self._event(
                    quantity=100,
                    period_start="2026-01-25T00:00:00Z",
                    period_end="2026-01-25T01:00:00Z",
                )
            )
        self.assertEqual(answer["results"], [{"status": "accepted"}])
        self._run_cron("2026-01-31")
        self.assertFalse(self.order.invoice_ids)
        self._run_cron("2026-02-01")
        self.assertEqual(self.order.invoice_ids.mapped("amount_untaxed"), [75.0])
        self.assertEqual(self.order.invoice_ids.state, "posted")

    def test_billed_once(self):
        for day in ("2026-02-01", "2026-02-02", "2026-03-01"):
            self._run_cron(day)
        self.assertEqual(self.order.invoice_ids.mapped("amount_untaxed"), [25.0])

    def test_usage_of_the_time_after_is_flagged(self):
        with freeze_time("2026-02-02"):
            answer = self._post_usage(
                self._event(
                    period_start="2026-02-01T00:00:00Z",
                    period_end="2026-02-01T00:00:00Z",
                )
            )
        self.assertEqual(
            answer["results"], [{"status": "accepted", "unallocated": True}]
        )

    def test_usage_that_comes_after_the_last_invoice_has_one_of_its_own(self):
        """It was only flagged, though its window is known."""
        self._run_cron("2026-02-01")
        invoiced = self.order.invoice_ids
        with freeze_time("2026-02-01 12:00:00"):
            answer = self._post_usage(self._event())
        self.assertEqual(answer["results"], [{"status": "accepted"}])
        self._run_cron("2026-02-01")  # one invoice a day
        self.assertEqual(self.order.invoice_ids, invoiced)
        self._run_cron("2026-02-02")
        late = self.order.invoice_ids - invoiced
        self.assertEqual(late.state, "posted")
        self.assertEqual(late.invoice_line_ids.price_subtotal, 0.5)

    def test_renewed_without_usage_is_settled_without_an_invoice(self):
        order = self._create_subscription()
        with freeze_time("2026-01-20"):
            self._mark_renewed(order)
        self._run_cron("2026-02-01")
        self.assertFalse(order.invoice_ids)
        self.assertEqual(order.fc_window_ids.mapped("is_settled"), [True])
