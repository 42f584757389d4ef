from odoo import models

NOT_SHOWN = ("1_draft", "2_renewal", "7_upsell")


class FusionBillingOrderPortal(models.AbstractModel):
    """What the customer's pages of an order ask of its usage."""

    _name = "fusion.billing.order.portal"
    _description = "Usage of an Order on the Portal"

    def _fc_has_usage_page(self):
        """Whether it is a subscription that has run, and has prices for usage."""
        self.ensure_one()
        order = self.sudo()
        shown = (
            order.is_subscription
            and order.state == "sale"
            and order.subscription_state not in NOT_SHOWN
        )
        if not shown or not order.fc_window_ids:
            return False
        charges = self.env["fusion.billing.charge"].sudo()
        plans = (order.fc_window_ids.plan_id | order.plan_id).ids
        domain = [("plan_id", "in", plans), ("company_id", "=", order.company_id.id)]
        return bool(order.fc_rating_ids or charges.search_count(domain, limit=1))

    def _fc_usage_page(self):
        """All that the page of this subscription has of its usage (dict)."""
        self.ensure_one()
        return self.env["fusion.billing.usage.page"]._describe_usage(self)

    def _fc_next_invoice(self):
        """What the next invoice would come to now, in the reader's language (dict)."""
        self.ensure_one()
        Next = self.env["fusion.billing.next.invoice"]
        return Next._expect(self, self.env.lang)

    def _fc_expected_total(self):
        """The one total that customers are told of a subscription with usage (float).

        None: it has no usage, or nothing is to come.
        """
        self.ensure_one()
        if not self._fc_has_usage_page():
            return None
        expected = self._fc_next_invoice()
        return expected["total"] if expected["date"] or expected["rows"] else None

    def _fc_fixed_tax_totals(self):
        """Odoo's totals of the lines that cost the same however much is used."""
        self.ensure_one()
        order, Tax = self.sudo(), self.env["account.tax"].sudo()
        lines = order.order_line.filtered(
            lambda x: not x.display_type and not x.fc_charge_id
        )
        lines = [line._prepare_base_line_for_taxes_computation() for line in lines]
        Tax._add_tax_details_in_base_lines(lines, order.company_id)
        Tax._round_base_lines_tax_details(lines, order.company_id)
        return Tax._get_tax_totals_summary(
            base_lines=lines, currency=order.currency_id, company=order.company_id
        )

    # -- backend ---------------------------------------------------------------

    def action_fc_preview_invoice(self):
        """Show what the next invoice would be; nothing is made."""
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Next Invoice"),
            "res_model": "fusion.billing.next.invoice.wizard",
            "view_mode": "form",
            "target": "new",
            "context": {"default_subscription_id": self.id},
        }
