from freezegun import freeze_time

from odoo.fields import Command
from odoo.tests import TransactionCase


class BesideAppsCase(TransactionCase):
    """One customer, a monthly plan, and a product for each app that acts on a sale."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(
            context=dict(cls.env.context, tracking_disable=True, no_reset_password=True)
        )
        cls.partner = cls.env["res.partner"].create({"name": "Sample Customer"})
        cls.vendor = cls.env["res.partner"].create({"name": "Sample Vendor"})
        cls.plan = cls.env["sale.subscription.plan"].create(
            {
                "name": "Monthly",
                "billing_period_value": 1,
                "billing_period_unit": "month",
            }
        )
        cls.project = cls.env["project.project"].create(
            {"name": "Sample Project", "allow_timesheets": True, "allow_billable": True}
        )
        cls.employee = cls.env["hr.employee"].create(
            {"name": "Sample Employee", "user_id": cls.env.user.id, "hourly_cost": 1}
        )

    @classmethod
    def _create_product(cls, name, price, **values):
        defaults = {
            "name": name,
            "list_price": price,
            "type": "service",
            "invoice_policy": "order",
            "recurring_invoice": True,
            "taxes_id": [Command.clear()],
            "supplier_taxes_id": [Command.clear()],
        }
        return cls.env["product.product"].create(defaults | values)

    @classmethod
    def _create_licence(cls, **values):
        """A service that is bought from a vendor for each sale."""
        sellers = [Command.create({"partner_id": cls.vendor.id, "price": 5})]
        return cls._create_product(
            "Licence", 20, service_to_purchase=True, seller_ids=sellers, **values
        )

    @classmethod
    def _create_pack(cls, name="Pack", **values):
        """A service that makes a task for each sale."""
        return cls._create_product(
            name,
            40,
            service_tracking="task_global_project",
            project_id=cls.project.id,
            **values,
        )

    @classmethod
    def _create_hours(cls, **values):
        """Worked on a task, and invoiced as they are entered on the timesheet."""
        defaults = {
            "invoice_policy": "delivery",
            "service_type": "timesheet",
            "uom_id": cls.env.ref("uom.product_uom_hour").id,
            "service_tracking": "task_global_project",
            "project_id": cls.project.id,
        }
        return cls._create_product("Hours", 60, **defaults | values)

    @classmethod
    def _create_box(cls, **values):
        return cls._create_product("Box", 30, type="consu", is_storable=True, **values)

    @classmethod
    def _create_kit(cls, **values):
        """Of two screws and a plate."""
        kit = cls._create_product("Kit", 25, type="consu", **values)
        parts = {
            name: cls._create_product(
                name, 1, type="consu", is_storable=True, recurring_invoice=False
            )
            for name in ("Screw", "Plate")
        }
        cls.env["mrp.bom"].create(
            {
                "product_tmpl_id": kit.product_tmpl_id.id,
                "type": "phantom",
                "bom_line_ids": [
                    Command.create({"product_id": part.id, "product_qty": quantity})
                    for part, quantity in zip(parts.values(), (2, 1), strict=True)
                ],
            }
        )
        return kit

    @classmethod
    def _create_order(cls, quantities, **values):
        lines = [
            Command.create({"product_id": product.id, "product_uom_qty": quantity})
            for product, quantity in quantities.items()
        ]
        return cls.env["sale.order"].create(
            {"partner_id": cls.partner.id, "order_line": lines} | values
        )

    @classmethod
    def _subscribe(cls, quantities, day="2026-01-01"):
        with freeze_time(day):
            order = cls._create_order(quantities, plan_id=cls.plan.id)
            order.action_confirm()
        return order

    def _create_upsell(self, order, quantities, day):
        """A confirmed upsell; more of a product that the order has joins its line."""
        with freeze_time(day):
            upsell = order._create_upsell_renew_order("7_upsell")
            for product, quantity in quantities.items():
                line = upsell.order_line.filtered_domain(
                    [("product_id", "=", product.id)]
                )
                if line:
                    line.product_uom_qty = quantity
                else:
                    values = {"product_id": product.id, "product_uom_qty": quantity}
                    upsell.order_line = [Command.create(values)]
            upsell.action_confirm()
        return upsell

    def _run(self, day):
        """What the scheduled action does; the invoices of it."""
        with freeze_time(day):
            return self.env["sale.order"]._cron_recurring_create_invoice()

    def _work(self, task, hours, day):
        self.env["account.analytic.line"].create(
            {
                "name": "Work",
                "project_id": task.project_id.id,
                "task_id": task.id,
                "employee_id": self.employee.id,
                "unit_amount": hours,
                "date": day,
            }
        )

    def _deliver(self, pickings):
        for move in pickings.move_ids:
            move.quantity = move.product_uom_qty
        pickings.move_ids.picked = True
        pickings.button_validate()
        self.assertEqual(set(pickings.mapped("state")), {"done"})

    def _get_bought(self, order):
        """What is bought for the lines of an order, by purchase line."""
        lines = order.order_line.purchase_line_ids.filtered(
            lambda line: line.state != "cancel"
        )
        return lines.sorted("id").mapped("product_qty")

    def _get_demand(self, order):
        """What the transfers of an order move, each as {product name: quantity}."""
        pickings = order.picking_ids.filtered(lambda p: p.state != "cancel")
        demands = []
        for picking in pickings.sorted("id"):
            demand = {}
            for move in picking.move_ids:
                name = move.product_id.name
                demand[name] = demand.get(name, 0) + move.product_uom_qty
            demands.append(demand)
        return demands

    @classmethod
    def _create_ticket(cls, **values):
        """A seat at an event, with a product of its own."""
        product = cls._create_product("Ticket", 50, service_tracking="event", **values)
        event = cls.env["event.event"].create(
            {
                "name": "Sample Event",
                "date_begin": "2026-06-01 08:00:00",
                "date_end": "2026-06-01 18:00:00",
            }
        )
        return cls.env["event.event.ticket"].create(
            {"name": "Seat", "event_id": event.id, "product_id": product.id}
        )

    def assertBought(self, quantities):
        """Check what is bought for each order: {order: quantity}."""
        bought = {order: self._get_bought(order) for order in quantities}
        expected = {order: [quantity] for order, quantity in quantities.items()}
        self.assertEqual(bought, expected)

    def assertAmounts(self, invoice, amounts):
        """Check an invoice line by line: {product name: what it comes to}."""
        found = {}
        for line in invoice.invoice_line_ids.filtered("product_id"):
            name = line.product_id.name
            found[name] = round(found.get(name, 0) + line.price_subtotal, 2)
        self.assertEqual(found, amounts)
        self.assertEqual(invoice.amount_untaxed, round(sum(amounts.values()), 2))
