from odoo.tests import tagged

from ..common import BillingCase


@tagged("post_install", "-at_install")
class TestApiRepeated(BillingCase):
    """What a request does not say of itself is not guessed: unknown keys, and the same
    name with other content.
    """

    def _subscribe(self, **values):
        return self.service._api_create_subscription(
            {
                "external_customer_id": "acc-1",
                "plan_id": self.plan.id,
                "lines": [{"product_id": self.base_product.id, "quantity": 2}],
            }
            | values
        )

    def test_keys_that_no_request_has_are_refused(self):
        """They were ignored: half a batch was stored where it said "atmoic"."""
        customer = {"external_id": "acc-2", "vat": "X1"}
        line = {"product_id": self.base_product.id, "discount": 10}
        for answer, field in (
            (self.service._api_record_usage({"event": []}), "event"),
            (
                self.service._api_record_usage(
                    {"events": [self._event()], "atmoic": True}
                ),
                "atmoic",
            ),
            (self.service._api_upsert_customer(customer), "vat"),
            (self._subscribe(discount=10), "discount"),
            (self._subscribe(lines=[line]), "lines[0].discount"),
            (self._subscribe(lines=[{}, line]), "lines[0].product_id"),
        ):
            with self.subTest(field=field):
                self.assertEqual(answer["field"], field)
                code = "invalid_line" if field.endswith("_id") else "unknown_field"
                self.assertEqual(answer["code"], code)
        self.assertEqual(self._usage_count(), 0)
        self.assertFalse(
            self.env["fusion.billing.account.link"].search(
                [("external_id", "=", "acc-2")]
            )
        )

    def test_an_unknown_key_costs_its_own_event_only(self):
        events = [
            self._event(),
            self._event(quantity=2, vat="X"),
            self._event(quantity=3),
        ]
        answer = self.service._api_record_usage({"events": events})
        self.assertEqual(answer["accepted"], 2)
        [error] = answer["errors"]
        self.assertEqual(
            (error["index"], error["code"], error["field"]), (1, "unknown_field", "vat")
        )
        self.assertEqual(self._usage_count(), 2)

    def test_the_same_external_id_again_is_the_same_subscription(self):
        first = self._subscribe(external_id="sub-1")
        self.assertEqual(self._subscribe(external_id="sub-1"), first)
        other_plan = self._create_plan(name="Other plan")
        answer = self._subscribe(external_id="sub-1", plan_id=other_plan.id)
        self.assertEqual(answer["code"], "external_id_conflict")

    def test_the_same_external_id_with_other_content_is_refused(self):
        """It was answered 200, and the customer got what the first request said."""
        product, other = self.base_product.id, self._create_product().id
        base, more = {"product_id": product, "quantity": 2}, {"product_id": other}
        content = {"external_id": "sub-1", "start_date": "2026-01-05"}
        content |= {"billed_until": "2026-01-05", "lines": [base, more]}
        first = self._subscribe(**content)
        self.assertEqual(first["status"], "ok")
        # said in another way: the same
        reordered = [{**more, "quantity": "1.00"}, {**base, "quantity": "2.0"}]
        self.assertEqual(self._subscribe(**content | {"lines": reordered}), first)
        for changes, differing in (
            ({"lines": [base]}, "lines"),
            ({"lines": [base, more, more]}, "lines"),
            ({"lines": [base, {**more, "quantity": 2}]}, "lines"),
            ({"start_date": "2026-01-06", "billed_until": "2026-01-06"}, "start_date,"),
            ({"billed_until": None}, "billed_until"),
            ({"plan_id": self._create_plan(name="Other").id}, "plan_id"),
            ({"plan_id": 2**31 - 1}, "plan_id"),
        ):
            with self.subTest(changes=changes):
                answer = self._subscribe(**content | changes)
                self.assertEqual(answer.get("code"), "external_id_conflict", answer)
                self.assertEqual(answer["field"], "external_id")
                self.assertIn(differing, answer["error"])
        order = self.env["sale.order"].browse(first["subscription_id"])
        self.assertEqual(
            order.order_line.mapped("product_uom_qty")[:2], [2, 1], order.order_line
        )

    def test_a_repeated_request_outlives_changes_in_odoo(self):
        """What was asked for is known, whatever has become of the subscription."""
        line = {"product_id": self.base_product.id, "quantity": 2}
        first = self._subscribe(external_id="sub-1", lines=[line])
        order = self.env["sale.order"].browse(first["subscription_id"])
        order.order_line.filtered("product_uom_qty")[:1].product_uom_qty = 7
        order.plan_id = self._create_plan(name="Other plan")
        self.base_product.sale_ok = False
        again = self._subscribe(external_id="sub-1", lines=[line])
        self.assertEqual(again["subscription_id"], order.id)

    def test_a_subscription_named_in_odoo_is_held_against_customer_and_plan(self):
        """As one that was made before requests were kept."""
        first = self._subscribe(external_id="sub-1")
        order = self.env["sale.order"].browse(first["subscription_id"])
        order.sudo().fc_created_with = False
        self.assertEqual(self._subscribe(external_id="sub-1"), first)
        line = {"product_id": self.base_product.id, "quantity": 5}
        self.assertEqual(self._subscribe(external_id="sub-1", lines=[line]), first)
        other_plan = self._create_plan(name="Other plan")
        answer = self._subscribe(external_id="sub-1", plan_id=other_plan.id)
        self.assertEqual(answer["code"], "external_id_conflict")
        self.assertIn("plan_id", answer["error"])
