from odoo import api, models
from odoo.exceptions import RedirectWarning


class AccountAccruedOrdersWizard(models.TransientModel):
    _inherit = "account.accrued.orders.wizard"

    @api.model
    def default_get(self, fields_list):
        self._fc_check_no_usage()
        return super().default_get(fields_list)

    def _compute_move_vals(self):
        self._fc_check_no_usage()
        return super()._compute_move_vals()

    def _fc_check_no_usage(self):
        """Usage is not to be accrued from an order line.

        That holds what the next invoice bills, and is used again for each: what was
        delivered less what was ever invoiced, times its present price, is wrong in
        sign and amount. Purchases are none of this.

        :raises RedirectWarning: leads to the accrual of usage
        """
        context = self.env.context
        model, ids = context.get("active_model"), context.get("active_ids") or []
        if model not in ("sale.order", "sale.order.line"):
            return
        records = self.env[model].browse(ids)
        lines = records.order_line if model == "sale.order" else records
        usage = lines.filtered("fc_charge_id")
        if not usage:
            return
        names = sorted(set(usage.order_id.mapped("name")))
        shown = ", ".join(names[:10]) + (" ..." if len(names) > 10 else "")
        action = self.env.ref("fusion_centralized_billing.accrual_wizard_action")
        raise RedirectWarning(
            self.env._(
                "%(orders)s: these orders bill usage. Usage is accrued for all "
                "customers together, up to the cut-off, less what was invoiced by "
                "then. Leave these orders out here.",
                orders=shown,
            ),
            action.id,
            self.env._("Accrue Usage"),
        )
