from datetime import timedelta

from odoo import models

from ..base.states import SUBSCRIPTION_CLOSED_STATE


class SaleSubscriptionLineDue(models.AbstractModel):
    """Which lines are to be invoiced now, and for which days."""

    _name = "sale.subscription.line.due"
    _description = "Amounts Due of Lines"

    def _is_postpaid_line(self):
        """Tell whether the line is invoiced when its period is over; a hook.

        :rtype: bool
        """
        return self.product_id.invoice_policy == "delivery"

    def _is_subscription_line(self):
        """Tell whether the line is invoiced again in every period of its order.

        :rtype: bool
        """
        return self.recurring_invoice and self.order_id.is_subscription

    def _is_invoiced_in_advance(self):
        """Tell whether the line costs the same in every period; a hook for modules.

        Such lines are invoiced at the beginning of a period, by days where it is cut
        short, make up the MRR, and can be upsold. Others are invoiced afterwards: what
        was delivered, or what is ordered where a module says it is postpaid.

        :rtype: bool
        """
        return bool(
            self.recurring_invoice
            and not self.display_type
            and self.order_id.plan_id
            and not self._is_postpaid_line()
        )

    def _is_subscription_line_to_invoice(self):
        """Tell whether a recurring line is to be invoiced now; a hook for modules.

        While its period is due. What is invoiced afterwards: also when it has ended.

        :rtype: bool
        """
        self.ensure_one()
        order = self.order_id
        if order._is_period_due():
            return True
        ended = order.subscription_state in SUBSCRIPTION_CLOSED_STATE
        return ended and not self._is_invoiced_in_advance()

    def _get_ordered_quantity_due(self):
        """Return how much is to be invoiced of a line that bills what is ordered.

        :rtype: float
        """
        if not self._is_ordered_and_postpaid():
            return self.product_uom_qty if self.order_id._is_period_due() else 0.0
        start, end = self._get_charged_days()
        if not start or not end or start >= end:
            return 0.0  # nothing is over yet
        charged = self.sudo().invoice_lines.filtered(
            lambda line: (
                line.parent_state != "cancel"
                and line.move_id.move_type == "out_invoice"
                and line.charged_until
                and line.charged_until >= end
            )
        )
        return 0.0 if charged else self.product_uom_qty

    def _get_share_charged(self):
        """Return which share of its price the line is charged at now.

        :return: (days charged, days of a whole period); (1, 1) for all of it
        :rtype: tuple[int, int]
        """
        self.ensure_one()
        order = self.order_id
        if self._is_ordered_and_postpaid():
            start, end = self._get_charged_days()
            if not start or not end or start >= end:
                return 1, 1
            whole_start, whole_end = order._get_whole_period(start)
            return (end - start).days, (whole_end - whole_start).days
        if not order.plan_id or not self._is_invoiced_in_advance():
            return 1, 1
        if order.subscription_state == "7_upsell":
            return order._get_upsell_days()
        if not order.next_invoice_date:
            return 1, 1
        return order._get_period_share()

    def _get_charged_days(self):
        """Return the days of the subscription that an invoice line charges now.

        :return: (first day, first day after them); False where it charges no days
        :rtype: tuple
        """
        self.ensure_one()
        order = self.order_id
        if self._is_ordered_and_postpaid():
            ends = [day for day in (order.next_invoice_date, order.end_date) if day]
            return order.last_invoice_date or order.start_date, min(ends, default=False)
        if not self._is_invoiced_in_advance():
            return self.charged_from, self.charged_until
        if order.subscription_state == "7_upsell":
            return order._get_upsell_period()[:2]
        return order._get_next_period()[:2]

    def _is_ordered_and_postpaid(self):
        return bool(
            self._is_subscription_line()
            and self.product_id.invoice_policy == "order"
            and self._is_postpaid_line()
        )

    def _get_invoice_line_parameters(self):
        """Return what an invoice line made now charges; a hook for modules.

        A ratio of 2 charges twice the price. Where lines charge more days than the
        period of the plan has, the next invoice is due after the last of them.

        :return: (first day, last day, ratio of the price of a period, days charged).
            The days are False, None for their number, where it charges no days.
        :rtype: tuple[datetime.date, datetime.date, float, int]
        """
        self.ensure_one()
        start, end = self._get_charged_days()
        days, whole = self._get_share_charged()
        if not start or not end:
            return False, False, days / whole, None
        return start, end - timedelta(days=1), days / whole, (end - start).days
