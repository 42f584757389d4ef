from unittest.mock import patch

from freezegun import freeze_time

from odoo.tests import tagged

from .reading_case import ReadingCase

PDF = b"%PDF-1.4 sample"


@tagged("post_install", "-at_install")
class TestReadingUsage(ReadingCase):
    """What an app reads of its usage and its events, page by page."""

    def test_usage_of_the_open_window(self):
        """130 calls, 100 included: 30 x 0.50 = 15.00; two events lie before it."""
        self._record(130)
        self._record("0.25", "2025-12-01 00:00:00")
        self._record("0.5", "2025-12-02 00:00:00")
        answer = self._ok("/subscriptions/sub-1/usage")
        self.assertEqual(
            answer["current"],
            {
                "window_start": "2026-01-01T00:00:00Z",
                "window_end": "2026-02-01T00:00:00Z",
                "charges": [
                    {
                        "metric_code": "api_calls",
                        "plan_code": "monthly",
                        "charge_model": "standard",
                        "quantity": "130",
                        "included_quota": "100",
                        "included": "100",
                        "billable": "30",
                        "amount": "15.00",
                    }
                ],
            },
        )
        self.assertEqual(answer["past"], [])
        self.assertEqual(
            answer["unallocated"],
            [
                {
                    "metric_code": "api_calls",
                    "events": 2,
                    "quantity": "0.75",
                    "rated_at": None,
                }
            ],
        )
        self.assertFalse(self.order.fc_rating_ids)  # reading has rated nothing

    def test_usage_of_past_windows(self):
        self._record(130)
        invoice = self._invoice()
        self._record(7, "2026-02-03 00:00:00")
        answer = self._ok("/subscriptions/sub-1/usage")
        self.assertEqual(answer["current"]["window_start"], "2026-02-01T00:00:00Z")
        self.assertEqual(answer["current"]["charges"][0]["quantity"], "7")
        self.assertEqual(answer["current"]["charges"][0]["amount"], "0.00")
        [past] = answer["past"]
        self.assertEqual(past["window_start"], "2026-01-01T00:00:00Z")
        self.assertEqual(past["window_end"], "2026-02-01T00:00:00Z")
        [charge] = past["charges"]
        self.assertEqual(charge["quantity"], "130")
        self.assertEqual(charge["amount"], "15.00")
        self.assertEqual(charge["state"], "invoiced")
        self.assertEqual(
            charge["invoices"], [{"invoice_id": invoice.id, "number": invoice.name}]
        )
        self.assertEqual(charge["rated_at"], "2026-02-01T00:00:00Z")
        # 10 more calls come late: 40 x 0.50 in all, of which 5.00 are still open
        self._record(10, "2026-01-30 00:00:00")
        # until they are rated, the answer says that it is of before them
        self.assertEqual(self._ok("/subscriptions/sub-1/usage")["past"], [past])
        with freeze_time("2026-02-10"):
            self.order._fc_rate_usage()
        [past] = self._ok("/subscriptions/sub-1/usage")["past"]
        self.assertEqual(past["charges"][0]["amount"], "20.00")
        self.assertEqual(past["charges"][0]["state"], "open")
        self.assertEqual(past["charges"][0]["rated_at"], "2026-02-10T00:00:00Z")
        self.assertEqual(self._ok("/subscriptions/sub-1/usage?past=0")["past"], [])

    def test_usage_by_filter(self):
        self._post_usage(
            self._event(quantity="1.50", idempotency_key="k-1", unique_key="u"),
            self._event(period_start="2025-01-10T00:00:00Z", idempotency_key="k-2"),
        )
        first, second = self._ok("/usage")["events"]
        self.assertEqual(
            first,
            first
            | {
                "subscription_id": self.order.id,
                "external_id": "sub-1",
                "metric_code": "api_calls",
                "quantity": "1.5",
                "period_start": "2026-01-10T00:00:00Z",
                "period_end": "2026-01-10T01:00:00Z",
                "idempotency_key": "k-1",
                "unique_key": "u",
                "state": "accepted",
                "voided_at": None,
                "void_reason": None,
            },
        )
        self.assertEqual(second["state"], "unallocated")
        for query, expected in (
            ("subscription=sub-1", [first, second]),
            (f"subscription=id:{self.order.id}", [first, second]),
            ("metric=api_calls", [first, second]),
            ("metric=nothing", []),
            ("state=accepted", [first]),
            ("state=unallocated", [second]),
            ("state=voided", []),
            ("period_from=2026-01-10", [first]),
            ("period_until=2026-01-10", [second]),
            ("received_from=2020-01-01", [first, second]),
            ("received_until=2020-01-01", []),
            ("idempotency_key=k-1", [first]),
        ):
            with self.subTest(query):
                self.assertEqual(self._ok(f"/usage?{query}")["events"], expected)
        self._assert_refused(
            self._request("GET", "/usage?subscription=x"), 400, "unknown_subscription"
        )

    def test_quantities_are_read_exactly(self):
        for quantity in ("9007199254740993", "1234567890123456.0000000001", "0.1"):
            self._post_usage(self._event(quantity=quantity))
        found = [event["quantity"] for event in self._ok("/usage")["events"]]
        self.assertEqual(
            found, ["9007199254740993", "1234567890123456.0000000001", "0.1"]
        )

    def test_pages(self):
        """5 events in pages of 2; one more arrives, and the last cursor finds it."""
        for number in range(5):
            self._post_usage(self._event(quantity=number))
        seen, cursor = [], None
        for more in (True, True, False):
            query = "?limit=2" + (f"&cursor={cursor}" if cursor else "")
            page = self._ok(f"/usage{query}")
            self.assertEqual(page["has_more"], more)
            seen += [event["quantity"] for event in page["events"]]
            cursor = page["next_cursor"]
        self.assertEqual(seen, ["0", "1", "2", "3", "4"])
        page = self._ok(f"/usage?limit=2&cursor={cursor}")
        self.assertEqual(
            (page["events"], page["has_more"], page["next_cursor"]), ([], False, cursor)
        )
        self._post_usage(self._event(quantity=5))
        page = self._ok(f"/usage?limit=2&cursor={cursor}")
        self.assertEqual([event["quantity"] for event in page["events"]], ["5"])
        self._assert_refused(
            self._request("GET", f"/events?cursor={cursor}"), 400, "invalid_cursor"
        )

    def test_a_page_looks_at_so_many_events(self):
        """Where an app had sent few among millions, each poll read all of them."""
        cursor = self._ok("/usage?metric=nothing")["next_cursor"]
        theirs = {"service_id": self.other.id, "subscription_id": self.order.id}
        values = {"metric_id": self.metric.id, "quantity": 1} | {
            name: "2026-01-10" for name in ("period_start", "period_end")
        }
        for number in range(5):
            self.env["fusion.billing.usage"].create(
                theirs | values | {"idempotency_key": f"theirs-{number}"}
            )
        self.env.flush_all()
        self._post_usage(self._event(quantity=7))
        path = "odoo.addons.fusion_centralized_billing.models.api.usage.SPAN"
        with patch(path, 2):
            seen = []
            for more in (True, True, False):
                page = self._ok(f"/usage?cursor={cursor}")
                self.assertEqual(page["has_more"], more)
                seen.append([event["quantity"] for event in page["events"]])
                cursor = page["next_cursor"]
            self.assertEqual(seen, [[], [], ["7"]])
            # one subscription's are found by their index
            [event] = self._ok("/usage?subscription=sub-1")["events"]
            self.assertEqual(event["quantity"], "7")
        self.assertEqual(self._ok(f"/usage?cursor={cursor}")["events"], [])

    def test_events(self):
        self._invoice()
        [event] = self._events("invoice.posted")
        [item] = self._ok("/events?type=invoice.posted")["events"]
        self.assertEqual(item["event_id"], event.event_id)
        self.assertEqual(item["state"], "pending")
        self.assertEqual(item["attempts"], 0)
        self.assertEqual(item["payload"]["id"], event.event_id)
        self.assertEqual(item["payload"]["data"]["amount_total"], "10.00")
        self.assertEqual(self._ok("/events?state=sent")["events"], [])
        self.assertEqual(self._ok("/events?created_until=2020-01-01")["events"], [])
        self.assertTrue(self._ok("/events?created_from=2020-01-01")["events"])
