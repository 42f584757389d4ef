from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

from ...engine.billing.money import to_decimal
from ...engine.webhook.event_types import MismatchData


class FusionBillingReconciliation(models.Model):
    """A source app's control totals for a window, held against ours."""

    _name = "fusion.billing.reconciliation"
    _description = "Usage Reconciliation"
    _inherit = ["mail.thread", "mail.activity.mixin", "fusion.billing.guarded"]
    _order = "window_start desc, id desc"

    service_id = fields.Many2one(
        "fusion.billing.service",
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
    window_end = fields.Datetime(required=True, help="First instant after the window.")
    currency_id = fields.Many2one(
        "res.currency",
        required=True,
        ondelete="restrict",
        compute="_compute_currency_id",
        store=True,
        readonly=False,
        precompute=True,
    )
    # Quantities of several metrics are not added up.
    declared_quantity = fields.Float(digits=False, tracking=True, aggregator=None)
    declared_count = fields.Integer(string="Declared Events", tracking=True)
    declared_amount = fields.Monetary(tracking=True)
    has_declared_count = fields.Boolean(
        string="Compare Events", help="The source declared a number of events."
    )
    has_declared_amount = fields.Boolean(
        string="Compare Amount", help="The source declared an amount."
    )
    actual_quantity = fields.Float(
        string="Our Quantity",
        digits=False,
        readonly=True,
        copy=False,
        aggregator=None,
    )
    actual_count = fields.Integer(string="Our Events", readonly=True, copy=False)
    actual_amount = fields.Monetary(string="Our Amount", readonly=True, copy=False)
    current_quantity = fields.Float(
        string="Our Quantity Now", digits=False, compute="_compute_current"
    )
    current_count = fields.Integer(string="Our Events Now", compute="_compute_current")
    charged_by_hand = fields.Monetary(
        compute="_compute_charged_by_hand",
        help="Charged beside our amount: copies of invoices, debit notes and lines that"
        " somebody has entered, for this metric and window. No rating explains them.",
    )
    difference_quantity = fields.Float(
        digits=False, compute="_compute_difference", store=True, aggregator=None
    )
    difference_count = fields.Integer(compute="_compute_difference", store=True)
    difference_amount = fields.Monetary(compute="_compute_difference", store=True)
    compared_at = fields.Datetime(readonly=True, copy=False)
    completed_at = fields.Datetime(
        string="Declared Complete",
        readonly=True,
        copy=False,
        help="When the source said that it has sent all usage of the window.",
    )
    state = fields.Selection(
        [("matched", "Matched"), ("mismatch", "Mismatch"), ("explained", "Explained")],
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
        "CHECK (window_end > window_start)", "A window ends after it begins."
    )
    _declared_quantity_valid = models.Constraint(
        "CHECK (declared_quantity >= 0 AND declared_quantity < 1e16)",
        "A declared quantity is zero or more.",
    )
    _declared_count_valid = models.Constraint(
        "CHECK (declared_count >= 0)", "A declared number of events is zero or more."
    )
    _window_unique = models.Constraint(
        "UNIQUE (service_id, subscription_id, metric_id, window_start, window_end)",
        "This window is reconciled already.",
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
            record.difference_quantity = compared and float(
                to_decimal(record.declared_quantity)
                - to_decimal(record.actual_quantity)
            )
            record.difference_count = (compared and record.has_declared_count) and (
                record.declared_count - record.actual_count
            )
            record.difference_amount = (compared and record.has_declared_amount) and (
                record.declared_amount - record.actual_amount
            )

    def _compute_current(self):
        for record in self:
            # As it is stored: a form can be filled with somebody else's.
            stored = record._origin
            quantity, count, _amount = stored._our_totals() if stored else (0, 0, 0)
            record.current_quantity = float(quantity)
            record.current_count = count

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

    def _our_totals(self):
        """What we hold for the window: (quantity Decimal, events int, amount Decimal).

        The quantity is aggregated as rating does it; the amount is that of the
        ratings of this very window.
        """
        self.ensure_one()
        # In a form that is being filled in it can be anybody's.
        if not (
            self.subscription_id
            and self.subscription_id.has_access("read")
            and self.metric_id
            and self.window_start
        ):
            return Decimal(0), 0, Decimal(0)
        Usage = self.env["fusion.billing.usage"].sudo()
        quantity = Usage._aggregate(
            self.subscription_id, self.metric_id, self.window_start, self.window_end
        )
        count = Usage.search_count(
            [
                *Usage._window_domain(
                    self.subscription_id,
                    self.metric_id,
                    self.window_start,
                    self.window_end,
                ),
                ("voided_at", "=", False),
            ]
        )
        [[amount]] = self.env.execute_query(
            SQL(
                """
                SELECT coalesce(sum(amount_untaxed), 0)::text
                  FROM fusion_billing_rating
                 WHERE subscription_id = %s AND metric_id = %s AND state != 'released'
                   AND window_start >= %s AND window_end <= %s AND currency_id = %s
                """,
                self.subscription_id.id,
                self.metric_id.id,
                self.window_start,
                self.window_end,
                self.currency_id.id,
            )
        )
        return quantity, count, Decimal(amount)

    def action_compare(self):
        """Hold the declared totals against ours, note both, and set the state."""
        self.check_access("write")
        for record in self:
            quantity, count, amount = record._our_totals()
            record._write_by_code(
                {
                    "actual_quantity": float(quantity),
                    "actual_count": count,
                    "actual_amount": float(amount),
                    "compared_at": fields.Datetime.now(),
                }
            )
            differs = (
                record.declared_quantity != float(quantity)
                or (record.has_declared_count and record.declared_count != count)
                or (
                    record.has_declared_amount
                    and record.currency_id.compare_amounts(
                        record.declared_amount, float(amount)
                    )
                )
            )
            if differs:
                record._set_mismatch()
            else:
                record._write_by_code({"state": "matched"})
                record._need_no_look()

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
        quantity, count, amount = self._our_totals()
        now = {name: value for name, value in values.items() if "declared" in name} | {
            "actual_quantity": float(quantity),
            "actual_count": count,
            "actual_amount": float(amount),
        }
        return all(self[name] == value for name, value in now.items())

    def action_view_usage(self):
        """Open the events we hold for the window."""
        self.ensure_one()
        self.check_access("read")
        return self.env["fusion.billing.usage"]._action_view_window(
            self.subscription_id, self.metric_id, self.window_start, self.window_end
        )

    def action_explain(self):
        """Close a mismatch with the reason that stands in the note."""
        self.check_access("write")
        for record in self:
            if record.state != "mismatch":
                raise ValidationError(
                    self.env._("Only a mismatch needs an explanation.")
                )
            if not (record.note or "").strip():
                raise ValidationError(
                    self.env._("Write the explanation before you close the mismatch.")
                )
            record._write_by_code({"state": "explained"})
            record._need_no_look()
