from odoo import api, fields, models

EVENT_TYPES = [
    ("new", "New"),
    ("expansion", "Expansion"),
    ("contraction", "Contraction"),
    ("pause", "Paused"),
    ("resume", "Resumed"),
    ("churn", "Churn"),
    ("reopen", "Reopened"),
    ("transfer_out", "Renewed"),
    ("transfer_in", "Renewal"),
]


class SaleOrderLog(models.Model):
    """One change of the monthly recurring revenue (MRR) of a subscription.

    The amounts of a subscription add up to its MRR while it is in progress, and to 0
    otherwise; `active_change` adds up to 1 and 0 alike. Rows are only ever added.
    """

    _name = "sale.order.log"
    _description = "MRR Log"
    _inherit = ["sale.subscription.guarded"]
    _order = "event_date desc, id desc"
    _rec_name = "order_id"

    order_id = fields.Many2one(
        "sale.order",
        string="Subscription",
        required=True,
        # Deleting an order with a history is refused, with a reason: see sale.order.
        ondelete="restrict",
        index=True,
        readonly=True,
    )
    event_date = fields.Date(string="Date", required=True, index=True, readonly=True)
    event_type = fields.Selection(EVENT_TYPES, required=True, readonly=True)
    amount_signed = fields.Monetary(
        string="MRR Change",
        readonly=True,
        help="Change of the monthly recurring revenue, in the currency of the order.",
    )
    recurring_monthly = fields.Monetary(
        string="MRR",
        readonly=True,
        help="Monthly recurring revenue after the change.",
    )
    currency_id = fields.Many2one("res.currency", required=True, readonly=True)
    amount_company_signed = fields.Monetary(
        string="MRR Change (Company Currency)",
        currency_field="company_currency_id",
        readonly=True,
        help="At the exchange rate of the order, so that the amounts at the start and "
        "at the end of a subscription are the same.",
    )
    company_currency_id = fields.Many2one(
        related="company_id.currency_id", string="Company Currency"
    )
    active_change = fields.Integer(
        string="Subscriptions",
        readonly=True,
        help="+1: started running. -1: no longer running.",
    )
    # As they were at that time: what happens to the order later changes no history.
    plan_id = fields.Many2one("sale.subscription.plan", readonly=True, index=True)
    partner_id = fields.Many2one(
        "res.partner", string="Customer", readonly=True, index=True
    )
    user_id = fields.Many2one("res.users", string="Salesperson", readonly=True)
    team_id = fields.Many2one("crm.team", string="Sales Team", readonly=True)
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, index=True
    )

    @api.model
    def _create_mrr_change_log(self, order, initial_values):
        """Write down that the MRR of a running subscription changed; a hook.

        The amount is what the log lacks, so that it always adds up: called again for a
        change that is written down it writes nothing. A change of plan is written down
        also when the amount is the same.

        :param order: sale.order
        :param dict initial_values: what the change replaced: `recurring_monthly`, and
            `plan_id` where that was changed
        :return: the new row, if any
        :rtype: sale.order.log
        """
        amount, company_amount, _active = order._get_mrr_change()
        if order.currency_id.is_zero(amount) and "plan_id" not in initial_values:
            return self.browse()
        event_type = "contraction" if amount < 0 else "expansion"
        return order._add_mrr_row(event_type, amount, company_amount, 0)

    @api.model
    def _prepare_values(self, order, event_type, amount, company_amount, active):
        """Return the values of a row for ``order`` as it is now.

        :param order: sale.order
        :param str event_type: one of `EVENT_TYPES`
        :param float amount: change of MRR in the currency of the order
        :param float company_amount: the same in the currency of the company
        :param int active: +1, 0 or -1
        :rtype: dict
        """
        return {
            "order_id": order.id,
            "event_date": fields.Date.today(),
            "event_type": event_type,
            "amount_signed": amount,
            "recurring_monthly": order._get_active_mrr(),
            "currency_id": order.currency_id.id,
            "amount_company_signed": company_amount,
            "active_change": active,
            "plan_id": order.plan_id.id,
            "partner_id": order.partner_id.id,
            "user_id": order.user_id.id,
            "team_id": order.team_id.id,
            "company_id": order.company_id.id,
        }

    def action_open_order(self):
        """Open the subscription of a movement.

        :return: window action; False for those who read the log but not the orders
        :rtype: dict | bool
        """
        self.ensure_one()
        self.check_access("read")
        return self.order_id._open_order_for_seller()
