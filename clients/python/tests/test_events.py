"""Events as they are sent: nothing is lost on the way, or it is refused."""

import unittest
from datetime import datetime, timedelta, timezone
from decimal import Decimal

from fusion_billing import UsageEvent, UsageKey

from .fake_api import event

UTC = timezone.utc


class TestEvent(unittest.TestCase):
    def sent(self, **values):
        return event(**values).as_json()

    def test_quantities_are_exact(self):
        for quantity, text in (
            (1, "1"),
            (Decimal("0.1"), "0.1"),
            (Decimal("1E+3"), "1000"),
            (Decimal("1E-10"), "0.0000000001"),
            (Decimal("9999999999999999.9999999999"), "9999999999999999.9999999999"),
            ("1.250", "1.250"),
        ):
            with self.subTest(text):
                self.assertEqual(self.sent(quantity=quantity)["quantity"], text)

    def test_no_floats(self):
        for quantity in (0.1, 1.0, True, None, float("nan")):
            with self.subTest(quantity), self.assertRaises(TypeError):
                event(quantity=quantity)

    def test_no_number(self):
        for text in ("NaN", "Infinity", "1E+999999"):
            with self.subTest(text), self.assertRaises(ValueError):
                event(quantity=Decimal(text))

    def test_moments(self):
        east = timezone(timedelta(hours=2))
        for moment, text in (
            (datetime(2026, 1, 10, 9, tzinfo=UTC), "2026-01-10T09:00:00Z"),
            (datetime(2026, 1, 10, 1, tzinfo=east), "2026-01-09T23:00:00Z"),
            (datetime(2026, 1, 10, 9, 0, 0, 5, UTC), "2026-01-10T09:00:00.000005Z"),
            ("2026-01-10", "2026-01-10"),
        ):
            self.assertEqual(self.sent(period_start=moment)["period_start"], text)
        with self.assertRaises(ValueError):
            event(period_start=datetime(2026, 1, 10))
        with self.assertRaises(TypeError):
            event(period_start=1768032000)

    def test_a_subscription_by_its_id(self):
        sent = self.sent(subscription_external_id=None, subscription_id=12)
        self.assertEqual(sent["subscription_id"], 12)
        self.assertNotIn("subscription_external_id", sent)
        self.assertNotIn("subscription_id", self.sent())
        with self.assertRaises(ValueError):
            event(subscription_external_id=None)

    def test_key(self):
        first, second = (
            UsageEvent("sub-1", "calls", 1, "2026-01-10", "2026-01-10")
            for _ in range(2)
        )
        self.assertNotEqual(first.idempotency_key, second.idempotency_key)
        self.assertEqual(first.as_json(), first.as_json())
        self.assertEqual(first.key, UsageKey("sub-1", "calls", first.idempotency_key))
        with self.assertRaises(ValueError):
            event(idempotency_key="")


if __name__ == "__main__":
    unittest.main()
