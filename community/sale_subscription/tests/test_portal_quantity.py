from datetime import timedelta

from freezegun import freeze_time

from odoo.fields import Command
from odoo.tests import tagged

from .portal_common import PortalCase


@tagged("post_install", "-at_install")
class TestPortalQuantity(PortalCase):
    """Ten per week; four of the seven days are left."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.seat = cls._create_product(name="Seat", list_price=20.0)
        cls.order = cls._create_invoiced(cls.fee, cls.seat, cls.hours, cls.setup_fee)
        cls.line, cls.seats, cls.usage, cls.once = cls.order.order_line
        cls.url = f"/my/subscriptions/{cls.order.id}"
        cls.token = cls.order._portal_ensure_token()

    def setUp(self):
        super().setUp()
        self._sign_in(self.ann)

    def _change(self, quantity, line=None, seen=None, **data):
        line = line or self.line
        seen = int(line.product_uom_qty) if seen is None else seen
        values = {f"quantity_{line.id}": quantity, f"seen_{line.id}": seen, **data}
        return self._post("quantities", values)

    @property
    def upsells(self):
        return self.order.subscription_child_ids.sorted("id")

    def assertUnchanged(self):
        self.assertEqual(self.order.order_line.mapped("product_uom_qty"), [1, 1, 1, 1])
        self.assertFalse(self.upsells)

    def test_lines_offered(self):
        text = self._get(self.url).text
        for line in (self.line, self.seats):
            self.assertIn(f'name="quantity_{line.id}"', text)
        for line in (self.usage, self.once):
            self.assertNotIn(f'name="quantity_{line.id}"', text)

    def test_more_is_an_upsell_of_the_days_left(self):
        """3 more at 10 for 4 of 7 days: 17.14."""
        response = self._change(4)
        self.assertIn("message=quantities", response.headers["Location"])
        [upsell] = self.upsells
        self.assertEqual(upsell.state, "sale")
        self.assertEqual(upsell.order_line.product_uom_qty, 3)
        self.assertEqual(upsell.amount_untaxed, 17.14)
        self.assertEqual(self.line.product_uom_qty, 4)
        self.assertEqual(self.seats.product_uom_qty, 1)
        # 40 + 20 a week, 30.436875 days a month
        self.assertAlmostEqual(self.order.recurring_monthly, 260.89)
        self.assertIn("Base fee: 1 → 4", self._notes())
        self.assertIn("Ann", self._notes())

    def test_more_is_offered_when_it_is_to_be_signed(self):
        self.company.portal_confirmation_sign = True
        response = self._change(4)
        upsell = self.upsells
        self.assertLeadsTo(response, f"/my/orders/{upsell.id}")
        self.assertEqual((upsell.state, upsell.amount_untaxed), ("sent", 17.14))
        self.assertEqual(self.line.product_uom_qty, 1)

    def test_same_wish_again_is_the_same_offer(self):
        self.company.portal_confirmation_sign = True
        first, second = self._change(4), self._change(4)
        self.assertEqual(first.headers["Location"], second.headers["Location"])
        self.assertEqual(len(self.upsells), 1)

    def test_another_wish_replaces_the_offer(self):
        self.company.portal_confirmation_sign = True
        self._change(4)
        self._change(5)
        first, second = self.upsells
        self.assertEqual((first.state, second.state), ("cancel", "sent"))
        self.assertEqual(second.order_line.product_uom_qty, 4)

    def test_offer_of_a_salesperson_stays(self):
        upsell = self.order._create_upsell_renew_order("7_upsell")
        self._change(4)
        self.assertEqual(upsell.state, "draft")

    def test_less_holds_from_the_next_invoice_on(self):
        self._change(4)
        self._run_cron(self.today)
        self._change(2)
        self.assertEqual(self.line.product_uom_qty, 2)
        self.assertEqual(len(self.upsells), 1)
        # 2 x 10 + 20
        invoice = self._run_cron(self.next_date) & self.order.invoice_ids
        self.assertEqual(invoice.amount_total, 40)

    def test_lowered_by_mistake_is_raised_again_for_nothing(self):
        """The week is paid for: only what goes beyond is charged."""
        order = self.order
        order.order_line[0].product_uom_qty = 1
        self._change(5)
        self._change(2)
        self._change(5)
        self.assertEqual(self.line.product_uom_qty, 5)
        self.assertEqual(len(self.upsells), 1)
        self._change(2)
        self._change(6)
        self.assertEqual(self.line.product_uom_qty, 6)
        self.assertEqual(self.upsells.order_line.mapped("product_uom_qty"), [4, 1])

    def test_what_was_credited_is_not_paid_for(self):
        self._change(2)
        self.env["account.move.reversal"].with_context(
            active_model="account.move", active_ids=self.order.invoice_ids[:1].ids
        ).create({"journal_id": self.order.invoice_ids.journal_id.id}).refund_moves()
        self.order.invoice_ids.filtered(lambda m: m.state == "draft")._post()
        self._change(1)
        self._change(3)
        # 2 were charged as 1 of the period, credited, and 1 of an upsell
        self.assertEqual(self.upsells.order_line.mapped("product_uom_qty"), [1, 2])

    def test_one_up_and_one_down(self):
        self._change(5)
        self._post(
            "quantities",
            {
                f"quantity_{self.line.id}": 2,
                f"seen_{self.line.id}": 5,
                f"quantity_{self.seats.id}": 3,
                f"seen_{self.seats.id}": 1,
            },
        )
        self.assertEqual(
            (self.line.product_uom_qty, self.seats.product_uom_qty), (2, 3)
        )
        self.assertEqual(self.upsells.order_line.mapped("product_uom_qty"), [4, 2])

    def test_price_of_the_subscription_holds(self):
        """Agreed by hand, or from before the list price went up."""
        self.line.write({"price_unit": 8, "discount": 25})
        self.fee.list_price = 99
        self._change(3)
        line = self.upsells.order_line
        self.assertEqual((line.price_unit, line.discount), (8, 25))
        self.assertEqual(self.line.product_uom_qty, 3)

    def test_only_whole_numbers_from_one_on(self):
        for text in (
            "0",
            "-1",
            "1.5",
            "1e3",
            "",
            "x",
            "٣",
            "1000000",
            "nan",
            "+2",
            "0x2",
        ):
            with self.subTest(text=text):
                response = self._change(text)
                self.assertIn("message=invalid_quantity", response.headers["Location"])
                self.assertUnchanged()
        self.assertIn(
            "message_invalid_quantity", self._page(message="invalid_quantity")
        )

    def test_lines_that_are_not_the_customers(self):
        foreign = self._create_invoiced(partner_id=self.bob.partner_id.id).order_line
        for line in (self.usage, self.once, foreign):
            with self.subTest(line=line):
                response = self._change(3, line)
                self.assertIn("message=refused", response.headers["Location"])
                self.assertUnchanged()
                self.assertEqual(foreign.product_uom_qty, 1)
        self._post("quantities", {"quantity_999999999": 3, "seen_999999999": 1})
        self.assertUnchanged()

    def test_discounts_and_free_lines(self):
        """More of them would cost less."""
        for price in (-5, 0):
            self.seats.price_unit = price
            self.assertNotIn(
                f'name="quantity_{self.seats.id}"', self._get(self.url).text
            )
            self._change(3, self.seats)
            self.assertUnchanged()

    def test_form_shown_before_another_change(self):
        """It must not take back what was changed since, and not add twice."""
        self._change(3)
        response = self._change(2, seen=1)
        self.assertIn("message=refused", response.headers["Location"])
        self.assertEqual(self.line.product_uom_qty, 3)
        self._change(3, seen=1)
        self._change(3, seen=3)
        self._change(1, seen=1)
        self.assertEqual(self.line.product_uom_qty, 3)
        self.assertEqual(len(self.upsells), 1)

    def test_not_unless_the_plan_allows_it(self):
        self.plan.user_quantity = False
        self.assertNotIn("quantities", self._page())
        response = self._change(3)
        self.assertIn("message=refused", response.headers["Location"])
        self.assertUnchanged()

    def test_not_before_the_first_invoice_nor_while_one_is_due(self):
        fresh = self._create_subscription(start=str(self.today))
        week_ago = self.today - timedelta(days=7)
        due = self._create_subscription(start=str(week_ago))
        with freeze_time(week_ago):
            due._create_recurring_invoice()
        for order in (fresh, due):
            line = order.order_line
            self.assertNotIn("quantities", self._page(order))
            values = {f"quantity_{line.id}": 3, f"seen_{line.id}": 1}
            response = self._post("quantities", values, order)
            self.assertIn("message=refused", response.headers["Location"])
            self.assertEqual(line.product_uom_qty, 1)

    def test_not_of_what_does_not_run(self):
        self.order.pause_subscription()
        self.assertNotIn("quantities", self._page())
        self._change(3)
        self.assertUnchanged()

    def test_holder_of_the_token_and_nobody_else(self):
        for user, token in ((self.bob, None), (None, None), (None, "wrong")):
            self._sign_in(user)
            data = {"access_token": token} if token else {}
            self.assertLeadsTo(self._change(3, **data), "/my")
            self.assertUnchanged()
        self._change(3, access_token=self.token)
        self.assertEqual(self.line.product_uom_qty, 3)

    def test_locked_order(self):
        self.order.action_lock()
        self._change(3)
        self._change(2)
        self.assertEqual(self.line.product_uom_qty, 2)

    def test_tax_is_in_the_price_told(self):
        tax = self.env["account.tax"].create({"name": "20 %", "amount": 20})
        self.line.tax_ids = [Command.set(tax.ids)]
        self.assertEqual(self._page()["price_told"][0], "$ 12.00 each per week")

    def test_looking_changes_nothing(self):
        response = self._get(
            f"{self.url}/quantities", **{f"quantity_{self.line.id}": 3}
        )
        self.assertEqual(response.status_code, 405)
        self.assertUnchanged()
