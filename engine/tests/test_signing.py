import unittest
from decimal import Decimal

from ..errors import BillingError
from ..webhook.signing import (
    canonical_body,
    delivery_headers,
    fusion_signature,
    standard_signature,
)

# The example of the Standard Webhooks specification and its verifier libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MSG_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
TIMESTAMP = 1614265330
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


class TestCanonicalBody(unittest.TestCase):
    def test_sorted_without_spaces_and_not_escaped(self):
        payload = {"b": [1, None, True], "a": {"z": "é/\u2028", "y": "0.10"}}
        self.assertEqual(
            canonical_body(payload),
            '{"a":{"y":"0.10","z":"é/\u2028"},"b":[1,null,true]}',
        )

    def test_what_json_does_not_have_is_refused(self):
        for value, error in (
            (float("nan"), ValueError),
            (float("inf"), ValueError),
            (Decimal("1.5"), TypeError),
            (b"x", TypeError),
        ):
            with self.subTest(value=value), self.assertRaises(error):
                canonical_body({"value": value})


class TestSignatures(unittest.TestCase):
    def test_fusion_signature(self):
        # RFC 4231, test case 2
        self.assertEqual(
            fusion_signature("Jefe", b"what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        )

    def test_standard_signature(self):
        self.assertEqual(
            standard_signature([SECRET], MSG_ID, TIMESTAMP, BODY), SIGNATURE
        )

    def test_while_rotating_each_secret_signs(self):
        both = standard_signature(["new secret", SECRET], MSG_ID, TIMESTAMP, BODY)
        first, second = both.split(" ")
        self.assertEqual(second, SIGNATURE)
        self.assertEqual(
            first, standard_signature(["new secret"], MSG_ID, TIMESTAMP, BODY)
        )
        self.assertNotEqual(first, second)

    def test_each_part_is_signed(self):
        for msg_id, timestamp, body in (
            ("msg_other", TIMESTAMP, BODY),
            (MSG_ID, TIMESTAMP + 1, BODY),
            (MSG_ID, TIMESTAMP, BODY + b" "),
        ):
            with self.subTest(msg_id=msg_id, timestamp=timestamp):
                self.assertNotEqual(
                    standard_signature([SECRET], msg_id, timestamp, body), SIGNATURE
                )

    def test_a_secret_that_is_no_key_is_refused(self):
        for secret in ("", "whsec_", "whsec_not base64!", "whsec_abc"):
            with self.subTest(secret=secret):
                with self.assertRaises(BillingError) as caught:
                    standard_signature([secret], MSG_ID, TIMESTAMP, BODY)
                self.assertEqual(caught.exception.code, "invalid_webhook_secret")
                self.assertNotIn("abc", str(caught.exception))

    def test_headers_of_a_delivery(self):
        headers = delivery_headers(
            MSG_ID, "invoice.paid", BODY, [SECRET, "old secret"], TIMESTAMP
        )
        self.assertEqual(headers["Content-Type"], "application/json")
        self.assertEqual(headers["X-Fusion-Event-Id"], MSG_ID)
        self.assertEqual(headers["X-Fusion-Event-Type"], "invoice.paid")
        self.assertEqual(headers["X-Fusion-Signature"], fusion_signature(SECRET, BODY))
        self.assertEqual(headers["webhook-id"], MSG_ID)
        self.assertEqual(headers["webhook-timestamp"], "1614265330")
        self.assertEqual(headers["webhook-signature"].split(" ")[0], SIGNATURE)
        self.assertEqual(headers["User-Agent"], "Fusion-Centralized-Billing")
