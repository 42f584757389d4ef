from odoo import fields, models


class SaleOrder(models.Model):
    """Goods go out with the periods that are charged: each once, and each time."""

    _inherit = "sale.order"

    def _advance_period(self, start, end):
        """Deliver the period that is invoiced, or begins unnoticed, as it is free."""
        result = super()._advance_period(start, end)
        lines = self.sudo().order_line.filtered(
            lambda line: line._is_delivered_each_period()
        )
        lines._deliver_period(
            start, end, {line: line._get_quantity_charged(start) for line in lines}
        )
        return result

    def _charge_days_from(self, day):
        """Deliver a period in which the subscription runs again, as it is charged."""
        result = super()._charge_days_from(day)
        end = min(self.next_invoice_date, self.end_date or self.next_invoice_date)
        if day < end:
            lines = self.sudo().order_line.filtered(
                lambda line: (
                    line._is_delivered_each_period() and line._is_invoiced_in_advance()
                )
            )
            lines._deliver_period(
                day, end, {line: line.product_uom_qty for line in lines}
            )
        return result

    def _start_new_period_today(self, credit_lines):
        """What was delivered belongs to the period that ends: a new one is charged."""
        result = super()._start_new_period_today(credit_lines)
        today = fields.Date.today()
        self.order_line.filtered(
            lambda line: line.procured_until and line.procured_until > today
        ).sudo().procured_until = today
        return result

    def _get_period_reference(self, start):
        """Return what the deliveries of the period from ``start`` on have in common.

        :param datetime.date start: first day of the period
        :rtype: stock.reference
        """
        self.ensure_one()
        Reference = self.env["stock.reference"].sudo()
        found = Reference.search(
            [
                ("subscription_id", "=", self.id),
                ("subscription_period_start", "=", start),
            ],
            limit=1,
        )
        return found or Reference.create(
            {
                "name": f"{self.name} {fields.Date.to_string(start)}",
                "subscription_id": self.id,
                "subscription_period_start": start,
            }
        )

    # === CLOSE, CANCEL, REOPEN ===

    def _close(self, close_reason_id=None, event_type=None):
        """Keep back what is neither delivered nor paid."""
        result = super()._close(close_reason_id=close_reason_id, event_type=event_type)
        self._get_open_deliveries().filtered(
            lambda move: not move._is_paid_for()
        )._withhold()
        return result

    def _action_cancel(self):
        """Odoo cancels the deliveries; those that are charged come back with it."""
        self.check_access("write")
        for order in self.filtered("is_subscription"):
            order._get_open_deliveries(upsells=False)._withhold()
        return super()._action_cancel()

    def set_open(self):
        """Deliver what was withheld when it was closed."""
        result = super().set_open()
        self.sudo()._deliver_what_was_withheld()
        return result

    def _get_delivery_moves(self, upsells=True):
        """Return the moves that deliver recurring goods of the subscription.

        :param bool upsells: those that were sold on its upsells, too
        :rtype: stock.move recordset
        """
        orders = self.sudo()
        if upsells:
            orders |= orders.subscription_child_ids.filtered(
                lambda o: o.subscription_state == "7_upsell" and o.state == "sale"
            )
        lines = orders.order_line.filtered("recurring_invoice")
        return lines.move_ids

    def _get_open_deliveries(self, upsells=True):
        """Return those that are not done yet; see `_get_delivery_moves`.

        :rtype: stock.move recordset
        """
        return self._get_delivery_moves(upsells).filtered(
            lambda move: move.state not in ("done", "cancel")
        )

    def _deliver_what_was_withheld(self):
        """Deliver what was withheld on closing, as far as it is owed now."""
        moves = self._get_delivery_moves().filtered("subscription_withheld")
        moves.filtered(lambda move: move._is_owed())._deliver_again()
