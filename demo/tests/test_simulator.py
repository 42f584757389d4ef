from unittest import TestCase

from demo import simulator
from demo.expected import Verdict
from demo.month import Month
from demo.tests.rows import row

MONTH = Month.parse("2026-04")


class UsageEventTest(TestCase):
    def test_plain(self):
        self.assertEqual(
            simulator.usage_event(row(), MONTH),
            {
                "subscription_external_id": "nexacloud-a-subscription",
                "metric_code": "compute_hours",
                "quantity": "2.5",
                "period_start": "2026-04-03T10:00:00+00:00",
                "period_end": "2026-04-03T11:00:00+00:00",
                "idempotency_key": "k1",
            },
        )

    def test_whole_quantities_are_numbers(self):
        event = simulator.usage_event(row(quantity="12"), MONTH)
        self.assertEqual(event["quantity"], 12)
        self.assertIs(type(event["quantity"]), int)

    def test_empty_cells_are_left_out(self):
        event = simulator.usage_event(row(quantity="", idempotency_key=""), MONTH)
        self.assertNotIn("quantity", event)
        self.assertNotIn("idempotency_key", event)

    def test_another_offset_is_the_same_instant(self):
        first = row(app="nexamaps", day="1", time="00:00:00", minutes="0")
        event = simulator.usage_event(first, MONTH)
        self.assertEqual(event["period_start"], "2026-03-31T19:00:00-05:00")

    def test_a_time_that_is_none_is_sent_as_it_stands(self):
        event = simulator.usage_event(row(time="25:61:00"), MONTH)
        self.assertEqual(event["period_start"], "2026-04-03 25:61:00")


class BatchTest(TestCase):
    def test_batches_in_order_some_again(self):
        rows = [row(idempotency_key=str(number)) for number in range(1300)]
        sent = list(simulator.batches(rows))
        self.assertEqual(
            [(int(b.rows[0]["idempotency_key"]), len(b.rows), b.again) for b in sent],
            [
                (0, 250, False),
                (250, 250, False),
                (500, 250, False),
                (750, 250, False),
                (1000, 250, False),
                (1000, 250, True),
                (1250, 50, False),
                (1250, 50, True),
            ],
        )


class EnvelopeTest(TestCase):
    def test_totals_must_agree_with_results(self):
        verdicts = [Verdict("accepted"), Verdict("rejected", "invalid_quantity")]
        good = {"status": "error", "accepted": 1, "duplicates": 0, "errors": [{}]}
        check = simulator.SourceApp._check_envelope
        check(good, verdicts)
        for change in (
            {"status": "ok"},
            {"accepted": 2},
            {"duplicates": 1},
            {"errors": []},
        ):
            with self.assertRaises(simulator.ApiError):
                check(good | change, verdicts)
