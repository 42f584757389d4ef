import re
import time
import unittest
from datetime import datetime, timedelta
from decimal import Decimal

from ..api.events import (
    TEXT_PATTERN,
    check_text,
    content_fingerprint,
    decode_json,
    parse_event,
)
from ..errors import BillingError, TooManyValues

NOW = datetime(2026, 1, 10, 12)
DAY = timedelta(hours=24)


def _event(**changes):
    return {
        "subscription_external_id": "sub-1",
        "metric_code": "api_calls",
        "quantity": 5,
        "period_start": "2026-01-02T00:00:00Z",
        "period_end": "2026-01-02T01:00:00Z",
    } | changes


class TestDecodeJson(unittest.TestCase):
    def test_accepted(self):
        for raw, expected in (
            (b"{}", {}),
            (
                b' \t\r\n[1, 0.1, "x", true, null] ',
                [1, Decimal("0.1"), "x", True, None],
            ),
            ('{"k": "é\U0001f600"}'.encode(), {"k": "é\U0001f600"}),
            (rb'"\ud83d\ude00"', "\U0001f600"),
            (b"1e5", Decimal("1e5")),
            (b"9" * 4300, int("9" * 4300)),
            (b'["[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["]', ["[" * 37]),
            (rb'["\"[[[[[[[[[[[[[[[[[[[[[\\", "]"]', ['"' + "[" * 21 + "\\", "]"]),
            (b"[" * 16 + b"]" * 16, [[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]),
        ):
            with self.subTest(raw=raw[:40]):
                self.assertEqual(decode_json(raw), expected)

    def test_values_are_counted_before_they_are_decoded(self):
        """Not what stands in a text: brackets, commas, quotes."""
        text = b'"a,b,[{\\"\\\\"'
        for raw, values in (
            (b"[1,2,3]", 3),  # two commas and a bracket
            (b'{"a":[{},{}]}', 5),
            (b"[" + text + b"," + text + b"]", 2),
        ):
            with self.subTest(raw=raw):
                decode_json(raw, max_values=values)
                with self.assertRaises(TooManyValues):
                    decode_json(raw, max_values=values - 1)
        with self.assertRaises(TooManyValues) as caught:
            decode_json(b'{"events":[' + b"{}," * 50 + b"{}]}", max_values=60)
        self.assertEqual(caught.exception.objects, 52)

    def test_refused(self):
        for raw in (
            b"",
            b"   ",
            b"{",
            b"[1,]",
            b'{"a":1,}',
            b"{'a':1}",
            b"[1] // comment",
            b"/* */[1]",
            b"[1][2]",
            b"[1]x",
            b"\xef\xbb\xbf{}",
            "{}".encode("utf-16"),
            "{}".encode("utf-16-le"),
            "{}".encode("utf-32"),
            b'"\xff"',
            b'"\xc0\xaf"',  # overlong
            b'"\xed\xa0\x80"',  # raw surrogate
            b'"\xf4\x90\x80\x80"',  # beyond Unicode
            b'"a\nb"',
            b'"a\x00b"',
            rb'"\x41"',
            b"NaN",
            b"[Infinity]",
            b"[-Infinity]",
            b"01",
            b"+1",
            b".5",
            b"1.",
            b"0x10",
            b"1_000",
            "\u0661".encode(),
            b'{"a":1,"a":1}',
            b'{"a":1,"\\u0061":2}',
            b'{"x":{"a":1,"b":2,"a":3}}',
            b"9" * 4301,
            b"-" + b"9" * 4301,
            b"1e9999999999999999999",
            b"1e-9999999999999999999",
            b"[" * 1_000 + b"]" * 1_000,
            b"[" * 100_000,
            b'{"a":' * 1_000 + b"1" + b"}" * 1_000,
            b'[{"a":' * 100_000 + b"1" + b"}]" * 100_000,
            b'{"events":[],"more":' + b"[" * 40 + b"]" * 40 + b"}",
        ):
            with self.subTest(raw=raw[:40]):
                with self.assertRaises(BillingError) as caught:
                    decode_json(raw, max_values=1_000_000)
                self.assertEqual(caught.exception.code, "invalid_json")
                self.assertRegex(str(caught.exception), r"\Ainvalid payload: \S")

    def test_what_is_no_json_is_said_with_its_place(self):
        """It was "invalid payload", whatever stood where in eight megabytes."""
        for raw, said in (
            (b'{"events": [],}', "line 1, column 15: "),
            (b'{\n "events": [\n  {]\n}', "line 3, column 4: "),
            (b"[1][2]", "line 1, column 4: Extra data"),
            (b"[[[1]", "line 1, column 6: "),
            (b'{"a": "x\ny"}', "line 1, column 9: Invalid control character"),
            (b'{"a": "\xff"}', "byte 7 is not UTF-8"),
            (b'{"a": NaN}', "NaN is not JSON"),
            (b'{"a": 1, "b": {"c": 1, "c": 2}}', "a key is given twice"),
            (b'{"a": 1e9999999999999999999}', "exponent"),
            (b"[" * 17 + b"]" * 17, "nested too deeply"),
        ):
            with self.subTest(raw=raw), self.assertRaises(BillingError) as caught:
                decode_json(raw)
            self.assertEqual(caught.exception.code, "invalid_json")
            self.assertIn(said, str(caught.exception))
        self.assertTrue(decode_json(b"[" * 16 + b"]" * 16) is not None)

    def test_half_a_surrogate_pair_costs_its_own_event_only(self):
        payload = decode_json(rb'{"events":[{"metric_code":"\ud800"},{}]}')
        with self.assertRaises(BillingError):
            check_text(payload["events"][0]["metric_code"], "metric_code", "x")

    def test_hostile_bodies_of_full_size_take_bounded_time(self):
        for raw in (b"[" * 2**18, rb"\"" * 2**18, b'"' * 2**18, b"[]," * 2**17):
            with self.subTest(raw=raw[:10]):
                started = time.perf_counter()
                with self.assertRaises(BillingError):
                    decode_json(raw)
                self.assertLess(time.perf_counter() - started, 0.5)


class TestParseEvent(unittest.TestCase):
    def _refusal(self, event):
        with self.assertRaises(BillingError) as caught:
            parse_event(event, NOW, DAY)
        return caught.exception

    def test_values(self):
        event = parse_event(
            _event(
                subscription_external_id=7,
                quantity=Decimal("1.50"),
                period_end="2026-01-02T03:00:00+02:00",
                idempotency_key="key-1",
                unique_key="user-1",
            ),
            NOW,
            DAY,
        )
        self.assertEqual(event.subscription_ref, "7")
        self.assertEqual(event.metric_code, "api_calls")
        self.assertEqual(event.quantity, Decimal("1.5"))
        self.assertEqual(event.period_start, datetime(2026, 1, 2))
        self.assertEqual(event.period_end, datetime(2026, 1, 2, 1))
        self.assertEqual(event.idempotency_key, "key-1")
        self.assertEqual(event.unique_key, "user-1")
        self.assertRegex(event.fingerprint, "^[0-9a-f]{32}$")

    def test_odoo_s_id_in_place_of_the_app_s_own(self):
        event = _event(subscription_id=7)
        self.assertEqual(parse_event(event).subscription_ref, ("sub-1", 7))
        del event["subscription_external_id"]
        self.assertEqual(parse_event(event).subscription_ref, 7)
        for key in ("metric_code", "quantity", "period_start", "period_end"):
            self.assertEqual(str(self._refusal(event | {key: ""})), f"missing {key}")

    def test_optional_keys_may_be_null(self):
        event = parse_event(_event(idempotency_key=None, unique_key=None))
        self.assertIsNone(event.idempotency_key)
        self.assertIsNone(event.unique_key)

    def test_no_object_is_no_event(self):
        for event in (None, [], "x", 1, True):
            with self.subTest(event=event):
                refusal = self._refusal(event)
                self.assertEqual(refusal.code, "invalid_event")
                self.assertEqual(str(refusal), "invalid event")

    def test_a_key_that_no_event_has_is_refused(self):
        """A discount, say, was taken and ignored."""
        for key in ("discount", "vat", "properties", "Quantity", "quantity "):
            with self.subTest(key=key):
                refusal = self._refusal(_event(**{key: None}))
                self.assertEqual((refusal.code, refusal.field), ("unknown_field", key))
                self.assertIn("idempotency_key", str(refusal))
        # what forges a log, and what can be an API key in a wrong place, is not told
        for key in ("a\nb", "\ud800", "", "fcb_" + "x" * 49):
            with self.subTest(key=ascii(key)):
                refusal = self._refusal(_event(**{key: 1}))
                self.assertEqual((refusal.code, refusal.field), ("unknown_field", None))
                self.assertNotIn(key or "\0", str(refusal))
        self.assertEqual(self._refusal({"vat": 1}).code, "unknown_field")

    def test_the_first_missing_key_is_named_and_null_and_empty_are_missing(self):
        keys = list(_event())
        for index, key in enumerate(keys):
            for event in (
                {k: 1 for k in keys[:index]},
                _event(**{key: None}),
                _event(**{key: ""}),
            ):
                with self.subTest(event=event):
                    refusal = self._refusal(event)
                    self.assertEqual(refusal.code, "missing_field")
                    self.assertEqual(str(refusal), f"missing {key}")
                    self.assertEqual(refusal.field, key)

    def test_bad_values(self):
        no_text = (0, 1, -1, 1.5, True, False, [], ["x"], {}, {"a": 1})
        bad_text = (" ", "\t", "a\0b", "a\nb", "\x7f", "\ud800", "x" * 256)
        refs = (0, -1, 2**31, 2**63, Decimal("1.0"), 1.0, True, False, [1], {})
        for field, values in (
            ("subscription_external_id", refs + bad_text),
            ("metric_code", no_text + bad_text),
            ("idempotency_key", ("", *no_text, *bad_text)),
            ("unique_key", ("", *no_text, *bad_text)),
            ("quantity", (-1, "nan", True)),
        ):
            for value in values:
                with self.subTest(field=field, value=ascii(value)[:20]):
                    refusal = self._refusal(_event(**{field: value}))
                    self.assertEqual(refusal.code, f"invalid_{field}")
                    self.assertEqual(str(refusal), f"invalid {field}")
                    self.assertEqual(refusal.field, field)

    def test_text_is_taken_literally(self):
        for text in ("%", "_", "'; DROP TABLE x; --", "2147483648", "-1", "é", " a "):
            with self.subTest(text=text):
                event = _event(subscription_external_id=text, metric_code=text)
                self.assertEqual(parse_event(event)[:2], (text, text))
        self.assertEqual(check_text("x" * 255, "name", "code"), "x" * 255)

    def test_pattern_of_text_says_the_same(self):
        """Its readers are told by the pattern what check_text takes."""
        for text, good in (
            ("x", True),
            ("a b", True),
            (" x ", True),
            ("\u00e9\U0001f600", True),
            ("", False),
            (" ", False),
            ("\u2003\u00a0", False),
            ("a\nb", False),
            ("\x00", False),
            ("x\x1f", False),
            ("\x7fx", False),
            ("x\x85y", False),
            ("\x9f", False),
        ):
            with self.subTest(text=text):
                self.assertEqual(bool(re.fullmatch(TEXT_PATTERN, text)), good)
                try:
                    self.assertEqual(check_text(text, "name", "code") == text, good)
                except BillingError:
                    self.assertFalse(good)

    def test_periods(self):
        for start, end, code, field in (
            ("2026-02-30", "2026-03-01", "invalid_period", "period_start"),
            ("2026-02-28", "soon", "invalid_period", "period_end"),
            ("2026-01-02", "2026-01-01", "period_order", "period_end"),
            ("2026-01-11T12:00:01Z", "2026-01-12", "period_in_future", "period_start"),
            ("2099-12-31", "2099-12-31", "period_in_future", "period_start"),
            # of a year that was mistyped
            ("0001-01-01", "2026-01-01", "invalid_period", "period_start"),
            ("1999-12-31T23:59:59Z", "2026-01-01", "invalid_period", "period_start"),
            ("2026-01-01", "2100-01-01", "invalid_period", "period_end"),
            ("2026-01-01", "9999-12-31", "invalid_period", "period_end"),
        ):
            with self.subTest(start=start, end=end):
                refusal = self._refusal(_event(period_start=start, period_end=end))
                self.assertEqual((refusal.code, refusal.field), (code, field))

    def test_a_period_may_be_an_instant_and_start_within_the_tolerance(self):
        for start, now, tolerance in (
            ("2026-01-11T12:00:00Z", NOW, DAY),
            ("2099-12-31T23:59:59.999999Z", None, None),
            ("2099-12-31", NOW, timedelta.max),
            ("2000-01-01", NOW, DAY),
            ("2000-01-01T02:00+02:00", NOW, DAY),
        ):
            with self.subTest(start=start):
                event = _event(period_start=start, period_end=start)
                parse_event(event, now, tolerance)


class TestFingerprint(unittest.TestCase):
    START, END = datetime(2026, 1, 2), datetime(2026, 1, 3)

    def test_the_spelling_does_not_matter(self):
        same = {
            parse_event(_event(**changes)).fingerprint
            for changes in (
                {"quantity": 5},
                {"quantity": "5.0"},
                {"quantity": Decimal("0.5e1")},
                {"quantity": 5.0},
                {"period_start": "2026-01-02"},
                {"period_start": "2026-01-02T02:00:00+02:00"},
                {"idempotency_key": "key-1"},  # says who, not what
            )
        }
        self.assertEqual(len(same), 1)

    def test_each_part_of_the_content_matters(self):
        variants = (
            (Decimal(5), self.START, self.END, None),
            (Decimal("5.1"), self.START, self.END, None),
            (Decimal(50), self.START, self.END, None),
            (Decimal(5), self.START, self.START, None),
            (Decimal(5), datetime(2026, 1, 2, microsecond=1), self.END, None),
            (Decimal(5), self.START, self.END, "user-1"),
            (Decimal(5), self.START, self.END, "None"),
        )
        self.assertEqual(
            len({content_fingerprint(*v) for v in variants}), len(variants)
        )

    def test_it_never_changes(self):
        """Stored rows carry it: another value would turn retries into conflicts."""
        self.assertEqual(
            content_fingerprint(Decimal(5), self.START, self.END, "user-1"),
            "e12b48225100dd4ac6653c5232afb864",
        )
