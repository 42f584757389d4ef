from datetime import timedelta

from freezegun import freeze_time

from odoo.tests import tagged

from .portal_common import PortalCase


@tagged("post_install", "-at_install")
class TestPortalOption(PortalCase):
    """10 a week, four of the seven days are left; a seat at 20 is optional.

    The seat costs 99 without a plan.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plan.user_add_option = True
        cls.seat = cls._create_product(name="Seat", list_price=99.0)
        cls.env["product.pricelist.item"].create(
            {
                "pricelist_id": False,
                "plan_id": cls.plan.id,
                "applied_on": "1_product",
                "product_tmpl_id": cls.seat.product_tmpl_id.id,
                "compute_price": "fixed",
                "fixed_price": 20,
            }
        )
        cls.order = cls._create_with_options(cls.seat)
        cls.line, cls.section, cls.option = cls.order.order_line
        cls.url = f"/my/subscriptions/{cls.order.id}"
        cls.token = cls.order._portal_ensure_token()

    def setUp(self):
        super().setUp()
        self._sign_in(self.ann)

    def _seen(self, line=None):
        line = line or self.option
        offers = line.order_id._get_option_offers()
        return next((o["seen"] for o in offers if o["line"] == line), "")

    def _add(self, line=None, order=None, seen=None, **data):
        line = line or self.option
        seen = self._seen(line) if seen is None else seen
        return self._post(
            "option", {"line_id": line.id, "seen": seen, **data}, order or self.order
        )

    @property
    def upsells(self):
        return self.order.subscription_child_ids.sorted("id")

    def assertMessage(self, response, word):
        self.assertIn(f"message={word}", response.headers["Location"])

    def assertUnchanged(self):
        self.assertEqual(self.order.order_line.mapped("product_uom_qty"), [1, 0, 0])
        self.assertFalse(self.upsells)

    def test_page_says_what_it_costs_now_and_each_period(self):
        """20 x 4 / 7 = 11.43."""
        last_day = self._show(self.next_date - timedelta(days=1))
        self.assertEqual(
            self._page(self.order)["option_offered"],
            [
                f"Seat Now: $ 11.43 for the 4 of 7 days up to {last_day}."
                " From your next invoice on: $ 20.00 per week more."
            ],
        )

    def test_adding_is_an_upsell_of_the_days_left(self):
        response = self._add()
        self.assertMessage(response, "option")
        [upsell] = self.upsells
        self.assertEqual((upsell.state, upsell.amount_total), ("sale", 11.43))
        self.assertTrue(upsell.requested_by_customer)
        self.assertEqual(self.option.product_uom_qty, 1)
        self.assertEqual(len(self.order.order_line), 3)
        self.assertIn("The customer requested Seat.", self._notes(self.order))
        self.assertIn("Done on the portal by Ann", self._notes(self.order))
        # 20 x 30.436875 / 7 = 86.96
        self.assertLog(self.order, ("new", 43.48), ("expansion", 86.96))
        invoice = self._run_cron(self.today) & upsell.invoice_ids
        self.assertEqual(invoice.amount_total, 11.43)
        invoice = self._run_cron(self.next_date) & self.order.invoice_ids
        self.assertEqual(invoice.amount_total, 30)
        page = self._page(self.order, message="option")
        self.assertIn("message_option", page)
        self.assertNotIn("options", page)

    def test_taxes_and_discounts_are_in_what_is_told(self):
        """20 less 25 %, less 10 % of all, and 10 % tax: 14.85 a week.

        By days: 15 x 4/7 = 8.57, less 1.5 x 4/7 = 0.86, is 7.71; 0.77 tax, 8.48.
        """
        tax = self.env["account.tax"].create({"name": "10 %", "amount": 10})
        (self.fee | self.seat).taxes_id = tax
        with freeze_time(self.start):
            order = self._create_with_options(self.seat)
            order.order_line[2].discount = 25
            self.env["sale.order.discount"].create(
                {
                    "sale_order_id": order.id,
                    "discount_type": "so_discount",
                    "discount_percentage": 0.1,
                    "recurrence": "always",
                }
            ).action_apply_discount()
        line = order.order_line.filtered(lambda x: x.product_id == self.seat)
        [offer] = order._get_option_offers()
        self.assertEqual(offer["period"]["total"], 14.85)
        before = order._get_portal_amounts()["total"]
        self._add(line, order)
        [upsell] = order.subscription_child_ids
        self.assertEqual(upsell.amount_total, offer["now"]["total"])
        self.assertEqual(offer["now"]["total"], 8.48)
        after = order._get_portal_amounts()["total"]
        self.assertAlmostEqual(after - before, 14.85)

    def test_offered_when_it_is_to_be_signed(self):
        self.company.portal_confirmation_sign = True
        response = self._add()
        upsell = self.upsells
        self.assertLeadsTo(response, f"/my/orders/{upsell.id}")
        self.assertEqual((upsell.state, upsell.amount_total), ("sent", 11.43))
        self.assertEqual(self.option.product_uom_qty, 0)
        self._add()
        self.assertEqual(self.upsells, upsell)

    def test_pressed_twice(self):
        seen = self._seen()
        self._add(seen=seen)
        notes = self.order.message_ids
        self.assertMessage(self._add(seen=seen), "option")
        self.assertEqual(len(self.upsells), 1)
        self.assertEqual(self.option.product_uom_qty, 1)
        self.assertEqual(self.order.message_ids, notes)

    def test_page_from_the_day_before(self):
        with freeze_time(self.today - timedelta(days=1)):
            seen = self._seen()
        self.option.price_unit = 30
        self.assertMessage(self._add(seen=seen), "outdated")
        self.assertUnchanged()

    def test_lines_that_are_no_options(self):
        other = self._create_with_options(
            self.seat, partner_id=self.bob.partner_id.id
        ).order_line[2]
        for line in (self.line, self.section, other):
            with self.subTest(line=line.name):
                response = self._add(line, seen=self._seen())
                self.assertMessage(response, "refused")
                self.assertUnchanged()
        self.assertFalse(other.product_uom_qty)
        for text in ("", "x", "-1", "0", "9" * 30, "²"):
            response = self._post("option", {"line_id": text, "seen": ""}, self.order)
            self.assertMessage(response, "refused")

    def test_what_cannot_be_added_online(self):
        """Free, a credit, measured, once, not sold any more, not optional."""
        free = self._create_product(name="Free", list_price=0)
        credit = self._create_product(name="Credit", list_price=-5)
        gone = self._create_product(name="Gone")
        order = self._create_with_options(
            free, credit, self.hours, self.setup_fee, gone, self.seat
        )
        gone.active = False
        lines = order.order_line[2:]
        self.assertEqual(order._get_customer_options(), lines[-1])
        for line in lines[:-1]:
            with self.subTest(line=line.name):
                self.assertMessage(self._add(line, order, ""), "refused")
        order.order_line[1].is_optional = False
        lines.invalidate_recordset(["parent_id"])
        self.assertMessage(self._add(lines[-1], order, ""), "refused")
        self.assertFalse(any(lines.mapped("product_uom_qty")))

    def test_not_unless_the_plan_allows_it(self):
        seen = self._seen()
        self.plan.user_add_option = False
        self.assertNotIn("options", self._page(self.order))
        self.assertMessage(self._add(seen=seen), "refused")
        self.assertUnchanged()

    def test_not_of_what_does_not_run(self):
        seen = self._seen()
        self.order.pause_subscription()
        self.assertNotIn("options", self._page(self.order))
        self.assertMessage(self._add(seen=seen), "refused")
        self.assertUnchanged()

    def test_not_before_the_first_invoice(self):
        order = self._create_quotation()
        order.action_confirm()
        self.assertFalse(order._get_option_offers())

    def test_holder_of_the_token_and_nobody_else(self):
        seen = self._seen()
        for user, token in ((self.bob, None), (None, None), (None, "wrong")):
            self._sign_in(user)
            data = {"access_token": token} if token else {}
            self.assertLeadsTo(self._add(seen=seen, **data), "/my")
            self.assertUnchanged()
        self._add(seen=seen, access_token=self.token)
        self.assertEqual(self.option.product_uom_qty, 1)
        self.assertIn("without signing in", self._notes(self.order))

    def test_cancelled_upsell_can_be_added_again(self):
        self._add()
        self.upsells._action_cancel()
        self.assertEqual(self.option.product_uom_qty, 0)
        self._add()
        self.assertEqual(self.option.product_uom_qty, 1)

    def test_renewal_offers_the_same_options(self):
        """Its headings were left behind, and with them what is optional."""
        renewal = self.order._create_upsell_renew_order("2_renewal")
        line, section, option = renewal.order_line
        self.assertTrue(section.is_optional)
        self.assertFalse(line._is_line_optional())
        self.assertTrue(option._is_line_optional())
        self.assertEqual(option.product_uom_qty, 0)
        with freeze_time(self.next_date):
            renewal.action_confirm()
            renewal._create_recurring_invoice()
            self.assertEqual(renewal._get_customer_options(), option)

    def test_looking_changes_nothing(self):
        response = self._get(f"{self.url}/option", line_id=self.option.id)
        self.assertEqual(response.status_code, 405)
        self.assertUnchanged()
