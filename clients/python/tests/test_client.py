"""What is sent, byte for byte, and what is made of the answers."""

import os
import tempfile
import unittest
import unittest.mock
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

from fusion_billing import (
    Client,
    FusionBillingError,
    OrderLine,
    SetupError,
    UsageKey,
    UsageRefusedError,
    VoidRefusedError,
    by_id,
)

from .fake_api import PREFIX, FakeApiCase, event, status

UTC = timezone.utc


class TestSetUp(unittest.TestCase):
    def test_addresses(self):
        for url in (
            "https://h",
            "https://h/",
            f"https://h{PREFIX}",
            f"https://h{PREFIX}/",
        ):
            self.assertEqual(Client(url, "k")._transport._url, f"https://h{PREFIX}")
        for url in ("h", "ftp://h", "https://", "https://u:p@h", "https://h/?a=b"):
            with self.subTest(url), self.assertRaises(ValueError):
                Client(url, "k")
        with self.assertRaises(ValueError):
            Client("https://h", "k", database="a\r\nb")


class TestRequests(FakeApiCase):
    """Each method: one request, as docs/api.md has it."""

    def check(self, method, path, body=None):
        found = self.api.requests.pop()
        self.assertEqual(found, (method, PREFIX + path, body or {}))
        self.assertEqual(self.api.requests, [])

    def test_headers(self):
        client = self.connect(database="mydb")
        self.api.answers["GET /health"] = {"version": 1}
        client.health()
        headers = {name.lower(): text for name, text in self.api.headers[0].items()}
        self.assertEqual(headers["authorization"], "Bearer fcb_test")
        self.assertEqual(headers["x-odoo-database"], "mydb")
        self.assertNotIn("content-type", headers)
        client.record_usage([])
        self.assertEqual(self.api.headers[1]["Content-Type"], "application/json")

    def test_an_error_says_what_the_server_calls_the_request(self):
        self.api.answers["GET /health"] = {"version": 1}
        client = self.connect()
        with self.assertRaises(FusionBillingError) as caught:
            client.customer("nobody")
        self.assertEqual(caught.exception.request_id, "of-the-fake")

    def test_customers(self):
        self.api.answers = {
            "POST /customers": {"partner_id": 7, "external_id": "acc-1"},
            "GET /customers/a%2Fb%20%C3%A9": {
                **{"partner_id": 7, "external_id": "a/b é", "name": "N", "email": None}
            },
        }
        self.assertEqual(self.client.upsert_customer("acc-1", name="N").partner_id, 7)
        self.check("POST", "/customers", {"external_id": "acc-1", "name": "N"})
        self.assertEqual(self.client.customer("a/b é").name, "N")
        self.check("GET", "/customers/a%2Fb%20%C3%A9")

    def test_ids_that_no_path_can_carry(self):
        for bad in ("", ".", ".."):
            with self.subTest(bad), self.assertRaises(ValueError):
                self.client.customer(bad)
        self.assertEqual(self.api.requests, [])

    def test_subscriptions(self):
        made = {"subscription_id": 12, "subscription_state": "3_progress"}
        ended = {**made, "external_id": "sub-1", "end_date": "2026-02-01"}
        self.api.answers = {
            "POST /subscriptions": {
                **made,
                "external_id": "sub-1",
                "invoices_due": 1,
            },
            "POST /subscriptions/sub-1/cancel": ended,
        }
        answer = self.client.create_subscription(
            "acc-1",
            3,
            [OrderLine(12, Decimal("1.5"))],
            external_id="sub-1",
            start_date=date(2026, 1, 1),
            billed_until=date(2026, 3, 1),
        )
        self.assertEqual(answer.invoices_due, 1)
        body = {
            "external_customer_id": "acc-1",
            "plan_id": 3,
            "lines": [{"product_id": 12, "quantity": "1.5"}],
            "external_id": "sub-1",
            "start_date": "2026-01-01",
            "billed_until": "2026-03-01",
        }
        self.check("POST", "/subscriptions", body)
        answer = self.client.cancel_subscription("sub-1", "now", "moved away")
        self.assertEqual(answer.end_date, date(2026, 2, 1))
        body = {"when": "now", "reason": "moved away"}
        self.check("POST", "/subscriptions/sub-1/cancel", body)

    def test_subscription(self):
        self.api.answers["GET /subscriptions/id%3A12"] = {
            **{"subscription_id": 12, "external_id": "sub-1", "name": "S00012"},
            **{"external_customer_id": "acc-1", "partner_id": 7, "plan_id": 3},
            **{"plan_name": "Monthly", "subscription_state": "3_progress"},
            **{"currency": "USD", "start_date": "2026-01-01", "end_date": None},
            **{"last_invoice_date": "2026-01-01", "next_invoice_date": "2026-02-01"},
            "window": {"start": "2026-01-01T00:00:00Z", "end": "2026-02-01T00:00:00Z"},
            "successor_id": None,
            "lines": [
                {
                    **{"line_id": 31, "product_id": 12, "name": "Fee"},
                    **{"quantity": "1", "price_unit": "10", "amount": "10.00"},
                    **{"metric_code": None, "new_in_a_later_version": 1},
                }
            ],
        }
        found = self.client.subscription(by_id(12))
        self.assertEqual(found.window.end, datetime(2026, 2, 1, tzinfo=UTC))
        self.assertEqual(str(found.lines[0].amount), "10.00")
        self.assertIsNone(found.end_date)
        self.check("GET", "/subscriptions/id%3A12")

    def test_subscription_usage(self):
        numbers = {
            **{"quantity": "130.5", "included_quota": "100", "included": "100"},
            **{"billable": "30.5", "amount": "15.25"},
        }
        charge = {
            **{"metric_code": "calls", "plan_code": "m", "charge_model": "standard"},
            **numbers,
        }
        window = {
            **{"window_start": "2026-01-01T00:00:00Z"},
            **{"window_end": "2026-02-01T00:00:00Z"},
        }
        invoices = [{"invoice_id": 88, "number": "INV/1"}]
        past = [{**charge, "state": "invoiced", "invoices": invoices}]
        self.api.answers["GET /subscriptions/sub-1/usage"] = {
            **{"subscription_id": 12, "external_id": "sub-1", "currency": "USD"},
            "current": {**window, "charges": [charge]},
            "past": [{**window, "charges": past}],
            "unallocated": [{"metric_code": "calls", "events": 2, "quantity": "1.5"}],
        }
        found = self.client.subscription_usage("sub-1", past=1)
        self.assertEqual(found.current.charges[0].amount, Decimal("15.25"))
        self.assertIsNone(found.current.charges[0].state)
        self.assertEqual(found.past[0].charges[0].invoices[0].number, "INV/1")
        self.assertEqual(found.unallocated[0].quantity, Decimal("1.5"))
        self.check("GET", "/subscriptions/sub-1/usage?past=1")

    def test_usage_partly_refused(self):
        self.api.refuse = {"event-1": "unknown_metric"}
        with self.assertRaises(UsageRefusedError) as caught:
            self.client.record_usage(map(event, range(3)), atomic=False)
        result = caught.exception.result
        self.assertEqual((result.accepted, result.duplicates), (2, 0))
        [(index, refused)] = result.refused
        self.assertEqual((index, refused.code), (1, "unknown_metric"))
        self.assertEqual(caught.exception.code, "events_refused")

    def test_void(self):
        results = [{"status": "voided"}, {"status": "already_voided"}]
        answer = {"voided": 1, "already_voided": 1, "results": results}
        self.api.answers["POST /usage/void"] = answer
        keys = [event(0).key, UsageKey(None, "calls", "k", subscription_id=12)]
        self.assertEqual(self.client.void_usage("twice", keys).already_voided, 1)
        self.check(
            "POST",
            "/usage/void",
            {
                "reason": "twice",
                "events": [
                    {
                        name: reference,
                        "metric_code": "calls",
                        "idempotency_key": key,
                    }
                    for name, reference, key in (
                        ("subscription_external_id", "sub-1", "event-0"),
                        ("subscription_id", 12, "k"),
                    )
                ],
            },
        )
        results[1] = {"status": "rejected", "code": "unknown_event", "error": "no"}
        error = {"status": "error", "code": "unknown_event", "error": "no"}
        self.api.script.append(status(400, {**answer, **error}))
        with self.assertRaises(VoidRefusedError) as caught:
            self.client.void_usage("twice", keys, atomic=True)
        self.assertEqual(caught.exception.result.refused[0][0], 1)
        self.assertIs(self.api.requests.pop()[2]["atomic"], True)

    def usage_item(self, number):
        return {
            **{"usage_id": number, "subscription_id": 12, "external_id": "sub-1"},
            **{"metric_code": "calls", "quantity": "1.25"},
            "period_start": "2026-01-10T09:00:00Z",
            "period_end": "2026-01-10T10:00:00.500000Z",
            **{"idempotency_key": f"k{number}", "unique_key": None},
            "received_at": "2026-01-10T10:00:02.123456Z",
            **{"state": "accepted", "voided_at": None, "void_reason": None},
        }

    def test_pages(self):
        pages = {
            None: ([1, 2], True, "c2"),
            "c2": ([3], True, "c3"),
            "c3": ([], False, "c3"),
        }

        def act(handler):
            numbers, more, cursor = pages[handler.query.get("cursor")]
            events = [self.usage_item(number) for number in numbers]
            end = {"has_more": more, "next_cursor": cursor}
            handler.answer(200, {"status": "ok", "events": events, **end})

        self.api.script.extend([act] * 4)
        moment = datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=1)))
        filters = {"subscription": "s&1", "period_from": moment}
        found = list(self.client.iter_usage(**filters))
        self.assertEqual([one.usage_id for one in found], [1, 2, 3])
        key = UsageKey(None, "calls", "k1", subscription_id=12)
        self.assertEqual(found[0].key, key)
        self.assertEqual(found[0].quantity, Decimal("1.25"))
        self.assertEqual(found[0].period_end.microsecond, 500_000)
        self.assertEqual(
            self.api.requests[1][1],
            f"{PREFIX}/usage?subscription=s%261&period_from=2025-12-31T23%3A00%3A00Z"
            "&limit=1000&cursor=c2",
        )
        page = self.client.list_usage(limit=2)
        self.assertEqual((len(page.items), page.next_cursor), (2, "c2"))
        self.assertEqual(self.api.requests[3][1], f"{PREFIX}/usage?limit=2")

    def test_a_list_that_does_not_move_on(self):
        body = {"status": "ok", "events": [], "has_more": True, "next_cursor": "c"}
        self.api.script.extend([status(200, body)] * 5)
        with self.assertRaises(SetupError):
            list(self.client.iter_events())
        self.assertEqual(len(self.api.requests), 2)

    def test_invoices(self):
        invoice = {
            **{"invoice_id": 88, "number": "INV/1", "type": "out_invoice"},
            **{"state": "posted", "payment_state": "not_paid", "partner_id": 7},
            **{"external_customer_id": "acc-1", "subscription_ids": [12]},
            **{"date": "2026-02-01", "due_date": None, "currency": "USD"},
            **{"amount_untaxed": "25.00", "amount_tax": "3.75"},
            **{"amount_total": "28.75", "amount_due": "28.75"},
            "pdf_path": "/invoices/88/pdf",
        }
        end = {"has_more": False, "next_cursor": "x"}
        lines = [
            {
                **{"line_id": 1, "name": "Fee", "quantity": "1", "price_unit": "10"},
                **{"amount": "10.00", "subscription_id": None, "usage": []},
            }
        ]
        self.api.answers = {
            "GET /invoices": {"invoices": [invoice], **end},
            "GET /invoices/88": {**invoice, "lines": lines},
        }
        filters = {"payment_state": "paid", "date_from": date(2026, 1, 1)}
        [found] = self.client.iter_invoices(**filters)
        self.assertEqual(found.amount_total, Decimal("28.75"))
        self.assertEqual(found.date, date(2026, 2, 1))
        self.check(
            "GET", "/invoices?payment_state=paid&date_from=2026-01-01&limit=1000"
        )
        self.assertEqual(self.client.invoice(88).lines[0].amount, Decimal("10"))
        self.check("GET", "/invoices/88")
        pdf = status(200, b"%PDF-1.7", Content_Type="application/pdf")
        self.api.script.append(pdf)
        self.assertEqual(self.client.invoice_pdf(88), b"%PDF-1.7")
        self.check("GET", "/invoices/88/pdf")
        self.api.script.append(status(200, b"<html>", Content_Type="text/html"))
        with self.assertRaises(SetupError):
            self.client.invoice_pdf(88)

    def test_reconciliation(self):
        none = {"quantity": "0", "count": None, "amount": None}
        self.api.answers["POST /reconciliations"] = {
            **{"reconciliation_id": 5, "state": "matched", "complete": True},
            **{"currency": "USD", "declared": none, "ours": none, "difference": none},
        }
        found = self.client.reconcile(
            *("sub-1", "calls", date(2026, 1, 1), datetime(2026, 2, 1, tzinfo=UTC)),
            Decimal("130"),
            complete=True,
        )
        self.assertIsNone(found.difference.count)
        self.check(
            "POST",
            "/reconciliations",
            {
                "subscription_external_id": "sub-1",
                "metric_code": "calls",
                "window_start": "2026-01-01",
                "window_end": "2026-02-01T00:00:00Z",
                "declared_quantity": "130",
                "complete": True,
            },
        )

    def test_webhook_events(self):
        one = {
            **{"event_id": "evt_1", "event_type": "invoice.posted", "state": "dead"},
            **{"attempts": 14, "created_at": "2026-02-01T00:00:05Z"},
            "payload": {"data": {"number": "INV/1"}},
        }
        end = {"has_more": False, "next_cursor": None}
        again = {"event_id": "evt_1", "state": "pending"}
        self.api.answers = {
            "GET /events": {"events": [one], **end},
            "POST /events/evt_1/replay": again,
            "POST /webhooks/test": again,
        }
        [found] = self.client.list_events(state="dead")
        self.assertEqual(found.payload["data"]["number"], "INV/1")
        self.check("GET", "/events?state=dead")
        self.assertEqual(self.client.replay_event("evt_1").state, "pending")
        self.check("POST", "/events/evt_1/replay")
        self.assertEqual(self.client.send_test_webhook().event_id, "evt_1")
        self.check("POST", "/webhooks/test")

    def test_answers_that_are_not_as_described(self):
        good = {"partner_id": 7, "external_id": "acc-1"}
        for change in (
            {"partner_id": "7"},
            {"partner_id": True},
            {"external_id": None},
        ):
            with self.subTest(change):
                self.api.answers["POST /customers"] = {**good, **change}
                with self.assertRaises(SetupError):
                    self.client.upsert_customer("acc-1")
        self.api.answers["POST /customers"] = {"partner_id": 7}
        with self.assertRaisesRegex(SetupError, "external_id"):
            self.client.upsert_customer("acc-1")

    def test_netrc(self):
        """An entry of the host in .netrc must not replace the key."""
        with tempfile.NamedTemporaryFile("w", suffix="netrc") as netrc:
            netrc.write("machine 127.0.0.1 login somebody password secret\n")
            netrc.flush()
            with unittest.mock.patch.dict(os.environ, NETRC=netrc.name):
                self.assertEqual(self.client.record_usage([event()]).accepted, 1)


if __name__ == "__main__":
    unittest.main()
