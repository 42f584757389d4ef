from datetime import date

from odoo.tests import tagged

from ...engine.errors import BillingError
from .changes_case import ChangesCase

ON_THE_20TH = {"when": "on", "date": "2026-01-20"}


@tagged("post_install", "-at_install")
class TestCancelledOnADay(ChangesCase):
    """130 calls on 10 January: 30 above the quota x 0.50 = 15.00."""

    def setUp(self):
        super().setUp()
        self.at("2026-01-10 12:00:00")
        self.use(130, "2026-01-10")

    def _refused(self, code, name, *payload):
        with self.assertRaises(BillingError) as caught:
            getattr(self.service, f"_api_{name}")("sub-1", *payload)
        self.assertEqual(caught.exception.code, code)

    def test_it_ends_on_that_day(self):
        answer = self.ask("cancel_subscription", ON_THE_20TH)
        self.assertEqual(answer["end_date"], "2026-01-20")
        self.assertEqual(answer["subscription_state"], "3_progress")
        self.day("2026-01-19 09:00:00")
        self.assertEqual(self.order.subscription_state, "3_progress")
        self.day("2026-01-20 09:00:00")
        self.assertEqual(self.order.subscription_state, "6_churn")
        self.at("2026-01-25 12:00:00")
        self.assertTrue(self.use(40, "2026-01-25")["unallocated"])
        self.day("2026-02-01 09:00:00")
        self.assertEqual(self.amounts(), [10.0, 15.0])
        self.assertEqual(
            self.changes(),
            [
                {"end_date": {"before": None, "after": "2026-01-20"}},
                {"subscription_state": {"before": "3_progress", "after": "6_churn"}},
            ],
        )
        # repeated when all is over
        answer = self.ask("cancel_subscription", ON_THE_20TH)
        self.assertEqual(answer["subscription_state"], "6_churn")

    def test_usage_of_the_day_before_counts(self):
        """120 more calls on the 19th, after the cancellation: 150 x 0.50."""
        self.ask("cancel_subscription", ON_THE_20TH)
        self.at("2026-01-19 23:00:00")
        self.use(120, "2026-01-19T22:59:59")
        self.day("2026-01-20 09:00:00")
        self.assertEqual(self.amounts(), [10.0, 75.0])

    def test_taken_back_before_that_day(self):
        self.ask("cancel_subscription", ON_THE_20TH)
        self.at("2026-01-15 12:00:00")
        answer = self.ask("undo_cancel")
        self.assertEqual(answer["end_date"], None)
        self._rest_of_january()

    def test_taken_back_after_that_day_when_no_job_has_closed_it(self):
        self.ask("cancel_subscription", ON_THE_20TH)
        self.at("2026-01-21 12:00:00")
        self.ask("undo_cancel")
        self._rest_of_january()

    def _rest_of_january(self):
        """50 calls on the 25th: 80 x 0.50 = 40.00, and February's fee."""
        self.at("2026-01-25 12:00:00")
        self.assertFalse(self.use(50, "2026-01-25").get("unallocated"))
        self.day("2026-02-01 09:00:00")
        self.assertEqual(self.amounts(), [10.0, 50.0])
        self.assertEqual(
            self.changes(),
            [
                {"end_date": {"before": None, "after": "2026-01-20"}},
                {"end_date": {"before": "2026-01-20", "after": None}},
            ],
        )

    def test_closed_and_reactivated(self):
        """A window from the 25th on, with its own quota: 20 of 120 calls x 0.50."""
        self.ask("cancel_subscription", ON_THE_20TH)
        self.day("2026-01-20 09:00:00")
        self._refused("subscription_refused", "undo_cancel")
        self.at("2026-01-25 12:00:00")
        answer = self.ask("reactivate")
        self.assertEqual(answer["subscription_state"], "3_progress")
        self.assertEqual(answer["end_date"], None)
        self.at("2026-01-26 12:00:00")
        self.use(120, "2026-01-26")
        self.day("2026-02-01 09:00:00")
        self.assertEqual(self.amounts(), [10.0, 15.0, 20.0])
        self.assertEqual(
            self.changes()[2:],
            [
                {
                    "subscription_state": {"before": "6_churn", "after": "3_progress"},
                    "end_date": {"before": "2026-01-20", "after": None},
                }
            ],
        )

    def test_cancelled_now_and_reactivated_in_a_later_month(self):
        """11 of 28 days from 18 February on: 10.00 x 11 / 28 = 3.93."""
        self.ask("cancel_subscription", {"when": "now"})
        self.day("2026-02-01 09:00:00")
        self.at("2026-02-18 08:00:00")
        self.ask("reactivate")
        self.day("2026-02-18 09:00:00")
        self.day("2026-03-01 09:00:00")
        self.assertEqual(self.amounts(), [10.0, 15.0, 3.93, 10.0])

    def test_another_day(self):
        self.ask("cancel_subscription", ON_THE_20TH)
        self.ask("cancel_subscription", {"when": "on", "date": "2026-01-25"})
        self.ask("cancel_subscription", {"when": "on", "date": "2026-01-22"})
        self.ask("undo_cancel")
        self.assertFalse(self.order.end_date)
        ends = [change["end_date"]["after"] for change in self.changes()]
        self.assertEqual(ends, ["2026-01-20", "2026-01-25", "2026-01-22", None])

    def test_never_longer_than_was_agreed(self):
        agreed = date(2026, 6, 30)
        self.order.end_date = agreed
        later = {"when": "on", "date": "2026-08-01"}
        self.assertEqual(
            self.ask("cancel_subscription", later)["end_date"], "2026-06-30"
        )
        self.ask("cancel_subscription", ON_THE_20TH)
        self.assertEqual(
            self.ask("cancel_subscription", later)["end_date"], "2026-06-30"
        )
        self.ask("cancel_subscription", {"when": "period_end"})
        self.assertEqual(self.order.end_date, date(2026, 2, 1))
        self.assertEqual(self.ask("undo_cancel")["end_date"], "2026-06-30")

    def test_the_agreed_end_holds_again_after_it_was_reactivated(self):
        self.order.end_date = date(2026, 6, 30)
        self.ask("cancel_subscription", ON_THE_20TH)
        self.day("2026-01-20 09:00:00")
        self.at("2026-01-21 12:00:00")
        self.assertEqual(self.ask("reactivate")["end_date"], "2026-06-30")

    def test_an_end_that_finance_has_entered_is_not_taken_back(self):
        self.ask("cancel_subscription", ON_THE_20TH)
        self.order.end_date = date(2026, 1, 24)
        self.assertEqual(self.ask("undo_cancel")["end_date"], "2026-01-24")

    def test_what_is_refused(self):
        for body, code in (
            ({"when": "on"}, "missing_field"),
            ({"when": "on", "date": None}, "missing_field"),
            ({"when": "on", "date": ""}, "invalid_date"),
            ({"when": "on", "date": "2026-01-10"}, "invalid_date"),
            ({"when": "on", "date": "2025-12-31"}, "invalid_date"),
            ({"when": "on", "date": "2026-02-30"}, "invalid_date"),
            ({"when": "on", "date": "2026-01-20T00:00:00Z"}, "invalid_date"),
            ({"when": "on", "date": 20260120}, "invalid_date"),
            ({"when": "on", "date": "2126-01-20"}, "invalid_date"),
            ({"when": "now", "date": "2026-01-20"}, "invalid_date"),
            ({"date": "2026-01-20"}, "invalid_date"),
            ({"when": "On", "date": "2026-01-20"}, "invalid_when"),
        ):
            with self.subTest(body=body):
                self._refused(code, "cancel_subscription", body)
        self.assertFalse(self.order.end_date)

    def test_its_renewal_is_what_is_meant(self):
        self.day("2026-01-11 09:00:00")
        renewal = self.renew()
        self.day("2026-02-01 09:00:00")
        answer = self.ask("cancel_subscription", {"when": "on", "date": "2026-02-10"})
        self.assertEqual(answer["subscription_id"], renewal.id)
        self.assertEqual(self.ask("undo_cancel")["subscription_id"], renewal.id)
        self.assertFalse(renewal.end_date)
