"""Changes of subscriptions: what is sent, and what is made of the answers."""

from datetime import date
from decimal import Decimal

from fusion_billing import LineQuantity, OrderLine

from .fake_api import PREFIX, FakeApiCase


class TestSubscriptionChanges(FakeApiCase):
    def check(self, method, path, body):
        found = self.api.requests.pop()
        self.assertEqual(found, (method, PREFIX + path, body))
        self.assertEqual(self.api.requests, [])

    def test_changes_of_a_subscription(self):
        answer = {
            **{"subscription_id": 12, "external_id": "sub-1", "name": "S00012"},
            **{"external_customer_id": "acc-1", "partner_id": 7, "plan_id": 3},
            **{"plan_name": "Monthly", "subscription_state": "3_progress"},
            **{"currency": "USD", "start_date": "2026-01-01", "end_date": None},
            **{"last_invoice_date": "2026-01-01", "next_invoice_date": "2026-02-01"},
            **{"pause_date": "2026-01-20", "resume_date": "2026-02-10"},
            **{"window": None, "successor_id": None, "lines": []},
        }
        route, client = "/subscriptions/sub-1", self.client
        for method, verb, call, body in (
            (
                "PATCH",
                "",
                lambda: client.update_subscription(
                    "sub-1",
                    plan_id=4,
                    lines=[OrderLine(12, Decimal("1.5")), LineQuantity(31, 0)],
                    when="now",
                ),
                {
                    "plan_id": 4,
                    "lines": [
                        {"product_id": 12, "quantity": "1.5"},
                        {"line_id": 31, "quantity": "0"},
                    ],
                    "when": "now",
                },
            ),
            (
                "PATCH",
                "",
                lambda: client.update_subscription("sub-1", plan_id=4),
                {"plan_id": 4, "when": "period_end"},
            ),
            ("POST", "/undo-cancel", lambda: client.undo_cancel("sub-1"), {}),
            (
                "POST",
                "/pause",
                lambda: client.pause_subscription(
                    "sub-1", start="2026-01-20", until=date(2026, 2, 10)
                ),
                {"from": "2026-01-20", "until": "2026-02-10"},
            ),
            ("POST", "/pause", lambda: client.pause_subscription("sub-1"), {}),
            (
                "POST",
                "/resume",
                lambda: client.resume_subscription("sub-1", date(2026, 2, 10)),
                {"date": "2026-02-10"},
            ),
            (
                "POST",
                "/reactivate",
                lambda: client.reactivate_subscription("sub-1"),
                {},
            ),
        ):
            self.api.answers = {f"{method} {route}{verb}": answer}
            with self.subTest(body=body, verb=verb):
                found = call()
                self.assertEqual(found.pause_date, date(2026, 1, 20))
                self.assertEqual(found.resume_date, date(2026, 2, 10))
                self.check(method, route + verb, body)

    def test_cancelled_on_a_day(self):
        self.api.answers["POST /subscriptions/sub-1/cancel"] = {
            **{"subscription_id": 12, "external_id": "sub-1"},
            **{"subscription_state": "3_progress", "end_date": "2026-01-20"},
        }
        self.client.cancel_subscription("sub-1", "on", date=date(2026, 1, 20))
        body = {"when": "on", "date": "2026-01-20"}
        self.check("POST", "/subscriptions/sub-1/cancel", body)
