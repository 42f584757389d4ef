import base64
import hashlib
import hmac
import json
from datetime import datetime, timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged

from ..engine import transport
from ..models import server_options, webhook_delivery
from .common import BillingCase

URL = "https://receiver.sample-app.com/hooks"
SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()


@tagged("post_install", "-at_install")
class TestWebhookAddress(BillingCase):
    def test_addresses_that_are_refused_when_saved(self):
        for url in (
            "http://receiver.sample-app.com/",
            "ftp://receiver.sample-app.com/",
            "receiver.sample-app.com",
            "https://user:pw@receiver.sample-app.com/",
            "https://localhost/",
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://10.0.0.1/",
            "https://169.254.169.254/latest/meta-data",
            "https://100.64.0.1/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[fd00::1]/",
            "https://127.0.0.1\\@example.com/",
            "https://printer/",
            "https://printer.local/",
            "https://service.internal/",
            "https://receiver.sample-app.com:8080/",
            "https://receiver.sample-app.com/#part",
            "https://receiver.sample-app.com /",
        ):
            with self.subTest(url=url), self.assertRaises(ValidationError):
                self.service.webhook_url = url

    def test_addresses_that_are_accepted(self):
        for url in (
            URL,
            "https://receiver.sample-app.com",
            "https://receiver.sample-app.com:8443/a?b=c",
            "https://xn--bcher-kva.com/",
            False,
        ):
            with self.subTest(url=url):
                self.service.webhook_url = url

    def test_only_odoo_conf_allows_a_local_receiver(self):
        with patch.object(server_options, "get", return_value="localhost:8443"):
            self.service.webhook_url = "https://localhost:8443/hooks"
            with self.assertRaises(ValidationError):
                self.service.webhook_url = "https://localhost:9443/hooks"


@tagged("post_install", "-at_install")
class TestWebhookSecret(BillingCase):
    def test_the_secret_is_encrypted_at_rest_and_not_copied(self):
        self.service.webhook_secret = SECRET
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT s::text FROM fusion_billing_service s WHERE id = %s",
            [self.service.id],
        )
        self.assertNotIn(SECRET[6:20], self.env.cr.fetchone()[0])
        self.service.invalidate_recordset()
        self.assertEqual(self.service.webhook_secret, SECRET)
        with self.assertRaises(ValidationError):
            self.service.webhook_secret = "whsec_not base64"
        copied = self.service.copy({"code": "copied"})
        self.assertFalse(copied.webhook_secret)
        self.assertFalse(copied.api_key_hash)


@tagged("post_install", "-at_install")
class TestWebhookDelivery(BillingCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.service.write({"webhook_url": URL, "webhook_secret": SECRET})
        cls.env["fusion.billing.webhook"].search([]).write({"state": "sent"})

    def _enqueue(self, event_type="webhook.test", data=None):
        return self.env["fusion.billing.webhook"]._enqueue(
            self.service, event_type, data or {"b": "ü", "a": [1, None]}
        )

    def _deliver(self, *answers):
        """Run the cron; the transport gives these answers. Returns its calls."""
        calls = []
        pending = list(answers)

        def post(target, body, headers, **_options):
            calls.append((target, body, headers))
            answer = pending.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        self._run_cron(post)
        return calls

    def _run_cron(self, post):
        with (
            patch.object(webhook_delivery.transport, "post", post),
            self.enter_registry_test_mode(),
        ):
            self.env.ref(
                "fusion_centralized_billing.cron_deliver_webhooks"
            ).method_direct_trigger()

    def _answer(self, status, **headers):
        return transport.Response(status=status, head=b"", headers=headers)

    def test_the_body_is_canonical_and_stored_once(self):
        webhook = self._enqueue()
        body = json.loads(webhook.payload)
        self.assertEqual(
            webhook.payload,
            json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False),
        )
        self.assertIn('"data":{"a":[1,null],"b":"ü"}', webhook.payload)
        self.assertEqual(body["id"], webhook.event_id)
        self.assertEqual(body["type"], "webhook.test")
        with self.assertRaises(UserError):
            webhook.payload = "{}"

    def test_every_attempt_posts_the_stored_bytes_under_the_same_id(self):
        webhook = self._enqueue()
        first = self._deliver(self._answer(500))
        webhook.next_attempt_at = datetime(2026, 1, 1)
        second = self._deliver(self._answer(200))
        for _target, body, headers in first + second:
            self.assertEqual(body, webhook.payload.encode())
            self.assertEqual(headers["X-Fusion-Event-Id"], webhook.event_id)
            self.assertEqual(headers["webhook-id"], webhook.event_id)
            self.assertEqual(headers["X-Fusion-Event-Type"], "webhook.test")
        self.assertEqual(len(first + second), 2)
        self.assertEqual((webhook.state, webhook.attempts), ("sent", 2))

    def test_both_signatures_verify(self):
        webhook = self._enqueue()
        [(_target, body, headers)] = self._deliver(self._answer(204))
        self.assertEqual(
            headers["X-Fusion-Signature"],
            "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest(),
        )
        signed = f"{webhook.event_id}.{headers['webhook-timestamp']}.".encode() + body
        digest = hmac.digest(b"0123456789abcdef0123456789abcdef", signed, "sha256")
        self.assertEqual(
            headers["webhook-signature"], "v1," + base64.b64encode(digest).decode()
        )

    def test_the_delay_doubles_up_to_1024_minutes(self):
        webhook = self._enqueue()
        for attempts, minutes in ((1, 2), (2, 4), (3, 8), (10, 1024), (11, 1024)):
            webhook.write(
                {
                    "attempts": attempts - 1,
                    "first_attempt_at": False,
                    "next_attempt_at": datetime(2026, 1, 1),
                }
            )
            with freeze_time("2026-01-10 12:00:00"):
                self._deliver(self._answer(503))
            with self.subTest(attempts=attempts):
                delay = webhook.next_attempt_at - datetime(2026, 1, 10, 12)
                self.assertEqual(webhook.attempts, attempts)
                self.assertGreaterEqual(delay, timedelta(minutes=minutes))
                self.assertLessEqual(delay, timedelta(minutes=minutes * 1.1))

    def test_it_is_given_up_after_days_and_can_be_replayed(self):
        webhook = self._enqueue()
        webhook.first_attempt_at = datetime(2026, 1, 1)
        webhook.next_attempt_at = datetime(2026, 1, 1)
        with freeze_time("2026-01-04 13:00:00"):
            self._deliver(self._answer(500))
        self.assertEqual(webhook.state, "dead")
        event_id = webhook.event_id
        webhook.action_replay()
        [(_target, _body, headers)] = self._deliver(self._answer(200))
        self.assertEqual(headers["X-Fusion-Event-Id"], event_id)
        self.assertEqual(webhook.state, "sent")

    def test_a_receiver_that_cannot_be_reached_is_tried_again(self):
        webhook = self._enqueue()
        self._deliver(transport.TransportError("connect", "connection refused"))
        self.assertEqual(webhook.state, "pending")
        self.assertIn("connect", webhook.last_error)
        self.assertFalse(webhook.lease_token)

    def test_one_failing_receiver_does_not_stop_another(self):
        other = self._create_service(
            code="other-app", webhook_url=URL + "2", webhook_secret=SECRET
        )
        failing = self._enqueue()
        healthy = self.env["fusion.billing.webhook"]._enqueue(other, "webhook.test", {})

        def post(target, *_args, **_options):
            if target.path.endswith("2"):
                return self._answer(200)
            raise transport.TransportError("timeout", "too slow")

        self._run_cron(post)
        self.assertEqual((failing.state, healthy.state), ("pending", "sent"))

    def test_a_receiver_that_is_down_is_asked_once_in_a_round(self):
        first, second = self._enqueue(), self._enqueue()
        with freeze_time("2026-01-10 12:00:00"):
            (first | second).next_attempt_at = datetime(2026, 1, 10)
            calls = self._deliver(transport.TransportError("timeout", "too slow"))
        self.assertEqual(len(calls), 1)
        self.assertEqual((first.attempts, second.attempts), (1, 0))
        self.assertEqual(second.next_attempt_at, datetime(2026, 1, 10, 12, 1))
        self.assertFalse(second.lease_token)

    def test_a_leased_event_is_not_claimed_again_until_the_lease_ends(self):
        """A worker died after claiming: the event waits for the lease, no longer."""
        Webhook = self.env["fusion.billing.webhook"]
        with freeze_time("2026-01-10 12:00:00"):
            webhook = self._enqueue()
            [claim] = Webhook._claim()
            self.assertEqual(claim.id, webhook.id)
            self.assertFalse(Webhook._claim())
        with freeze_time("2026-01-10 12:02:00"):
            [second] = Webhook._claim()
            # the first worker comes back late: its word no longer counts
            webhook._record(claim, webhook_delivery.Outcome(200, None, None))
            self.assertEqual(webhook.state, "pending")
            webhook._record(second, webhook_delivery.Outcome(200, None, None))
            self.assertEqual(webhook.state, "sent")

    def test_nothing_is_sent_unsigned(self):
        self.service.webhook_secret = False
        webhook = self._enqueue()
        self.assertFalse(self._deliver())
        self.assertEqual(webhook.last_error, "no webhook secret")

    def test_without_an_address_the_event_is_kept_and_not_sent(self):
        self.service.webhook_url = False
        webhook = self._enqueue()
        self.assertFalse(self._deliver())
        self.assertEqual((webhook.state, webhook.attempts), ("pending", 0))


@tagged("post_install", "-at_install")
class TestWebhookEvents(BillingCase):
    """Each business change writes its one event, in its own transaction."""

    def _types(self):
        return self.service.webhook_ids.sorted("id").mapped("event_type")

    def test_an_event_vanishes_with_the_change_that_made_it(self):
        before = self._types()
        savepoint = self.env.cr.savepoint()
        self.service._api_upsert_customer({"external_id": "acc-2"})
        self.assertEqual(self._types(), [*before, "customer.linked"])
        savepoint.rollback()
        self.service.invalidate_recordset()
        self.assertEqual(self._types(), before)

    def test_the_life_of_a_subscription_and_its_invoice(self):
        order = self._create_order()
        before = len(self._types())
        order.action_confirm()
        self.assertEqual(self._types()[before:], ["subscription.created"])
        self._set_window(order, datetime(2026, 1, 1), datetime(2026, 2, 1))
        self._record(200, order=order)
        move = order._create_invoices()
        # 200 of the 100 that are included
        self.assertEqual(self._types()[before + 1 :], ["usage.threshold_reached"] * 2)
        move.action_post()
        posted = self.service.webhook_ids.sorted("id")[before + 3 :]
        self.assertEqual(
            posted.mapped("event_type"), ["invoice.posted", "rating.closed"]
        )
        invoice = json.loads(posted[0].payload)["data"]
        self.assertEqual(invoice["amount_total"], "60.00")
        self.assertEqual(invoice["external_customer_id"], "acc-1")
        rating = json.loads(posted[1].payload)["data"]["ratings"][0]
        self.assertEqual((rating["quantity"], rating["amount"]), ("200", "50.00"))
        # posted once more: the windows were told of already
        move.button_draft()
        move.action_post()
        self.assertEqual(self._types().count("rating.closed"), 1)
        order.subscription_state = "4_paused"
        self.assertEqual(self._types()[-1], "subscription.updated")
        move.button_draft()
        move.button_cancel()
        self.assertEqual(self._types()[-1], "invoice.cancelled")

    def test_a_paid_invoice(self):
        move = self.order._create_invoices()
        move.action_post()
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=move.ids
        ).create({})._create_payments()
        self.assertEqual(self._types().count("invoice.paid"), 1)
