from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date


class SaleSubscriptionPeriod(models.Model):
    """A period of a subscription that was invoiced, or found to be free.

    The row is written in the transaction that creates the invoice. Its unique index is
    what makes invoicing idempotent: whichever of two workers comes second fails.
    """

    _name = "sale.subscription.period"
    _description = "Invoiced Subscription Period"
    _inherit = ["sale.subscription.guarded"]
    _order = "period_start desc, id desc"
    _rec_name = "period_start"

    subscription_id = fields.Many2one(
        "sale.order", required=True, ondelete="cascade", readonly=True
    )
    company_id = fields.Many2one(
        related="subscription_id.company_id", store=True, index=True
    )
    partner_id = fields.Many2one(related="subscription_id.partner_id")
    period_start = fields.Date(string="From", required=True, readonly=True)
    period_end = fields.Date(
        string="Until",
        required=True,
        readonly=True,
        help="First day after the period.",
    )
    move_id = fields.Many2one(
        "account.move",
        string="Invoice",
        ondelete="cascade",
        index="btree_not_null",
        readonly=True,
        help="Empty: there was nothing to invoice in this period.",
    )
    move_state = fields.Selection(related="move_id.state", string="Invoice Status")
    payment_state = fields.Selection(related="move_id.payment_state")
    currency_id = fields.Many2one(related="move_id.currency_id")
    amount_untaxed = fields.Monetary(related="move_id.amount_untaxed")
    released = fields.Boolean(
        "Due Again",
        readonly=True,
        help="The invoice was cancelled before it was ever posted, so the period is"
        " due again.",
    )

    _one_per_subscription = models.UniqueIndex(
        "(subscription_id, period_start) WHERE released IS NOT TRUE",
        "This period of the subscription has already been invoiced.",
    )
    _end_after_start = models.Constraint(
        "CHECK (period_end > period_start)",
        "A period must end after its start.",
    )

    def _advance_subscriptions(self):
        """Move the dates of the subscriptions past these periods.

        A period that lies behind already (an invoice set back to draft and posted
        again) moves nothing.
        """
        for (start, end), periods in self.grouped(
            lambda p: (p.period_start, p.period_end)
        ).items():
            # Of others the lines were taken off a draft for several: due again.
            charged = periods.filtered(
                lambda p: (
                    p.subscription_id in p.move_id.invoice_line_ids.subscription_id
                )
            )
            (periods - charged).released = True
            charged.subscription_id.filtered(
                lambda order, day=start: order.next_invoice_date == day
            )._advance_period(start, end)

    def _release(self):
        """Make periods due again whose invoice was cancelled before being posted."""
        self.filtered(
            lambda p: p.period_start == p.subscription_id.next_invoice_date
        ).released = True

    def _claim_again(self):
        """Undo `_release` for an invoice that is set back to draft.

        :raises UserError: the period has been invoiced by another invoice meanwhile
        """
        for period in self.filtered("released"):
            order = period.subscription_id
            if order._get_period(period.period_start):
                raise UserError(
                    self.env._(
                        "The period from %(date)s of %(order)s has been invoiced again"
                        " since this invoice was cancelled. Create a new invoice"
                        " instead.",
                        date=format_date(self.env, period.period_start),
                        order=order.name,
                    )
                )
            period.released = False
