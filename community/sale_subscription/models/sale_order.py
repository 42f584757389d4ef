from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

SUBSCRIPTION_STATES = [
    ("1_draft", "Quotation"),
    ("2_renewal", "Renewal Quotation"),
    ("3_progress", "In Progress"),
    ("4_paused", "Paused"),
    ("5_renewed", "Renewed"),
    ("6_churn", "Churned"),
    ("7_upsell", "Upsell"),
]

# From which states each state can be reached by the methods below.
ALLOWED_FROM = {
    "1_draft": {"6_churn"},
    "3_progress": {False, "1_draft", "2_renewal", "4_paused", "6_churn"},
    "4_paused": {"3_progress"},
    "6_churn": {"3_progress", "4_paused"},
}


class SaleOrder(models.Model):
    """Life cycle of a subscription. Invoicing is in sale_order_invoicing.py."""

    _inherit = "sale.order"

    plan_id = fields.Many2one(
        "sale.subscription.plan",
        string="Recurring Plan",
        ondelete="restrict",
        index="btree_not_null",
        tracking=True,
        check_company=True,
        default=lambda self: self._default_plan_id(),
        help="An order with a plan is a subscription.",
    )
    is_subscription = fields.Boolean(
        compute="_compute_is_subscription", store=True, index=True
    )
    subscription_state = fields.Selection(
        SUBSCRIPTION_STATES,
        string="Subscription Status",
        compute="_compute_subscription_state",
        store=True,
        index="btree_not_null",
        copy=False,
        tracking=True,
    )
    start_date = fields.Date(
        copy=False,
        tracking=True,
        help="First day of the subscription. Empty: the day it is confirmed.",
    )
    next_invoice_date = fields.Date(
        string="Date of Next Invoice",
        copy=False,
        tracking=True,
        help="The next recurring invoice is created on this day. May be set before"
        " confirming, as the date of the first invoice.",
    )
    last_invoice_date = fields.Date(
        string="Start of Current Period", copy=False, readonly=True
    )
    end_date = fields.Date(
        copy=False,
        tracking=True,
        help="First day on which the subscription no longer runs.",
    )
    subscription_id = fields.Many2one(
        "sale.order",
        string="Parent Subscription",
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
    )
    close_reason_id = fields.Many2one(
        "sale.order.close.reason", copy=False, tracking=True, ondelete="restrict"
    )
    recurring_monthly = fields.Monetary(
        string="Monthly Recurring",
        compute="_compute_recurring_monthly",
        store=True,
        help="Untaxed amount of the recurring lines, per month.",
    )

    _end_after_start = models.Constraint(
        "CHECK (end_date IS NULL OR start_date IS NULL OR end_date >= start_date)",
        "The end date of a subscription cannot be before its start date.",
    )
    # Serves the recurring invoicing cron, which looks for what is due.
    _due_subscription_idx = models.Index(
        "(next_invoice_date, id) WHERE subscription_state = '3_progress'"
    )

    @api.model
    def _default_plan_id(self):
        """Return the first plan for what is created in the subscription menu.

        :rtype: sale.subscription.plan
        """
        plans = self.env["sale.subscription.plan"]
        if not self.env.context.get("sale_subscription_new"):
            return plans
        return plans.search(
            [("company_id", "in", (False, self.env.company.id))], limit=1
        )

    @api.depends("plan_id", "subscription_state")
    def _compute_is_subscription(self):
        for order in self:
            order.is_subscription = (
                bool(order.plan_id) and order.subscription_state != "7_upsell"
            )

    @api.depends("plan_id")
    def _compute_subscription_state(self):
        for order in self:
            state = order.subscription_state
            if order.plan_id and not state:
                order.subscription_state = "1_draft"
            elif not order.plan_id and state == "1_draft":
                order.subscription_state = False
            else:
                order.subscription_state = state

    @api.depends(
        "plan_id.billing_period_value",
        "plan_id.billing_period_unit",
        "order_line.price_subtotal",
        "order_line.recurring_invoice",
    )
    def _compute_recurring_monthly(self):
        for order in self:
            if not order.plan_id:
                order.recurring_monthly = 0
                continue
            lines = order.order_line.filtered("recurring_invoice")
            per_period = sum(lines.mapped("price_subtotal"))
            order.recurring_monthly = per_period * order.plan_id._get_monthly_factor()

    def write(self, vals):
        """Keep the plan on orders that run by it."""
        if "plan_id" in vals and not vals["plan_id"]:
            running = self.filtered(
                lambda o: o.subscription_state in ("3_progress", "4_paused")
            )
            if running:
                raise UserError(
                    self.env._(
                        "%s is a running subscription and needs its plan. Close it"
                        " first.",
                        running[0].name,
                    )
                )
        return super().write(vals)

    # === LIFE CYCLE ===

    def _set_subscription_state(self, state, **values):
        """Change the state: the one way the methods of this module do it.

        :param str state: the new state
        :param values: further fields to write
        :raises UserError: a subscription cannot get there from its present state
        """
        field = self._fields["subscription_state"]
        labels = dict(field._description_selection(self.env))
        for order in self:
            if order.subscription_state not in ALLOWED_FROM[state]:
                raise UserError(
                    self.env._(
                        '%(order)s is not a subscription that can become "%(state)s".',
                        order=order.name,
                        state=labels[state],
                    )
                )
        self.write({"subscription_state": state, **values})

    def _action_confirm(self):
        """Start the subscriptions among the confirmed orders."""
        today = fields.Date.today()
        for order in self.filtered("is_subscription"):
            start = order.start_date or today
            first_invoice = order.next_invoice_date or start
            if first_invoice < start:
                raise ValidationError(
                    self.env._(
                        "%s: the first invoice cannot be dated before the start of the"
                        " subscription.",
                        order.name,
                    )
                )
            order._set_subscription_state(
                "3_progress", start_date=start, next_invoice_date=first_invoice
            )
        return super()._action_confirm()

    def _action_cancel(self):
        """A cancelled order is not a running subscription any more."""
        result = super()._action_cancel()
        self.filtered(
            lambda o: o.subscription_state in ("3_progress", "4_paused")
        ).set_close()
        return result

    def action_draft(self):
        """A cancelled subscription becomes a quotation again, with its dates."""
        result = super().action_draft()
        self.filtered(
            lambda o: o.is_subscription and o.subscription_state == "6_churn"
        )._set_subscription_state("1_draft", end_date=False, close_reason_id=False)
        return result

    def set_close(self, close_reason_id=None):
        """End the subscriptions today.

        :param int close_reason_id: id of a sale.order.close.reason, or None
        :return: True
        :raises UserError: one of the orders is not a running or paused subscription
        """
        today = fields.Date.today()
        for order in self:
            end_date = min(order.end_date or today, today)
            values = {"end_date": max(end_date, order.start_date or end_date)}
            if close_reason_id:
                values["close_reason_id"] = close_reason_id
            order._set_subscription_state("6_churn", **values)
        return True

    def set_open(self):
        """Run closed or paused subscriptions again.

        The time in between is not invoiced: the next invoice is on the first boundary
        from today on.

        :return: True
        :raises UserError: one of the orders cannot be opened
        """
        today = fields.Date.today()
        for order in self:
            if order.state != "sale" or not order.is_subscription:
                raise UserError(
                    self.env._("%s is not a confirmed subscription.", order.name)
                )
            values = order._prepare_resume_values(today)
            if order.end_date and order.end_date <= today:
                values["end_date"] = False
            order._set_subscription_state("3_progress", close_reason_id=False, **values)
        return True

    def pause_subscription(self):
        """Stop invoicing until `resume_subscription`.

        :return: True
        :raises UserError: one of the orders is not in progress
        """
        self._set_subscription_state("4_paused")
        return True

    def resume_subscription(self):
        """Run paused subscriptions again; the pause is not invoiced.

        :return: True
        :raises UserError: one of the orders is not paused
        """
        for order in self:
            if order.subscription_state != "4_paused":
                raise UserError(self.env._("%s is not paused.", order.name))
        return self.set_open()

    def action_open_close_wizard(self):
        """Ask for the reason, then close.

        :return: window action
        :rtype: dict
        """
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Close Subscription"),
            "res_model": "sale.subscription.close",
            "view_mode": "form",
            "target": "new",
            "context": {"default_subscription_ids": self.ids},
        }

    # === EXPIRY ===

    def _get_expired_subscriptions(self):
        """Return the subscriptions to be closed because their end date has come.

        One that still has a period to be invoiced before its end is left until that
        has happened, else the revenue of a missed cron run would be lost.

        :rtype: sale.order recordset
        """
        today = fields.Date.today()
        ended = self.search(
            [
                ("is_subscription", "=", True),
                ("subscription_state", "in", ("3_progress", "4_paused")),
                ("end_date", "<=", today),
            ]
        )
        return ended.filtered(
            lambda o: (
                o.subscription_state == "4_paused"
                or not o.next_invoice_date
                or o.next_invoice_date >= o.end_date
            )
        )

    def _cron_subscription_expiration(self):
        """Close what has reached its end date, and what was not paid for too long."""
        self._get_expired_subscriptions().set_close()
        self._handle_unpaid_subscriptions()

    def _handle_unpaid_subscriptions(self):
        """Close subscriptions unpaid for longer than their plan allows.

        :return: the closed subscriptions
        :rtype: sale.order recordset
        """
        unpaid = self.env["sale.subscription.period"].search(
            [
                ("subscription_id.subscription_state", "=", "3_progress"),
                ("subscription_id.plan_id.auto_close_limit", ">", 0),
                ("move_id.state", "=", "posted"),
                ("move_id.payment_state", "in", ("not_paid", "partial")),
                ("move_id.invoice_date_due", "<", fields.Date.today()),
            ]
        )
        today = fields.Date.today()
        orders = unpaid.filtered(
            lambda p: (
                (today - p.move_id.invoice_date_due).days
                > p.subscription_id.plan_id.auto_close_limit
            )
        ).subscription_id
        reason = self.env.ref(
            "sale_subscription.close_reason_unpaid", raise_if_not_found=False
        )
        orders.set_close(reason.id if reason else None)
        return orders

    def _create_upsell_activity(self):
        """A subscription delivers more than was ordered once, by its nature."""
        return super(
            SaleOrder, self.filtered(lambda o: not o.is_subscription)
        )._create_upsell_activity()
