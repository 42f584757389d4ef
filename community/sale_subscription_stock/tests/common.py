from freezegun import freeze_time

from odoo.fields import Command

from odoo.addons.sale_subscription.tests.common import SubscriptionCase


class DeliveryCase(SubscriptionCase):
    """A monthly subscription of 3 boxes at 20.00, from 1 January on."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.box = cls._create_goods(name="Box")

    @classmethod
    def _create_goods(cls, **values):
        defaults = {"type": "consu", "is_storable": True, "list_price": 20.0}
        return cls._create_product(**defaults | values)

    @classmethod
    def _subscribe(cls, product=None, quantity=3, start="2026-01-01", **values):
        line = {"product_id": (product or cls.box).id, "product_uom_qty": quantity}
        return cls._create_subscription(
            start=start, order_line=[Command.create(line)], **values
        )

    def _create_upsell(self, order, quantity=2, day="2026-01-11", product=None):
        """A confirmed upsell: of another product, or of what there is."""
        with freeze_time(day):
            upsell = order._create_upsell_renew_order("7_upsell")
            if product:
                line = {"product_id": product.id, "product_uom_qty": quantity}
                upsell.order_line = [Command.create(line)]
            else:
                upsell.order_line.product_uom_qty = quantity
            upsell.action_confirm()
        return upsell

    def _get_deliveries(self, order):
        """The transfers of an order that count, oldest first."""
        pickings = order.picking_ids.filtered(lambda p: p.state != "cancel")
        return pickings.sorted("id")

    def _deliver(self, pickings, quantity=None):
        """Carry out transfers, in full or as much of each move."""
        for move in pickings.move_ids:
            move.quantity = move.product_uom_qty if quantity is None else quantity
        pickings.move_ids.picked = True
        pickings.with_context(skip_backorder=True).button_validate()
        self.assertEqual(set(pickings.mapped("state")), {"done"})

    def _pay(self, invoice, day="2026-01-20"):
        with freeze_time(day):
            self.env["account.payment.register"].with_context(
                active_model="account.move", active_ids=invoice.ids
            ).create({})._create_payments()

    def assertDeliveries(self, order, *quantities):
        """Check what each transfer of an order asks for, oldest first."""
        demands = [
            sum(picking.move_ids.mapped("product_uom_qty"))
            for picking in self._get_deliveries(order)
        ]
        self.assertEqual(demands, list(quantities))
