from freezegun import freeze_time

from odoo.fields import Command

from .common import SubscriptionCase


class DiscountCase(SubscriptionCase):
    """A monthly subscription of hosting at 100.00, and the order's Discount button."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.hosting = cls._create_product(name="Hosting", list_price=100.0)

    @classmethod
    def _discount(cls, order, kind, value, recurrence=None, periods=1):
        """Press *Discount* on the order.

        :param str kind: "sol_discount", "so_discount" (percentages) or "amount"
        :param float value: percentage, or amount
        """
        name = "discount_amount" if kind == "amount" else "discount_percentage"
        cls.env["sale.order.discount"].create(
            {
                "sale_order_id": order.id,
                "discount_type": kind,
                name: value if kind == "amount" else value / 100,
                "recurrence": recurrence,
                "period_count": periods,
            }
        ).action_apply_discount()

    @classmethod
    def _create_tax(cls, percent, **values):
        return cls.env["account.tax"].create(
            {"name": f"{percent} %", "amount": percent, **values}
        )

    def _quote(self, *products, discount=(), **values):
        """A quotation of hosting, or of the products; `discount` as in `_discount`."""
        order = self._create_quotation(*(products or (self.hosting,)), **values)
        if discount:
            self._discount(order, *discount)
        return order

    def _run(self, order, day="2026-01-01"):
        """Confirm a quotation on its first day."""
        with freeze_time(day):
            order.action_confirm()
        return order

    def _invoice_months(self, order, count, month=1):
        """The untaxed amounts of the invoices of so many months, from a first on."""
        amounts = []
        for number in range(month, month + count):
            invoices = self._run_cron(f"2026-{number:02}-01").filtered(
                lambda m: order in m.invoice_line_ids.subscription_id
            )
            amounts.append(sum(invoices.mapped("amount_untaxed_signed")))
        return amounts

    def _add_line(self, order, product, quantity=1, **values):
        order.order_line = [
            Command.create(
                {"product_id": product.id, "product_uom_qty": quantity, **values}
            )
        ]
        return order.order_line.filtered(lambda line: line.product_id == product)
