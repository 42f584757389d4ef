from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from ..base.quiet import create_quietly
from ..base.states import RUNNING_STATES, UPSELL
from .order_plan_change import NEXT_PERIOD, NOW


class SaleSubscriptionOrderLineChange(models.AbstractModel):
    """More or less of what a running subscription has, and other products.

    More is charged from the next invoice on, or, as an upsell, from today on. Less
    holds from the next invoice on.
    """

    _name = "sale.subscription.order.line.change"
    _description = "Changes of Subscription Lines"

    @api.private  # it takes records, which no client can send
    def change_lines(self, quantities, timing=NEXT_PERIOD):
        """Set how much a running subscription has of some products.

        "next_period": from the next invoice on. "now": what is added is charged by
        days for the rest of the period, on an upsell; where no period is paid yet, the
        next invoice has it anyway. Less holds from the next invoice on.

        :param dict quantities: quantity by sale.order.line, in its unit; or by
            product.product, of which it gets a line
        :param str timing: "next_period" or "now"
        :return: the confirmed upsell, or empty
        :rtype: sale.order
        :raises UserError: it does not run, or its next period is on a draft invoice
        """
        self.ensure_one()
        self.check_access("write")
        self._check_can_change_lines()
        order = self.sudo().with_context(lang=self.partner_id.lang)
        lines = {r: q for r, q in quantities.items() if r._name == "sale.order.line"}
        products = {r: q for r, q in quantities.items() if r not in lines}
        order._post_changed_quantities(quantities)
        if timing == NOW and order._is_period_paid():
            lines = order._set_paid_quantities(
                {line.with_env(order.env): q for line, q in lines.items()}
            )
            if not lines and not products:
                return self.browse()
            upsell = order._create_upsell_of(lines)
            upsell.order_line.create(upsell._prepare_new_lines(products))
            upsell.action_confirm()
            return upsell.with_env(self.env)
        for line, quantity in lines.items():
            line.with_env(order.env)._set_subscription_quantity(quantity)
        order._add_subscription_lines(products)
        order._log_mrr()
        return self.browse()

    def _check_can_change_lines(self):
        if self.state != "sale" or self.subscription_state not in RUNNING_STATES:
            raise UserError(self.env._("%s is not a running subscription.", self.name))
        if self._get_period(self.next_invoice_date):
            raise UserError(
                self.env._(
                    "%(order)s has a draft invoice from %(date)s on, with its present"
                    " quantities. Post or delete it first.",
                    order=self.name,
                    date=format_date(self.env, self.next_invoice_date),
                )
            )

    def _is_period_paid(self):
        """Tell whether the period that runs was invoiced, and the next is not due.

        :rtype: bool
        """
        today = fields.Date.today()
        return bool(self.last_invoice_date) and today < self.next_invoice_date

    def _add_subscription_lines(self, quantities):
        """Add lines to a subscription, which nothing is procured for; a hook.

        They hold from the next invoice on. The caller writes the MRR log.

        :param dict quantities: quantity by product.product
        """
        create_quietly(self.order_line, self._prepare_new_lines(quantities))

    def _prepare_new_lines(self, quantities):
        return [
            {
                "order_id": self.id,
                "product_id": product.id,
                "product_uom_qty": quantity,
            }
            for product, quantity in quantities.items()
        ]

    def _post_changed_quantities(self, quantities):
        texts = []
        for record, quantity in quantities.items():
            line = record if record._name == "sale.order.line" else self.order_line
            product = record.product_id if line is record else record
            texts.append(
                self.env._(
                    "%(product)s: %(old)s → %(new)s",
                    product=product.display_name,
                    old=f"{line.product_uom_qty if line is record else 0:g}",
                    new=f"{quantity:g}",
                )
            )
        self.message_post(body="\n".join(texts))

    # === AS AN UPSELL ===

    def _set_paid_quantities(self, changes):
        """Set quantities as far as nothing more is to be paid for this period.

        :param dict changes: new quantity by line
        :return: what is to be added by an upsell, by line
        :rtype: dict
        """
        added = {}
        for line, quantity in changes.items():
            current = line.product_uom_qty
            invoiced = line._get_quantity_of_period() if quantity > current else 0
            free = min(quantity, max(current, invoiced))
            if free != current:
                line._set_subscription_quantity(free)
            if quantity > free:
                added[line] = quantity - free
        self._log_mrr()
        return added

    def _create_upsell_of(self, added):
        """Make the upsell of what is added, at the prices of the subscription.

        :param dict added: quantity by line
        :return: a quotation
        :rtype: sale.order
        """
        upsell = self._create_upsell_renew_order(UPSELL)
        for line in upsell._get_added_lines():
            parent = line.parent_line_id
            if parent not in added:
                line.unlink()
                continue
            # What the customer was shown; also keeps the lines of one product together.
            line.write(
                {
                    "product_uom_qty": added[parent],
                    "price_unit": parent.price_unit,
                    "discount": parent.discount,
                }
            )
        return upsell

    def _get_added_lines(self):
        """Return the lines of this upsell that are no discount on the others.

        :rtype: sale.order.line recordset
        """
        return self.order_line.filtered(lambda line: not line._is_discount_carried())
