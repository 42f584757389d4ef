from freezegun import freeze_time

from odoo.tests import tagged

from .common import BesideAppsCase


@tagged("-standard", "beside_apps", "post_install", "-at_install")
class TestProcuredOnce(BesideAppsCase):
    """What acts on a sale acts on the upsell; joining the subscription is no sale.

    Two licences sold were four bought; one pack was two tasks.
    """

    def _subscribe_and_invoice(self, product, quantity=3):
        order = self._subscribe({product: quantity})
        self._run("2026-01-01")
        return order

    def _tasks(self, product):
        return self.env["project.task"].search(
            [("sale_line_id.product_id", "=", product.id)]
        )

    def test_bought_once(self):
        licence = self._create_licence()
        order = self._subscribe_and_invoice(licence)
        upsell = self._create_upsell(order, {licence: 2}, "2026-01-11")
        self.assertEqual(order.order_line.product_uom_qty, 5)
        self.assertBought({order: 3, upsell: 2})

    def test_bought_once_at_another_price(self):
        """It joins as a line of its own."""
        licence = self._create_licence()
        order = self._subscribe_and_invoice(licence)
        with freeze_time("2026-01-11"):
            upsell = order._create_upsell_renew_order("7_upsell")
            upsell.order_line.write({"product_uom_qty": 2, "discount": 50})
            upsell.action_confirm()
        self.assertEqual(order.order_line.mapped("product_uom_qty"), [3, 2])
        self.assertBought({order: 3, upsell: 2})

    def test_raised_by_hand_after_an_upsell(self):
        """3 sold, 2 more on an upsell, then one by hand: 3, 2 and 1 are bought."""
        licence = self._create_licence()
        order = self._subscribe_and_invoice(licence)
        upsell = self._create_upsell(order, {licence: 2}, "2026-01-11")
        order.order_line.product_uom_qty = 6
        self.assertBought({order: 4, upsell: 2})
        order.order_line.purchase_line_ids.order_id.button_confirm()
        order.order_line.product_uom_qty = 7
        self.assertEqual(self._get_bought(order), [4, 1])

    def test_raised_by_hand_where_nothing_is_bought_yet(self):
        fee, licence = self._create_product("Fee", 10), self._create_licence()
        order = self._subscribe_and_invoice(fee, 1)
        upsell = self._create_upsell(order, {licence: 2}, "2026-01-11")
        order.order_line[1].product_uom_qty = 3
        self.assertBought({order: 1, upsell: 2})
        order.order_line[1].product_uom_qty = 4
        self.assertBought({order: 2, upsell: 2})

    def test_lowered_by_the_customer_and_raised_by_hand(self):
        """No purchase is lowered on the way."""
        licence = self._create_licence()
        order = self._subscribe_and_invoice(licence)
        upsell = self._create_upsell(order, {licence: 2}, "2026-01-11")
        order.order_line.sudo()._set_subscription_quantity(1)
        order.order_line.product_uom_qty = 3
        self.assertBought({order: 3, upsell: 2})

    def test_cancelled_and_confirmed_again(self):
        """What upsells have procured is not procured by what they joined."""
        fee, licence = self._create_product("Fee", 10), self._create_licence()
        pack, box = self._create_pack(), self._create_box()
        order = self._subscribe_and_invoice(fee, 1)
        upsell = self._create_upsell(order, {licence: 2, pack: 1, box: 2}, "2026-01-11")
        with freeze_time("2026-01-12"):
            order._action_cancel()
            order.action_draft()
            order.action_confirm()
        self.assertEqual(order.subscription_state, "3_progress")
        self.assertEqual((self._get_bought(order), self._get_bought(upsell)), ([], [2]))
        self.assertEqual(self._tasks(pack).sale_line_id.order_id, upsell)
        self.assertEqual(self._get_demand(order), [])

    def test_hours_planned_are_those_of_each_task(self):
        hours = self._create_hours(invoice_policy="order")
        order = self._subscribe_and_invoice(hours, 10)
        upsell = self._create_upsell(order, {hours: 5}, "2026-01-11")
        order.order_line.product_uom_qty = 16
        planned = (order | upsell).order_line.task_id.mapped("allocated_hours")
        self.assertEqual(sorted(planned), [5, 11])

    def test_one_task_for_one_pack(self):
        fee, pack = self._create_product("Fee", 10), self._create_pack()
        order = self._subscribe_and_invoice(fee)
        upsell = self._create_upsell(order, {pack: 1}, "2026-01-11")
        self.assertEqual(self._tasks(pack).sale_line_id, upsell.order_line)
        self._run("2026-02-01")
        self.assertEqual(len(self._tasks(pack)), 1)

    def test_hours_of_an_upsell_are_invoiced_once_and_with_the_period(self):
        fee, hours = self._create_product("Fee", 10), self._create_hours()
        order = self._subscribe_and_invoice(fee, 1)
        upsell = self._create_upsell(order, {hours: 4}, "2026-01-11")
        self.assertEqual(self._tasks(hours).sale_line_id, upsell.order_line)
        self._work(self._tasks(hours), 2, "2026-01-12")
        self.assertFalse(self._run("2026-01-13"))
        invoice = self._run("2026-02-01")
        self.assertAmounts(invoice, {"Fee": 10, "Hours": 120})
        self.assertEqual(invoice.subscription_period_ids.subscription_id, order)
        self.assertAmounts(self._run("2026-03-01"), {"Fee": 10})

    def test_a_period_with_hours_of_an_upsell_alone_is_no_free_one(self):
        hours = self._create_hours()
        order = self._subscribe_and_invoice(hours, 1)
        self._create_upsell(order, {self._create_hours(): 4}, "2026-01-11")
        task = order.subscription_child_ids.order_line.task_id
        self._work(task, 1, "2026-01-12")
        invoice = self._run("2026-02-01")
        self.assertAmounts(invoice, {"Hours": 60})
        self.assertEqual(invoice.subscription_period_ids.subscription_id, order)

    def test_kits(self):
        """Two more kits: four screws and two plates, once; next month all of them."""
        kit = self._create_kit()
        order = self._subscribe_and_invoice(kit, 1)
        upsell = self._create_upsell(order, {kit: 2}, "2026-01-11")
        self.assertEqual(self._get_demand(upsell), [{"Screw": 4, "Plate": 2}])
        self.assertEqual(self._get_demand(order), [{"Screw": 2, "Plate": 1}])
        self._run("2026-01-11")
        self._run("2026-02-01")
        self.assertEqual(self._get_demand(order)[1], {"Screw": 6, "Plate": 3})
        self._deliver(order.picking_ids)
        self.assertEqual(order.order_line.qty_delivered, 4)
        self.assertEqual(order.order_line.qty_to_deliver, 0)
        with freeze_time("2026-02-02"):
            self.assertEqual(order.order_line.invoice_status, "invoiced")

    def test_kits_withheld_and_paid(self):
        kit = self._create_kit()
        order = self._subscribe({kit: 1})
        invoice = self._run("2026-01-01")
        with freeze_time("2026-01-15"):
            order.set_close()
            self.assertEqual(self._get_demand(order), [])
            self.env["account.payment.register"].with_context(
                active_model="account.move", active_ids=invoice.ids
            ).create({})._create_payments()
        self.assertEqual(self._get_demand(order), [{"Screw": 2, "Plate": 1}])

    def test_goods_bought_to_order(self):
        """Each period buys its own; the upsell, what it sells."""
        box = self._create_box(**self._buy_to_order())
        order = self._subscribe_and_invoice(box)
        self.assertEqual(self._bought_of(box), 3)
        self._create_upsell(order, {box: 2}, "2026-01-11")
        self.assertEqual(self._bought_of(box), 5)
        self._run("2026-01-11")
        self._run("2026-02-01")
        self.assertEqual(self._bought_of(box), 10)

    def _buy_to_order(self):
        mto = self.env.ref("stock.route_warehouse0_mto")
        mto.active = True
        buy = self.env.ref("purchase_stock.route_warehouse0_buy")
        sellers = [(0, 0, {"partner_id": self.vendor.id, "price": 5})]
        return {"route_ids": [(6, 0, (mto | buy).ids)], "seller_ids": sellers}

    def _bought_of(self, product):
        lines = self.env["purchase.order.line"].search(
            [("product_id", "=", product.id), ("state", "!=", "cancel")]
        )
        return sum(lines.mapped("product_qty"))

    def test_runs_again_and_other_plan_sell_nothing(self):
        """Lines for days are charged; nothing is bought, worked or sent for them."""
        licence, pack = self._create_licence(), self._create_pack()
        box = self._create_box()
        order = self._subscribe({licence: 3, pack: 1, box: 2})
        self._run("2026-01-01")
        with freeze_time("2026-01-10"):
            order.pause_subscription()
        with freeze_time("2026-02-20"):
            order.resume_subscription()
        # 9 of 28 days
        self.assertAmounts(
            self._run("2026-02-20"), {"Licence": 19.29, "Pack": 12.86, "Box": 19.29}
        )
        year = self.plan.copy({"name": "Yearly", "billing_period_unit": "year"})
        with freeze_time("2026-02-25"):
            order.change_plan(year, timing="now")
        self._run("2026-02-25")
        self.assertEqual(self._get_bought(order), [3])
        self.assertEqual(len(self._tasks(pack)), 1)
        # January, the days of February, the year.
        self.assertEqual(self._get_demand(order), [{"Box": 2}] * 3)

    def test_cancelled_upsell(self):
        licence, box = self._create_licence(), self._create_box()
        order = self._subscribe({licence: 3, box: 3})
        self._run("2026-01-01")
        upsell = self._create_upsell(order, {licence: 2, box: 2}, "2026-01-11")
        with freeze_time("2026-01-12"):
            upsell._action_cancel()
        self.assertEqual(order.order_line.mapped("product_uom_qty"), [3, 3])
        self.assertEqual(self._get_bought(order), [3])
        self.assertEqual(self._get_demand(order), [{"Box": 3}])
        self.assertEqual(self._get_demand(upsell), [])

    def test_registrations(self):
        """A seat at a monthly meeting: the upsell registers its own."""
        ticket = self._create_ticket(recurring_invoice=True)
        values = {
            "product_id": ticket.product_id.id,
            "event_id": ticket.event_id.id,
            "event_ticket_id": ticket.id,
        }
        fee = self._create_product("Fee", 10)
        order = self._subscribe_and_invoice(fee, 1)
        with freeze_time("2026-01-11"):
            upsell = order._create_upsell_renew_order("7_upsell")
            upsell.order_line = [(0, 0, {**values, "product_uom_qty": 2})]
            upsell.action_confirm()
        self.assertEqual(upsell.attendee_count, 2)
        self.assertEqual(order.attendee_count, 0)
        self.assertEqual(order.order_line[1].event_ticket_id, ticket)

    def test_customer_raises_and_lowers(self):
        """3 to 5 on the portal: 2 more are bought, once. Down to 1: nothing goes."""
        self.plan.user_quantity = True
        licence = self._create_licence()
        order = self._subscribe_and_invoice(licence)
        # Asked for neither, a customer's request is confirmed at once.
        self.env.company.portal_confirmation_sign = False
        self.env.company.portal_confirmation_pay = False
        with freeze_time("2026-01-11"):
            upsell = order.sudo()._change_quantities_by_customer(
                {order.order_line: (5, 3)}, self.partner
            )
        self.assertEqual(upsell.state, "sale")
        self.assertBought({order: 3, upsell: 2})
        with freeze_time("2026-01-12"):
            self._run("2026-01-12")
            order.sudo()._change_quantities_by_customer(
                {order.order_line: (1, 5)}, self.partner
            )
            self.assertEqual(order.order_line.product_uom_qty, 1)
            order.sudo()._change_quantities_by_customer(
                {order.order_line: (5, 1)}, self.partner
            )
        self.assertEqual(order.order_line.product_uom_qty, 5)
        self.assertBought({order: 3, upsell: 2})
