from odoo import api, fields, models

from ..base.exact import Exact
from .figures import FIGURES


class FusionBillingControlChange(models.Model):
    """What is not any more as it was signed: a figure of a line, then and now."""

    _name = "fusion.billing.control.change"
    _description = "Change since Sign-Off"
    _inherit = ["fusion.billing.guarded"]
    _order = "control_id desc, service_id, metric_id, subscription_id, id"

    control_id = fields.Many2one(
        "fusion.billing.control",
        string="Control Totals",
        required=True,
        ondelete="cascade",
        readonly=True,
        index=True,
    )
    company_id = fields.Many2one(
        related="control_id.company_id", store=True, index=True
    )
    service_id = fields.Many2one(
        "fusion.billing.service", string="Source App", ondelete="cascade", readonly=True
    )
    metric_id = fields.Many2one(
        "fusion.billing.metric", required=True, ondelete="cascade", readonly=True
    )
    subscription_id = fields.Many2one(
        "sale.order", required=True, ondelete="cascade", readonly=True
    )
    window_id = fields.Many2one(
        "fusion.billing.window", ondelete="cascade", readonly=True
    )
    figure = fields.Selection(
        selection=lambda self: self._figures(), required=True, readonly=True
    )
    signed = Exact(string="As Signed", readonly=True, aggregator=False)
    now = Exact(readonly=True, aggregator=False)
    difference = Exact(string="Difference", readonly=True, aggregator=False)

    @api.model
    def _figures(self):
        fields_of = self.env["fusion.billing.control.figures"]._fields
        return [(name, fields_of[name].string) for name in FIGURES]

    @api.depends("subscription_id", "figure")
    def _compute_display_name(self):
        labels = dict(self._fields["figure"]._description_selection(self.env))
        for change in self:
            name = change.sudo().subscription_id.name
            change.display_name = f"{name}: {labels.get(change.figure, '')}"
