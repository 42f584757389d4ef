import re
import unittest

from ..api import payload
from ..api.errors import ERRORS, error_body, status_of
from ..errors import BillingError


class TestPayload(unittest.TestCase):
    def _assert_refused(self, code, field, function, *args):
        with self.assertRaises(BillingError) as caught:
            function(*args)
        self.assertEqual((caught.exception.code, caught.exception.field), (code, field))

    def test_require(self):
        self.assertEqual(payload.require({"a": 0}, "a"), 0)
        for body in ({}, {"a": None}, {"a": ""}):
            self._assert_refused("missing_field", "a", payload.require, body, "a")
        for message, expected in (
            ((), "missing plan_id"),
            (("{key} required",), "plan_id required"),
        ):
            with self.assertRaises(BillingError) as caught:
                payload.require({}, "plan_id", *message)
            self.assertEqual(caught.exception.message, expected)

    def test_optional_text(self):
        self.assertEqual(payload.optional_text({"name": " x "}, "name"), " x ")
        for body in ({}, {"name": None}, {"name": ""}):
            self.assertIsNone(payload.optional_text(body, "name"))
        for value in (1, True, [], {}, " ", "a\x00", "x" * 256):
            self._assert_refused(
                "invalid_name", "name", payload.optional_text, {"name": value}, "name"
            )

    def test_what_a_customer_shall_be_called(self):
        for body, expected in (
            ({}, {}),
            ({"name": "Sample"}, {"name": "Sample"}),
            ({"email": None}, {"email": None}),
            ({"email": ""}, {"email": None}),
            ({"email": "b+1@example.com"}, {"email": "b+1@example.com"}),
            ({"email": "o'neil@mail.example"}, {"email": "o'neil@mail.example"}),
            ({"email": "büro@müller.example"}, {"email": "büro@müller.example"}),
            ({"email": "x@a-b.xn--p1ai"}, {"email": "x@a-b.xn--p1ai"}),
        ):
            with self.subTest(body=body):
                self.assertEqual(payload.contact_changes(body), expected)
        for name in (None, "", " ", 7, [], "a\nb"):
            self._assert_refused(
                "invalid_name", "name", payload.contact_changes, {"name": name}
            )
        for email in (
            *("not an email", "x", "@", "x@", "@example.com", "x@example", "x@@a.com"),
            *("x y@a.com", "x@a b.com", "a@b..com", "a@.com", "a@b.com.", ".a@b.com"),
            *("a.@b.com", "a..b@c.com", "a@-b.com", "a@b-.com", "a@b.c", "a@1.2.3.44"),
            *("a@b.com, c@d.com", "a@b.com;c@d.com", "A <a@b.com>", "a@b.com\n"),
            *(" a@b.com", "a@b.com ", "a@b_c.com", "a" * 250 + "@b.com", 7, True, []),
            *("mailto:a@b.com", "a\x9d@b.com", "a\x00@b.com", "a\ud800@b.com"),
        ):
            with self.subTest(email=email):
                self._assert_refused(
                    "invalid_email", "email", payload.contact_changes, {"email": email}
                )
        # the document's readers are told the same
        self.assertFalse(re.fullmatch(payload.EMAIL_PATTERN, "a\x9d@b.com"))

    def test_flag(self):
        self.assertIs(payload.flag({}, "atomic"), False)
        self.assertIs(payload.flag({"atomic": True}, "atomic"), True)
        for value in (None, 0, 1, "true", []):
            self._assert_refused(
                "invalid_atomic", "atomic", payload.flag, {"atomic": value}, "atomic"
            )

    def test_record_id(self):
        self.assertEqual(payload.record_id(2**31 - 1, "plan_id"), 2**31 - 1)
        for value in (True, 0, -1, 2**31, "7", 7.0, None, [7]):
            self._assert_refused(
                "invalid_plan_id", "plan_id", payload.record_id, value, "plan_id"
            )


class TestErrorTable(unittest.TestCase):
    def test_status(self):
        self.assertEqual(status_of("invalid_quantity"), 400)
        self.assertEqual(status_of("unknown_subscription"), 400)
        self.assertEqual(status_of("unknown_subscription", in_path=True), 404)
        self.assertEqual(status_of("invalid_quantity", in_path=True), 400)
        self.assertEqual(status_of("rate_limited"), 429)

    def test_every_code_says_what_it_means(self):
        for code, error in ERRORS.items():
            with self.subTest(code):
                self.assertRegex(code, "^[a-z]+(_[a-z]+)*$")
                self.assertIn(error.status, range(400, 504))
                self.assertTrue(error.meaning)

    def test_body(self):
        self.assertEqual(
            error_body(BillingError("invalid_name", "invalid name", "name")),
            {
                "status": "error",
                "error": "invalid name",
                "code": "invalid_name",
                "field": "name",
            },
        )
        self.assertNotIn("field", error_body(BillingError("busy", "wait")))
