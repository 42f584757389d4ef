from datetime import date

from freezegun import freeze_time

from ..common import BillingCase

FEBRUARY = date(2026, 2, 1), date(2026, 3, 1)
MARCH = date(2026, 3, 1), date(2026, 4, 1)
APRIL = date(2026, 4, 1), date(2026, 5, 1)


class LedgerCase(BillingCase):
    """The charge costs 0.50 a call above 100; windows are months of 2026."""

    def _invoice(self, window=None, post=True):
        """Invoice the open window, and move on to the next one."""
        move = self.order._create_invoices(final=True)
        if post:
            move.action_post()
        if window:
            self._set_window(self.order, *window)
        return move

    def _usage_lines(self, moves):
        return moves.invoice_line_ids.filtered(
            lambda line: line.product_id == self.usage_product
        )

    def _usage_amount(self, moves):
        return sum(self._usage_lines(moves).mapped("price_subtotal"))

    def _open_amount(self):
        self.order._fc_rate_usage()
        return sum(self.order._fc_open_ratings().mapped("amount"))

    def _reverse(self, move, modify=False):
        """Credit an invoice in full by Odoo's dialog; posted. Returns what it made."""
        before = move.reversal_move_ids
        wizard = (
            self.env["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=move.ids)
            .create(
                {
                    "journal_id": move.journal_id.id,
                    "reason": "planted",
                    "fc_usage_choice": "again_today",
                }
            )
        )
        with freeze_time("2026-04-02"):
            wizard.modify_moves() if modify else wizard.refund_moves()
        credit = move.reversal_move_ids - before
        if credit.state == "draft":
            credit.action_post()
        return credit, wizard.new_move_ids - credit
