import base64
from unittest.mock import patch

from ...engine.webhook import transport
from ...models.webhook import sender as webhook_sender
from ..common import BillingCase

URL = "https://receiver.sample-app.com/hooks"
SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
TIMEOUT = transport.TransportError("timeout", "too slow")


class WebhookCase(BillingCase):
    """A service with an address, and a transport that answers as a test says."""

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

        def post(_sender, url, body, headers):
            calls.append((url, body, headers))
            answer = pending.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        self._run_cron(post)
        return calls

    def _run_cron(self, post):
        with (
            patch.object(webhook_sender.Sender, "_post", post),
            self.enter_registry_test_mode(),
        ):
            self.env.ref(
                "fusion_centralized_billing.cron_deliver_webhooks"
            ).method_direct_trigger()

    def _answer(self, status, **headers):
        return transport.Response(status=status, head=b"", headers=headers)
