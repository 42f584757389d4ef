from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from ..base.states import QUOTATION, RUNNING_STATES, UPSELL


class SaleSubscriptionOrderUpsell(models.AbstractModel):
    """Upsell: a small order for the rest of the period, whose lines then join.

    Its lines carry the price of a whole period; its amounts are that of the days left.
    Which days these are is in order_upsell_dates.py.
    """

    _name = "sale.subscription.order.upsell"
    _description = "Upsell of Subscriptions"

    def prepare_upsell_order(self):
        """Make a quotation for more of what this subscription has, or for other things.

        :return: window action
        :rtype: dict
        :raises UserError: this subscription cannot have an upsell now
        """
        self.ensure_one()
        self.check_access("write")
        return self._create_upsell_renew_order("7_upsell")._open_order()

    def _check_can_upsell(self):
        self.ensure_one()
        if self.state != "sale" or self.subscription_state != "3_progress":
            raise UserError(
                self.env._("%s is not a subscription in progress.", self.name)
            )
        today = fields.Date.today()
        if not self.last_invoice_date:
            raise UserError(
                self.env._(
                    "%s has not been invoiced yet. Change its lines instead.", self.name
                )
            )
        ends = [self.next_invoice_date] + ([self.end_date] if self.end_date else [])
        if not self.last_invoice_date <= today < min(ends):
            raise UserError(
                self.env._(
                    "The period of %(order)s ended on %(date)s. Invoice the next one"
                    " first.",
                    order=self.name,
                    date=format_date(self.env, min(ends)),
                )
            )

    def _prepare_upsell_values(self):
        return {
            **self._prepare_upsell_dates(),
            "start_date": fields.Date.today(),
            "order_line": self._prepare_following_lines(
                UPSELL,
                lambda line: line._is_invoiced_in_advance(),
                product_uom_qty=0,
            ),
        }

    def action_update_upsell_dates(self):
        """Charge the rest of the period that runs now, as of today, on its plan.

        :return: True
        :raises UserError: the parent cannot have an upsell now
        """
        self.check_access("write")
        for order in self.filtered(lambda o: o.state in QUOTATION):
            parent = order.subscription_id
            parent._check_can_upsell()
            order._write_by_code(
                {**parent._prepare_upsell_dates(), "start_date": fields.Date.today()}
            )
            carried = order.order_line.filtered(lambda x: x._is_discount_carried())
            carried.filtered("parent_line_id.discount_ended").unlink()
            lines = order.order_line - carried
            # What was agreed on here begins with the period that it is charged for.
            lines.filtered(
                lambda x: x.discount_recurrence and not x.parent_line_id
            )._write_by_code({"discount_from": parent.last_invoice_date})
            for line in lines.filtered("parent_line_id"):
                parent_line = line.parent_line_id
                line._write_by_code(
                    {
                        "price_unit": parent_line.price_unit,
                        "discount": parent_line.discount,
                        "discount_recurrence": parent_line.discount_recurrence,
                        "discount_periods": parent_line.discount_periods,
                        "discount_from": parent_line.discount_from,
                        "discount_afterwards": parent_line.discount_afterwards,
                    }
                )
        return True

    # === JOIN THE PARENT ===

    def action_confirm(self):
        """Take off what an upsell offers and the customer does not want more of."""
        self.check_access("write")
        upsells = self.filtered(
            lambda o: o.subscription_state == "7_upsell" and o.state in QUOTATION
        )
        upsells.order_line.filtered(
            lambda line: line.parent_line_id and not line.product_uom_qty
        ).unlink()
        return super().action_confirm()

    def _join_parent(self):
        """Put the lines of a confirmed upsell on its subscription.

        :raises UserError: the period that the amounts are for is over, or the next
            one has been invoiced in a draft already
        """
        self.ensure_one()
        # Whoever confirms this changes the parent: not with rights on this one alone.
        self.subscription_id.check_access("write")
        parent = self.subscription_id.sudo()
        parent.lock_for_update(allow_referencing=True)
        self._check_can_join(parent)
        lines = self.order_line.filtered(
            lambda x: x.recurring_invoice and not x._is_discount_carried()
        )
        if any(line.product_uom_qty < 0 for line in lines):
            raise UserError(
                self.env._(
                    "An upsell can only add. To reduce a quantity, change it on "
                    "%s: the change applies from the next invoice on.",
                    parent.name,
                )
            )
        # All lines of a discount first, then what they come to.
        for line in lines.sudo().with_context(recurring_discount_update=True):
            line._join_subscription(parent)
        parent._update_recurring_discounts()
        parent._log_mrr()
        parent.message_post(body=self.env._("The upsell %s was confirmed.", self.name))

    def _check_can_join(self, parent):
        """Refuse an upsell that no longer says what the customer would be charged."""
        if parent.subscription_state != "3_progress":
            raise UserError(
                self.env._("%s is not a subscription in progress.", parent.name)
            )
        if self._is_upsell_outdated():
            raise UserError(
                self.env._(
                    "The amounts of %(upsell)s are for the period up to %(date)s, "
                    "but %(order)s is now in a later period. Update its dates, and "
                    "show the customer the new amounts.",
                    upsell=self.name,
                    date=format_date(self.env, self.end_date),
                    order=parent.name,
                )
            )
        if parent._get_period(parent.next_invoice_date):
            raise UserError(
                self.env._(
                    "%(order)s has a draft invoice from %(date)s on, without what is"
                    " added here. Post or delete it first.",
                    order=parent.name,
                    date=format_date(self.env, parent.next_invoice_date),
                )
            )

    def _leave_parent(self):
        """Take the lines of a cancelled upsell off its subscription again."""
        self.ensure_one()
        # As when it joined: not with rights on this one alone.
        self.subscription_id.check_access("write")
        parent = self.subscription_id.sudo()
        if parent.subscription_state not in RUNNING_STATES:
            return
        for line in self.order_line.sudo():
            if line._is_discount_carried():
                continue
            joined = line.parent_line_id
            if joined.order_id == parent:
                joined._set_subscription_quantity(
                    max(joined.product_uom_qty - line.product_uom_qty, 0)
                )
        parent._log_mrr()
        parent.message_post(body=self.env._("The upsell %s was cancelled.", self.name))

    # === INVOICE ===
