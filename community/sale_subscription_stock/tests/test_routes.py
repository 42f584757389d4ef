from freezegun import freeze_time

from odoo.tests import tagged

from .common import DeliveryCase


@tagged("post_install", "-at_install")
class TestRoutes(DeliveryCase):
    """Deliveries of two steps, and units of measure."""

    def test_pick_and_ship(self):
        warehouse = self.env["stock.warehouse"].search(
            [("company_id", "=", self.company.id)], limit=1
        )
        warehouse.delivery_steps = "pick_ship"
        self.env["stock.quant"]._update_available_quantity(
            self.box, warehouse.lot_stock_id, 100
        )
        order = self._subscribe()
        january = self._run_cron("2026-01-01")
        self._run_cron("2026-02-01")
        self.assertDeliveries(order, 3, 3)
        for picking in self._get_deliveries(order):
            self._deliver(picking)
        ships = self._get_deliveries(order)[2:]
        self.assertEqual(ships.mapped("move_ids.product_uom_qty"), [3, 3])
        self.assertEqual(len(ships), 2)
        self._deliver(ships[0])
        self.assertEqual(order.order_line.qty_delivered, 3)
        self.assertEqual(order.order_line.qty_to_deliver, 3)
        self._pay(january)
        with freeze_time("2026-02-05"):
            order.set_close()
        self.assertEqual(ships.mapped("state"), ["done", "cancel"])

    def test_dozens(self):
        order = self._subscribe(quantity=1)
        line = order.order_line
        dozen = self.env.ref("uom.product_uom_dozen")
        order = self._create_quotation(self.box)
        line = order.order_line
        line.product_uom_id = dozen
        with freeze_time("2026-01-01"):
            order.action_confirm()
        self._run_cron("2026-01-01")
        self._run_cron("2026-02-01")
        moves = self._get_deliveries(order).move_ids
        self.assertEqual(moves.mapped("product_qty"), [12, 12])
