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
        string="Has a Declared Total",
        readonly=True,
        help="The app has declared its total of this very window; on a sum: of each.",
    )
    is_declared_otherwise = fields.Boolean(
        string="Declared for Other Times",
        readonly=True,
        help="The app has declared totals of times that are no billing windows: they"
        " cannot be held against one.",
    )
    declared_quantity = Exact(
        string="Declared", readonly=True, help="What the app says it has sent."
    )
    accepted_quantity = Exact(
        string="Accepted", readonly=True, help="What we hold of it and bill."
    )
    accepted_count = fields.Integer(string="Events", readonly=True)
    voided_quantity = Exact(
        string="Voided", readonly=True, help="Taken out of billing, with a reason."
    )
    unallocated_quantity = Exact(
        string="Unallocated",
        readonly=True,
        help="Accepted, but in no bill: outside of every window, or without a price.",
    )
    moved_in_quantity = Exact(
        string="Billed Here from Elsewhere",
        readonly=True,
        help="Sent for another time, and billed in this window by a decision.",
    )
    moved_out_quantity = Exact(
        string="Billed Elsewhere",
        readonly=True,
        help="Sent for this time, and billed in another window by a decision.",
    )
    rated_quantity = Exact(
        string="Rated",
        readonly=True,
        help="The quantity that the price was applied to.",
    )
    declared_difference = Exact(
        string="Declared - Accepted",
        readonly=True,
        help="0 where the app has declared nothing.",
    )
    void_difference = Exact(
        string="Of It Voided",
        readonly=True,
        help="The app has declared what was voided here.",
    )
    tolerated_quantity = Exact(
        string="Within Tolerance",
        readonly=True,
        help="Not more than the metric's tolerance allows.",
    )
    explained_quantity = Exact(
        string="Explained by Reconciliation",
        readonly=True,
        help="Somebody has written down why, on the reconciliation.",
    )
    declared_unexplained = Exact(
        string="Declared, Not Explained",
        readonly=True,
        help="Of declared minus accepted, what nothing explains.",
    )
    rated_difference = Exact(string="Accepted - Rated", readonly=True)
    waiting_quantity = Exact(
        string="Waiting to Be Rated",
        readonly=True,
        help="It has come since the last rating, or its window has not begun.",
    )
    shared_quantity = Exact(
        string="Rated with Another App",
        readonly=True,
        help="Several apps have sent usage of one window. It is rated in one, on the"
        " row of one of them.",
    )
    rated_unexplained = Exact(
        string="Rated, Not Explained",
        readonly=True,
        help="Of accepted minus rated, what nothing explains.",
    )
    rated_amount = fields.Monetary(
        string="Amount Rated",
        readonly=True,
        help="What the ledger charges for it, invoiced and open. It holds the tax where"
        " the product's price does.",
    )
    open_amount = fields.Monetary(
        string="Open", readonly=True, help="Rated, and not on an invoice yet."
    )
    draft_amount = fields.Monetary(
        string="On Drafts", readonly=True, help="On draft invoices, without tax."
    )
    posted_amount = fields.Monetary(
        string="Posted",
        readonly=True,
        help="On posted invoices, less posted credit notes, without tax.",
    )
    forgiven_amount = fields.Monetary(
        string="Forgiven",
        readonly=True,
        help="Credited, and not billed again.",
    )
    edited_amount = fields.Monetary(
        string="Edited by Hand",
        readonly=True,
        help="Taken off the usage line of an invoice by hand; below zero: added.",
    )
    tax_amount = fields.Monetary(
        string="Tax in the Price",
        readonly=True,
        help="Tax that the price of the product holds; it is no revenue.",
    )
    rounding_amount = fields.Monetary(string="Rounding", readonly=True)
    amount_unexplained = fields.Monetary(
        string="Amount, Not Explained",
        readonly=True,
        help="What is left between the ledger, the documents and the journal.",
    )
    by_hand_amount = fields.Monetary(
        string="Charged by Hand",
        readonly=True,
        help="On posted documents beside all ratings: copies of invoices, debit notes,"
        " lines entered with a product of usage. Not part of the chain.",
    )
    conversion_amount = fields.Monetary(
        string="Conversion",
        readonly=True,
        currency_field="company_currency_id",
        help="The journal's figure in the company's currency minus the invoices' in"
        " their own. 0 where both are the same currency.",
    )
    journal_balance = fields.Monetary(
        string="In the Journal",
        readonly=True,
        currency_field="company_currency_id",
        help="The balance of these very invoice lines in the journal, in the company's"
        " currency; revenue is above zero.",
    )
    state = fields.Selection(
        [
            ("agrees", "Agrees"),
            ("explained", "Explained"),
            ("pending", "Pending"),
            ("differs", "Differs"),
        ],
        readonly=True,
        required=True,
        default="agrees",
        index=True,
        help="Agrees: all figures are the same. Explained: they differ, and each"
        " difference has its reason. Pending: something waits to be rated, invoiced,"
        " posted or decided on. Differs: nothing explains a difference.",
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
