from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ...engine.webhook.event_types import ClosedRating
from ..base.price_text import PriceText
from ..base.render import amount

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
        "quota_share",
        "amount",
        "currency_id",
        "explanation",
        "window_id",
        "agreement_id",
        "window_amount",
        "amount_untaxed",
        "terms",
        "rate_from",
        "rate_to",
        "discount",
        "counted",
        "usage_until",
    )
)


class FusionBillingRating(models.Model):
    """The ledger of rated windows: what one charge came to, and why.

    One row for each revision of a window's agreement. The open row is recomputed until
    an invoice takes it. Usage that turns up after that makes a new revision, whose
    amount is what the window is to be charged now minus what it has been charged.

    open      counted on, still to be invoiced
    invoiced  on an invoice (``invoice_id``), or part of it at amount 0
    released  its invoice was cancelled, deleted or credited; a later revision bills it
    """

    _name = "fusion.billing.rating"
    _description = "Usage Rating"
    _inherit = ["fusion.billing.guarded"]
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
        "fusion.billing.charge",
        string="Usage Price",
        required=True,
        ondelete="restrict",
        readonly=True,
    )
    metric_id = fields.Many2one(related="charge_id.metric_id", store=True)
    rated_at = fields.Datetime("Rated On", related="window_id.rated_at")
    waiting_count = fields.Integer(
        string="Events Not Rated Yet", related="subscription_id.fc_waiting_count"
    )
    window_start = fields.Datetime(required=True, readonly=True)
    window_end = fields.Datetime(
        required=True, readonly=True, help="The first moment after the billing window."
    )
    window_id = fields.Many2one(
        "fusion.billing.window",
        required=True,
        ondelete="restrict",
        readonly=True,
        index=True,
    )
    agreement_id = fields.Many2one(
        "fusion.billing.window.charge",
        string="Agreed Price",
        required=True,
        ondelete="restrict",
        readonly=True,
    )
    first_day = fields.Date(related="window_id.first_day")
    last_day = fields.Date(related="window_id.last_day")
    revision = fields.Integer(required=True, readonly=True, default=0, aggregator=None)
    # What counts units is not added up: of several metrics the sum is of nothing.
    quantity = fields.Float(digits=False, readonly=True, aggregator=None)
    included = fields.Float(
        digits=False,
        readonly=True,
        aggregator=None,
        help="The part of the quantity that the quota covers: it costs nothing.",
    )
    billable = fields.Float(digits=False, readonly=True, aggregator=None)
    quota_share = fields.Float(
        string="Quota Used (%)",
        digits=False,
        readonly=True,
        aggregator="max",
        help="The quantity in percent of the quota. Above 100 the quota is exceeded. "
        "Empty: there is no quota.",
    )
    window_amount = fields.Monetary(
        readonly=True,
        aggregator=None,
        help="The amount of the whole billing window at this revision.",
    )
    amount = fields.Monetary(
        readonly=True,
        help="Amount of this revision: what is to be charged for the billing window, "
        "less what was already charged. Tax is included or not depending on the "
        "taxes of the product.",
    )
    amount_untaxed = fields.Monetary(string="Untaxed Amount", readonly=True)
    line_price = fields.Float(
        string="Price on the Invoice",
        digits=False,
        readonly=True,
        aggregator=None,
        help="The price on its invoice line: the amount, adapted to the taxes of the"
        " customer.",
    )
    counted = fields.Json(
        "Revisions Deducted",
        readonly=True,
        prefetch=False,
        help="The earlier revisions whose amounts count as charged.",
    )
    usage_until = fields.Integer(
        string="Last Event",
        readonly=True,
        aggregator=None,
        help="Id of the last event there was when it went on its invoice: what came"
        " later is in a later revision.",
    )
    product_id = fields.Many2one("product.product", readonly=True, ondelete="restrict")
    charge_currency_id = fields.Many2one(
        "res.currency", string="Currency of the Price", readonly=True
    )
    terms = fields.Json(
        "Price Data", readonly=True, prefetch=False, help="The price in exact decimals."
    )
    terms_text = fields.Char(
        string="Price",
        compute="_compute_terms_text",
        help="The price at which the amount was calculated. Later changes to the usage "
        "price do not change it.",
    )
    rate_from = fields.Float(
        "Exchange Rate of the Price's Currency",
        digits=False,
        readonly=True,
        aggregator=None,
    )
    rate_to = fields.Float(
        "Exchange Rate of the Invoice's Currency",
        digits=False,
        readonly=True,
        aggregator=None,
    )
    discount = fields.Float(
        string="Discount (%)", digits=False, readonly=True, aggregator=None
    )
    currency_id = fields.Many2one("res.currency", required=True, readonly=True)
    explanation = fields.Json(
        "Calculation Data",
        readonly=True,
        help="The calculation, step by step, in exact decimals.",
    )
    explanation_text = fields.Text(
        string="Calculation", compute="_compute_explanation_text"
    )
    state = fields.Selection(
        [("open", "Open"), ("invoiced", "Invoiced"), ("released", "Withdrawn")],
        string="Status",
        required=True,
        default="open",
        readonly=True,
    )
    peak_share = fields.Integer(
        "Highest Quota Use (%)",
        readonly=True,
        aggregator="max",
        help="Highest quota use that the billing window reached, in percent.",
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

    released_by_id = fields.Many2one(
        "account.move",
        string="Credited By",
        ondelete="set null",
        readonly=True,
        index="btree_not_null",
        help="The credit note after which the window is billed again.",
    )
    adjustment_ids = fields.One2many(
        "fusion.billing.adjustment", "rating_id", string="Differences from Rating"
    )
    is_taken_back = fields.Boolean(
        string="Invoice Cancelled",
        readonly=True,
        help="Its invoice was cancelled or deleted, or its line was removed.",
    )

    # Whether a price has billed: it is looked at whenever somebody changes one.
    _billed_with = models.Index("(charge_id) WHERE state != 'open'")
    # Who is near or over the quota now.
    _near_quota = models.Index(
        "(quota_share) WHERE state = 'open' AND quota_share IS NOT NULL"
    )
    _revision_unique = models.Constraint(
        "UNIQUE (agreement_id, revision)", "This billing window is already rated."
    )
    _one_open = models.UniqueIndex(
        "(agreement_id) WHERE state = 'open'",
        "A billing window can have only one open rating per metric.",
    )
    # The ratings of a subscription: its form, its page in the API.
    _of_subscription = models.Index("(subscription_id, window_start)")
    _window_in_order = models.Constraint(
        "CHECK (window_end > window_start)",
        "The end of a billing window must be after its start.",
    )

    @api.depends("subscription_id.name", "metric_id.name", "window_start")
    def _compute_display_name(self):
        for rating in self:
            rating.display_name = (
                f"{rating.subscription_id.sudo().name} {rating.metric_id.name} "
                f"{fields.Date.to_string(rating.window_start)}"
            )

    @api.depends("terms", "charge_currency_id", "metric_id")
    @api.depends_context("lang")
    def _compute_terms_text(self):
        text = PriceText(self.env)
        for rating in self:
            rating.terms_text = rating.terms and text.sentence(
                rating.terms,
                (rating.charge_currency_id or rating.currency_id).name,
                rating.metric_id.unit_name or "",
            )

    @api.depends("explanation", "agreement_id.rate_date")
    def _compute_explanation_text(self):
        Arithmetic = self.env["fusion.billing.arithmetic"]
        for rating in self:
            rating.explanation_text = Arithmetic._text(
                rating.explanation or {}, rating.currency_id, rating._rate_day()
            )

    def _rate_day(self):
        """The day whose exchange rates it was converted at; none where it is not known.

        Its agreement can have other rates by now.
        """
        agreed = self.agreement_id
        if (agreed.rate_from, agreed.rate_to) != (self.rate_from, self.rate_to):
            return None
        return agreed.rate_date or None

    @api.model
    def _read_group_select(self, aggregate_spec, query):
        """Sums are of what is billed: what was released counts in a later revision."""
        sql = super()._read_group_select(aggregate_spec, query)
        if not aggregate_spec.startswith(("amount:sum", "amount_untaxed:sum")):
            return sql
        state = self._field_to_sql(self._table, "state", query)
        return SQL("%s FILTER (WHERE %s != 'released')", sql, state)

    def action_view_usage(self):
        """Open the events that the quantity was made of."""
        self.ensure_one()
        self.check_access("read")
        Usage = self.env["fusion.billing.usage"]
        return Usage._action_view_behind(
            self.metric_id,
            Usage._counted_domain(self),
            fc_as_billed=self.state != "open",
        )

    def action_rate_now(self):
        """Bring the amounts of these subscriptions up to date."""
        self.check_access("read")
        self.subscription_id.action_fc_rate_now()

    def write(self, vals):
        if FROZEN & vals.keys() and any(r.state != "open" for r in self):
            raise UserError(
                self.env._("A rating that is on an invoice cannot be changed.")
            )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(
            self.env._("Ratings cannot be deleted: they explain the invoices.")
        )

    def _fc_read_together(self):
        """Read at once what these ratings are told by: not one after the other."""
        self.fetch(["amount", "terms", "explanation"])
        self.agreement_id.fetch(["rate_date", "rate_from", "rate_to"])

    def _fc_billed_now(self):
        """Those of these open ratings that an invoice made now bills, or shows.

        Of a running subscription: what belongs to windows up to its next invoice, in
        its own currency.
        """
        chosen = self.env.context.get("fc_windows")
        if chosen is not None:
            left = self.env.context.get("fc_left", ())
            return self.filtered(
                lambda r: r.window_id.id in chosen and r.agreement_id.id not in left
            )
        billed = []
        for order, ratings in self.grouped("subscription_id").items():
            if order.subscription_state != "3_progress" or order.state != "sale":
                billed += ratings.ids
                continue
            day = order.next_invoice_date
            billed += [
                rating.id
                for rating in ratings
                if not day
                or (window := rating.window_id).end_day <= day
                or window.settled_at
                if rating.window_id._is_of_order()
            ]
        wanted = frozenset(billed)
        return self.filtered(lambda r: r.id in wanted)

    def _fc_event_data(self):
        """What a webhook says of a rating (``ClosedRating``)."""
        self.ensure_one()
        explanation = self.explanation or {}
        quantity, billable = map(explanation.get, ("quantity", "billable"))
        return ClosedRating(
            metric=self.metric_id.code,
            window_start=self.window_start,
            window_end=self.window_end,
            revision=self.revision,
            quantity=None if quantity is None else Decimal(quantity),
            billable=None if billable is None else Decimal(billable),
            amount=amount(self.currency_id, self.amount_untaxed),
            currency=self.currency_id.name,
        )
