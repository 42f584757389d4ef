from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL, format_date


class SaleSubscriptionOrderInvoices(models.AbstractModel):
    """The invoices of a subscription: those with a line that names it.

    Whatever brought that line: a period, something sold once, days for which it runs
    again, an upsell, or the copy that *Reverse and Create* makes of any of them. What
    is charged to the saved payment method, counts as unpaid, is shown to the customer
    and sent by the plan's template is decided by this and by nothing else; from an
    invoice to its subscriptions leads `account.move._get_subscriptions()`.
    """

    _name = "sale.subscription.order.invoices"
    _description = "Invoices of Subscriptions"

    subscription_invoice_count = fields.Integer(
        string="Invoices of the Subscription",
        compute="_compute_subscription_invoice_count",
        help="Its invoices and credit notes that you may read, those of its upsells"
        " among them.",
    )

    @api.depends_context("uid")
    def _compute_subscription_invoice_count(self):
        """Count what the button behind it opens: a salesperson reads only the invoices
        that name him, and not those of the colleague whose order he took over.
        """
        for order in self:
            invoices = order._get_subscription_invoices()._filtered_access("read")
            order.subscription_invoice_count = len(invoices)

    def _get_subscription_invoices(self, domain=Domain.TRUE):
        """Return the invoices and credit notes of these subscriptions, oldest first.

        :param Domain domain: further conditions on account.move
        :rtype: account.move recordset
        """
        moves = (
            self.env["account.move"]
            .sudo()
            .search(
                Domain("line_ids.subscription_id", "in", self.ids)
                & Domain("move_type", "in", ("out_invoice", "out_refund"))
                & domain,
                order="invoice_date, id",
            )
        )
        return moves.sudo(self.env.su)

    def _get_open_invoices(self):
        """Return the invoices on which something is still to be paid, oldest first.

        :rtype: account.move recordset
        """
        self.ensure_one()
        return self._get_subscription_invoices(
            self.env["account.move"]._get_open_invoice_domain()
        )

    @api.model
    def _get_invoiced_domain(self, domain):
        """Return the domain of the subscriptions that have such an invoice.

        :param Domain domain: conditions on account.move
        :rtype: Domain
        """
        lines = (
            self.env["account.move.line"]
            .sudo()
            ._search(
                Domain("subscription_id", "!=", False)
                & Domain("move_id", "any", domain)
            )
        )
        column = SQL.identifier("account_move_line", "subscription_id")
        return Domain("id", "in", lines.subselect(column))

    @api.model
    def _search_overdue_lines(self, domain):
        """Return the lines of subscriptions on invoices that are past their due date.

        :param list domain: further conditions on account.move.line
        :rtype: account.move.line recordset
        """
        overdue = self.env["account.move"]._get_open_invoice_domain() & Domain(
            "invoice_date_due", "<", fields.Date.today()
        )
        lines = self.env["account.move.line"].sudo()
        return lines.search(Domain(domain) & Domain("move_id", "any", overdue))

    def _release_before_moving(self, vals):
        """Make periods due again that a new next invoice date comes before.

        :param dict vals: what is to be written
        :raises UserError: see `_release_before_moving_to`
        """
        # Whoever sets another date beside it moves the subscription as a whole.
        others = ("last_invoice_date", "billing_anchor_date")
        if "next_invoice_date" not in vals or any(name in vals for name in others):
            return
        day = fields.Date.to_date(vals["next_invoice_date"])
        for order in self:
            order._release_before_moving_to(day)

    def _release_before_moving_to(self, day):
        """Make periods from ``day`` on due again whose invoices do not count any more.

        :param datetime.date day: the new next invoice date, or False
        :raises UserError: another period is invoiced for days from there on
        """
        if not day:
            return
        # What it renews was invoiced up to there.
        if self.subscription_id and self.start_date and day < self.start_date:
            raise UserError(
                self.env._(
                    "%s: the first invoice cannot be dated before the start of the"
                    " subscription.",
                    self.name,
                )
            )
        periods = self.sudo().subscription_period_ids.filtered(
            lambda p: not p.released and p.period_end > day
        )
        void = periods.filtered(
            lambda p: (
                not p.move_id
                or p.move_id.state == "cancel"
                or p.move_id._is_taken_back()
            )
        )
        if counted := periods - void:
            raise UserError(
                self.env._(
                    "%(order)s is invoiced up to %(date)s. The next invoice cannot be"
                    " dated before, unless you cancel or credit those invoices.",
                    order=self.name,
                    date=format_date(self.env, max(counted.mapped("period_end"))),
                )
            )
        void.released = True

    def _get_notified_partner(self):
        """Return who is told about the subscription by email: whoever is invoiced.

        :rtype: res.partner
        """
        self.ensure_one()
        payer = self.partner_invoice_id
        return payer if payer.email else self.partner_id

    def action_view_subscription_invoices(self):
        """Open the invoices of the subscription, those of its upsells among them.

        :return: window action
        :rtype: dict
        """
        self.ensure_one()
        self.check_access("read")
        invoices = self._get_subscription_invoices()._filtered_access("read")
        return self.action_view_invoice(invoices)
