from datetime import date
from unittest.mock import patch

from freezegun import freeze_time

from odoo.tests import tagged

from .http_case import HttpApiCase

PDF = b"%PDF-1.4 sample"


@tagged("post_install", "-at_install")
class TestReading(HttpApiCase):
    """What an app can read: its own customers' objects, and nobody else's."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order.write({"fc_service_id": cls.service.id, "fc_external_id": "sub-1"})
        cls.other = cls._create_service(code="other-app")
        cls.other_key = cls.other.action_generate_api_key()

    def _ok(self, path, **kwargs):
        response = self._request("GET", path, **kwargs)
        self.assertEqual(response.status_code, 200, response.text[:300])
        return response.json()

    def test_customer(self):
        self.partner.email = "billing@example.com"
        self.assertEqual(
            self._ok("/customers/acc-1"),
            {
                "status": "ok",
                "partner_id": self.partner.id,
                "external_id": "acc-1",
                "name": "Sample Customer",
                "email": "billing@example.com",
            },
        )

    def test_customers_with_odd_ids(self):
        for external_id, path in (
            ("a/b", "a%2Fb"),
            ("a/b/usage", "a/b/usage"),
            ("naïve id?#%", "na%C3%AFve%20id%3F%23%25"),
            ("123", "123"),
        ):
            with self.subTest(external_id):
                partner = self.env["res.partner"].create({"name": external_id})
                self._create_link(external_id=external_id, partner_id=partner.id)
                answer = self._ok(f"/customers/{path}")
                self.assertEqual(answer["external_id"], external_id)

    def test_what_is_not_theirs_is_not_there(self):
        invoice = self._invoice()
        self._post_usage(self._event())
        [event] = self._events("invoice.posted")
        for key in (self.other_key, self.key):
            theirs = key == self.key
            for path, code in (
                ("/customers/acc-1", "unknown_customer"),
                ("/subscriptions/sub-1", "unknown_subscription"),
                (f"/subscriptions/id:{self.order.id}", "unknown_subscription"),
                (f"/subscriptions/id:{self.order.id}/usage", "unknown_subscription"),
                (f"/invoices/{invoice.id}", "unknown_invoice"),
            ):
                response = self._request("GET", path, key=key)
                with self.subTest(path=path, theirs=theirs):
                    if theirs:
                        self.assertEqual(response.status_code, 200)
                    else:
                        self._assert_refused(response, 404, code)
            for path in ("/invoices", "/events", "/usage"):
                answer = self._ok(path, key=key)
                items = answer[path.strip("/").replace("usage", "events")]
                with self.subTest(path=path, theirs=theirs):
                    self.assertEqual(bool(items), theirs)
        response = self._request(
            "POST", f"/events/{event.event_id}/replay", key=self.other_key
        )
        self._assert_refused(response, 404, "unknown_event")
        response = self._request(
            "POST", "/subscriptions/sub-1/cancel", {}, key=self.other_key
        )
        self._assert_refused(response, 404, "unknown_subscription")

    def test_objects_that_do_not_exist(self):
        for path, code in (
            ("/customers/nobody", "unknown_customer"),
            ("/customers/%00", "unknown_customer"),
            ("/customers/%FF", "unknown_customer"),
            ("/subscriptions/nothing", "unknown_subscription"),
            ("/subscriptions/%00", "unknown_subscription"),
            ("/subscriptions/2147483647", "unknown_subscription"),
            ("/subscriptions/99999999999999999999", "unknown_subscription"),
            ("/subscriptions/nothing/usage", "unknown_subscription"),
            ("/invoices/2147483647", "unknown_invoice"),
            ("/invoices/x", "unknown_invoice"),
            ("/invoices/-1", "unknown_invoice"),
            ("/invoices/%00", "unknown_invoice"),
            ("/invoices/2147483647/pdf", "unknown_invoice"),
        ):
            with self.subTest(path):
                self._assert_refused(self._request("GET", path), 404, code)
        self._assert_refused(
            self._request("POST", "/events/evt_none/replay", {}), 404, "unknown_event"
        )

    def test_subscription(self):
        answer = self._ok("/subscriptions/sub-1")
        self.assertEqual(answer, self._ok(f"/subscriptions/id:{self.order.id}"))
        expected = {
            "subscription_id": self.order.id,
            "external_id": "sub-1",
            "external_customer_id": "acc-1",
            "partner_id": self.partner.id,
            "plan_id": self.plan.id,
            "plan_name": "Monthly",
            "subscription_state": "3_progress",
            "currency": self.currency.name,
            "start_date": "2026-01-01",
            "last_invoice_date": "2026-01-01",
            "next_invoice_date": "2026-02-01",
            "end_date": None,
            "window": {"start": "2026-01-01T00:00:00Z", "end": "2026-02-01T00:00:00Z"},
            "successor_id": None,
        }
        self.assertEqual(answer, answer | expected)
        [line] = answer["lines"]
        self.assertEqual(
            line,
            {
                "line_id": self.order.order_line.id,
                "product_id": self.base_product.id,
                "name": self.order.order_line.name,
                "quantity": "1",
                "price_unit": "10",
                "amount": "10.00",
                "metric_code": None,
            },
        )

    def test_an_external_id_that_is_a_number_is_the_app_s_own_name(self):
        other = self._create_subscription()
        other.write(
            {"fc_service_id": self.service.id, "fc_external_id": str(self.order.id)}
        )
        answer = self._ok(f"/subscriptions/{self.order.id}")
        self.assertEqual(answer["subscription_id"], other.id)

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
            [{"metric_code": "api_calls", "events": 2, "quantity": "0.75"}],
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
        # 10 more calls come late: 40 x 0.50 in all, of which 5.00 are still open
        self._record(10, "2026-01-30 00:00:00")
        with freeze_time("2026-02-10"):
            self.order._fc_rate_usage()
        [past] = self._ok("/subscriptions/sub-1/usage")["past"]
        self.assertEqual(past["charges"][0]["amount"], "20.00")
        self.assertEqual(past["charges"][0]["state"], "open")
        self.assertEqual(self._ok("/subscriptions/sub-1/usage?past=0")["past"], [])

    def test_invoice(self):
        self._record(130)
        invoice = self._invoice()
        [item] = self._ok("/invoices")["invoices"]
        expected = {
            "invoice_id": invoice.id,
            "number": invoice.name,
            "type": "out_invoice",
            "state": "posted",
            "payment_state": "not_paid",
            "external_customer_id": "acc-1",
            "partner_id": self.partner.id,
            "subscription_ids": [self.order.id],
            "date": "2026-02-01",
            "amount_untaxed": "25.00",
            "amount_tax": "0.00",
            "amount_total": "25.00",
            "amount_due": "25.00",
            "pdf_path": f"/invoices/{invoice.id}/pdf",
        }
        self.assertEqual(item, item | expected)
        answer = self._ok(f"/invoices/{invoice.id}")
        self.assertEqual(answer, answer | item)
        base, usage = answer["lines"]
        self.assertEqual((base["amount"], base["usage"]), ("10.00", []))
        self.assertEqual(usage["amount"], "15.00")
        self.assertEqual(usage["subscription_id"], self.order.id)
        self.assertEqual(
            usage["usage"],
            [
                {
                    "metric_code": "api_calls",
                    "window_start": "2026-01-01T00:00:00Z",
                    "window_end": "2026-02-01T00:00:00Z",
                    "quantity": "130",
                    "included": "100",
                    "billable": "30",
                    "amount": "15.00",
                }
            ],
        )

    def test_drafts_are_not_shown(self):
        invoice = self._invoice(post=False)
        self.assertEqual(self._ok("/invoices")["invoices"], [])
        self._assert_refused(
            self._request("GET", f"/invoices/{invoice.id}"), 404, "unknown_invoice"
        )

    def test_invoices_by_filter(self):
        invoice = self._invoice()
        self._create_link(
            external_id="acc-2",
            partner_id=self.env["res.partner"].create({"name": "B"}).id,
        )
        for query, found in (
            ("external_customer_id=acc-1", True),
            ("external_customer_id=acc-2", False),
            ("subscription=sub-1", True),
            ("payment_state=not_paid", True),
            ("payment_state=paid", False),
            ("date_from=2026-02-01", True),
            ("date_from=2026-02-02", False),
            ("date_until=2026-02-02", True),
            ("date_until=2026-02-01", False),
        ):
            with self.subTest(query):
                items = self._ok(f"/invoices?{query}")["invoices"]
                self.assertEqual(
                    [i["invoice_id"] for i in items], [invoice.id] if found else []
                )
        for query, code, field in (
            ("external_customer_id=x", "unknown_customer", "external_customer_id"),
            ("subscription=x", "unknown_subscription", "subscription"),
            ("payment_state=x", "invalid_parameter", "payment_state"),
            ("date_from=x", "invalid_parameter", "date_from"),
            ("unknown=x", "unknown_parameter", "unknown"),
        ):
            response = self._request("GET", f"/invoices?{query}")
            with self.subTest(query):
                self._assert_refused(response, 400, code)
                self.assertEqual(response.json()["field"], field)

    def test_pdf_that_was_sent(self):
        invoice = self._invoice()
        self.env["ir.attachment"].create(
            {
                "name": "invoice.pdf",
                "raw": PDF,
                "mimetype": "application/pdf",
                "res_model": "account.move",
                "res_id": invoice.id,
                "res_field": "invoice_pdf_report_file",
            }
        )
        self.env.invalidate_all()
        response = self._request("GET", f"/invoices/{invoice.id}/pdf")
        self.assertEqual(response.status_code, 200)
        self.assertEqual(response.headers["Content-Type"], "application/pdf")
        self.assertEqual(response.content, PDF)

    def test_pdf_that_cannot_be_made(self):
        """Odoo makes no PDF files in its tests."""
        invoice = self._invoice()
        response = self._request("GET", f"/invoices/{invoice.id}/pdf")
        self._assert_refused(response, 503, "pdf_unavailable")

    def test_pdf_that_is_made(self):
        report = type(self.env["ir.actions.report"])
        self.patch(report, "_render_qweb_pdf", lambda *_args, **_kw: (PDF, "pdf"))
        invoice = self._invoice()
        response = self._request("GET", f"/invoices/{invoice.id}/pdf")
        self.assertEqual(response.content, PDF)

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

    def _events(self, event_type):
        return self.env["fusion.billing.webhook"].search(
            [("service_id", "=", self.service.id), ("event_type", "=", event_type)]
        )

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

    def _invoice(self, post=True):
        with freeze_time("2026-02-01"):
            invoice = self.order._create_invoices()
            if post:
                invoice.action_post()
                self._set_window(self.order, date(2026, 2, 1), date(2026, 3, 1))
        return invoice
