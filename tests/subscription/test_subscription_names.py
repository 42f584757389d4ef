import json
import runpy

from freezegun import freeze_time

from odoo.exceptions import ValidationError
from odoo.tests import tagged
from odoo.tools.misc import file_path

from ..common import BillingCase
from ..http.http_case import HttpApiCase


class NamesCase(BillingCase):
    """Two subscriptions of the app's: the first of these Odoo numbered, only; the app
    numbers its own, and may come to the same number.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.number = cls.order.id
        partner = cls.env["res.partner"].create({"name": "Second Customer"})
        cls._create_link(external_id="acc-2", partner_id=partner.id)
        cls.second = cls._create_subscription(partner_id=partner.id)

    def _name(self, order, external_id):
        order.write({"fc_service_id": self.service.id, "fc_external_id": external_id})

    def _named(self, **keys):
        """A January event that names its subscription by these keys."""
        event = self._event(**keys)
        if "subscription_external_id" not in keys:
            del event["subscription_external_id"]
        return event

    def _usage_of(self, order):
        return self.env["fusion.billing.usage"].search_count(
            [("subscription_id", "=", order.id)]
        )


@tagged("post_install", "-at_install")
class TestNamesOfEvents(NamesCase):
    """What `POST /usage` books, and on whom."""

    def _result(self, **keys):
        [result] = self._post_usage(self._named(**keys))["results"]
        return result

    def test_a_number_that_is_not_known_yet_is_nobody_s(self):
        """Its usage went on the invoice of another customer, and then, when the app had
        created its own, on the right one, too.
        """
        self._name(self.second, "first-of-the-app")
        for reference in (self.number, str(self.number)):
            for _time in range(2):
                result = self._result(
                    subscription_external_id=reference, idempotency_key="k-1"
                )
                self.assertEqual(
                    (result["status"], result["code"], result["field"]),
                    ("rejected", "unknown_subscription", "subscription_external_id"),
                )
        self.assertEqual(self._usage_of(self.order), 0)
        partner = self.second.partner_id
        third = self._create_subscription(partner_id=partner.id)
        self._name(third, str(self.number))
        for reference, status in (
            (self.number, "accepted"),
            (str(self.number), "duplicate"),
        ):
            result = self._result(
                subscription_external_id=reference, idempotency_key="k-1"
            )
            self.assertEqual(result["status"], status)
        self.assertEqual((self._usage_of(self.order), self._usage_of(third)), (0, 1))

    def test_odoo_s_id_has_a_key_of_its_own(self):
        self._name(self.second, str(self.number))
        for reference in (self.number, str(self.number)):
            self._result(subscription_id=reference, idempotency_key="k-1")
        self.assertEqual(
            (self._usage_of(self.order), self._usage_of(self.second)), (1, 0)
        )
        self._result(subscription_external_id=self.number, idempotency_key="k-1")
        self.assertEqual(
            (self._usage_of(self.order), self._usage_of(self.second)), (1, 1)
        )

    def test_an_app_without_names_of_its_own_names_by_odoo_s_id(self):
        for index, keys in enumerate(
            (
                {"subscription_external_id": self.number},
                {"subscription_external_id": str(self.number)},
                {"subscription_id": self.number},
                {"subscription_id": str(self.number)},
                {
                    "subscription_external_id": str(self.number),
                    "subscription_id": self.number,
                },
            )
        ):
            with self.subTest(keys=keys):
                result = self._result(**keys, idempotency_key=f"k-{index}")
                self.assertEqual(result, {"status": "accepted"})
        result = self._result(subscription_external_id=f"id:{self.number}")
        self.assertEqual(result["code"], "invalid_subscription_external_id")
        self.assertEqual(self._usage_of(self.order), 5)

    def test_both_keys_must_mean_the_same(self):
        self._name(self.second, str(self.number))
        own, theirs = str(self.number), self.second.id
        good = self._result(subscription_external_id=own, subscription_id=theirs)
        self.assertEqual(good, {"status": "accepted"})
        for name, number, code, field in (
            (own, self.number, "subscription_mismatch", "subscription_id"),
            ("x", theirs, "unknown_subscription", None),
            (theirs, theirs, "unknown_subscription", "subscription_external_id"),
            (own, 2**31 - 1, "unknown_subscription", "subscription_id"),
            (own, 0, "invalid_subscription_id", "subscription_id"),
            (own, True, "invalid_subscription_id", "subscription_id"),
        ):
            with self.subTest(name=name, number=number):
                result = self._result(
                    subscription_external_id=name, subscription_id=number
                )
                self.assertEqual(result["code"], code)
                self.assertEqual(result["field"], field or "subscription_external_id")
        self.assertEqual(
            (self._usage_of(self.order), self._usage_of(self.second)), (0, 1)
        )

    def test_odoo_s_id_of_somebody_else_stays_unknown(self):
        other = self._create_service(code="other-app")
        for name in (None, "theirs"):
            if name:
                order = self._create_subscription(fc_service_id=other.id)
                order.fc_external_id = name
            [result] = self._post_usage(
                self._named(subscription_id=self.number), service=other
            )["results"]
            self.assertEqual(
                (result["code"], result["field"]),
                ("unknown_subscription", "subscription_id"),
            )

    def test_only_the_app_that_has_names_is_bound_by_them(self):
        """Both apps serve the customer; the other one has no names."""
        other = self._create_service(code="other-app")
        self._create_link(service_id=other.id, external_id="x")
        self._name(self.second, "first-of-the-app")
        event = self._named(subscription_external_id=self.number)
        self.assertEqual(self._post_usage(event, service=other)["accepted"], 1)
        self.assertEqual(self._post_usage(event)["code"], "unknown_subscription")

    def test_once_named_always_named(self):
        """Whatever becomes of the subscription that was named first."""

        def cancelled(order):
            order._action_cancel()

        def renamed(order):
            order.fc_external_id = False

        def taken_away(order):
            order.fc_service_id = False

        def deleted(order):
            order.unlink()

        for change in (cancelled, renamed, taken_away, deleted):
            service = self._create_service(code=change.__name__)
            self._create_link(service_id=service.id)
            named = self._create_order(fc_service_id=service.id, fc_external_id="x")
            self.assertTrue(service.uses_external_ids)
            change(named)
            with self.subTest(change.__name__):
                [result] = self._post_usage(
                    self._named(subscription_external_id=self.number), service=service
                )["results"]
                self.assertEqual(result["code"], "unknown_subscription")

    def test_a_copied_service_has_named_nothing(self):
        self._name(self.second, "first-of-the-app")
        copied = self.service.copy({"code": "copied"})
        self.assertFalse(copied.uses_external_ids)

    def test_usage_from_inside_odoo_needs_no_name(self):
        self._name(self.second, str(self.number))
        self._record(1)
        self.assertEqual(self._usage_of(self.order), 1)

    @freeze_time("2026-02-10")
    def test_a_name_that_reads_as_odoo_s_id_in_a_path_is_refused(self):
        answer = self.service._api_create_subscription(
            {
                "external_customer_id": "acc-2",
                "external_id": f"id:{self.number}",
                "plan_id": self.plan.id,
            }
        )
        self.assertEqual(
            (answer["code"], answer["field"]), ("invalid_external_id", "external_id")
        )
        with self.assertRaisesRegex(ValidationError, "cannot be named"):
            self._name(self.second, f"id:{self.number}")

    def test_apps_that_had_names_before_are_known_after_the_update(self):
        without = self._create_service(code="without")
        self._name(self.second, "x")
        self.second._action_cancel()
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE fusion_billing_service SET uses_external_ids = NULL"
        )
        path = "fusion_centralized_billing/migrations/19.0.1.4.0/post-names.py"
        for _time in range(2):
            runpy.run_path(file_path(path))["migrate"](self.env.cr, "19.0.1.3.0")
            self.env.invalidate_all()
            self.assertTrue(self.service.uses_external_ids)
            self.assertFalse(without.uses_external_ids)


@tagged("post_install", "-at_install")
class TestNamesOnEveryRoute(NamesCase, HttpApiCase):
    """A number, by the app's names and by Odoo's id, on each route that takes one."""

    def _calls(self, text, body):
        """(method, path, content) of each route; it names by this text in paths and
        filters, and by these keys in contents.
        """
        event = self._named(**body, idempotency_key="new")
        key = {"metric_code": "api_calls", "idempotency_key": "k-1"}
        window = {
            "window_start": "2026-01-01",
            "window_end": "2026-02-01",
            "declared_quantity": 1,
            "metric_code": "api_calls",
        }
        void = {"reason": "test", "events": [body | key]}
        return (
            ("POST", "/usage", {"events": [event]}),
            ("POST", "/usage/void", void),
            ("POST", "/reconciliations", body | window),
            ("GET", f"/subscriptions/{text}", None),
            ("GET", f"/subscriptions/{text}/usage", None),
            ("GET", f"/usage?subscription={text}", None),
            ("GET", f"/invoices?subscription={text}", None),
            ("POST", f"/subscriptions/{text}/cancel", {"when": "now"}),
        )

    def _statuses(self, text, body):
        found = {}
        for method, path, content in self._calls(text, body):
            response = self._request(method, path, content)
            route = path.replace(text, "N").partition("?")[0]
            found[method, route] = (response.status_code, response.json().get("code"))
        return found

    def _record_one(self, order):
        self._post_usage(self._named(subscription_id=order.id, idempotency_key="k-1"))

    def test_a_number_nobody_has_is_unknown_everywhere(self):
        self._record_one(self.order)
        self._name(self.second, "first-of-the-app")
        for number in (self.number, str(self.number)):
            body = {"subscription_external_id": number}
            for route, (status, code) in self._statuses(str(number), body).items():
                with self.subTest(route=route, number=number):
                    self.assertEqual(code, "unknown_subscription")
                    self.assertEqual(status, 404 if "N" in route[1] else 400)
        self.assertEqual(self.order.subscription_state, "3_progress")
        self.assertEqual(self._usage_of(self.order), 1)

    def test_odoo_s_id_is_understood_everywhere(self):
        """Also where the app has named another one so."""
        self._record_one(self.order)
        self._name(self.second, str(self.number))
        body = {"subscription_id": self.number}
        for route, found in self._statuses(f"id:{self.number}", body).items():
            with self.subTest(route=route):
                self.assertEqual(found, (200, None))
        self.assertEqual(self.order.subscription_state, "6_churn")
        self.assertEqual(self.second.subscription_state, "3_progress")
        self.assertEqual(self._usage_of(self.order), 2)

    def test_the_app_s_own_number_is_understood_everywhere(self):
        self._name(self.second, str(self.number))
        self._record_one(self.second)
        body = {"subscription_external_id": self.number}
        for route, found in self._statuses(str(self.number), body).items():
            with self.subTest(route=route):
                self.assertEqual(found, (200, None))
        self.assertEqual(self.order.subscription_state, "3_progress")
        self.assertEqual(self.second.subscription_state, "6_churn")
        self.assertEqual(
            (self._usage_of(self.order), self._usage_of(self.second)), (0, 2)
        )

    def test_an_app_without_names_uses_odoo_s_id_everywhere(self):
        self._record_one(self.order)
        for text, body in (
            (str(self.number), {"subscription_external_id": str(self.number)}),
            (f"id:{self.number}", {"subscription_id": self.number}),
            (f"id%3A{self.number}", {"subscription_id": str(self.number)}),
        ):
            for route, found in self._statuses(text, body).items():
                with self.subTest(route=route, text=text):
                    self.assertEqual(found, (200, None))

    def test_both_keys_of_a_void_and_of_totals_must_mean_the_same(self):
        self._name(self.second, str(self.number))
        self._record_one(self.order)
        body = {
            "subscription_external_id": self.number,
            "subscription_id": self.number,
        }
        for method, path, content in self._calls("x", body)[:3]:
            response = self._request(method, path, content)
            with self.subTest(path=path):
                self._assert_refused(response, 400, "subscription_mismatch")
        self.assertFalse(
            self.env["fusion.billing.usage"].search([("voided_at", "!=", False)])
        )

    def test_from_the_first_name_on(self):
        """Events that were queued before with Odoo's ids are refused, by the same
        request that books them while the app has no name.
        """
        event = {"events": [self._named(subscription_external_id=self.number)]}
        self.assertEqual(self._request("POST", "/usage", event).status_code, 200)
        created = self._request(
            "POST",
            "/subscriptions",
            {
                "external_customer_id": "acc-2",
                "external_id": "first-of-the-app",
                "plan_id": self.plan.id,
            },
        )
        self.assertEqual(created.status_code, 200)
        response = self._request("POST", "/usage", event)
        self._assert_refused(response, 400, "unknown_subscription")
        body = json.loads(json.dumps(event).replace("_external_id", "_id"))
        self.assertEqual(self._request("POST", "/usage", body).json()["duplicates"], 1)
