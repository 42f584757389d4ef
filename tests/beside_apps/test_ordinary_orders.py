from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common import BesideAppsCase


@tagged("-standard", "beside_apps", "post_install", "-at_install")
class TestOrdinaryOrders(BesideAppsCase):
    """Orders without a plan are what they are without us."""

    def _confirm(self, quantities, **values):
        order = self._create_order(quantities, **values)
        order.action_confirm()
        return order

    def test_event_ticket(self):
        ticket = self._create_ticket(recurring_invoice=False)
        line = {
            "product_id": ticket.product_id.id,
            "event_id": ticket.event_id.id,
            "event_ticket_id": ticket.id,
            "product_uom_qty": 2,
        }
        order = self._confirm({}, order_line=[Command.create(line)])
        self.assertEqual(order.attendee_count, 2)
        self.assertAmounts(order._create_invoices(), {"Ticket": 100})

    def test_timesheet(self):
        order = self._confirm({self._create_hours(recurring_invoice=False): 5})
        self.assertEqual(len(order.tasks_ids), 1)
        with self.assertRaises(UserError):
            order._create_invoices()
        self._work(order.tasks_ids, 3, "2026-01-12")
        self.assertAmounts(order._create_invoices(), {"Hours": 180})

    def test_timesheets_of_a_month_are_invoiced_by_dates(self):
        """The method of theirs whose name ours had taken."""
        order = self._confirm({self._create_hours(recurring_invoice=False): 5})
        for day in ("2026-01-12", "2026-02-12"):
            self._work(order.tasks_ids, 1, day)
        wizard = self.env["sale.advance.payment.inv"].create(
            {
                "sale_order_ids": [Command.set(order.ids)],
                "date_start_invoice_timesheet": "2026-01-01",
                "date_end_invoice_timesheet": "2026-01-31",
            }
        )
        self.assertAmounts(wizard._create_invoices(order), {"Hours": 60})

    def test_kit(self):
        order = self._confirm({self._create_kit(recurring_invoice=False): 2})
        self.assertEqual(self._get_demand(order), [{"Screw": 4, "Plate": 2}])
        order.order_line.product_uom_qty = 3
        self.assertEqual(self._get_demand(order), [{"Screw": 6, "Plate": 3}])
        self._deliver(order.picking_ids)
        self.assertEqual(order.order_line.qty_delivered, 3)
        self.assertAmounts(order._create_invoices(), {"Kit": 75})

    def test_service_that_is_bought(self):
        order = self._confirm({self._create_licence(recurring_invoice=False): 3})
        self.assertEqual(self._get_bought(order), [3])
        order.order_line.product_uom_qty = 5
        self.assertEqual(self._get_bought(order), [5])
        self.assertAmounts(order._create_invoices(), {"Licence": 100})

    def test_goods_bought_to_order(self):
        mto = self.env.ref("stock.route_warehouse0_mto")
        mto.active = True
        buy = self.env.ref("purchase_stock.route_warehouse0_buy")
        box = self._create_box(
            recurring_invoice=False,
            route_ids=[Command.set((mto | buy).ids)],
            seller_ids=[Command.create({"partner_id": self.vendor.id, "price": 5})],
        )
        order = self._confirm({box: 4})
        lines = self.env["purchase.order.line"].search([("product_id", "=", box.id)])
        self.assertEqual(lines.mapped("product_qty"), [4])
        self.assertEqual(self._get_demand(order), [{"Box": 4}])
        # More was delivered than ordered: Odoo's own word for it.
        order.picking_ids.move_ids.quantity = 5
        order.picking_ids.move_ids.picked = True
        order.picking_ids.button_validate()
        order._create_invoices()
        self.assertEqual(order.order_line.invoice_status, "upselling")

    def test_expense(self):
        """A night of 80.00, charged at cost: on an order, and on a subscription."""
        fee = self._create_product("Fee", 10)
        hotel = self._create_product(
            "Hotel",
            0,
            recurring_invoice=False,
            can_be_expensed=True,
            expense_policy="cost",
            invoice_policy="delivery",
        )
        ordinary = self._confirm({self._create_pack(recurring_invoice=False): 1})
        subscription = self._subscribe({fee: 1})
        self._run("2026-01-01")
        for order in (ordinary, subscription):
            expense = self.env["hr.expense"].create(
                {
                    "name": "Hotel",
                    "employee_id": self.employee.id,
                    "product_id": hotel.id,
                    "total_amount_currency": 80,
                    "payment_mode": "company_account",
                    "sale_order_id": order.id,
                }
            )
            expense.action_submit()
            expense._do_approve()
            expense.action_post()
        self.assertAmounts(ordinary._create_invoices(), {"Pack": 40, "Hotel": 80})
        self.assertAmounts(self._run("2026-02-01"), {"Fee": 10, "Hotel": 80})
        self.assertAmounts(self._run("2026-03-01"), {"Fee": 10})

    def test_coupon(self):
        program = self.env["loyalty.program"].create(
            {
                "name": "Sample Coupon",
                "program_type": "promo_code",
                "trigger": "with_code",
                "applies_on": "current",
                "rule_ids": [
                    Command.clear(),
                    Command.create({"mode": "with_code", "code": "SAMPLE10"}),
                ],
                "reward_ids": [
                    Command.clear(),
                    Command.create({"reward_type": "discount", "discount": 10}),
                ],
            }
        )
        order = self._create_order({self._create_box(recurring_invoice=False): 2})
        [(coupon, rewards)] = order._try_apply_code("SAMPLE10").items()
        order._apply_program_reward(rewards, coupon)
        order.action_confirm()
        self.assertEqual(order.amount_untaxed, 54)
        self.assertEqual(order._create_invoices().amount_untaxed, 54)
        self.assertTrue(program.total_order_count)

    def test_lead_becomes_an_order(self):
        lead = self.env["crm.lead"].create(
            {
                "name": "Sample Lead",
                "type": "opportunity",
                "partner_id": self.partner.id,
            }
        )
        fee = self._create_product("Fee", 10, recurring_invoice=False)
        order = self._confirm({fee: 1}, opportunity_id=lead.id)
        self.assertEqual(lead.order_ids, order)
        self.assertAmounts(order._create_invoices(), {"Fee": 10})
