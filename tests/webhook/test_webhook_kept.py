import runpy
from datetime import datetime

from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import file_path

from .webhook_case import WebhookCase


@tagged("post_install", "-at_install")
class TestWebhookKept(WebhookCase):
    """How long events are kept, and sending them again."""

    def test_delivered_events_are_deleted_after_a_time_and_others_kept(self):
        webhooks = self.env["fusion.billing.webhook"]
        for _ in range(6):
            webhooks |= self._enqueue()
        old, recent, dead, pending, unsent, unsent_recent = webhooks
        (unsent | unsent_recent).next_attempt_at = False  # there was no address
        self.env.flush_all()
        for webhook, day in ((unsent, "2026-01-01"), (unsent_recent, "2026-01-02")):
            self.env.cr.execute(
                "UPDATE fusion_billing_webhook SET create_date = %s WHERE id = %s",
                [day, webhook.id],
            )
        old.write({"state": "sent", "sent_at": datetime(2026, 1, 1)})
        recent.write({"state": "sent", "sent_at": datetime(2026, 1, 2)})
        dead.write({"state": "dead", "first_attempt_at": datetime(2026, 1, 1)})
        self.env["ir.config_parameter"].set_param(
            "fusion_centralized_billing.webhook_days", "30"
        )
        self.env.flush_all()
        with freeze_time("2026-01-31 12:00:00"):
            self.assertEqual(self.env["fusion.billing.webhook"]._prune(), (2, False))
        self.env.invalidate_all()
        self.assertEqual(webhooks.exists(), recent | dead | pending | unsent_recent)

    def test_a_time_is_sent_again(self):
        dead, sent, unsent, due = [self._enqueue() for _ in range(4)]
        dead.state = "dead"
        sent.state = "sent"
        unsent.next_attempt_at = False  # there was no address
        wizard = self.env["fusion.billing.webhook.replay.wizard"].create(
            {"service_id": self.service.id, "date_to": "2100-01-01 00:00:00"}
        )
        self.assertEqual(wizard.event_count, 2)
        wizard.action_replay()
        events = dead | sent | unsent | due
        self.assertEqual(events.mapped("state"), ["pending", "sent", *["pending"] * 2])
        self.assertTrue(all(events.mapped("next_attempt_at")))
        wizard.type_ids = self.env.ref(
            "fusion_centralized_billing.webhook_type_invoice_paid"
        )
        with self.assertRaisesRegex(UserError, "no webhook events"):
            wizard.action_replay()
        wizard.write({"type_ids": False, "which": "all"})
        wizard.action_replay()
        self.assertEqual({*events.mapped("state")}, {"pending"})

    def test_events_of_before_know_their_subscription(self):
        of_order = self._enqueue(data={"subscription_id": self.order.id})
        of_none = self._enqueue()
        self.env.flush_all()
        self.env.cr.execute("UPDATE fusion_billing_webhook SET subscription_id = NULL")
        path = (
            "fusion_centralized_billing/migrations/19.0.1.3.0"
            "/post-webhook_subscription.py"
        )
        runpy.run_path(file_path(path))["migrate"](self.env.cr, "19.0.1.2.0")
        self.env.invalidate_all()
        self.assertEqual(of_order.subscription_id, self.order)
        self.assertFalse(of_none.subscription_id)
