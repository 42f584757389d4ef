from odoo import api, fields, models


class FusionBillingControlLine(models.Model):
    """The chain of one app, subscription, metric and window, as it was computed."""

    _name = "fusion.billing.control.line"
    _description = "Control Totals Line"
    _inherit = ["fusion.billing.guarded", "fusion.billing.control.figures"]
    _order = "control_id desc, service_id, metric_id, subscription_id, window_id, id"

    subscription_id = fields.Many2one(
        "sale.order", required=True, ondelete="cascade", readonly=True, index=True
    )
    partner_id = fields.Many2one(
        related="subscription_id.partner_id", string="Customer", related_sudo=True
    )
    window_id = fields.Many2one(
        "fusion.billing.window",
        ondelete="cascade",
        readonly=True,
        index="btree_not_null",
        help="Empty: usage that lies in no billing window, or charges by hand.",
    )

    _of_control = models.Index("(control_id, service_id, metric_id)")

    @api.depends("subscription_id", "metric_id", "window_id")
    def _compute_display_name(self):
        for line in self:
            line = line.sudo()
            window = line.window_id.display_name or self.env._(
                "%s, no window", line.subscription_id.name
            )
            line.sudo(False).display_name = f"{line.metric_id.name}, {window}"
