from odoo.tests import tagged

from ...engine.errors import BillingError
from .changes_case import ChangesCase

FROM_THE_20TH = {"from": "2026-01-20", "until": "2026-02-15"}


@tagged("post_install", "-at_install")
class TestPaused(ChangesCase):
    """120 calls on 10 January, 60 on the 25th: 80 x 0.50 = 40.00."""

    def setUp(self):
        super().setUp()
        self.at("2026-01-10 12:00:00")
        self.use(120, "2026-01-10")

    def _refused(self, code, name, *payload):
        with self.assertRaises(BillingError) as caught:
            getattr(self.service, f"_api_{name}")("sub-1", *payload)
        self.assertEqual(caught.exception.code, code)

    def _to_the_end_of_march(self):
        """14 of February's 28 days: 5.00. The 110 calls of the 16th are of a window
        with its own quota: 10 x 0.50, on the invoice of March.
        """
        self.at("2026-02-10 12:00:00")
        self.assertTrue(self.use(40, "2026-02-10")["unallocated"])
        self.day("2026-02-15 09:00:00")
        self.assertEqual(self.order.subscription_state, "3_progress")
        self.at("2026-02-16 12:00:00")
        self.use(110, "2026-02-16")
        self.day("2026-03-01 09:00:00")
        self.assertEqual(self.amounts(), [10.0, 40.0, 5.0, 15.0])

    def test_from_one_day_to_another(self):
        answer = self.ask("pause", FROM_THE_20TH)
        self.assertEqual(answer["subscription_state"], "3_progress")
        self.assertEqual(
            (answer["pause_date"], answer["resume_date"]), ("2026-01-20", "2026-02-15")
        )
        self.day("2026-01-19 09:00:00")
        self.assertEqual(self.order.subscription_state, "3_progress")
        self.day("2026-01-20 09:00:00")
        self.assertEqual(self.order.subscription_state, "4_paused")
        answer = self.ask("pause", FROM_THE_20TH | {"from": None})
        self.assertEqual(
            (answer["pause_date"], answer["resume_date"]), (None, "2026-02-15")
        )
        self.at("2026-01-25 12:00:00")
        self.use(60, "2026-01-25")
        self.day("2026-02-01 09:00:00")
        self._to_the_end_of_march()
        self.assertEqual(
            self.changes(),
            [
                {
                    "pause_date": {"before": None, "after": "2026-01-20"},
                    "resume_date": {"before": None, "after": "2026-02-15"},
                },
                {
                    "subscription_state": {
                        "before": "3_progress",
                        "after": "4_paused",
                    },
                    "pause_date": {"before": "2026-01-20", "after": None},
                },
                {
                    "subscription_state": {
                        "before": "4_paused",
                        "after": "3_progress",
                    },
                    "resume_date": {"before": "2026-02-15", "after": None},
                },
            ],
        )

    def test_a_request_that_is_repeated_after_the_pause_began(self):
        self.ask("pause", FROM_THE_20TH)
        self.day("2026-01-20 09:00:00")
        self.at("2026-01-22 12:00:00")
        self.ask("pause", FROM_THE_20TH)
        self.assertEqual(self.order.subscription_state, "4_paused")

    def test_the_period_that_begins_with_the_pause_is_not_invoiced(self):
        """Whichever job runs first that day."""
        self.ask("pause", {"from": "2026-02-01"})
        self.at("2026-02-01 09:00:00")
        self.env["sale.order"]._create_recurring_invoice(automatic=True)
        self.assertEqual(self.amounts(), [10.0])
        self.day("2026-02-01 10:00:00")
        self.assertEqual(self.order.subscription_state, "4_paused")
        self.assertEqual(self.amounts(), [10.0, 10.0])  # 20 calls x 0.50

    def test_jobs_that_run_when_the_pause_is_over(self):
        """Paused and resumed at once, as of its days: 14 days of February are charged.

        The usage of January, 80 x 0.50, is on the next invoice.
        """
        self.ask("pause", FROM_THE_20TH)
        self.at("2026-01-25 12:00:00")
        self.use(60, "2026-01-25")
        self.day("2026-02-16 09:00:00")
        self.assertEqual(self.order.subscription_state, "3_progress")
        self.day("2026-03-01 09:00:00")
        self.assertEqual(self.amounts(), [10.0, 5.0, 50.0])

    def test_at_once_and_resumed_at_once(self):
        self.at("2026-01-20 12:00:00")
        self.ask("pause", {})
        self.assertEqual(self.order.subscription_state, "4_paused")
        self.at("2026-01-25 12:00:00")
        self.use(60, "2026-01-25")
        self.day("2026-02-01 09:00:00")
        self.at("2026-02-15 08:00:00")
        answer = self.ask("resume", {})
        self.assertEqual(answer["next_invoice_date"], "2026-03-01")
        self._to_the_end_of_march()

    def test_resumed_on_a_day(self):
        self.at("2026-01-20 12:00:00")
        self.ask("pause", {})
        self.at("2026-01-25 12:00:00")
        self.use(60, "2026-01-25")
        answer = self.ask("resume", {"date": "2026-02-15"})
        self.assertEqual(answer["subscription_state"], "4_paused")
        self.assertEqual(answer["resume_date"], "2026-02-15")
        self.day("2026-02-01 09:00:00")
        self._to_the_end_of_march()
        self.at("2026-03-02 12:00:00")
        self.ask("resume", {"date": "2026-02-15"})

    def test_a_pause_that_was_planned_is_taken_back(self):
        self.ask("pause", FROM_THE_20TH)
        answer = self.ask("resume", {})
        self.assertEqual((answer["pause_date"], answer["resume_date"]), (None, None))
        self.at("2026-01-25 12:00:00")
        self.use(60, "2026-01-25")
        self.day("2026-02-01 09:00:00")
        self.assertEqual(self.amounts(), [10.0, 50.0])

    def test_other_days(self):
        self.ask("pause", FROM_THE_20TH)
        self.ask("pause", {"from": "2026-01-22"})
        self.ask("resume", {"date": "2026-02-20"})
        self.assertEqual(
            self.changes()[1:],
            [
                {
                    "pause_date": {"before": "2026-01-20", "after": "2026-01-22"},
                    "resume_date": {"before": "2026-02-15", "after": None},
                },
                {"resume_date": {"before": None, "after": "2026-02-20"}},
            ],
        )

    def test_closed_before_it_would_be_paused(self):
        self.ask("pause", FROM_THE_20TH)
        self.order.set_close()
        self.assertFalse(self.order.pause_date)
        self.day("2026-01-20 09:00:00")
        self.assertEqual(self.order.subscription_state, "6_churn")

    def test_what_is_refused(self):
        for name, body, code in (
            ("pause", {"from": "2026-01-09"}, "invalid_from"),
            ("pause", {"from": "soon"}, "invalid_from"),
            ("pause", {"from": 1}, "invalid_from"),
            ("pause", {"until": "2026-01-10"}, "invalid_until"),
            ("pause", {"until": "2126-01-10"}, "invalid_until"),
            ("pause", {"until": ["2026-02-10"]}, "invalid_until"),
            (
                "pause",
                {"from": "2026-01-20", "until": "2026-01-20"},
                "invalid_until",
            ),
            ("resume", {"date": "2026-02-10"}, "subscription_refused"),
            ("resume", {"date": "2026-02-31"}, "invalid_date"),
        ):
            with self.subTest(name, body=body):
                self._refused(code, name, body)
        self.order.set_close()
        self._refused("subscription_refused", "pause", {})
        self._refused("subscription_refused", "resume", {})

    def test_a_subscription_that_ends_before(self):
        self.order.end_date = "2026-01-15"
        self._refused("subscription_refused", "pause", FROM_THE_20TH)
