import socket
import time

from odoo.tests import tagged

from ...models.api import invoices
from ...models.base import reachable
from .reading_case import ReadingCase

PDF = b"%PDF-1.4 sample"


@tagged("post_install", "-at_install")
class TestReading(ReadingCase):
    """What an app can read: its own customers' objects, and nobody else's."""

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
                "rated_at": None,
            },
        )

    def test_an_external_id_that_is_a_number_is_the_app_s_own_name(self):
        other = self._create_subscription()
        other.write(
            {"fc_service_id": self.service.id, "fc_external_id": str(self.order.id)}
        )
        answer = self._ok(f"/subscriptions/{self.order.id}")
        self.assertEqual(answer["subscription_id"], other.id)

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
        self.patch(invoices, "answers_in_time", lambda _url: True)
        invoice = self._invoice()
        response = self._request("GET", f"/invoices/{invoice.id}/pdf")
        self._assert_refused(response, 503, "pdf_unavailable")
        self.assertIn("wkhtmltopdf", response.json()["error"])

    def test_pdf_where_the_server_does_not_reach_itself(self):
        """It came without its layout, or after a minute and a half."""
        report = type(self.env["ir.actions.report"])
        self.patch(report, "_render_qweb_pdf", lambda *_args, **_kw: (PDF, "pdf"))
        self.patch(reachable, "PATIENCE", 0.5)
        invoice = self._invoice()
        parameters = self.env["ir.config_parameter"]
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            for address in (
                "http://127.0.0.1:1",
                f"http://127.0.0.1:{port}",
                "nothing",
            ):
                parameters.set_param("report.url", address)
                began = time.monotonic()
                response = self._request("GET", f"/invoices/{invoice.id}/pdf")
                with self.subTest(address=address):
                    self._assert_refused(response, 503, "pdf_unavailable")
                    self.assertIn("report.url", response.json()["error"])
                    self.assertLess(time.monotonic() - began, 5)

    def test_pdf_that_is_made(self):
        self.patch(invoices, "answers_in_time", lambda _url: True)
        report = type(self.env["ir.actions.report"])
        self.patch(report, "_render_qweb_pdf", lambda *_args, **_kw: (PDF, "pdf"))
        invoice = self._invoice()
        response = self._request("GET", f"/invoices/{invoice.id}/pdf")
        self.assertEqual(response.content, PDF)
