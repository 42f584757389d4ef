from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError

from ...engine.billing.aggregation import AGGREGATIONS


class FusionBillingMetric(models.Model):
    """What is measured: a name for a quantity and the way its events add up.

    Of one company, or of all: what all companies bill by is changed by nobody who
    answers for some of them alone.
    """

    _name = "fusion.billing.metric"
    _description = "Billing Metric"
    _inherit = ["mail.thread", "fusion.billing.guarded"]
    _order = "name, id"

    name = fields.Char(required=True, translate=True, tracking=True)
    code = fields.Char(
        required=True,
        index=True,
        tracking=True,
        help="The code that source apps send as metric_code.",
    )
    aggregation = fields.Selection(
        [(a.name, a.label) for a in AGGREGATIONS.values()],
        required=True,
        default="sum",
        tracking=True,
        help="How the events of one billing window are combined into one quantity.",
    )
    unit_name = fields.Char(
        string="Unit of Measure",
        translate=True,
        tracking=True,
        help="Printed after the quantity, for example GB or requests.",
    )
    tolerance = fields.Float(
        string="Tolerance (%)",
        digits=False,
        help="How far the totals declared by a source app may be from ours before a "
        "reconciliation counts as a difference, in percent of the declared "
        "quantity.",
    )
    description = fields.Text(translate=True)
    active = fields.Boolean(default=True, tracking=True)
    company_id = fields.Many2one(
        "res.company",
        default=lambda self: self._default_company_id(),
        ondelete="restrict",
        index=True,
        help="Empty: shared by all companies. Only users with access to all companies "
        "can change it.",
    )
    charge_ids = fields.One2many(
        "fusion.billing.charge", "metric_id", string="Usage Prices"
    )

    # A code is used once in each company; a shared metric is one of every company. As
    # ranges: that of a company is its id alone, that of a shared metric (no company)
    # has no bounds and so overlaps all. The code goes in as a number (a hash), since an
    # exclusion by equal texts would need the extension btree_gist.
    _code_unique = models.Constraint(
        "EXCLUDE USING gist (int8range(hashtextextended(code, 0) >> 1,"
        " hashtextextended(code, 0) >> 1, '[]') WITH &&,"
        " int4range(company_id, company_id, '[]') WITH &&)",
        "Metric codes must be unique within a company, and among shared metrics.",
    )

    _tolerance_valid = models.Constraint(
        "CHECK (tolerance >= 0 AND tolerance <= 100)",
        "The tolerance must be between 0 and 100 percent.",
    )

    @api.model
    def _default_company_id(self):
        return self.env["res.company"] if self._may_share() else self.env.company

    @api.model
    def _may_share(self):
        """Whether the user may change what all companies bill by."""
        return self.env.su or self.env.user._fc_has_all_companies()

    def _check_access(self, operation):
        result = super()._check_access(operation)
        if result or operation == "read" or not self.ids:
            return result
        shared = self.sudo().filtered(lambda metric: not metric.company_id)
        if shared and not self._may_share():
            return shared.with_env(self.env), self._refuse_shared
        return None

    @api.model
    def _refuse_shared(self):
        return AccessError(
            self.env._(
                "This metric is shared by all companies. Only users with access to "
                "all companies can change it."
            )
        )

    @api.model
    def _company_domain(self, company):
        """Domain of the metrics that a company bills by."""
        return [("company_id", "in", (False, company.id))]

    @api.constrains("code")
    def _check_code(self):
        for metric in self:
            if not metric.code.strip() or metric.code != metric.code.strip():
                raise ValidationError(
                    self.env._("A metric code cannot start or end with a space.")
                )

    def write(self, vals):
        self.check_access("write")
        if "aggregation" in vals:
            changed = self.filtered(lambda m: m.aggregation != vals["aggregation"])
            # The rule that made an invoiced quantity must stay the rule that
            # explains it.
            if changed and self.env["fusion.billing.rating"].sudo().search_count(
                [("metric_id", "in", changed.ids)], limit=1
            ):
                raise ValidationError(
                    self.env._(
                        "The aggregation of a metric that has been rated cannot be "
                        "changed. Create a new metric instead."
                    )
                )
        return super().write(vals)
