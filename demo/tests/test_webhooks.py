import base64
import hashlib
import hmac
import io
import json
from unittest import TestCase

from demo import verify
from demo.inbox import Inbox

# Published example of the Standard Webhooks libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
NOW = 1614265330.0


class StandardSignatureTest(TestCase):
    def test_published_example(self):
        self.assertTrue(verify.standard_is_valid(SECRET, HEADERS, BODY, NOW))

    def test_one_of_several_signatures(self):
        signatures = f"v1,AAAA {HEADERS['webhook-signature']}"
        headers = HEADERS | {"webhook-signature": signatures}
        self.assertTrue(verify.standard_is_valid(SECRET, headers, BODY, NOW))

    def test_anything_else_fails(self):
        for name, value in (
            ("webhook-id", "msg_other"),
            ("webhook-timestamp", "1614265331"),
            ("webhook-timestamp", "soon"),
            ("webhook-signature", ""),
            ("webhook-signature", HEADERS["webhook-signature"].replace("v1", "v2")),
        ):
            headers = HEADERS | {name: value}
            self.assertFalse(verify.standard_is_valid(SECRET, headers, BODY, NOW))
        self.assertFalse(verify.standard_is_valid(SECRET, HEADERS, BODY + b" ", NOW))
        self.assertFalse(verify.standard_is_valid("other", HEADERS, BODY, NOW))

    def test_a_timestamp_out_of_bounds_fails_both_ways(self):
        for seconds in (-301, 301):
            valid = verify.standard_is_valid(SECRET, HEADERS, BODY, NOW + seconds)
            self.assertFalse(valid)


class FusionSignatureTest(TestCase):
    # RFC 4231, test case 2
    KEY, DATA = "Jefe", b"what do ya want for nothing?"
    DIGEST = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"

    def test_published_example(self):
        headers = {"X-Fusion-Signature": f"sha256={self.DIGEST}"}
        self.assertTrue(verify.fusion_is_valid(self.KEY, headers, self.DATA))
        self.assertFalse(verify.fusion_is_valid(self.KEY, headers, b"other"))
        self.assertFalse(verify.fusion_is_valid("other", headers, self.DATA))
        self.assertFalse(verify.fusion_is_valid(self.KEY, {}, self.DATA))


class InboxTest(TestCase):
    """Signed here by hand with the secret `s`, the clock at 1000."""

    def setUp(self):
        super().setUp()
        self.log = io.StringIO()
        self.inbox = Inbox({"nexadesk": "s"}, self.log)

    def take(self, event_type, app="nexadesk", **changes):
        content = {"service": "nexadesk", "id": "evt_1", "type": event_type}
        body = json.dumps(content).encode()
        digest = hmac.new(b"s", b"evt_1.1000." + body, hashlib.sha256).digest()
        headers = {
            "X-Fusion-Event-Id": "evt_1",
            "X-Fusion-Event-Type": event_type,
            "X-Fusion-Signature": "sha256="
            + hmac.new(b"s", body, hashlib.sha256).hexdigest(),
            "webhook-id": "evt_1",
            "webhook-timestamp": "1000",
            "webhook-signature": "v1," + base64.b64encode(digest).decode(),
        }
        return self.inbox.take(app, headers | changes, body, 1000.0)

    def noted(self):
        return [json.loads(line) for line in self.log.getvalue().splitlines()]

    def test_good(self):
        self.assertEqual(self.take("customer.linked"), 200)
        [arrival] = self.noted()
        self.assertEqual(
            arrival,
            {
                "app": "nexadesk",
                "event_id": "evt_1",
                "event_type": "customer.linked",
                "fusion": True,
                "standard": True,
                "intact": True,
                "repeated": False,
                "answered": 200,
            },
        )

    def test_repeated(self):
        self.take("customer.linked")
        self.take("customer.linked")
        self.assertEqual([a["repeated"] for a in self.noted()], [False, True])

    def test_the_first_invoice_fails_once(self):
        answers = [self.take("invoice.posted") for _ in range(3)]
        self.assertEqual(answers, [503, 200, 200])
        repeated = [arrival["repeated"] for arrival in self.noted()]
        self.assertEqual(repeated, [False, False, True])

    def test_refused(self):
        for changes in (
            {"X-Fusion-Signature": "sha256=00"},
            {"webhook-signature": "v1,AAAA"},
            {"webhook-id": "evt_2"},
            {"X-Fusion-Event-Type": "invoice.paid"},
        ):
            with self.subTest(changes=changes):
                self.assertEqual(self.take("customer.linked", **changes), 401)

    def test_another_apps_address(self):
        self.assertEqual(self.take("customer.linked", app="nexamaps"), 401)
