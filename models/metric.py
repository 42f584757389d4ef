from odoo import api, fields, models
from odoo.exceptions import ValidationError


class FusionBillingMetric(models.Model):
    """What is measured: a name for a quantity and the way its events add up."""

    _name = "fusion.billing.metric"
    _description = "Billing Metric"
    _order = "name, id"

    name = fields.Char(required=True, translate=True)
    code = fields.Char(
        required=True,
        help="What source apps send as metric_code.",
    )
    aggregation = fields.Selection(
        [
            ("sum", "Sum"),
            ("count", "Count of events"),
            ("max", "Maximum"),
            ("last", "Last value"),
            ("unique", "Unique count"),
        ],
        required=True,
        default="sum",
        help="How the events of one billing window become one quantity.",
    )
    unit_name = fields.Char(
        string="Unit of Measure",
        translate=True,
        help="Printed behind the quantity, for example GB or requests.",
    )
    description = fields.Text(translate=True)
    active = fields.Boolean(default=True)
    charge_ids = fields.One2many("fusion.billing.charge", "metric_id", string="Charges")

    _code_unique = models.Constraint("UNIQUE (code)", "A metric code is used once.")

    @api.constrains("code")
    def _check_code(self):
        for metric in self:
            if not metric.code.strip() or metric.code != metric.code.strip():
                raise ValidationError(
                    self.env._("A metric code has no blanks around it.")
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
                        "The aggregation of a metric that has been rated cannot "
                        "change. Create a new metric instead."
                    )
                )
        return super().write(vals)
