from odoo.tests import tagged

from ...engine.errors import BillingError
from .changes_case import ChangesCase


@tagged("post_install", "-at_install")
class TestChangedContent(ChangesCase):
    """Plan and quantities, changed in the middle of January."""

    def _line(self, product):
        return self.order.order_line.filtered(lambda x: x.product_id == product)

    def _refused(self, code, payload):
        with self.assertRaises(BillingError) as caught:
            self.service._api_update_subscription("sub-1", payload)
        self.assertEqual(caught.exception.code, code, caught.exception)
        return caught.exception

    def _wish(self, quantity, product=None, **more):
        product = product or self.base_product
        line = {"product_id": product.id, "quantity": quantity}
        return {"lines": [line]} | more

    # -- quantities ----------------------------------------------------------------

    def test_more_from_today_on(self):
        """2 more for 21 of 31 days: 20.00 x 21 / 31 = 13.55; three from February on."""
        self.at("2026-01-11 12:00:00")
        answer = self.ask("update_subscription", self._wish("3", when="now"))
        self.assertEqual([x["quantity"] for x in answer["lines"]], ["3"])
        self.day("2026-01-11 13:00:00")
        self.day("2026-02-01 09:00:00")
        self.assertEqual(self.amounts(), [10.0, 13.55, 30.0])
        self.assertEqual(
            self.changes(),
            [
                {
                    "lines": [
                        {
                            "line_id": self.base_line.id,
                            "product_id": self.base_product.id,
                            "before": "1",
                            "after": "3",
                        }
                    ]
                }
            ],
        )

    def test_more_from_the_next_invoice_on(self):
        self.at("2026-01-11 12:00:00")
        line = {"line_id": self.base_line.id, "quantity": 3}
        self.ask("update_subscription", {"lines": [line]})
        self.day("2026-01-12 09:00:00")
        self.day("2026-02-01 09:00:00")
        self.assertEqual(self.amounts(), [10.0, 30.0])

    def test_less_is_not_given_back(self):
        self.ask("update_subscription", self._wish(3))
        self.day("2026-02-01 09:00:00")
        self.at("2026-02-10 12:00:00")
        self.ask("update_subscription", self._wish("1.5", when="now"))
        self.day("2026-02-10 13:00:00")
        self.day("2026-03-01 09:00:00")
        self.assertEqual(self.amounts(), [10.0, 30.0, 15.0])

    def test_less_and_more_again_in_the_same_period_is_paid_once(self):
        """Three are paid for February: of four, one is added for 21 of 28 days."""
        self.ask("update_subscription", self._wish(3))
        self.day("2026-02-01 09:00:00")
        self.at("2026-02-08 12:00:00")
        self.ask("update_subscription", self._wish(1, when="now"))
        self.ask("update_subscription", self._wish(4, when="now"))
        self.day("2026-02-08 13:00:00")
        self.assertEqual(self.amounts(), [10.0, 30.0, 7.5])
        self.assertEqual(self.base_line.product_uom_qty, 4)

    def test_a_line_is_added_and_taken_away(self):
        """Two seats of 20.00 for 21 of 31 days: 27.10; in February 10.00 + 40.00."""
        seat = self.seat()
        self.at("2026-01-11 12:00:00")
        self.ask("update_subscription", self._wish(2, seat, when="now"))
        self.day("2026-01-11 13:00:00")
        self.day("2026-02-01 09:00:00")
        self.at("2026-02-10 12:00:00")
        answer = self.ask("update_subscription", self._wish(0, seat))
        self.assertEqual([x["quantity"] for x in answer["lines"]], ["1", "0"])
        self.day("2026-03-01 09:00:00")
        self.assertEqual(self.amounts(), [10.0, 27.1, 50.0, 10.0])
        line = {"line_id": self._line(seat).id, "product_id": seat.id}
        self.assertEqual(
            self.changes(),
            [
                {"lines": [line | {"before": "0", "after": "2"}]},
                {"lines": [line | {"before": "2", "after": "0"}]},
            ],
        )
        # and is back on the same line
        self.ask("update_subscription", self._wish(1, seat))
        self.assertEqual(self._line(seat).product_uom_qty, 1)

    def test_a_line_is_added_from_the_next_invoice_on(self):
        seat = self.seat()
        self.at("2026-01-11 12:00:00")
        self.ask("update_subscription", self._wish(2, seat))
        self.day("2026-02-01 09:00:00")
        self.assertEqual(self.amounts(), [10.0, 50.0])
        # This was not told: the line is made below the overrides of all modules.
        [change] = self.changes()
        self.assertEqual(change["lines"][0]["after"], "2")

    def test_a_locked_order(self):
        self.order.action_lock()
        self.ask("update_subscription", self._wish(3))
        seat = self.seat()
        self.ask("update_subscription", self._wish(1, seat))
        self.assertEqual(self.order.order_line.mapped("product_uom_qty"), [3, 1])

    def test_what_the_request_does_not_name_stays(self):
        seat = self.seat()
        self.add_line(seat)
        self.ask("update_subscription", self._wish(5, seat))
        self.assertEqual(self.order.order_line.mapped("product_uom_qty"), [1, 5])
        self.ask("update_subscription", {"lines": []})
        self.ask("update_subscription", {})
        self.assertEqual(self.order.order_line.mapped("product_uom_qty"), [1, 5])

    def test_while_it_is_paused(self):
        self.order.pause_subscription()
        self.ask("update_subscription", self._wish(2))
        self._refused("subscription_refused", self._wish(3, when="now"))
        self.assertEqual(self.base_line.product_uom_qty, 2)

    def test_a_draft_of_the_next_period(self):
        self.plan.invoice_posting = "draft"
        self.day("2026-02-01 09:00:00")
        error = self._refused("subscription_refused", self._wish(2))
        self.assertIn("draft invoice", str(error))

    def test_lines_that_are_refused(self):
        once = self._create_product(name="Setup", recurring_invoice=False)
        self.use(150, "2026-01-01")
        self.rate()
        usage = self._usage_line()
        self.assertTrue(usage)
        fee = self.base_line.id
        for line, field in (
            ({"quantity": 1}, "line_id"),
            ({"line_id": fee}, "quantity"),
            ({"line_id": fee, "product_id": self.base_product.id, "quantity": 1}, 0),
            ({"line_id": 2**31 - 1, "quantity": 1}, "line_id"),
            ({"line_id": 0, "quantity": 1}, "line_id"),
            ({"line_id": str(fee), "quantity": 1}, "line_id"),
            ({"line_id": usage.id, "quantity": 1}, "line_id"),
            ({"product_id": once.id, "quantity": 1}, "product_id"),
            ({"product_id": 2**31 - 1, "quantity": 1}, "product_id"),
            ({"line_id": fee, "quantity": -1}, "quantity"),
            ({"line_id": fee, "quantity": None}, "quantity"),
            ({"line_id": fee, "quantity": True}, "quantity"),
            ({"line_id": fee, "quantity": "1.001"}, "quantity"),
            ({"line_id": fee, "quantity": 1000000001}, "quantity"),
        ):
            with self.subTest(line=line):
                error = self._refused("invalid_line", {"lines": [line]})
                self.assertEqual(error.field, f"lines[0].{field or 'line_id'}")
        twice = [{"line_id": fee, "quantity": 1}, {"line_id": fee, "quantity": 2}]
        self._refused("invalid_line", {"lines": twice})
        self._refused("invalid_lines", {"lines": {}})
        self._refused("too_many_lines", {"lines": [twice[0]] * 201})
        self._refused("unknown_field", {"lines": [twice[0] | {"price": 1}]})
        self._refused("unknown_field", {"start_date": "2026-01-01"})
        self._refused("invalid_when", {"when": "on"})
        self.assertEqual(self.base_line.product_uom_qty, 1)

    def test_a_product_on_two_lines(self):
        self.add_line(self.base_product)
        self._refused("invalid_line", self._wish(2))

    def test_a_line_of_another_subscription(self):
        other = self._create_order()
        other.action_confirm()
        line = {"line_id": other.order_line[0].id, "quantity": 2}
        self._refused("invalid_line", {"lines": [line]})

    # -- the plan ------------------------------------------------------------------

    def test_another_plan_today(self):
        """16 of January's 31 days are given back: 100.00 - 5.16. The 120 calls before
        were on the old plan: 20 x 0.50 = 10.00, on the same invoice.
        """
        plan = self.yearly_plan()
        self.at("2026-01-10 12:00:00")
        self.use(120, "2026-01-10")
        self.at("2026-01-16 12:00:00")
        answer = self.ask("update_subscription", {"plan_id": plan.id, "when": "now"})
        self.assertEqual(answer["plan_id"], plan.id)
        self.assertEqual(answer["next_invoice_date"], "2026-01-16")
        self.day("2026-01-16 13:00:00")
        self.assertEqual(self.amounts(), [10.0, 104.84])
        self.assertEqual(
            self.changes(),
            [
                {
                    "plan_id": {"before": self.plan.id, "after": plan.id},
                    "next_invoice_date": {
                        "before": "2026-02-01",
                        "after": "2026-01-16",
                    },
                }
            ],
        )

    def test_another_plan_from_the_next_invoice_on(self):
        """January keeps its price of usage: 20 x 0.50 = 10.00, and 100.00 a year."""
        plan = self.yearly_plan()
        self.at("2026-01-10 12:00:00")
        self.use(120, "2026-01-10")
        self.at("2026-01-16 12:00:00")
        self.ask("update_subscription", {"plan_id": plan.id})
        self.day("2026-01-16 13:00:00")
        self.day("2026-02-01 09:00:00")
        self.assertEqual(self.amounts(), [10.0, 110.0])
        change = {"before": self.plan.id, "after": plan.id}
        self.assertEqual(self.changes(), [{"plan_id": change}])

    def test_plan_and_quantity_in_one_request(self):
        """Two on the yearly plan from today on: 200.00 - 5.16; told as one change."""
        plan = self.yearly_plan()
        self.at("2026-01-16 12:00:00")
        wish = self._wish(2, plan_id=plan.id, when="now")
        self.ask("update_subscription", wish)
        self.day("2026-01-16 13:00:00")
        self.assertEqual(self.amounts(), [10.0, 194.84])
        [change] = self.changes()
        self.assertEqual(sorted(change), ["lines", "next_invoice_date", "plan_id"])

    def test_a_refusal_leaves_all_as_it_was(self):
        """Invoiced today: the plan cannot change today, and the quantity does not."""
        plan = self.yearly_plan()
        wish = self._wish(2, plan_id=plan.id, when="now")
        error = self._refused("subscription_refused", wish)
        self.assertIn("invoiced today", str(error))
        self.assertEqual(self.order.plan_id, self.plan)
        self.assertEqual(self.base_line.product_uom_qty, 1)
        self.assertEqual(self.changes(), [])

    def test_plans_that_are_refused(self):
        archived = self._create_plan(name="Archived", active=False)
        company = self.env["res.company"].create({"name": "Other Company"})
        abroad = self._create_plan(name="Abroad", company_id=company.id)
        for plan_id in (archived.id, abroad.id, 2**31 - 1, 0, None, "1", True):
            with self.subTest(plan_id=plan_id):
                self._refused("invalid_plan_id", {"plan_id": plan_id})
        self.order.set_close()
        self._refused("subscription_refused", {"plan_id": self.plan.id})
