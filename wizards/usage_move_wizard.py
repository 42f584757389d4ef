from odoo import api, fields, models
from odoo.exceptions import UserError


class FusionBillingUsageMoveWizard(models.TransientModel):
    """Asks with which subscription unallocated usage is billed, and why.

    The events come in the context: a relation would put a foreign key on the usage
    table, which is kept free of them.
    """

    _name = "fusion.billing.usage.move.wizard"
    _description = "Bill Unallocated Usage"
    _inherit = ["fusion.billing.guarded"]

    reason = fields.Char(required=True)
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    subscription_id = fields.Many2one("sale.order", required=True)
    previewed_id = fields.Many2one(
        "sale.order",
        string="Previewed For",
        readonly=True,
        help="The subscription of the preview below.",
    )
    preview = fields.Html(
        readonly=True, sanitize=False, help="How the next invoice changes."
    )

    @api.model
    def default_get(self, fields_list):
        values = super().default_get(fields_list)
        usages = self.env["fusion.billing.usage"].browse(
            self.env.context.get("active_ids", ())
        )
        usages.check_access("read")
        partners = usages.subscription_id.partner_id.commercial_partner_id
        if len(partners) > 1:
            raise UserError(self.env._("Choose usage of one customer at a time."))
        values["partner_id"] = partners.id
        running = usages.subscription_id.filtered(
            lambda o: o.subscription_state == "3_progress" and o.state == "sale"
        )
        if len(usages.subscription_id) == 1:
            values["subscription_id"] = running.id
        return values

    def _usages(self):
        return self.env["fusion.billing.usage"].browse(self.env.context["active_ids"])

    def action_preview(self):
        """Show what would be billed, by doing it and taking it back."""
        self.ensure_one()
        order, usages = self.subscription_id, self._usages()
        usages.check_access("write")
        order.check_access("read")
        with self.env.cr.savepoint() as savepoint:
            before = self._amounts(order)
            usages._move_to(order, self.reason)
            after = self._amounts(order)
            savepoint.rollback()
        currency = order.currency_id
        rows = [
            {
                "window": window,
                "metric": metric,
                "before": before.get((window, metric), ("0", 0.0)),
                "after": now,
            }
            for (window, metric), now in after.items()
            if now != before.get((window, metric))
        ]
        preview = self.env["ir.qweb"]._render(
            "fusion_centralized_billing.usage_move_preview",
            {
                "rows": rows,
                "currency": currency,
                "more": sum(row["after"][1] - row["before"][1] for row in rows),
            },
        )
        self._write_by_code({"preview": preview, "previewed_id": order.id})
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Bill Unallocated Usage"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
            "context": {"active_ids": usages.ids},
        }

    def _amounts(self, order):
        """What is to be invoiced, by names: a window can be there for the preview only.

        :return: {(window, metric): (quantity as text, amount)}
        """
        order.sudo()._fc_rate_usage()
        ratings = self.env["fusion.billing.rating"].search(
            [("subscription_id", "=", order.id), ("state", "=", "open")]
        )
        return {
            (rating.window_id.display_name, rating.metric_id.name): (
                (rating.explanation or {}).get("quantity", "0"),
                rating.amount,
            )
            for rating in ratings
        }

    def action_move(self):
        usages = self._usages()
        usages._move_to(self.subscription_id, self.reason)
        return {"type": "ir.actions.act_window_close"}
