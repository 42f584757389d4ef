from odoo import api, fields, models

from ..base.states import RUNNING_STATES


class ResPartner(models.Model):
    _inherit = "res.partner"

    subscription_count = fields.Integer(
        compute="_compute_subscription_count",
        groups="sales_team.group_sale_salesman",
        help="Running and paused subscriptions of the company and its contacts.",
    )

    subscriptions_on_one_invoice = fields.Boolean(
        string="One Invoice for All Subscriptions",
        help="Subscriptions of this customer that are due on the same day are invoiced "
        "together, if they have the same customer, currency, payment terms, "
        "journal and saved payment method.",
    )

    @api.model
    def _commercial_fields(self):
        return super()._commercial_fields() + ["subscriptions_on_one_invoice"]

    def _get_subscription_domain(self):
        return [
            ("is_subscription", "=", True),
            ("partner_id", "child_of", self.commercial_partner_id.ids),
        ]

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_subscription_count(self):
        counts = self.env["sale.order"]._read_group(
            [
                *self._get_subscription_domain(),
                ("subscription_state", "in", RUNNING_STATES),
            ],
            ["partner_id"],
            ["__count"],
        )
        self.subscription_count = 0
        for partner in self:
            partner.subscription_count = sum(
                count
                for customer, count in counts
                if customer.commercial_partner_id == partner.commercial_partner_id
            )

    def action_open_subscriptions(self):
        """Open the subscriptions of the company this contact belongs to.

        :return: window action
        :rtype: dict
        """
        self.ensure_one()
        self.check_access("read")
        return {
            **self.env["ir.actions.actions"]._for_xml_id(
                "sale_subscription.sale_subscription_action"
            ),
            "domain": self._get_subscription_domain(),
            "context": {
                "default_partner_id": self.id,
                "sale_subscription_new": True,
                "search_default_running": 1,
            },
        }
