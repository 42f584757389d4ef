from odoo import models


class FusionBillingReconciliationViews(models.AbstractModel):
    """From declared totals on to the events, the ratings and the invoices."""

    _name = "fusion.billing.reconciliation.views"
    _description = "Links of a Reconciliation"

    def action_view_usage(self):
        """Open the events we hold for the window."""
        self.ensure_one()
        self.check_access("read")
        return self.env["fusion.billing.usage"]._action_view_window(
            self.subscription_id, self.metric_id, self.window_start, self.window_end
        )

    def _view(self, model, domain, **action):
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.env[model]._description,
            "res_model": model,
            "view_mode": "list,form",
            "domain": domain,
        } | action

    def _rating_domain(self):
        """The ratings whose windows overlap the declared span."""
        return [
            ("subscription_id", "=", self.subscription_id.id),
            ("metric_id", "=", self.metric_id.id),
            ("window_start", "<", self.window_end),
            ("window_end", ">", self.window_start),
        ]

    def action_view_ratings(self):
        """Open what the usage of this time was rated with."""
        self.ensure_one()
        return self._view("fusion.billing.rating", self._rating_domain())

    def action_view_invoices(self):
        """Open the invoices that bill it, and what credits them."""
        self.ensure_one()
        self.check_access("read")
        ratings = self.env["fusion.billing.rating"].search(self._rating_domain())
        invoices = ratings.invoice_id
        credits = self.env["account.move"].sudo()
        credits = credits.search([("reversed_entry_id", "in", invoices.ids)])
        return self._view(
            "account.move",
            [("id", "in", [*invoices.ids, *credits.ids])],
            name=self.env._("Invoices"),
        )
