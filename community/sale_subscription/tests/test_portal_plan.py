from datetime import timedelta

from freezegun import freeze_time

from odoo.exceptions import ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from .portal_common import PortalCase


@tagged("post_install", "-at_install")
class TestPortalPlan(PortalCase):
    """10 a week, to 35 a month or 400 a year; four of the seven days are left."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.monthly = cls._create_plan(name="Silver", user_change_plan=True)
        cls.yearly = cls._create_plan(name="Long", billing_period_unit="year")
        cls.hidden = cls._create_plan(name="For friends")
        for plan, price in ((cls.monthly, 35), (cls.yearly, 400), (cls.hidden, 1)):
            cls._add_price(plan, cls.fee, price)
        cls.plan.write(
            {
                "user_change_plan": True,
                "offered_plan_ids": [Command.set((cls.monthly | cls.yearly).ids)],
            }
        )
        cls.line = cls.order.order_line

    @classmethod
    def _add_price(cls, plan, product, price):
        return cls.env["product.pricelist.item"].create(
            {
                "pricelist_id": False,
                "plan_id": plan.id,
                "applied_on": "1_product",
                "product_tmpl_id": product.product_tmpl_id.id,
                "compute_price": "fixed",
                "fixed_price": price,
            }
        )

    def setUp(self):
        super().setUp()
        self._sign_in(self.ann)

    def _seen(self, plan, order=None):
        """Return what the page sends back with a plan, as it shows it now."""
        offers = (order or self.order)._get_plan_offers()
        return next((o["seen"] for o in offers if o["plan"] == plan), "")

    def _change(self, plan, order=None, seen=None, **data):
        seen = self._seen(plan, order) if seen is None else seen
        return self._post("plan", {"plan_id": plan.id, "seen": seen, **data}, order)

    def _offered(self, order=None):
        return self._page(order).get("plan_offered", [])

    def assertMessage(self, response, word):
        self.assertIn(f"message={word}", response.headers["Location"])

    def assertUnchanged(self, order=None):
        order = order or self.order
        self.assertEqual(order.plan_id, self.plan)
        self.assertEqual(order.order_line[0].price_unit, 10)

    def test_page_says_both_prices_and_from_when(self):
        page = self._page()
        day, before = self._show(self.next_date), self.next_date - timedelta(days=1)
        self.assertEqual(
            page["plan_now"],
            [
                "Now: Gold, $ 10.00 per week."
                f" What is invoiced up to {self._show(before)} stays as it is."
            ],
        )
        self.assertEqual(
            page["plan_offered"],
            [
                f"Silver from {day} on: $ 35.00 per month.",
                f"Long from {day} on: $ 400.00 per year.",
            ],
        )

    def test_change_holds_from_the_next_period_on(self):
        """Nothing now; 35 on the next invoice, for a month from then on."""
        response = self._change(self.monthly)
        self.assertMessage(response, "plan")
        self.assertEqual(self.order.plan_id, self.monthly)
        self.assertFalse(self._run_cron(self.today) & self.order.invoice_ids)
        invoice = self._run_cron(self.next_date) & self.order.invoice_ids
        self.assertEqual(invoice.amount_total, 35)
        self.assertEqual(self.order.last_invoice_date, self.next_date)
        self.assertIn("message_plan", self._page(message="plan"))
        # 10 x 30.436875 / 7 = 43.48, then 35 a month
        self.assertLog(self.order, ("new", 43.48), ("contraction", -8.48))

    def test_chatter_says_who_changed_it(self):
        self._change(self.monthly)
        self.assertIn("The customer changed the plan to Silver.", self._notes())
        self.assertIn("Done on the portal by Ann", self._notes())

    def test_what_is_told_is_what_is_charged(self):
        """20 % tax, and 5 % off all: 35 x 0.95 x 1.2 = 39.90."""
        tax = self.env["account.tax"].create({"name": "20 %", "amount": 20})
        self.fee.taxes_id = tax
        order = self._create_quotation()
        with freeze_time(self.start):
            self.env["sale.order.discount"].create(
                {
                    "sale_order_id": order.id,
                    "discount_type": "so_discount",
                    "discount_percentage": 0.05,
                    "recurrence": "always",
                }
            ).action_apply_discount()
            order.action_confirm()
            order._create_recurring_invoice()
        self.assertEqual(
            self._offered(order)[0],
            f"Silver from {self._show(self.next_date)} on: $ 39.90 per month.",
        )
        self._change(self.monthly, order)
        invoice = self._run_cron(self.next_date) & order.invoice_ids
        self.assertEqual(invoice.amount_total, 39.9)

    def test_discount_for_some_weeks_is_none_for_some_months(self):
        """Half price for ten weeks; a month costs 35, and 35 is what is told."""
        with freeze_time(self.start):
            order = self._create_quotation()
            order.order_line.write(
                {
                    "discount": 50,
                    "discount_recurrence": "periods",
                    "discount_periods": 10,
                }
            )
            order.action_confirm()
            order._create_recurring_invoice()
        self.assertEqual(order.invoice_ids.amount_total, 5)
        self.assertIn("$ 35.00 per month", self._offered(order)[0])
        self._change(self.monthly, order)
        invoice = self._run_cron(self.next_date) & order.invoice_ids
        self.assertEqual(invoice.amount_total, 35)

    def test_first_period_that_is_cut_short(self):
        """To the beginning of a month: the days up to it are told, and charged."""
        self.monthly.billing_first_day = True
        start, end = self.next_date.replace(day=1), self.next_date.replace(day=28)
        end = (end + timedelta(days=5)).replace(day=1)
        days, whole = (end - self.next_date).days, (end - start).days
        price = self.order.currency_id.round(35 * days / whole)
        first = self._page().get("plan_first")
        if self.next_date.day == 1:
            self.assertFalse(first)
        else:
            self.assertEqual(
                first,
                [f"The first invoice is for {days} of {whole} days: $ {price:.2f}."],
            )
        self._change(self.monthly)
        invoice = self._run_cron(self.next_date) & self.order.invoice_ids
        self.assertEqual(invoice.amount_total, price)

    def test_looking_changes_nothing(self):
        self._page()
        self.assertUnchanged()
        self.assertLog(self.order, ("new", 43.48))
        self.assertEqual(self._get(f"{self.url}/plan").status_code, 405)

    def test_only_plans_with_a_price_for_all_that_recurs(self):
        order = self._create_invoiced(self.fee, self.hours)
        self.assertFalse(self._offered(order))
        self._add_price(self.monthly, self.hours, 4)
        self.assertEqual(len(self._offered(order)), 1)
        self.assertMessage(self._change(self.yearly, order, ""), "refused")
        self.assertUnchanged(order)

    def test_price_by_hand_is_for_a_week(self):
        """8 a week are not 8 a year."""
        self.line.price_unit = 8
        self.assertFalse(self._offered())
        self.assertMessage(self._change(self.yearly, seen=""), "refused")
        self.assertEqual(self.order.plan_id, self.plan)

    def test_discount_of_an_amount_is_one_of_a_week(self):
        """Three off a week are not three off a year, nor the other way round."""
        order = self._create_quotation()
        with freeze_time(self.start):
            self.env["sale.order.discount"].create(
                {
                    "sale_order_id": order.id,
                    "discount_type": "amount",
                    "discount_amount": 3,
                    "recurrence": "always",
                }
            ).action_apply_discount()
            order.action_confirm()
            order._create_recurring_invoice()
        self.assertEqual(order.invoice_ids.amount_total, 7)
        self.assertFalse(self._offered(order))

    def test_optional_line_without_a_price(self):
        """Added afterwards it would cost by the year what it cost by the week."""
        seat = self._create_product(name="Seat", list_price=20)
        order = self._create_with_options(seat)
        self.assertFalse(self._offered(order))
        self._add_price(self.monthly, seat, 70)
        self.assertEqual(len(self._offered(order)), 1)

    def test_forged_plans(self):
        other = self.env["res.company"].create({"name": "Other Company"})
        foreign = self._create_plan(name="Foreign", company_id=other.id)
        shared = self.plan
        self._add_price(foreign, self.fee, 1)
        self.env.cr.execute(
            "INSERT INTO sale_subscription_plan_offered_rel VALUES (%s, %s)",
            [shared.id, foreign.id],
        )
        shared.invalidate_recordset()
        self.yearly.active = False
        for plan in (self.hidden, foreign, self.yearly):
            with self.subTest(plan=plan.name):
                seen = self._seen(self.monthly)
                self.assertMessage(self._change(plan, seen=seen), "refused")
                self.assertUnchanged()
        for text in ("", "x", "-1", "0", "99999999", "9" * 30, "1.5", "²"):
            response = self._post("plan", {"plan_id": text, "seen": ""})
            self.assertMessage(response, "refused")
            self.assertUnchanged()

    def test_pressed_twice(self):
        seen = self._seen(self.monthly)
        self._change(self.monthly, seen=seen)
        notes = self.order.message_ids
        self.assertMessage(self._change(self.monthly, seen=seen), "plan")
        self.assertEqual(self.order.message_ids, notes)

    def test_page_from_before_the_price_went_up(self):
        seen = self._seen(self.monthly)
        self.env["product.pricelist.item"].search(
            [("plan_id", "=", self.monthly.id)]
        ).fixed_price = 45
        self.assertMessage(self._change(self.monthly, seen=seen), "outdated")
        self.assertUnchanged()
        self.assertIn("message_outdated", self._page(message="outdated"))
        self._change(self.monthly)
        self.assertEqual(self.line.price_unit, 45)

    def test_page_from_before_the_period_ended(self):
        seen = self._seen(self.monthly)
        with freeze_time(self.next_date):
            self.order._create_recurring_invoice()
        self.assertMessage(self._change(self.monthly, seen=seen), "refused")
        self.assertUnchanged()

    def test_not_unless_the_plan_allows_it(self):
        seen = self._seen(self.monthly)
        self.plan.user_change_plan = False
        self.assertNotIn("plans", self._page())
        self.assertMessage(self._change(self.monthly, seen=seen), "refused")
        self.assertUnchanged()

    def test_draft_of_the_next_period_is_in_the_way(self):
        seen = self._seen(self.monthly)
        self.plan.invoice_posting = "draft"
        with freeze_time(self.next_date):
            self.order._create_recurring_invoice()
        self.assertNotIn("plans", self._page())
        response = self._change(self.monthly, seen=seen)
        self.assertMessage(response, "refused")
        self.assertIn("message_refused", self._page(message="refused"))
        self.assertUnchanged()

    def test_not_while_something_is_owed_nor_at_the_end(self):
        week_ago = self.today - timedelta(days=7)
        due = self._create_subscription(start=str(week_ago))
        with freeze_time(week_ago):
            due._create_recurring_invoice()
        fresh = self._create_subscription(start=str(self.today))
        ending = self._create_invoiced(end_date=self.next_date)
        paused = self._create_invoiced()
        paused.pause_subscription()
        for order in (due, fresh, ending, paused):
            self.assertNotIn("plans", self._page(order))
            self.assertMessage(self._change(self.monthly, order, ""), "refused")
            self.assertUnchanged(order)

    def test_holder_of_the_token_and_nobody_else(self):
        seen = self._seen(self.monthly)
        for user, token in ((self.bob, None), (None, None), (None, "wrong")):
            self._sign_in(user)
            data = {"access_token": token} if token else {}
            response = self._change(self.monthly, seen=seen, **data)
            self.assertLeadsTo(response, "/my")
            self.assertUnchanged()
        self._change(self.monthly, seen=seen, access_token=self.token)
        self.assertEqual(self.order.plan_id, self.monthly)
        self.assertIn("without signing in", self._notes())

    def test_plans_of_another_company_cannot_be_offered(self):
        other = self.env["res.company"].create({"name": "Other Company"})
        foreign = self._create_plan(name="Foreign", company_id=other.id)
        own = self._create_plan(name="Own", company_id=self.company.id)
        with self.assertRaises(ValidationError):
            own.offered_plan_ids = foreign
