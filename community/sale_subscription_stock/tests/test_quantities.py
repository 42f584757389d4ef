from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common import DeliveryCase


@tagged("post_install", "-at_install")
class TestQuantities(DeliveryCase):
    """3 are sold, then 2 more: 5 are delivered, once, and nothing comes back."""

    def setUp(self):
        super().setUp()
        self.order = self._subscribe()
        self._run_cron("2026-01-01")

    def test_upsell_delivers_and_joining_does_not(self):
        """3 sold, 5 delivered: the upsell's 2 were delivered on both orders."""
        upsell = self._create_upsell(self.order)
        self.assertDeliveries(upsell, 2)
        self.assertDeliveries(self.order, 3)
        self.assertEqual(self.order.order_line.product_uom_qty, 5)
        # 21 of 31 days of 2 x 20
        self.assertEqual(self._run_cron("2026-01-11").amount_total, 27.10)
        self.assertEqual(self._run_cron("2026-02-01").amount_total, 100)
        self.assertDeliveries(self.order, 3, 5)
        self.assertDeliveries(upsell, 2)

    def test_other_goods_join_without_a_second_delivery(self):
        tea = self._create_goods(name="Tea")
        upsell = self._create_upsell(self.order, product=tea)
        self.assertDeliveries(upsell, 2)
        self.assertDeliveries(self.order, 3)
        self._run_cron("2026-01-11")
        self._run_cron("2026-02-01")
        self.assertDeliveries(self.order, 3, 5)

    def test_delivered_on_the_upsell_is_invoiced_once(self):
        """2 of 3 delivered in January, and the upsell's 2: 80.00 on one invoice."""
        self.box.invoice_policy = "delivery"
        tea = self._create_goods(name="Tea", invoice_policy="delivery")
        order = self._subscribe()
        self._run_cron("2026-01-01")
        upsell = self._create_upsell(order, product=tea)
        self.assertDeliveries(upsell, 2)
        self.assertDeliveries(order, 3)
        self._deliver(self._get_deliveries(order), 2)
        self._deliver(self._get_deliveries(upsell))
        self.assertFalse(self._run_cron("2026-01-12"))
        invoice = self._run_cron("2026-02-01")
        invoice = invoice.filtered(
            lambda m: order in m.invoice_line_ids.subscription_id
        )
        self.assertEqual(invoice.amount_total, 80)
        self.assertIn("01/01/2026 to 01/31/2026", invoice.invoice_line_ids[1].name)
        # 3 boxes and 2 teas for February
        self.assertEqual(
            self._get_deliveries(order)[-1].move_ids.mapped("product_uom_qty"), [3, 2]
        )
        later = self._run_cron("2026-03-01")
        self.assertNotIn(order, later.invoice_line_ids.subscription_id)

    def test_upsell_cancelled(self):
        """Its open delivery goes; nothing of the subscription is returned."""
        upsell = self._create_upsell(self.order)
        with freeze_time("2026-01-12"):
            upsell._action_cancel()
        self.assertDeliveries(upsell)
        self.assertDeliveries(self.order, 3)
        self.assertEqual(self.order.order_line.product_uom_qty, 3)
        self._run_cron("2026-02-01")
        self.assertDeliveries(self.order, 3, 3)

    def test_upsell_cancelled_after_all_was_delivered(self):
        upsell = self._create_upsell(self.order)
        self._deliver(self._get_deliveries(upsell) | self._get_deliveries(self.order))
        with freeze_time("2026-01-12"):
            upsell._action_cancel()
        moves = (self.order | upsell).order_line.move_ids
        self.assertEqual(set(moves.location_dest_id.mapped("usage")), {"customer"})
        self.assertEqual(sum(moves.mapped("quantity")), 5)

    def test_upsell_cancelled_and_confirmed_again(self):
        upsell = self._create_upsell(self.order)
        with freeze_time("2026-01-12"):
            upsell._action_cancel()
            upsell.action_draft()
            upsell.action_confirm()
        self.assertDeliveries(upsell, 2)
        self.assertDeliveries(self.order, 3)
        self.assertEqual(self.order.order_line.product_uom_qty, 5)

    @freeze_time("2026-01-11")
    def test_customer_raises_a_quantity(self):
        """To 5: the 2 more are delivered once."""
        upsell = self._request(5, seen=3)
        self.assertEqual(upsell.state, "sale")
        self.assertDeliveries(upsell, 2)
        self.assertDeliveries(self.order, 3)

    @freeze_time("2026-01-11")
    def test_customer_lowers_a_quantity_and_raises_it_again(self):
        """What is paid for January was delivered for January."""
        self._deliver(self._get_deliveries(self.order))
        self.assertFalse(self._request(1, seen=3))
        self.assertEqual(self.order.order_line.product_uom_qty, 1)
        self.assertFalse(self._request(3, seen=1))
        self.assertEqual(len(self.order.picking_ids), 1)
        upsell = self._request(4, seen=3)
        self.assertDeliveries(upsell, 1)
        self.assertDeliveries(self.order, 3)

    def test_customer_lowers_a_quantity_for_good(self):
        with freeze_time("2026-01-11"):
            self._request(1, seen=3)
        self.assertDeliveries(self.order, 3)
        self.assertEqual(self._run_cron("2026-02-01").amount_total, 20)
        self.assertDeliveries(self.order, 3, 1)

    def test_customer_adds_optional_goods(self):
        """3 boxes, and a tea for 21 of 31 days: 13.55. Together from February on."""
        tea = self._create_goods(name="Tea")
        lines = [
            {"product_id": self.box.id, "product_uom_qty": 3},
            {"name": "Options", "display_type": "line_section", "is_optional": True},
            {"product_id": tea.id, "product_uom_qty": 0},
        ]
        order = self._create_subscription(
            order_line=[Command.create(line) for line in lines]
        )
        self._run_cron("2026-01-01")
        self.assertDeliveries(order, 3)
        self.plan.user_add_option = True
        self._confirm_without_acceptance()
        with freeze_time("2026-01-11"):
            [offer] = order._get_option_offers()
            upsell = order.sudo()._add_option_by_customer(
                offer["line"].id, offer["seen"], self.partner
            )
        self.assertEqual(upsell.amount_total, 13.55)
        self.assertDeliveries(upsell, 1)
        self.assertDeliveries(order, 3)
        self._run_cron("2026-02-01")
        self.assertDeliveries(order, 3, 4)

    def _confirm_without_acceptance(self):
        self.order.company_id.portal_confirmation_sign = False
        self.order.company_id.portal_confirmation_pay = False

    def _request(self, quantity, seen):
        self.plan.user_quantity = True
        self._confirm_without_acceptance()
        self.order.require_signature = self.order.require_payment = False
        return self.order.sudo()._change_quantities_by_customer(
            {self.order.order_line: (quantity, seen)}, self.partner
        )

    def test_edited_before_the_first_invoice(self):
        """Until then it is an order like any other."""
        order = self._subscribe(start="2026-01-05")
        with freeze_time("2026-01-05"):
            order.order_line.product_uom_qty = 5
        self.assertDeliveries(order, 5)
        self._run_cron("2026-01-05")
        self.assertDeliveries(order, 5)

    def test_edited_afterwards(self):
        """Holds from the next invoice on; less than was delivered is allowed."""
        self._deliver(self._get_deliveries(self.order))
        with freeze_time("2026-01-10"):
            self.order.order_line.product_uom_qty = 4
            self.assertDeliveries(self.order, 3)
        self._run_cron("2026-02-01")
        self._deliver(self._get_deliveries(self.order)[1])
        with freeze_time("2026-02-10"):
            self.order.order_line.product_uom_qty = 1
        self.assertDeliveries(self.order, 3, 4)
        self.assertIn("4.0 -&gt; 1", self.order.message_ids[0].body)
        self._run_cron("2026-03-01")
        self.assertDeliveries(self.order, 3, 4, 1)

    def test_ordinary_orders_are_as_before(self):
        """A raised quantity is delivered; less than was delivered is refused."""
        crate = self._create_goods(name="Crate", recurring_invoice=False)
        order = self._create_quotation(crate, plan_id=False)
        order.action_confirm()
        order.order_line.product_uom_qty = 4
        self.assertDeliveries(order, 4)
        self._deliver(self._get_deliveries(order))
        with self.assertRaises(UserError), self.env.cr.savepoint():
            order.order_line.product_uom_qty = 1
