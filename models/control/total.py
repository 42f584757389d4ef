from odoo import api, models

# The figure of the lines that each button of a total asks for.
FIGURE_OF = {
    "declared": "declared_quantity",
    "accepted": "accepted_quantity",
    "voided": "voided_quantity",
    "unallocated": "unallocated_quantity",
    "moved_in": "moved_in_quantity",
    "moved_out": "moved_out_quantity",
    "rated": "rated_amount",
    "open": "open_amount",
    "draft": "draft_amount",
    "posted": "posted_amount",
    "journal": "journal_balance",
    "by_hand": "by_hand_amount",
}


class FusionBillingControlTotal(models.Model):
    """The chain of one app and metric over a period: the sum of its lines.

    One for each currency, as amounts of several do not add up.
    """

    _name = "fusion.billing.control.total"
    _description = "Control Total"
    _inherit = ["fusion.billing.guarded", "fusion.billing.control.figures"]
    _order = "control_id desc, service_id, metric_id, currency_id, id"

    @api.depends("service_id", "metric_id")
    def _compute_display_name(self):
        for total in self:
            names = (total.sudo().service_id.name, total.sudo().metric_id.name)
            total.display_name = ", ".join(filter(None, names))

    def _view_figure(self, figure):
        """The lines that have something of a figure; from there to the records."""
        self.ensure_one()
        self.check_access("read")
        if figure == "adjustments":
            wanted = ["|", ("forgiven_amount", "!=", 0), ("edited_amount", "!=", 0)]
        else:
            wanted = [(FIGURE_OF[figure], "!=", 0)]
        return self._lines_action(wanted)

    def action_view_lines(self):
        """All lines of this app and metric, by subscription and window."""
        self.ensure_one()
        self.check_access("read")
        return self._lines_action([])

    def _lines_action(self, wanted):
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "fusion_centralized_billing.control_line_action"
        )
        same = ("control_id", "service_id", "metric_id", "currency_id")
        domain = [(name, "=", self[name].id) for name in same]
        return action | {
            "display_name": self.display_name,
            "domain": [*domain, *wanted],
            "context": {},
        }
