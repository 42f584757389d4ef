from freezegun import freeze_time

from odoo.tests import tagged

from ..common import BillingCase


@tagged("post_install", "-at_install")
class TestApiHandlers(BillingCase):
    """The texts and shapes that client programs were written against."""

    def _assert_error(self, answer, text):
        self.assertEqual(answer["status"], "error")
        self.assertEqual(answer["error"], text)
        self.assertTrue(answer["code"])

    # -- payloads --------------------------------------------------------------

    def test_what_is_no_object_is_an_invalid_payload(self):
        for handler in (
            self.service._api_upsert_customer,
            self.service._api_record_usage,
            self.service._api_create_subscription,
        ):
            for payload in (None, [], "text", 1, True):
                with self.subTest(handler=handler.__name__, payload=payload):
                    self._assert_error(handler(payload), "invalid payload")

    # -- customers -------------------------------------------------------------

    def test_upsert_creates_then_updates(self):
        created = self.service._api_upsert_customer(
            {"external_id": "acc-2", "name": "Two"}
        )
        self.assertEqual(created["status"], "ok")
        self.assertEqual(created["external_id"], "acc-2")
        again = self.service._api_upsert_customer(
            {"external_id": "acc-2", "name": "Two Ltd", "email": "two@example.com"}
        )
        self.assertEqual(again, created)
        partner = self.env["res.partner"].browse(created["partner_id"])
        self.assertEqual((partner.name, partner.email), ("Two Ltd", "two@example.com"))
        self.assertEqual(partner.company_id, self.company)

    def test_a_customer_shared_by_two_apps_is_not_renamed_by_one(self):
        other = self._create_service(code="other-app")
        self._create_link(service_id=other.id)
        self.service._api_upsert_customer({"external_id": "acc-1", "name": "Renamed"})
        self.assertEqual(self.partner.name, "Sample Customer")

    def test_external_id_is_required(self):
        for payload in ({}, {"external_id": None}, {"external_id": ""}):
            with self.subTest(payload=payload):
                self._assert_error(
                    self.service._api_upsert_customer(payload), "external_id required"
                )

    def test_bad_values_of_a_customer(self):
        for key in ("external_id", "name", "email"):
            for value in (
                1,
                True,
                ["x"],
                {"x": 1},
                "  ",
                "a\x00b",
                "x" * 256,
                "\ud800",
            ):
                with self.subTest(key=key, value=value):
                    payload = {"external_id": "acc-2", key: value}
                    answer = self.service._api_upsert_customer(payload)
                    self._assert_error(answer, f"invalid {key}")

    # -- usage -----------------------------------------------------------------

    def test_events_must_be_a_list(self):
        for payload in (
            {"atomic": True},
            {"events": {}},
            {"events": "x"},
            {"events": ""},
            {"events": False},
        ):
            with self.subTest(payload=payload):
                self._assert_error(
                    self.service._api_record_usage(payload), "events must be a list"
                )

    def test_no_events_are_accepted(self):
        for payload in (
            {"events": []},
            {},
            {"events": None},
            {"events": None, "atomic": True},
        ):
            with self.subTest(payload=payload):
                answer = self.service._api_record_usage(payload)
                self.assertEqual((answer["status"], answer["accepted"]), ("ok", 0))
                self.assertEqual(answer["results"], [])

    def test_too_many_events(self):
        self.env["ir.config_parameter"].set_param(
            "fusion_centralized_billing.max_events", "2"
        )
        answer = self._post_usage(*[self._event()] * 3)
        self.assertEqual(answer["code"], "too_many_events")
        self.assertEqual(self._usage_count(), 0)

    def test_an_invalid_event(self):
        for event in (None, [], "x", 1):
            with self.subTest(event=event):
                self._assert_error(self._post_usage(event), "invalid event")

    def test_each_missing_key_is_named(self):
        for key in (
            "subscription_external_id",
            "metric_code",
            "quantity",
            "period_start",
            "period_end",
        ):
            for event in (
                {k: v for k, v in self._event().items() if k != key},
                self._event(**{key: None}),
                self._event(**{key: ""}),
            ):
                with self.subTest(key=key, event=event):
                    self._assert_error(self._post_usage(event), f"missing {key}")

    def test_bad_values_of_an_event(self):
        for key, values, text in (
            (
                "subscription_external_id",
                (
                    "no-such-id",
                    "-1",
                    "0",
                    0,
                    -1,
                    True,
                    2**31,
                    "2147483648",
                    [],
                    {},
                    " ",
                ),
                "invalid subscription_external_id",
            ),
            (
                "quantity",
                ("x", "1_000", " 12 ", "nan", True, -1, "1e400", [1], "0.12345678901"),
                "invalid quantity",
            ),
            ("metric_code", ("no_such_metric", "API_CALLS", "%"), "unknown metric"),
            ("period_start", ("now", 1, "2024-02-30", "x"), "invalid period_start"),
            ("period_end", ("now", 1, "2024-02-30", "x"), "invalid period_end"),
            (
                "idempotency_key",
                (1, True, [], "", "x" * 256, "a\x00b"),
                "invalid idempotency_key",
            ),
        ):
            for value in values:
                with self.subTest(key=key, value=value):
                    answer = self._post_usage(self._event(**{key: value}))
                    self._assert_error(answer, text)
                    self.assertEqual(answer["errors"][0]["field"], key)
        self.assertEqual(self._usage_count(), 0)

    def test_an_inactive_metric_is_unknown(self):
        self.metric.active = False
        self._assert_error(self._post_usage(self._event()), "unknown metric")

    # -- catalog ---------------------------------------------------------------

    def test_the_catalog_lists_the_prices(self):
        catalog = self.service._api_catalog()
        self.assertEqual(catalog["status"], "ok")
        [charge] = [c for c in catalog["charges"] if c["plan_id"] == self.plan.id]
        self.assertEqual(
            {key: charge[key] for key in charge if key != "plan_id"},
            {
                "plan_code": "monthly",
                "metric": "api_calls",
                "metric_code": "api_calls",
                "included_quota": "100",
                "price_per_unit": "0.5",
                "unit_batch": "1",
                "charge_model": "standard",
                "tiers": [],
                "minimum_amount": "0",
                "currency": self.currency.name,
                "valid_from": None,
                "valid_until": None,
            },
        )

    def test_the_catalog_leaves_out_what_is_over_or_of_another_company(self):
        self.charge.date_end = "2020-01-01"
        company = self.env["res.company"].create({"name": "Other Company"})
        self._create_charge(company_id=company.id)
        plans = {charge["plan_id"] for charge in self.service._api_catalog()["charges"]}
        self.assertNotIn(self.plan.id, plans)

    # -- subscriptions ---------------------------------------------------------

    def _subscribe(self, **values):
        return self.service._api_create_subscription(
            {
                "external_customer_id": "acc-1",
                "plan_id": self.plan.id,
                "lines": [{"product_id": self.base_product.id, "quantity": 2}],
            }
            | values
        )

    def test_a_subscription_is_created_and_runs(self):
        with freeze_time("2026-01-05"):
            answer = self._subscribe(external_id="sub-1", start_date="2026-01-05")
        self.assertEqual(answer["status"], "ok")
        self.assertEqual(answer["subscription_state"], "3_progress")
        order = self.env["sale.order"].browse(answer["subscription_id"])
        self.assertEqual(order.partner_id, self.partner)
        self.assertEqual(order.plan_id, self.plan)
        self.assertEqual(order.order_line.product_uom_qty, 2)
        self.assertEqual(str(order.start_date), "2026-01-05")
        self.assertEqual(order.fc_external_id, "sub-1")

    def test_creating_and_confirming_is_one_event(self):
        before = self.service.webhook_ids
        self._subscribe()
        events = (self.service.webhook_ids - before).mapped("event_type")
        self.assertEqual(events.count("subscription.created"), 1)
        self.assertEqual(events.count("subscription.updated"), 0)

    def test_bad_values_of_a_subscription(self):
        other_company = self.env["res.company"].create({"name": "Other Company"})
        foreign = self._create_product(company_id=other_company.id)
        line = {"product_id": self.base_product.id, "quantity": 1}
        unsold, bounds = "is no product that is sold", "is not above 0 and up to 10^9"
        for values, text in (
            ({"external_customer_id": None}, "external_customer_id required"),
            ({"external_customer_id": ""}, "external_customer_id required"),
            ({"plan_id": None}, "plan_id required"),
            ({"plan_id": ""}, "plan_id required"),
            ({"plan_id": 2**31 - 1}, "invalid plan_id"),
            ({"plan_id": "1"}, "invalid plan_id"),
            ({"plan_id": True}, "invalid plan_id"),
            ({"plan_id": 2**40}, "invalid plan_id"),
            (
                {"plan_id": self._create_plan(company_id=other_company.id).id},
                "invalid plan_id",
            ),
            ({"external_customer_id": "nobody"}, "unknown customer"),
            ({"lines": "x"}, "lines must be a list"),
            ({"lines": None}, "lines must be a list"),
            ({"lines": {}}, "lines must be a list"),
            ({"lines": [None]}, "invalid line: lines[0] is no object"),
            ({"lines": [{}]}, "invalid line: lines[0].product_id is no id"),
            (
                {"lines": [line | {"product_id": 2**31 - 1}]},
                f"invalid line: lines[0].product_id {unsold}",
            ),
            (
                {"lines": [line | {"product_id": foreign.id}]},
                f"invalid line: lines[0].product_id {unsold}",
            ),
            (
                {"lines": [line | {"product_id": True}]},
                "invalid line: lines[0].product_id is no id",
            ),
            (
                {"lines": [line | {"quantity": 0}]},
                f"invalid line: lines[0].quantity {bounds}",
            ),
            (
                {"lines": [line | {"quantity": "many"}]},
                "invalid line: lines[0].quantity is no decimal",
            ),
            (
                {"lines": [line | {"quantity": -1}]},
                "invalid line: lines[0].quantity is no decimal",
            ),
            # Odoo would make them 0 and 1.01
            (
                {"lines": [line | {"quantity": "0.004"}]},
                "invalid line: lines[0].quantity has more than 2 decimals",
            ),
            (
                {"lines": [line | {"quantity": "1.005"}]},
                "invalid line: lines[0].quantity has more than 2 decimals",
            ),
            ({"start_date": "20260105"}, "invalid start_date"),
            ({"start_date": "20260105AB"}, "invalid start_date"),
            ({"start_date": "2026-W01-1"}, "invalid start_date"),
            ({"start_date": "2026-02-30"}, "invalid start_date"),
            ({"start_date": "0001-01-01"}, "invalid start_date"),
            ({"start_date": "9999-12-31"}, "invalid start_date"),
            ({"start_date": 5}, "invalid start_date"),
            ({"external_id": 5}, "invalid external_id"),
            ({"external_id": "id:5"}, "invalid external_id"),
        ):
            with self.subTest(values=values):
                self._assert_error(self._subscribe(**values), text)
