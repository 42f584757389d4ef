from odoo import fields, models

PAID = ("paid", "in_payment")


class StockMove(models.Model):
    _inherit = "stock.move"

    subscription_withheld = fields.Boolean(
        readonly=True,
        copy=False,
        help="Cancelled when the subscription was closed, as it was not paid. It is"
        " delivered when that is done, or when the subscription runs again.",
    )

    def _get_subscription_invoices(self):
        """Return the posted invoices that charge the goods of this move.

        :rtype: account.move recordset
        """
        self.ensure_one()
        line = self.sale_line_id
        order = line.order_id
        if order.subscription_state == "7_upsell":
            return line.invoice_lines.move_id.filtered(lambda m: m.state == "posted")
        periods = order.subscription_period_ids.filtered(lambda p: not p.released)
        start = self.reference_ids.filtered(
            lambda r: r.subscription_id == order
        ).subscription_period_start
        # What was delivered on confirmation is of the first period that was charged.
        start = start or min(periods.mapped("period_start"), default=None)
        periods = periods.filtered(lambda p: p.period_start == start)
        lines = periods.move_id.invoice_line_ids & line.invoice_lines
        return lines.move_id.filtered(lambda m: m.state == "posted")

    def _is_paid_for(self):
        """Tell whether the goods of this move are charged, and paid.

        :rtype: bool
        """
        invoices = self._get_subscription_invoices()
        return bool(invoices) and all(m.payment_state in PAID for m in invoices)

    def _is_owed(self):
        """Tell whether withheld goods are to be delivered now.

        :rtype: bool
        """
        self.ensure_one()
        line = self.sale_line_id
        order = line.order_id
        if order.subscription_state == "7_upsell":
            order = order.subscription_id
        if order.subscription_state != "3_progress":
            return self._is_paid_for()
        until = line.procured_until
        return bool(self._get_subscription_invoices()) or bool(
            until and until > fields.Date.today()
        )

    def _withhold(self):
        """Cancel what is not delivered yet, and note that it may come back."""
        moves = self.filtered(lambda move: move.state not in ("done", "cancel"))
        if not moves:
            return
        before = self.browse(moves._rollup_move_origs()) - moves
        moves.subscription_withheld = True
        before = before.filtered(lambda move: move.state not in ("done", "cancel"))
        (moves | before)._action_cancel()

    def _deliver_again(self):
        """Deliver what was withheld."""
        # What leads up to a move that pulls is made again by that move itself.
        last = self.filtered(lambda move: not move.move_dest_ids)
        self.subscription_withheld = False
        copies = self.browse()
        for move in last:
            copies += move.copy({"picking_id": False, "move_orig_ids": False})
        copies._action_confirm()._action_assign()
