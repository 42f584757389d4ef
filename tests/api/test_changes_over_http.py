from freezegun import freeze_time

from odoo.tests import tagged

from ..http.reading_case import ReadingCase

SUB_1 = "/subscriptions/sub-1"
CHANGES = (
    ("PATCH", "", {"lines": []}),
    ("POST", "/undo-cancel", {}),
    ("POST", "/pause", {}),
    ("POST", "/resume", {}),
    ("POST", "/reactivate", {}),
)


@tagged("post_install", "-at_install")
class TestChangesOverHttp(ReadingCase):
    """Through a real connection, of sub-1, whose open window is January 2026."""

    def setUp(self):
        super().setUp()
        self.env.cr.flush()
        self.told_before = self._events("subscription.updated")

    def _told(self):
        return self._events("subscription.updated") - self.told_before

    def _sent(self, method, path, body=None, **kwargs):
        response = self._request(method, path, body, **kwargs)
        self.assertEqual(response.status_code, 200, response.text[:300])
        return response.json()

    @freeze_time("2026-01-10")
    def test_each_answers_the_subscription_as_get_does(self):
        product = self.base_product.id
        for method, end, body, is_now in (
            ("PATCH", "", {"lines": [{"product_id": product, "quantity": 2}]}, {}),
            ("PATCH", "", {"lines": [{"product_id": product, "quantity": "2.0"}]}, {}),
            (
                "POST",
                "/pause",
                {"from": "2026-01-20", "until": "2026-02-10"},
                {"pause_date": "2026-01-20", "resume_date": "2026-02-10"},
            ),
            ("POST", "/resume", {}, {"pause_date": None, "resume_date": None}),
            ("POST", "/pause", {}, {"subscription_state": "4_paused"}),
            (
                "POST",
                "/resume",
                {"date": "2026-01-20"},
                {"resume_date": "2026-01-20", "subscription_state": "4_paused"},
            ),
            ("POST", "/resume", None, {"subscription_state": "3_progress"}),
            ("POST", "/undo-cancel", None, {"end_date": None}),
            ("POST", "/reactivate", None, {"subscription_state": "3_progress"}),
        ):
            with self.subTest(end=end, body=body):
                answer = self._sent(method, SUB_1 + end, body)
                self.assertEqual(answer, self._ok(SUB_1))
                self.assertEqual({k: answer[k] for k in is_now}, is_now)
                self.assertEqual(answer["lines"][0]["quantity"], "2")

    @freeze_time("2026-01-10")
    def test_cancelled_on_a_day_and_taken_back(self):
        body = {"when": "on", "date": "2026-01-20", "reason": "moved away"}
        for _time in range(2):
            answer = self._sent("POST", f"{SUB_1}/cancel", body)
            self.assertEqual(answer["end_date"], "2026-01-20")
        notes = self.order.message_ids.filtered(lambda m: "moved away" in m.body)
        self.assertEqual(len(notes), 1)
        answer = self._sent("POST", f"{SUB_1}/undo-cancel", {})
        self.assertIsNone(answer["end_date"])
        self._sent("POST", f"{SUB_1}/cancel", {"when": "now"})
        answer = self._sent("POST", f"{SUB_1}/reactivate", {})
        self.assertEqual(answer["subscription_state"], "3_progress")
        self.assertEqual(len(self._told()), 4)

    def test_bodies_that_are_refused(self):
        for method, end, body, code, field in (
            ("PATCH", "", [], "invalid_payload", None),
            ("PATCH", "", {"plan": 1}, "unknown_field", "plan"),
            (
                "PATCH",
                "",
                {"lines": [{"line_id": 1, "quantity": 1, "price": 2}]},
                "unknown_field",
                "lines[0].price",
            ),
            ("PATCH", "", {"lines": [7]}, "invalid_line", "lines[0]"),
            ("PATCH", "", {"when": None}, "invalid_when", "when"),
            ("POST", "/pause", {"to": "2026-01-01"}, "unknown_field", "to"),
            ("POST", "/pause", {"from": "tomorrow"}, "invalid_from", "from"),
            ("POST", "/pause", {"until": 7}, "invalid_until", "until"),
            ("POST", "/resume", {"date": "2026-1-1"}, "invalid_date", "date"),
            ("POST", "/resume", {"on": "2026-01-01"}, "unknown_field", "on"),
            ("POST", "/undo-cancel", {"when": "now"}, "unknown_field", "when"),
            ("POST", "/reactivate", [], "invalid_payload", None),
            ("POST", "/cancel", {"when": "on"}, "missing_field", "date"),
        ):
            with self.subTest(end=end, body=body):
                response = self._request(method, SUB_1 + end, body)
                self._assert_refused(response, 400, code)
                self.assertEqual(response.json().get("field"), field)
        self.assertEqual(self._request("PATCH", SUB_1).status_code, 400)
        self.assertFalse(self._told())

    def test_subscriptions_of_others(self):
        for method, end, body in CHANGES:
            for path, key in (
                (SUB_1, self.other_key),
                ("/subscriptions/nothing", self.key),
                (f"/subscriptions/id:{2**31 - 1}", self.key),
                ("/subscriptions/%00", self.key),
                ("/subscriptions/sub-1%2Fcancel", self.key),
            ):
                with self.subTest(path=path, end=end):
                    response = self._request(method, path + end, body, key=key)
                    self._assert_refused(response, 404, "unknown_subscription")

    def test_a_quotation(self):
        draft = self._create_order()
        for method, end, body in CHANGES:
            if end == "/reactivate":
                continue
            with self.subTest(end):
                path = f"/subscriptions/id:{draft.id}{end}"
                response = self._request(method, path, body)
                self._assert_refused(response, 400, "subscription_refused")
        path = f"/subscriptions/id:{draft.id}/reactivate"
        self._assert_refused(
            self._request("POST", path, {}), 400, "subscription_refused"
        )

    @freeze_time("2026-01-10")
    def test_a_module_that_lacks_it(self):
        """As on Odoo Enterprise, whose plan change is another one."""
        lacking = type(self.order)._fc_by_module

        def without(order, name):
            return lacking(order, f"no_{name}")

        self.patch(type(self.order), "_fc_by_module", without)
        line = {"product_id": self.base_product.id, "quantity": 2}
        for method, end, body in (
            ("PATCH", "", {"lines": [line]}),
            ("POST", "/pause", {}),
        ):
            response = self._request(method, SUB_1 + end, body)
            self._assert_refused(response, 400, "not_available")
        self._sent("POST", f"{SUB_1}/cancel", {"when": "on", "date": "2026-01-20"})
        self._sent("POST", f"{SUB_1}/undo-cancel")
