from datetime import date

from freezegun import freeze_time

from odoo.tests import tagged

from .http_case import HttpApiCase


@tagged("post_install", "-at_install")
class TestWriting(HttpApiCase):
    """What an app can change."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order.write({"fc_service_id": cls.service.id, "fc_external_id": "sub-1"})

    def _post(self, path, body=None, **kwargs):
        response = self._request("POST", path, {} if body is None else body, **kwargs)
        self.assertEqual(response.status_code, 200, response.text[:300])
        return response.json()

    def _void_key(self, **values):
        return {
            "subscription_external_id": "sub-1",
            "metric_code": "api_calls",
            "idempotency_key": "k-1",
        } | values

    def test_void(self):
        self._post_usage(
            self._event(idempotency_key="k-1"), self._event(idempotency_key="k-2")
        )
        body = {
            "reason": "counted twice",
            "events": [self._void_key(), self._void_key()],
        }
        self.assertEqual(
            self._post("/usage/void", body),
            {
                "status": "ok",
                "voided": 1,
                "already_voided": 1,
                "results": [{"status": "voided"}, {"status": "already_voided"}],
            },
        )
        self.assertEqual(self._post("/usage/void", body)["already_voided"], 2)
        event = self.env["fusion.billing.usage"].search(
            [("idempotency_key", "=", "k-1")]
        )
        self.assertEqual(event.void_reason, "counted twice")
        self.assertEqual(event.void_service_id, self.service)
        self.assertTrue(event.voided_at)
        again = self._post("/usage", {"events": [self._event(idempotency_key="k-1")]})
        self.assertEqual(again["results"], [{"status": "duplicate", "voided": True}])

    def test_void_that_is_refused(self):
        self._post_usage(self._event(idempotency_key="k-1"))
        other = self._create_service(code="other-app")
        self._create_link(service_id=other.id, external_id="x")
        self._post_usage(self._event(idempotency_key="theirs"), service=other)
        self._create_metric(code="unused", active=False)
        for key, code in (
            (self._void_key(idempotency_key="k-2"), "unknown_event"),
            (self._void_key(idempotency_key="theirs"), "unknown_event"),
            (self._void_key(metric_code="nothing"), "unknown_event"),
            (self._void_key(metric_code="unused"), "unknown_event"),
            (
                self._void_key(subscription_external_id="x"),
                "unknown_subscription",
            ),
            (
                self._void_key(subscription_external_id=2**31 - 1),
                "unknown_subscription",
            ),
            (self._void_key(idempotency_key=7), "invalid_idempotency_key"),
            (self._void_key(idempotency_key=None), "missing_field"),
            (self._void_key(idempotency_key=""), "missing_field"),
            (self._void_key(metric_code=""), "missing_field"),
            (self._void_key(subscription_external_id=""), "missing_field"),
            ([], "invalid_event"),
        ):
            for atomic in (False, True):
                response = self._request(
                    "POST",
                    "/usage/void",
                    {"reason": "x", "events": [key], "atomic": atomic},
                )
                with self.subTest(key=key, atomic=atomic):
                    self._assert_refused(response, 400, code)
                    self.assertEqual(response.json()["errors"][0]["index"], 0)
        for body, code in (
            ({"events": []}, "missing_field"),
            ({"events": [], "reason": ""}, "missing_field"),
            ({"events": [], "reason": 7}, "invalid_reason"),
            ({"reason": "x"}, "invalid_events"),
            ([], "invalid_payload"),
        ):
            with self.subTest(body=body):
                self._assert_refused(
                    self._request("POST", "/usage/void", body), 400, code
                )
        mixed = {"reason": "x", "events": [self._void_key(), {}], "atomic": True}
        response = self._request("POST", "/usage/void", mixed)
        self.assertEqual(response.json()["results"][0], {"status": "not_stored"})
        self.assertFalse(
            self.env["fusion.billing.usage"].search([("voided_at", "!=", False)])
        )

    def test_voided_usage_is_not_billed(self):
        self._post_usage(self._event(quantity=130, idempotency_key="k-1"))
        self.order._fc_rate_usage()
        self.assertEqual(self._usage_line().price_unit, 15.0)
        self._post("/usage/void", {"reason": "x", "events": [self._void_key()]})
        self.order._fc_rate_usage()
        self.assertEqual(self._usage_line().price_unit, 0.0)

    def test_void_of_what_finance_has_moved(self):
        """It said "already_voided", of an event that was billed with another one."""
        early = self._event(
            period_start="2025-12-30", period_end="2025-12-30", idempotency_key="k-1"
        )
        self._post_usage(early)
        event = self.env["fusion.billing.usage"].search(
            [("subscription_id", "=", self.order.id)]
        )
        moved = event._move_to(self.order, "used before")
        body = {"reason": "a test call", "events": [self._void_key()] * 2}
        self.assertEqual(
            self._post("/usage/void", body)["results"],
            [{"status": "voided"}, {"status": "already_voided"}],
        )
        self.assertEqual(moved.void_reason, "a test call")
        self.assertIn("used before", event.void_reason)

    @freeze_time("2026-01-15")
    def test_cancel_at_period_end(self):
        body = {"reason": "moved away"}
        for _time in range(2):
            self.assertEqual(
                self._post("/subscriptions/sub-1/cancel", body),
                {
                    "status": "ok",
                    "subscription_id": self.order.id,
                    "external_id": "sub-1",
                    "subscription_state": "3_progress",
                    "end_date": "2026-02-01",
                },
            )
        notes = self.order.message_ids.filtered(lambda m: "moved away" in m.body)
        self.assertEqual(len(notes), 1)

    def test_cancel_while_an_invoice_is_due(self):
        """It began today, or the invoice job has not run: it ended with the period
        before, and what it has used since was never billed.
        """
        start, due, february = date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31)
        for dates, today, end in (
            ((start, start), "2026-01-31", due),
            ((start, due), "2026-02-28", february),
            ((start, due), "2026-02-27", due),
            ((start, due), "2026-04-02", date(2026, 4, 30)),
            ((date(2026, 1, 15), date(2026, 2, 1)), "2026-02-01", date(2026, 3, 1)),
        ):
            order = self._create_subscription()
            self._set_window(order, *dates)
            with self.subTest(today=today), freeze_time(today):
                path = f"/subscriptions/id:{order.id}/cancel"
                self.assertEqual(self._post(path)["end_date"], str(end))

    def test_cancel_now(self):
        self._post_usage(self._event(quantity=130))
        with freeze_time("2026-01-15"):
            for _time in range(2):
                answer = self._post("/subscriptions/sub-1/cancel", {"when": "now"})
                self.assertEqual(answer["subscription_state"], "6_churn")
        self.assertEqual(self.order.invoice_ids.mapped("amount_untaxed"), [15.0])

    def test_cancel_that_is_refused(self):
        for body, code in (
            ({"when": "later"}, "invalid_when"),
            ({"when": None}, "invalid_when"),
            ({"when": ["now"]}, "invalid_when"),
            ({"reason": 7}, "invalid_reason"),
            ([], "invalid_payload"),
        ):
            with self.subTest(body=body):
                self._assert_refused(
                    self._request("POST", "/subscriptions/sub-1/cancel", body),
                    400,
                    code,
                )
        draft = self._create_order()
        response = self._request("POST", f"/subscriptions/id:{draft.id}/cancel", {})
        self._assert_refused(response, 400, "subscription_refused")

    def _totals(self, **values):
        return {
            "subscription_external_id": "sub-1",
            "metric_code": "api_calls",
            "window_start": "2026-01-01",
            "window_end": "2026-02-01",
            "declared_quantity": "130",
        } | values

    def test_reconcile(self):
        self._record(100)
        answer = self._post("/reconciliations", self._totals(declared_count=2))
        self.assertEqual(
            answer,
            answer
            | {
                "state": "mismatch",
                "complete": False,
                "declared": {"quantity": "130", "count": 2, "amount": None},
                "ours": {"quantity": "100", "count": 1, "amount": "0.00"},
                "difference": {"quantity": "30", "count": 1, "amount": None},
            },
        )
        self._record(30, "2026-01-11 00:00:00")
        self.order._fc_rate_usage()
        again = self._post(
            "/reconciliations",
            self._totals(declared_count=2, declared_amount="15.00", complete=True),
        )
        self.assertEqual(again["reconciliation_id"], answer["reconciliation_id"])
        self.assertEqual(again["state"], "matched")
        self.assertIs(again["complete"], True)
        self.assertEqual(
            again["ours"], {"quantity": "130", "count": 2, "amount": "15.00"}
        )

    def test_reconcile_again_what_was_explained(self):
        """A retry, or the app's nightly run, brought the mismatch back to finance."""
        self._record(100)
        answer = self._post("/reconciliations", self._totals(declared_amount="65"))
        record = self.env["fusion.billing.reconciliation"].browse(
            answer["reconciliation_id"]
        )
        record.user_id = self.env.ref("base.user_admin")
        record.note = "Calls of our own staff."
        record.action_explain()
        again = self._totals(declared_amount="65", complete=True)
        answer = self._post("/reconciliations", again)
        self.assertEqual((answer["state"], answer["complete"]), ("explained", True))
        self.assertFalse(record.activity_ids)
        self.assertEqual(record.user_id, self.env.ref("base.user_admin"))
        # other totals, or another quantity of ours, are another matter
        changed = self._totals(declared_quantity=131)
        self.assertEqual(self._post("/reconciliations", changed)["state"], "mismatch")
        record.action_explain()
        self._record(1, "2026-01-12 00:00:00")
        self.assertEqual(self._post("/reconciliations", changed)["state"], "mismatch")

    def test_reconcile_that_is_refused(self):
        for values, code, field in (
            ({"window_end": "2026-01-01"}, "invalid_window", "window_end"),
            # kept to the second, it is empty: it was a 500
            ({"window_end": "2026-01-01T00:00:00.9Z"}, "invalid_window", "window_end"),
            ({"window_start": "x"}, "invalid_period", "window_start"),
            ({"window_start": None}, "missing_field", "window_start"),
            ({"window_start": ""}, "missing_field", "window_start"),
            ({"window_end": ""}, "missing_field", "window_end"),
            ({"metric_code": ""}, "missing_field", "metric_code"),
            ({"declared_quantity": ""}, "missing_field", "declared_quantity"),
            (
                {"subscription_external_id": ""},
                "missing_field",
                "subscription_external_id",
            ),
            ({"declared_quantity": None}, "missing_field", "declared_quantity"),
            (
                {"declared_quantity": -1},
                "invalid_declared_quantity",
                "declared_quantity",
            ),
            ({"declared_count": 1.5}, "invalid_declared_count", "declared_count"),
            ({"declared_count": True}, "invalid_declared_count", "declared_count"),
            ({"declared_count": 2**31}, "invalid_declared_count", "declared_count"),
            ({"declared_amount": "x"}, "invalid_declared_amount", "declared_amount"),
            ({"complete": 1}, "invalid_complete", "complete"),
            ({"metric_code": "nothing"}, "unknown_metric", "metric_code"),
            (
                {"subscription_external_id": 2**31 - 1},
                "unknown_subscription",
                "subscription_external_id",
            ),
        ):
            response = self._request("POST", "/reconciliations", self._totals(**values))
            with self.subTest(values=values):
                self._assert_refused(response, 400, code)
                self.assertEqual(response.json()["field"], field)
        self.assertFalse(self.env["fusion.billing.reconciliation"].search([]))

    def test_webhooks(self):
        response = self._request("POST", "/webhooks/test", {})
        self._assert_refused(response, 400, "no_webhook_url")
        self.service.webhook_url = "https://hooks.example.com/fcb"
        answer = self._post("/webhooks/test")
        event = self.env["fusion.billing.webhook"].search(
            [("event_id", "=", answer["event_id"])]
        )
        self.assertEqual((event.event_type, event.state), ("webhook.test", "pending"))
        event.state = "dead"
        answer = self._post(f"/events/{event.event_id}/replay")
        self.assertEqual(
            answer,
            {"status": "ok", "event_id": event.event_id, "state": "pending"},
        )
        # no body and no content type at all will do
        response = self._request("POST", "/webhooks/test", b"", Content_Type=None)
        self.assertEqual(response.status_code, 200)
