import json
import unittest
from decimal import Decimal

from ..api.events import parse_event
from ..api.refused import MAX_BODY, body_digest, event_of, kept_body

EVENT = {
    "subscription_external_id": "sub-1",
    "metric_code": "calls",
    "quantity": Decimal("1.2500000001"),
    "period_start": "2026-01-10T00:00:00Z",
    "period_end": "2026-01-10T01:00:00Z",
    "idempotency_key": "k-1",
}


class TestKeptBody(unittest.TestCase):
    def test_what_is_kept_is_the_same_event(self):
        body, is_cut = kept_body(EVENT)
        self.assertFalse(is_cut)
        self.assertEqual(parse_event(event_of(body)), parse_event(EVENT))

    def test_null_and_bool_stay_what_they_are(self):
        body, is_cut = kept_body({**EVENT, "quantity": None, "metric_code": True})
        self.assertFalse(is_cut)
        self.assertEqual(event_of(body)["quantity"], None)
        self.assertIs(event_of(body)["metric_code"], True)

    def test_a_key_of_ours_is_not_kept(self):
        key = "fcb_" + "A" * 49
        for text in (key, f"x {key} y", "Bearer abcdefghijklmnopqrstuvwx"):
            with self.subTest(text):
                body, is_cut = kept_body({**EVENT, "idempotency_key": text})
                self.assertTrue(is_cut)
                self.assertIn("[removed]", body)
                self.assertNotIn("A" * 20, body)
                self.assertNotIn("abcdefghij", body)

    def test_other_keys_are_named_only(self):
        body, is_cut = kept_body({**EVENT, "password": "hunter2"})
        self.assertTrue(is_cut)  # such an event is not read
        self.assertNotIn("hunter2", body)
        self.assertIn("password", body)
        self.assertNotIn("left_out", event_of(body))

    def test_large_values_are_cut(self):
        for name, value in (
            ("metric_code", "x" * 100_000),
            ("metric_code", "\ud800" * 5_000),
            ("quantity", 10**4000),
            ("quantity", Decimal("1" * 2_000)),
            ("quantity", {"a": ["secret"] * 1000}),
            ("quantity", ["secret"]),
        ):
            with self.subTest(str(value)[:10]):
                body, is_cut = kept_body({**EVENT, name: value})
                self.assertTrue(is_cut)
                self.assertLessEqual(len(body), MAX_BODY)
                self.assertNotIn("secret", body)
                self.assertEqual(json.loads(body)["idempotency_key"], "k-1")
        body, is_cut = kept_body(dict.fromkeys(EVENT, "y" * 5_000))
        self.assertLessEqual(len(body), MAX_BODY)
        body, _cut = kept_body({f"{n}" * 50: n for n in range(1_000)})
        self.assertLessEqual(len(body), MAX_BODY)

    def test_what_is_no_event_is_named_only(self):
        for value in (None, "secret", ["secret"], 7):
            body, is_cut = kept_body(value)
            self.assertTrue(is_cut)
            self.assertNotIn("secret", body)

    def test_the_digest_tells_events_apart(self):
        def digest(**values):
            event = EVENT | values
            return body_digest(event, kept_body(event)[0])

        self.assertEqual(digest(), digest())
        self.assertNotEqual(digest(), digest(quantity=2))
        # Cut to the same text, they are still two.
        one, two = "x" * 5_000 + "1", "x" * 5_000 + "2"
        self.assertNotEqual(digest(metric_code=one), digest(metric_code=two))
        self.assertEqual(len(digest(metric_code="\ud800")), 32)
        self.assertNotEqual(body_digest("a", "{}"), body_digest("b", "{}"))
