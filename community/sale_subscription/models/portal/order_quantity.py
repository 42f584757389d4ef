from odoo import fields, models
from odoo.exceptions import UserError, ValidationError

from ..base.states import QUOTATION, UPSELL

# More than anyone orders; less than what a typing error makes of it.
MAX_QUANTITY = 999_999


class SaleSubscriptionOrderQuantity(models.AbstractModel):
    """How customers change the quantities of their subscription on the portal.

    More is an upsell: charged by days for the rest of the period, accepted like any
    quotation. Less holds from the next invoice on.
    """

    _name = "sale.subscription.order.quantity"
    _description = "Quantities on the Portal"

    def _get_customer_quantity_lines(self):
        """Return the lines whose quantity the customer may change now.

        None before the first invoice and while a period is due: what is lowered then
        would be missing on an invoice that is owed already.

        :rtype: sale.order.line recordset
        """
        self.ensure_one()
        if not self.plan_id.user_quantity or not self.is_subscription:
            return self.order_line.browse()
        try:
            self._check_can_upsell()
        except UserError:
            return self.order_line.browse()
        return self.order_line.filtered(lambda line: line._is_quantity_of_customer())

    def _change_quantities_by_customer(self, requested, author):
        """Change quantities as the customer wishes.

        :param dict requested: new quantity and the one the customer saw, by line
        :param author: res.partner, the customer
        :return: the upsell: confirmed, or a quotation the customer is to accept; empty
            when nothing is added
        :rtype: sale.order
        :raises ValidationError: a quantity is not a whole number from 1 on
        :raises UserError: the customer may not change that, or saw another quantity
        """
        self.ensure_one()
        self._exclude_other_requests()
        lines = self._get_customer_quantity_lines()
        changes = {}
        for line, (quantity, seen) in requested.items():
            if line not in lines:
                raise UserError(self.env._("This quantity cannot be changed online."))
            if not 1 <= quantity <= MAX_QUANTITY:
                raise ValidationError(self.env._("Not a quantity: %s", quantity))
            if quantity in (seen, line.product_uom_qty):
                continue
            if seen != line.product_uom_qty:
                raise UserError(self.env._("The quantity has changed in the meantime."))
            changes[line] = quantity
        if not changes:
            return self.browse()
        self._post_quantity_note(changes, author)
        added = self._set_paid_quantities(changes)
        return self._upsell_by_customer(added) if added else self.browse()

    def _post_quantity_note(self, changes, author):
        order = self._in_staff_language()
        texts = [
            order.env._(
                "%(product)s: %(old)d → %(new)d",
                product=line.product_id.display_name,
                old=line.product_uom_qty,
                new=quantity,
            )
            for line, quantity in changes.items()
        ]
        note = order.env._("The customer requested different quantities.")
        self._post_for_customer(author, [note, *texts])

    def _upsell_by_customer(self, added):
        """Make the upsell of what the customer adds, at the prices of the subscription.

        :param dict added: quantity by line
        :return: the upsell, confirmed or to be accepted
        :rtype: sale.order
        """
        earlier = self.subscription_child_ids.filtered(
            lambda o: (
                o.subscription_state == UPSELL
                and o.requested_by_customer
                and o.state in QUOTATION
            )
        )
        for upsell in earlier:
            if upsell._is_same_request(added):
                return upsell
        earlier._withdraw_request()
        upsell = self._create_upsell_of(added)
        upsell.requested_by_customer = True
        upsell._offer_to_customer()
        return upsell

    def _is_same_request(self, added):
        """Tell whether this upsell quotation is what the customer asks for again.

        :param dict added: quantity by line of the subscription
        :rtype: bool
        """
        self.ensure_one()
        quantities = {
            line.parent_line_id: line.product_uom_qty
            for line in self._get_added_lines()
        }
        is_of_today = self.start_date == fields.Date.today()
        return quantities == added and is_of_today and not self._is_upsell_outdated()
