from odoo import api, fields, models
from odoo.exceptions import UserError

FROZEN = frozenset(
    (
        "subscription_id",
        "charge_id",
        "window_start",
        "window_end",
        "revision",
        "quantity",
        "included",
        "billable",
        "amount",
        "currency_id",
        "explanation",
    )
)


class FusionBillingRating(models.Model):
    """The ledger of rated windows: what one charge came to, and why.

    One row for each (subscription, charge, window, revision). The open row of a
    window is recomputed until an invoice takes it. Usage that turns up after
    that makes a new revision, whose amount is the whole window's new amount
    minus what earlier revisions have billed.

    open      counted on, still to be invoiced
    invoiced  on an invoice (``invoice_id``), or part of it at amount 0
    released  its invoice was cancelled, deleted or credited; a later revision bills it
    """

    _name = "fusion.billing.rating"
    _description = "Usage Rating"
    _order = "window_start desc, subscription_id, charge_id, revision desc"

    subscription_id = fields.Many2one(
        "sale.order", required=True, ondelete="restrict", readonly=True
    )
    partner_id = fields.Many2one(
        related="subscription_id.partner_id", store=True, index=True
    )
    company_id = fields.Many2one(
        related="subscription_id.company_id", store=True, index=True
    )
    charge_id = fields.Many2one(
        "fusion.billing.charge", required=True, ondelete="restrict", readonly=True
    )
    metric_id = fields.Many2one(related="charge_id.metric_id", store=True)
    window_start = fields.Datetime(required=True, readonly=True)
    window_end = fields.Datetime(
        required=True, readonly=True, help="First instant after the window."
    )
    first_day = fields.Date(
        compute="_compute_days", help="In the company's billing time zone."
    )
    last_day = fields.Date(
        compute="_compute_days", help="In the company's billing time zone."
    )
    revision = fields.Integer(required=True, readonly=True, default=0)
    quantity = fields.Float(digits=False, readonly=True)
    included = fields.Float(
        digits=False, readonly=True, help="Part of the quantity that is free."
    )
    billable = fields.Float(digits=False, readonly=True)
    amount = fields.Monetary(
        readonly=True,
        help="Amount of this revision: the window's amount minus what earlier "
        "revisions have billed.",
    )
    currency_id = fields.Many2one("res.currency", required=True, readonly=True)
    explanation = fields.Json(
        readonly=True, help="The arithmetic, step by step, in exact decimals."
    )
    explanation_text = fields.Text(
        string="Arithmetic", compute="_compute_explanation_text"
    )
    state = fields.Selection(
        [("open", "Open"), ("invoiced", "Invoiced"), ("released", "Released")],
        required=True,
        default="open",
        readonly=True,
    )
    peak_share = fields.Integer(
        readonly=True,
        help="Highest share of the quota that the window reached, in percent.",
    )
    closed_at = fields.Datetime(
        readonly=True, help="When its invoice was posted, and rating.closed sent."
    )
    order_line_id = fields.Many2one(
        "sale.order.line", ondelete="set null", readonly=True, index="btree_not_null"
    )
    invoice_line_id = fields.Many2one(
        "account.move.line", ondelete="set null", readonly=True, index="btree_not_null"
    )
    invoice_id = fields.Many2one(
        "account.move", ondelete="set null", readonly=True, index="btree_not_null"
    )

    _revision_unique = models.Constraint(
        "UNIQUE (subscription_id, charge_id, window_start, revision)",
        "This window is rated already.",
    )
    _one_open = models.UniqueIndex(
        "(subscription_id, charge_id, window_start) WHERE state = 'open'",
        "A window has one open rating.",
    )
    _window_in_order = models.Constraint(
        "CHECK (window_end > window_start)", "A window ends after it begins."
    )

    @api.depends("subscription_id.name", "metric_id.name", "window_start")
    def _compute_display_name(self):
        for rating in self:
            rating.display_name = (
                f"{rating.subscription_id.sudo().name} {rating.metric_id.name} "
                f"{fields.Date.to_string(rating.window_start)}"
            )

    @api.depends("window_start", "window_end", "subscription_id")
    def _compute_days(self):
        # The stored instants are UTC, and a browser shows them in the reader's
        # time zone: there a window that is a month may seem to begin the day before.
        for rating in self:
            order = rating.subscription_id.sudo()
            last_instant = fields.Datetime.subtract(rating.window_end, seconds=1)
            rating.first_day = order._fc_local_date(rating.window_start)
            rating.last_day = order._fc_local_date(last_instant)

    @api.depends("explanation")
    def _compute_explanation_text(self):
        for rating in self:
            rating.explanation_text = self._explain(
                rating.explanation or {}, rating.currency_id
            )

    @api.model
    def _explain(self, explanation, currency):
        """The arithmetic as text, a step on each line.

        :param dict explanation: as ``sale.order._fc_rate`` makes it
        :param currency: what the amount was converted to, if it was
        """
        lines = [
            self.env._(
                "%(quantity)s used, %(included)s included, %(billable)s billable",
                quantity=explanation.get("quantity", "0"),
                included=explanation.get("included", "0"),
                billable=explanation.get("billable", "0"),
            )
        ]
        lines += [
            f"{step['label']}: {step['quantity']} x {step['unit_price']}"
            f" = {step['amount']}"
            for step in explanation.get("steps", ())
        ]
        lines.append(
            self.env._(
                "Amount of the window: %(amount)s %(currency)s",
                amount=explanation.get("amount", "0"),
                currency=explanation.get("currency") or "",
            )
        )
        if rate := explanation.get("conversion_rate"):
            lines.append(
                self.env._(
                    "Converted at %(rate)s = %(amount)s %(currency)s",
                    rate=rate,
                    amount=explanation["rounded"],
                    currency=currency.name,
                )
            )
        if billed := explanation.get("billed"):
            lines.append(
                self.env._(
                    "Minus billed by earlier revisions: %(billed)s", billed=billed
                )
            )
        return "\n".join(lines)

    def action_view_usage(self):
        """Open the events that the quantity was made of."""
        self.ensure_one()
        return self.env["fusion.billing.usage"]._action_view_window(
            self.subscription_id, self.metric_id, self.window_start, self.window_end
        )

    def write(self, vals):
        if FROZEN & vals.keys() and any(r.state != "open" for r in self):
            raise UserError(
                self.env._("A rating that went on an invoice does not change.")
            )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("Ratings are kept: they explain the invoices."))

    def _invoice(self, moves):
        """Put open ratings on the invoices just made of their subscriptions.

        A rating of amount 0 has no invoice line: it goes with the invoice all
        the same, since its window is settled by it.
        """
        move_of = {
            order: line.move_id
            for line in moves.invoice_line_ids
            for order in line.sale_line_ids.order_id
        }
        for rating in self:
            if rating.invoice_line_id:
                invoice = rating.invoice_line_id.move_id
            elif rating.currency_id.is_zero(rating.amount):
                # An invoice of something else leaves the open window alone.
                if not rating.subscription_id._fc_is_settling():
                    continue
                invoice = move_of.get(rating.subscription_id)
            else:
                continue
            if invoice in moves:
                rating.write({"state": "invoiced", "invoice_id": invoice.id})

    def _fc_event_data(self):
        """What a webhook says of a rating: quantities and amounts as decimal text."""
        self.ensure_one()
        explanation = self.explanation or {}
        digits = self.currency_id.decimal_places
        return {
            "metric": self.metric_id.code,
            "window_start": f"{self.window_start.isoformat()}Z",
            "window_end": f"{self.window_end.isoformat()}Z",
            "revision": self.revision,
            "quantity": explanation.get("quantity"),
            "billable": explanation.get("billable"),
            "amount": f"{self.amount:.{digits}f}",
            "currency": self.currency_id.name,
        }
