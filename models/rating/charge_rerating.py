from odoo import api, models
from odoo.tools import ormcache


class FusionBillingChargeRerating(models.AbstractModel):
    """What follows from a new price: who is rated again, what has a price at all."""

    _name = "fusion.billing.charge.rerating"
    _description = "Rating after a Change of Price"

    @api.model
    @ormcache("plan_id", "company_id")
    def _terms_of_plan(self, plan_id, company_id):
        """What has a price on a plan, and when: tuple of (metric id, first, last day).

        :param int plan_id: id of the plan, or False
        :param int company_id: whose charges
        """
        charges = self.sudo().search(
            [
                ("active", "=", True),
                ("plan_id", "=", plan_id),
                ("company_id", "=", company_id),
            ]
        )
        return tuple((c.metric_id.id, c.date_start, c.date_end) for c in charges)

    @api.model_create_multi
    def create(self, vals_list):
        charges = super().create(vals_list)
        charges._rate_again()
        return charges

    def write(self, vals):
        self.check_access("write")
        self._rate_again()
        result = super().write(vals)
        if "plan_id" in vals:
            self._rate_again()
        return result

    def unlink(self):
        self.check_access("unlink")
        self._rate_again()
        return super().unlink()

    def _rate_again(self):
        """Have every subscription rated that these charges price."""
        self.env.registry.clear_cache()
        Order = self.env["sale.order"].sudo()
        running = Order._fc_running_domain()
        Window = self.env["fusion.billing.window"].sudo()
        for company, charges in self.grouped("company_id").items():
            plans = charges.plan_id.ids
            orders = Order.search(
                [*running, ("company_id", "=", company.id), ("plan_id", "in", plans)]
            )
            # What was not settled yet, of whatever subscription.
            orders |= Window.search(
                [
                    ("is_settled", "!=", True),
                    ("kind", "=", "billing"),
                    ("company_id", "=", company.id),
                    ("plan_id", "in", plans),
                ]
            ).subscription_id
            orders |= (
                self.env["fusion.billing.window.charge"]
                .sudo()
                .search([("state", "=", "open"), ("charge_id", "in", charges.ids)])
                .subscription_id
            )
            self.env["fusion.billing.rating.queue"].sudo()._add(orders)
