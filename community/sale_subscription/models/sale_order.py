from odoo import api, fields, models
from odoo.exceptions import UserError

SUBSCRIPTION_STATES = [
    ("1_draft", "Quotation"),
    ("2_renewal", "Renewal Quotation"),
    ("3_progress", "In Progress"),
    ("4_paused", "Paused"),
    ("5_renewed", "Renewed"),
    ("6_churn", "Churned"),
    ("7_upsell", "Upsell"),
]
# The names that modules of others import; a list, because some add to it.
SUBSCRIPTION_DRAFT_STATE = ["1_draft", "2_renewal"]
SUBSCRIPTION_PROGRESS_STATE = ["3_progress", "4_paused"]
SUBSCRIPTION_CLOSED_STATE = ["5_renewed", "6_churn"]
RUNNING_STATES = SUBSCRIPTION_PROGRESS_STATE


class SaleOrder(models.Model):
    """What a subscription is. How it lives, is invoiced, renewed and counted is in

    the files sale_order_life_cycle.py, sale_order_invoicing.py, sale_order_renewal.py,
    sale_order_upsell.py, sale_order_plan_change.py and sale_order_mrr.py.
    """

    _name = "sale.order"
    _inherit = ["sale.order", "sale.subscription.guarded"]

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
        compute="_compute_start_date",
        store=True,
        readonly=False,
        copy=False,
        tracking=True,
        help="First day of the subscription. Empty: the day it is confirmed.",
    )
    next_invoice_date = fields.Date(
        string="Date of Next Invoice",
        compute="_compute_next_invoice_date",
        store=True,
        readonly=False,
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
        help="First day on which the subscription no longer runs. Empty on"
        " confirmation: set by the duration of the template or the plan, if any.",
    )
    contract_end_date = fields.Date(
        string="Agreed End Date",
        copy=False,
        readonly=True,
        help="The end date it had before it was closed, for when it is opened again.",
    )
    resume_date = fields.Date(
        copy=False,
        tracking=True,
        help="The day on which a paused subscription runs again by itself.",
    )
    subscription_id = fields.Many2one(
        "sale.order",
        string="Parent Subscription",
        copy=False,
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        help="The subscription that this one renews, or that this upsell joins.",
    )
    subscription_child_ids = fields.One2many(
        "sale.order", "subscription_id", string="Upsells and Renewals", readonly=True
    )
    renewal_id = fields.Many2one(
        "sale.order",
        string="Renewal",
        compute="_compute_renewal_id",
        # A renewal that a salesperson may not see is one all the same.
        compute_sudo=True,
        help="The order that renews this subscription.",
    )
    close_reason_id = fields.Many2one(
        "sale.order.close.reason",
        copy=False,
        readonly=True,
        tracking=True,
        ondelete="restrict",
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

    @api.depends("plan_id")
    def _compute_start_date(self):
        """Leave it as it is; a hook for modules that propose a date with the plan.

        What is empty on confirmation becomes that day.
        """
        for order in self:
            order.start_date = order.start_date

    @api.depends("plan_id")
    def _compute_next_invoice_date(self):
        """Leave it as it is; a hook for modules that propose a date with the plan.

        What is empty on confirmation becomes the start date.
        """
        for order in self:
            order.next_invoice_date = order.next_invoice_date

    @api.depends(
        "subscription_child_ids.state", "subscription_child_ids.subscription_state"
    )
    def _compute_renewal_id(self):
        for order in self:
            order.renewal_id = order.subscription_child_ids.filtered(
                lambda o: o.subscription_state != "7_upsell" and o.state != "cancel"
            ).sorted("id")[-1:]

    @api.onchange("sale_order_template_id")
    def _onchange_sale_order_template_id(self):
        """Take the plan of the template, before its lines are priced."""
        if self.sale_order_template_id.plan_id:
            self.plan_id = self.sale_order_template_id.plan_id
        return super()._onchange_sale_order_template_id()

    def write(self, vals):
        """Keep the plan on orders that run by it; count what it changes."""
        if "plan_id" not in vals:
            return super().write(vals)
        running = self.filtered(lambda o: o.subscription_state in RUNNING_STATES)
        if running and not vals["plan_id"]:
            raise UserError(
                self.env._(
                    "%s is a running subscription and needs its plan. Close it first.",
                    running[0].name,
                )
            )
        result = super().write(vals)
        running._log_mrr()
        return result

    def _create_upsell_activity(self):
        """A subscription delivers more than was ordered once, by its nature."""
        return super(
            SaleOrder, self.filtered(lambda o: not o.is_subscription)
        )._create_upsell_activity()
