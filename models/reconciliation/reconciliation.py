from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ...engine.billing.money import to_decimal
from ...engine.webhook.event_types import MismatchData
from ..base.exact import Exact, read_exact
from .ours import NONE, PART, WINDOW, WINDOWS, Ours

DECLARED = frozenset(
    (
        "declared_quantity",
        "declared_count",
        "declared_amount",
        "has_declared_count",
        "has_declared_amount",
    )
)


class FusionBillingReconciliation(models.Model):
    """A source app's control totals for a window, held against ours."""

    _name = "fusion.billing.reconciliation"
    _description = "Usage Reconciliation"
    _inherit = [
        "mail.thread",
        "mail.activity.mixin",
        "fusion.billing.guarded",
        "fusion.billing.reconciliation.ours",
        "fusion.billing.reconciliation.views",
    ]
    _order = "window_start desc, id desc"

    service_id = fields.Many2one(
        "fusion.billing.service",
        string="Source App",
        required=True,
        ondelete="restrict",
        index=True,
        check_company=True,
    )
    company_id = fields.Many2one(
        related="service_id.company_id", store=True, index=True
    )
    subscription_id = fields.Many2one(
        "sale.order",
        required=True,
        ondelete="restrict",
        index=True,
        check_company=True,
        domain="[('is_subscription', '=', True)]",
    )
    metric_id = fields.Many2one(
        "fusion.billing.metric", required=True, ondelete="restrict", check_company=True
    )
    window_start = fields.Datetime(required=True)
    window_end = fields.Datetime(
        required=True, help="The first moment after the billing window."
    )
    currency_id = fields.Many2one(
        "res.currency",
        required=True,
        ondelete="restrict",
        compute="_compute_currency_id",
        store=True,
        readonly=False,
        precompute=True,
    )
    declared_quantity = Exact(tracking=True)
    declared_count = fields.Integer(string="Declared Events", tracking=True)
    declared_amount = fields.Monetary(tracking=True)
    has_declared_count = fields.Boolean("Events Declared")
    has_declared_amount = fields.Boolean("Amount Declared")
    actual_quantity = Exact(
        string="Our Quantity",
        readonly=True,
        copy=False,
        help="The usage of this app for the billing window that is billed, here or, by "
        "decision of finance, in another billing window. Voided usage, unallocated "
        "usage and usage of other apps is not included.",
    )
    actual_count = fields.Integer(string="Our Events", readonly=True, copy=False)
    actual_amount = fields.Monetary(string="Our Amount", readonly=True, copy=False)
    unallocated_quantity = Exact(
        readonly=True,
        copy=False,
        help="Usage of this app in the billing window that is not billed, because the "
        "plan has no price for it. It counts as a difference until it is billed or "
        "voided.",
    )
    elsewhere_quantity = Exact(
        string="Billed in Another Window",
        readonly=True,
        copy=False,
        help="Part of our quantity that finance billed in another billing window.",
    )
    covers = fields.Selection(
        [
            (WINDOW, "One billing window"),
            (WINDOWS, "Several billing windows"),
            (PART, "Not the bounds of a billing window"),
            (NONE, "No billing window"),
        ],
        string="Declared For",
        readonly=True,
        copy=False,
        help="Whether the app has declared usage that is billed together. Quantities "
        "can be compared for any time; amounts only for whole billing windows.",
    )
    current_quantity = fields.Float(
        string="Our Quantity Now", digits=False, compute="_compute_current"
    )
    current_count = fields.Integer(string="Our Events Now", compute="_compute_current")
    charged_by_hand = fields.Monetary(
        "Charged by Hand",
        compute="_compute_charged_by_hand",
        help="Copies of invoices, debit notes and lines entered by a user for this "
        "metric and billing window. Our amount does not include them.",
    )
    difference_quantity = Exact(compute="_compute_difference", store=True)
    difference_count = fields.Integer(
        "Events Difference", compute="_compute_difference", store=True
    )
    difference_amount = fields.Monetary(
        "Amount Difference", compute="_compute_difference", store=True
    )
    compared_at = fields.Datetime(readonly=True, copy=False)
    completed_at = fields.Datetime(
        string="Declared Complete",
        readonly=True,
        copy=False,
        help="When the app declared that it has sent all usage of the billing window.",
    )
    state = fields.Selection(
        [("matched", "Agrees"), ("mismatch", "Differs"), ("explained", "Explained")],
        string="Status",
        readonly=True,
        copy=False,
        tracking=True,
        help="Empty until the totals have been compared.",
    )
    note = fields.Text(string="Explanation", tracking=True)
    user_id = fields.Many2one(
        "res.users",
        string="Responsible",
        default=lambda self: self.env.user,
        tracking=True,
    )

    # What finance has to look into; a small part of the table.
    _mismatch = models.Index("(service_id) WHERE state = 'mismatch'")
    _window_in_order = models.Constraint(
        "CHECK (window_end > window_start)",
        "The end of a billing window must be after its start.",
    )
    _declared_quantity_valid = models.Constraint(
        "CHECK (declared_quantity >= 0 AND declared_quantity < 1e16)",
        "A declared quantity cannot be negative.",
    )
    _declared_count_valid = models.Constraint(
        "CHECK (declared_count >= 0)", "A declared number of events cannot be negative."
    )
    _window_unique = models.Constraint(
        "UNIQUE (service_id, subscription_id, metric_id, window_start, window_end)",
        "This billing window is already reconciled.",
    )

    @api.depends("subscription_id")
    def _compute_currency_id(self):
        for record in self:
            record.currency_id = (
                record.subscription_id.currency_id or record.env.company.currency_id
            )

    @api.depends("metric_id", "window_start", "subscription_id")
    def _compute_display_name(self):
        for record in self:
            record.display_name = " ".join(
                part
                for part in (
                    record._origin.subscription_id.sudo().name,
                    record.metric_id.name,
                    fields.Date.to_string(record.window_start),
                )
                if part
            )

    @api.depends(
        "declared_quantity",
        "declared_count",
        "declared_amount",
        "actual_quantity",
        "actual_count",
        "actual_amount",
        "has_declared_count",
        "has_declared_amount",
        "compared_at",
    )
    def _compute_difference(self):
        for record in self:
            compared = bool(record.compared_at)
            # In decimals: 0.3 - 0.1 is 0.2, where floats leave a remainder.
            record.difference_quantity = compared and (
                record._exactly("declared_quantity")
                - record._exactly("actual_quantity")
            )
            record.difference_count = (compared and record.has_declared_count) and (
                record.declared_count - record.actual_count
            )
            record.difference_amount = (compared and record.has_declared_amount) and (
                record.declared_amount - record.actual_amount
            )

    def _exactly(self, name):
        """A quantity with all of its digits (Decimal); in a form, as it was typed."""
        if self.id:
            return read_exact(self, name)[0]
        return to_decimal(self[name])

    def _compute_current(self):
        for record in self:
            # As it is stored: a form can be filled with somebody else's.
            stored = record._origin
            ours = stored._our_totals() if stored else Ours()
            record.current_quantity = float(ours.quantity)
            record.current_count = ours.count

    def _compute_charged_by_hand(self):
        Documents = self.env["fusion.billing.audit.documents"].sudo()
        for record in self:
            # As it is stored, see above.
            record.charged_by_hand = Documents._charged_by_hand(record._origin)

    @api.constrains("subscription_id", "service_id")
    def _check_subscription(self):
        for record in self:
            if not record.subscription_id.sudo().is_subscription:
                raise ValidationError(
                    self.env._("Only subscriptions can be reconciled.")
                )

    def write(self, vals):
        """What was found or explained of other totals says nothing of new ones."""
        self.check_access("write")
        changed = self.browse()
        if DECLARED & vals.keys():
            changed = self.filtered(
                lambda r: r.state in ("matched", "explained") and r._declares(vals)
            )
        result = super().write(vals)
        if changed:
            changed._write_by_code({"state": False, "compared_at": False})
        return result

    def _declares(self, vals):
        """Whether these values declare something else than is stored."""
        for name in DECLARED & vals.keys():
            if name == "declared_quantity":
                if self._exactly(name) != to_decimal(vals[name] or 0):
                    return True
            elif self[name] != (vals[name] or 0):
                return True
        return False

    def action_compare(self):
        """Hold the declared totals against ours, note both, and set the state."""
        self.check_access("write")
        for record in self:
            ours = record._our_totals()
            record._write_by_code(
                {
                    "actual_quantity": ours.quantity,
                    "actual_count": ours.count,
                    "actual_amount": float(ours.amount),
                    "unallocated_quantity": ours.unallocated,
                    "elsewhere_quantity": ours.elsewhere,
                    "covers": record._which_windows(),
                    "compared_at": fields.Datetime.now(),
                }
            )
            if record._differs(ours):
                record._set_mismatch()
            else:
                record._write_by_code({"state": "matched"})
                record._need_no_look()

    def _differs(self, ours):
        """Whether these totals of ours are further away than the metric allows.

        Unallocated usage always is a difference: it is billed nowhere.
        """
        self.ensure_one()
        share = to_decimal(self.metric_id.tolerance) / 100
        declared = self._exactly("declared_quantity")

        def beyond(theirs, own):
            theirs, own = to_decimal(theirs), to_decimal(own)
            return abs(theirs - own) > share * abs(theirs)

        return bool(
            ours.unallocated
            or beyond(declared, ours.quantity)
            or (self.has_declared_count and beyond(self.declared_count, ours.count))
            or (
                self.has_declared_amount
                and self.currency_id.compare_amounts(
                    self.declared_amount, float(ours.amount)
                )
                and beyond(self.declared_amount, ours.amount)
            )
        )

    def _set_mismatch(self):
        """Ask the responsible to look, and tell the service, once."""
        self.ensure_one()
        if self.state == "mismatch":
            return
        user = self.user_id.sudo()
        if self.company_id not in user.company_ids:
            user = self.service_id._who_looks()
        if user:
            self.env["fusion.billing.attention"]._ask(
                self.service_id,
                "mismatch_asked_on",
                self._mismatches(),
                self,
                summary=self.env._("Usage totals differ"),
                note=self.env._(
                    "More of %(service)s may differ: for those of today nobody is asked"
                    " again. The list of reconciliations shows them all.",
                    service=self.service_id.name,
                ),
                user_id=user.id,
            )
        self._write_by_code({"state": "mismatch"})
        if self.service_id not in self.subscription_id.sudo()._fc_services():
            return  # it is another app's now
        self.env["fusion.billing.webhook"]._enqueue(
            self.service_id,
            "reconciliation.mismatch",
            MismatchData(
                reconciliation_id=self.id,
                subscription_id=self.subscription_id.id,
                external_id=self.subscription_id.sudo().fc_external_id or None,
                metric=self.metric_id.code,
                window_start=self.window_start,
                window_end=self.window_end,
            ).as_json(),
        )

    def _mismatches(self):
        """Domain of what differs of the same app and waits to be looked at."""
        return [
            ("service_id", "=", self.service_id.id),
            ("state", "=", "mismatch"),
            ("id", "!=", self.id),
        ]

    def _need_no_look(self):
        """Leave what was asked here to the next one that differs."""
        self.env["fusion.billing.attention"]._pass_on(self, self._mismatches())

    def _is_explained_as(self, values):
        """Whether finance has explained the difference of these declared totals.

        :param dict values: of a request for this window
        """
        self.ensure_one()
        if self.state != "explained":
            return False
        ours = self._our_totals()
        return (
            not self._declares(values)
            and self._exactly("actual_quantity") == ours.quantity
            and self._exactly("unallocated_quantity") == ours.unallocated
            and self.actual_count == ours.count
            and self.actual_amount == float(ours.amount)
        )

    def action_explain(self):
        """Close a mismatch with the reason that stands in the note."""
        self.check_access("write")
        for record in self:
            if record.state != "mismatch":
                raise ValidationError(
                    self.env._(
                        "Only a reconciliation that differs needs an explanation."
                    )
                )
            if not (record.note or "").strip():
                raise ValidationError(
                    self.env._(
                        "Enter the explanation before you mark the difference as "
                        "explained."
                    )
                )
            record._write_by_code({"state": "explained"})
            record._need_no_look()
