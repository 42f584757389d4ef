from odoo import fields, models

from ..base.exact import Exact

QUANTITIES = (
    "declared_quantity",
    "accepted_quantity",
    "accepted_count",
    "voided_quantity",
    "unallocated_quantity",
    "moved_in_quantity",
    "moved_out_quantity",
    "rated_quantity",
    "declared_difference",
    "rated_difference",
    "void_difference",
    "tolerated_quantity",
    "explained_quantity",
    "waiting_quantity",
    "shared_quantity",
    "declared_unexplained",
    "rated_unexplained",
)
AMOUNTS = (
    "rated_amount",
    "open_amount",
    "draft_amount",
    "posted_amount",
    "forgiven_amount",
    "edited_amount",
    "tax_amount",
    "rounding_amount",
    "amount_unexplained",
    "by_hand_amount",
    "conversion_amount",
    "journal_balance",
)
FIGURES = QUANTITIES + AMOUNTS
UNEXPLAINED = ("declared_unexplained", "rated_unexplained", "amount_unexplained")
# What is not wrong, but waits: for a job, an invoice, or a decision.
PENDING = ("unallocated_quantity", "waiting_quantity", "open_amount", "draft_amount")
EXPLAINED = (
    "declared_difference",
    "rated_difference",
    "forgiven_amount",
    "edited_amount",
    "tax_amount",
    "rounding_amount",
    "conversion_amount",
    "by_hand_amount",
)


class FusionBillingControlFigures(models.AbstractModel):
    """The figures of the chain, of one window or of many.

    They follow from each other:

    - declared - accepted = unallocated + billed in another period - billed here from
      another period + voided + tolerated + explained + not explained
    - accepted - rated = waiting + billed with another app + not explained
    - rated = open + forgiven + edited + tax + rounding + not explained + on drafts +
      posted
    - posted + conversion = journal
    """

    _name = "fusion.billing.control.figures"
    _description = "Figures of Control Totals"

    control_id = fields.Many2one(
        "fusion.billing.control",
        string="Period",
        required=True,
        ondelete="cascade",
        readonly=True,
        index=True,
    )
    company_id = fields.Many2one(
        related="control_id.company_id", store=True, index=True
    )
    company_currency_id = fields.Many2one(
        related="control_id.currency_id", string="Company Currency"
    )
    service_id = fields.Many2one(
        "fusion.billing.service", string="Source App", ondelete="cascade", readonly=True
    )
    metric_id = fields.Many2one(
        "fusion.billing.metric", required=True, ondelete="cascade", readonly=True
    )
    currency_id = fields.Many2one("res.currency", required=True, readonly=True)
    is_declared = fields.Boolean(
        string="Has Declared Total",
        readonly=True,
        help="The app has declared its total for this billing window. On a total: for "
        "each billing window.",
    )
    is_declared_otherwise = fields.Boolean(
        string="Declared for Other Dates",
        readonly=True,
        help="The app has declared totals for times that are not billing windows. They "
        "cannot be compared.",
    )
    declared_quantity = Exact(
        string="Declared",
        readonly=True,
        help="The quantity that the app says it has sent.",
    )
    accepted_quantity = Exact(
        string="Accepted", readonly=True, help="The accepted quantity that is billed."
    )
    accepted_count = fields.Integer(string="Events", readonly=True)
    voided_quantity = Exact(
        string="Voided", readonly=True, help="Taken out of billing, with a reason."
    )
    unallocated_quantity = Exact(
        string="Unallocated",
        readonly=True,
        help="Accepted, but not billed: outside of every billing window, or without a "
        "price.",
    )
    moved_in_quantity = Exact(
        string="Billed Here from Another Window",
        readonly=True,
        help="Sent for another time, but billed in this billing window by decision of "
        "finance.",
    )
    moved_out_quantity = Exact(
        string="Billed in Another Window",
        readonly=True,
        help="Sent for this time, but billed in another billing window by decision of "
        "finance.",
    )
    rated_quantity = Exact(
        string="Rated",
        readonly=True,
        help="The quantity to which the price was applied.",
    )
    declared_difference = Exact(
        string="Declared - Accepted",
        readonly=True,
        help="0 where the app has declared nothing.",
    )
    void_difference = Exact(
        string="Of Which Voided",
        readonly=True,
        help="The app declared usage that was voided here.",
    )
    tolerated_quantity = Exact(
        string="Within Tolerance",
        readonly=True,
        help="A difference within the tolerance of the metric.",
    )
    explained_quantity = Exact(
        string="Explained by Reconciliation",
        readonly=True,
        help="A user has explained it on the reconciliation.",
    )
    declared_unexplained = Exact(
        string="Declared, Unexplained",
        readonly=True,
        help="The part of declared minus accepted that has no explanation.",
    )
    rated_difference = Exact(string="Accepted - Rated", readonly=True)
    waiting_quantity = Exact(
        string="Waiting to Be Rated",
        readonly=True,
        help="It arrived after the last rating, or its billing window has not begun.",
    )
    shared_quantity = Exact(
        string="Rated with Another App",
        readonly=True,
        help="Several apps have sent usage for one billing window. It is rated "
        "together, on the line of one of them.",
    )
    rated_unexplained = Exact(
        string="Rated, Unexplained",
        readonly=True,
        help="The part of accepted minus rated that has no explanation.",
    )
    rated_amount = fields.Monetary(
        string="Amount Rated",
        readonly=True,
        help="The rated amount, invoiced and open. It includes tax if the product's "
        "price does.",
    )
    open_amount = fields.Monetary(
        string="Not Invoiced Yet",
        readonly=True,
        help="Rated, and not on an invoice yet.",
    )
    draft_amount = fields.Monetary(
        string="On Draft Invoices",
        readonly=True,
        help="On draft invoices, without tax.",
    )
    posted_amount = fields.Monetary(
        string="On Posted Invoices",
        readonly=True,
        help="On posted invoices, less posted credit notes, without tax.",
    )
    forgiven_amount = fields.Monetary(
        string="Forgiven",
        readonly=True,
        help="Credited, and not billed again.",
    )
    edited_amount = fields.Monetary(
        string="Changed by Hand",
        readonly=True,
        help="How much a usage line of an invoice was reduced by hand. Negative: how "
        "much it was increased.",
    )
    tax_amount = fields.Monetary(
        string="Tax in the Price",
        readonly=True,
        help="Tax included in the price of the product; it is not revenue.",
    )
    rounding_amount = fields.Monetary(string="Rounding", readonly=True)
    amount_unexplained = fields.Monetary(
        string="Unexplained Amount",
        readonly=True,
        help="The difference between ratings, documents and journal that has no "
        "explanation.",
    )
    by_hand_amount = fields.Monetary(
        string="Charged by Hand",
        readonly=True,
        help="On posted documents without a rating: copies of invoices, debit notes, "
        "lines entered with a usage product. Not part of the chain.",
    )
    conversion_amount = fields.Monetary(
        string="Conversion",
        readonly=True,
        currency_field="company_currency_id",
        help="The journal amount in the company's currency minus the invoice amount in "
        "its own currency. 0 if both are the same currency.",
    )
    journal_balance = fields.Monetary(
        string="In the Journal",
        readonly=True,
        currency_field="company_currency_id",
        help="The balance of these invoice lines in the journal, in the company's "
        "currency. Revenue is positive.",
    )
    state = fields.Selection(
        [
            ("agrees", "Agrees"),
            ("explained", "Explained"),
            ("pending", "Pending"),
            ("differs", "Differs"),
        ],
        string="Status",
        readonly=True,
        required=True,
        default="agrees",
        index=True,
        help="Agrees: all figures are the same. Explained: they differ, and each "
        "difference has its reason. Pending: something still has to be rated, "
        "invoiced, posted or decided on. Differs: there is a difference without a "
        "reason.",
    )
    reasons = fields.Char(compute="_compute_reasons")

    def _compute_reasons(self):
        """What explains the differences, in words, with the figure of each."""
        told = (
            "unallocated_quantity moved_in_quantity moved_out_quantity void_difference"
            " tolerated_quantity explained_quantity waiting_quantity shared_quantity"
            " open_amount draft_amount forgiven_amount edited_amount tax_amount"
            " rounding_amount conversion_amount by_hand_amount declared_unexplained"
            " rated_unexplained amount_unexplained"
        ).split()
        labels = self.fields_get(told, ["string"])
        for row in self:
            parts = [
                f"{labels[name]['string']} {row._figure_text(name)}"
                for name in told
                if row[name]
            ]
            if row.is_declared_otherwise:
                parts.append(self._fields["is_declared_otherwise"].string)
            row.reasons = ", ".join(parts)

    def _figure_text(self, name):
        """A figure as people read it."""
        field = self._fields[name]
        if field.type == "monetary":
            currency = self[field.get_currency_field(self)]
            return currency.format(self[name])
        return f"{self[name]:.10f}".rstrip("0").rstrip(".")

    # -- the list behind each figure -------------------------------------------

    def _view_figure(self, figure):
        self.ensure_one()
        self.check_access("read")
        return self.env["fusion.billing.control.lists"]._list_of(self, figure)

    def action_view_declared(self):
        """The declarations of the app."""
        return self._view_figure("declared")

    def action_view_accepted(self):
        """The events that are billed."""
        return self._view_figure("accepted")

    def action_view_voided(self):
        return self._view_figure("voided")

    def action_view_unallocated(self):
        return self._view_figure("unallocated")

    def action_view_moved_in(self):
        return self._view_figure("moved_in")

    def action_view_moved_out(self):
        return self._view_figure("moved_out")

    def action_view_rated(self):
        """The ratings that count."""
        return self._view_figure("rated")

    def action_view_open(self):
        return self._view_figure("open")

    def action_view_drafts(self):
        return self._view_figure("draft")

    def action_view_posted(self):
        return self._view_figure("posted")

    def action_view_adjustments(self):
        """What was forgiven or edited."""
        return self._view_figure("adjustments")

    def action_view_journal(self):
        return self._view_figure("journal")

    def action_view_by_hand(self):
        return self._view_figure("by_hand")
