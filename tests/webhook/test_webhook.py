import json
from datetime import datetime
from unittest.mock import patch

from odoo.exceptions import ValidationError
from odoo.tests import tagged

from ...models.base import server_options
from ..common import BillingCase
from .webhook_case import URL


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

    def test_events_of_a_subscription_are_numbered(self):
        other = self._create_service(code="other-app")
        self._create_link(service_id=other.id, external_id="other-1")
        order = self._create_order()
        numbers = {self.service: [], other: []}
        order.action_confirm()
        order.subscription_state = "4_paused"
        order.subscription_state = "3_progress"
        for service, found in numbers.items():
            of_order = service.webhook_ids.filtered(
                lambda w: w.subscription_id == order
            )
            for webhook in of_order.sorted("id"):
                found.append(json.loads(webhook.payload)["sequence"])
        self.assertEqual(numbers, {self.service: [1, 2, 3], other: [1, 2, 3]})
        test = self.env["fusion.billing.webhook"]._enqueue(other, "webhook.test", {})
        self.assertIsNone(json.loads(test.payload)["sequence"])

    def test_only_what_was_chosen_is_told(self):
        self.service.webhook_type_ids = self.env.ref(
            "fusion_centralized_billing.webhook_type_subscription_updated"
        )
        before = self._types()
        order = self._create_order()
        order.action_confirm()
        order.subscription_state = "4_paused"
        self.service.action_send_test_webhook()
        told = self._types()[len(before) :]
        self.assertEqual(told, ["subscription.updated", "webhook.test"])

    def test_a_paid_invoice(self):
        move = self.order._create_invoices()
        move.action_post()
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=move.ids
        ).create({})._create_payments()
        self.assertEqual(self._types().count("invoice.paid"), 1)
