"""Every event that is described is really told, once, and as it is described."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from datetime import datetime
from pathlib import Path

from provisioning.process import clean_env

from .api import PREFIX, Api
from .openapi_env import get_bin
from .webhook_case import JOB, WebhookCase

CHECK = Path(__file__).with_name("check_events.py")
NOW = datetime(2026, 2, 1, 8)
TOLD = Counter(
    {
        "customer.linked": 1,
        "customer.updated": 1,
        "subscription.created": 1,
        "subscription.updated": 2,  # paused, resumed
        "usage.threshold_reached": 2,  # 80 and 100 %: 150 of 100 were used
        "rating.closed": 1,
        "invoice.posted": 2,  # the credit note, too
        "invoice.paid": 1,
        "invoice.cancelled": 1,
        "reconciliation.mismatch": 1,
        "webhook.test": 1,
    }
)
# Of one subscription, in the order of the story.
NUMBERED = [
    *("subscription.created", "subscription.updated", "subscription.updated"),
    *("usage.threshold_reached", "usage.threshold_reached"),
    *("rating.closed", "reconciliation.mismatch"),
]


class TestWebhookContract(WebhookCase):
    seconds = 25
    paths = {"app": "/ok"}

    def setUp(self):
        super().setUp()
        self.made = self.script(
            self.database, "webhook_story.py", {"service": "app"}, at=NOW
        )
        payloads = self.rows(
            self.database, "SELECT payload FROM fusion_billing_webhook ORDER BY id"
        )
        # psql separates columns by it; no text of the story holds one
        self.events = [json.loads("|".join(row)) for row in payloads]

    def of_type(self, code: str) -> list[dict]:
        return [event["data"] for event in self.events if event["type"] == code]

    def document(self) -> dict:
        server = self.workspace.start_server(
            self.database, name=f"system-{type(self).__name__}-server"
        )
        self.addCleanup(server.stop)
        answer = Api(server.port, "", self.database).send(
            "GET", f"{PREFIX}/openapi.json", headers={"X-Odoo-Database": self.database}
        )
        return answer.body

    def test_each_is_told_as_described(self):
        self.assertEqual(Counter(event["type"] for event in self.events), TOLD)
        document = self.document()
        self.assertEqual({*document["webhooks"]}, {*TOLD})
        chosen = self.rows(
            self.database, "SELECT code FROM fusion_billing_webhook_type ORDER BY 1"
        )
        # the test event is always told
        self.assertEqual({code for [code] in chosen}, {*TOLD} - {"webhook.test"})
        done = subprocess.run(
            [get_bin(self.workspace) / "python", CHECK],
            input=json.dumps({"document": document, "events": self.events}),
            env=clean_env(),
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual((done.stdout, done.stderr, done.returncode), ("", "", 0))
        self.check_contents()
        self.check_numbers()
        self.run_jobs(self.database, JOB)
        self.assertEqual(
            Counter(event for _path, event in self.receipts()),
            Counter(event["id"] for event in self.events),
        )

    def check_contents(self) -> None:
        """Amounts computed by hand: a fee of 10, and 50 calls at 0.50."""
        [closed] = self.of_type("rating.closed")
        [rating] = closed["ratings"]
        self.assertEqual(
            {key: rating[key] for key in ("quantity", "billable", "amount")},
            {"quantity": "150", "billable": "50", "amount": "25.00"},
        )
        self.assertEqual(closed["invoice_id"], self.made["invoice"])
        posted, credit = self.of_type("invoice.posted")
        self.assertEqual(
            (posted["type"], posted["amount_total"]), ("out_invoice", "35.00")
        )
        self.assertEqual(
            (credit["type"], credit["amount_total"]), ("out_refund", "35.00")
        )
        self.assertEqual(posted["subscription_ids"], [self.made["order"]])
        shares = [
            d["threshold_percent"] for d in self.of_type("usage.threshold_reached")
        ]
        self.assertEqual(shares, [80, 100])
        states = [
            (d["previous_state"], d["subscription_state"])
            for d in self.of_type("subscription.updated")
        ]
        self.assertEqual(
            states, [("3_progress", "4_paused"), ("4_paused", "3_progress")]
        )
        for told, (before, after) in zip(
            self.of_type("subscription.updated"), states, strict=True
        ):
            change = {"subscription_state": {"before": before, "after": after}}
            self.assertEqual(told["changes"], change)

    def check_numbers(self) -> None:
        """1, 2, 3 ... for the subscription; null for what is of none."""
        numbered = [event for event in self.events if event["sequence"] is not None]
        self.assertEqual([e["type"] for e in numbered], NUMBERED)
        self.assertEqual(
            [e["sequence"] for e in numbered], [*range(1, len(NUMBERED) + 1)]
        )
        for event in numbered:
            self.assertEqual(event["data"]["subscription_id"], self.made["order"])
