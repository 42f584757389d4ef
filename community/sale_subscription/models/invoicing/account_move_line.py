from datetime import timedelta

from odoo import api, fields, models


class AccountMoveLine(models.Model):
    _name = "account.move.line"
    _inherit = ["account.move.line", "sale.subscription.guarded"]

    subscription_id = fields.Many2one(
        "sale.order",
        string="Subscription",
        index="btree_not_null",
        readonly=True,
        check_company=True,
    )
    charged_from = fields.Date(
        readonly=True, help="First day of the subscription that this line charges."
    )
    charged_until = fields.Date(
        readonly=True, help="First day after those that this line charges."
    )
    credited_from = fields.Date(
        readonly=True,
        help="From this day on, what the line charges was credited.",
    )

    # Named as Odoo names them elsewhere: its electronic invoices read these, as the
    # period that a line bills, and so do modules that defer revenue.
    deferred_start_date = fields.Date(
        string="Deferred From",
        compute="_compute_deferred_dates",
        store=True,
        readonly=False,
        help="First day of the service that the line bills: the revenue belongs to"
        " these days.",
    )
    deferred_end_date = fields.Date(
        string="Deferred Until",
        compute="_compute_deferred_dates",
        store=True,
        readonly=False,
        help="Last day of the service that the line bills.",
    )

    @api.depends("charged_from", "charged_until")
    def _compute_deferred_dates(self):
        """Defer what is paid in advance over the days that it was charged for."""
        for line in self:
            start, end = line.deferred_start_date, line.deferred_end_date
            if line.charged_from and line.charged_until:
                start, end = line.charged_from, line.charged_until - timedelta(days=1)
            line.deferred_start_date, line.deferred_end_date = start, end

    def _get_amount_charged(self):
        """Return the amount that was charged, as a unit price for it has to be given.

        :return: with the taxes that are included in prices, without the others
        :rtype: float
        """
        self.ensure_one()
        included = self.tax_ids.mapped("price_include")
        amount = self.price_total if included and all(included) else self.price_subtotal
        return -amount if self.move_id.move_type == "out_refund" else amount
