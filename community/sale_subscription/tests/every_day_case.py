from freezegun import freeze_time

from odoo.fields import Command

from .common import SubscriptionCase


class EveryDayCase(SubscriptionCase):
    """31.00 a month: 1.00 a day in January, March, May and July."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.base = cls._create_product(name="Base", list_price=31.0)
        cls.yearly = cls._create_plan(name="Yearly", billing_period_unit="year")
        cls.aligned = cls._create_plan(name="Aligned", billing_first_day=True)

    def _subscribe(self, start="2026-01-01", **values):
        order = self._create_subscription(self.base, start=start, **values)
        with freeze_time(start):
            order._create_recurring_invoice()
        return order

    def _upsell(self, order, day, quantity=1, product=None):
        with freeze_time(day):
            upsell = order._create_upsell_renew_order("7_upsell")
            upsell.order_line[:1].product_uom_qty = 0 if product else quantity
            if product:
                values = {"product_id": product.id, "product_uom_qty": quantity}
                upsell.order_line = [Command.create(values)]
            upsell.action_confirm()
        return upsell

    def _credits(self, order):
        return order.order_line.filtered(lambda line: line.price_unit < 0)

    def _change_today(self, order, day):
        with freeze_time(day):
            order.change_plan(self.yearly, "now")

    def _untaxed(self, *orders):
        moves = self.env["account.move"].union(*(o.invoice_ids for o in orders))
        posted = moves.filtered(lambda m: m.state == "posted")
        return round(sum(posted.mapped("amount_untaxed_signed")), 2)

    def _credit(self, move, day):
        with freeze_time(day):
            move._reverse_moves(cancel=True)

    def _renew(self, order, day):
        with freeze_time(day):
            renewal = order._create_upsell_renew_order("2_renewal")
            renewal.action_confirm()
        return renewal
