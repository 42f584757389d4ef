import logging

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..base.states import RUNNING_STATES, SUBSCRIPTION_STATES

_logger = logging.getLogger(__name__)

# Something follows from a write of these.
_FOLLOWED = frozenset(("next_invoice_date", "payment_token_id", "plan_id"))


class SaleOrder(models.Model):
    """What a subscription is; what comes of it is in the mixins, floor by floor.

    The first one is the outermost: of a method that several define, it is called first.
    """

    _name = "sale.order"
    _inherit = [
        "sale.subscription.order.backend",
        # portal
        "sale.subscription.order.portal",
        "sale.subscription.order.quantity",
        "sale.subscription.order.option",
        "sale.subscription.order.self.service",
        "sale.subscription.order.quotation",
        # life_cycle
        "sale.subscription.order.state",
        "sale.subscription.order.life.cycle",
        "sale.subscription.order.pause",
        "sale.subscription.order.line.change",
        "sale.subscription.order.closing",
        "sale.subscription.order.expiration",
        "sale.subscription.order.renewal",
        "sale.subscription.order.upsell",
        "sale.subscription.order.alternative",
        "sale.subscription.order.plan.change",
        # payment
        "sale.subscription.order.payment",
        "sale.subscription.order.charge",
        "sale.subscription.order.charge.obstacle",
        # invoicing
        "sale.subscription.order.invoicing",
        "sale.subscription.order.invoice.sharing",
        "sale.subscription.order.invoices",
        "sale.subscription.order.upsell.invoicing",
        "sale.subscription.order.days",
        # pricing
        "sale.subscription.order.mrr",
        "sale.subscription.order.discount",
        "sale.subscription.order.pricing",
        # dates
        "sale.subscription.order.dates",
        "sale.subscription.order.upsell.dates",
        # base
        "sale.subscription.order.isolation",
        "sale.subscription.order.forms",
        "sale.order",
        "sale.subscription.guarded",
    ]

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
        help="The next recurring invoice is created on this day. Can be set before "
        "confirmation, as the date of the first invoice.",
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
        help="The end date before it was closed. It is used again if the subscription "
        "is reopened.",
    )
    pause_date = fields.Date(
        copy=False,
        readonly=True,
        tracking=True,
        help="The day on which a running subscription will be paused automatically.",
    )
    resume_date = fields.Date(
        copy=False,
        tracking=True,
        help="The day on which a paused subscription resumes automatically.",
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

    subscription_period_ids = fields.One2many(
        "sale.subscription.period",
        "subscription_id",
        string="Invoiced Periods",
        readonly=True,
        copy=False,
    )

    alternative_child_ids = fields.One2many(
        "sale.order", "alternative_to_id", readonly=True
    )

    payment_token_id = fields.Many2one(
        "payment.token",
        string="Saved Payment Method",
        copy=False,
        tracking=True,
        index="btree_not_null",
        ondelete="restrict",
        domain="[('id', 'in', suitable_payment_token_ids)]",
        help="A payment method the customer has saved. Recurring invoices are charged"
        " to it as soon as they are posted.",
    )

    recurring_total = fields.Monetary(
        compute="_compute_recurring_total",
        help="Untaxed amount, per period of the plan, of the lines that are invoiced in"
        " advance.",
    )

    recurring_monthly = fields.Monetary(
        string="Monthly Recurring",
        compute="_compute_recurring_monthly",
        store=True,
        help="Monthly recurring revenue (MRR): untaxed amount per month of the lines "
        "that are invoiced in advance, less their current discounts. Usage and "
        "other quantities invoiced afterwards vary and do not count; neither does "
        "a discount on a single invoice.",
    )

    sale_order_log_ids = fields.One2many(
        "sale.order.log", "order_id", string="MRR Log", readonly=True, copy=False
    )

    active_mrr = fields.Monetary(
        string="MRR",
        compute="_compute_active_mrr",
        help="The current contribution of the subscription to the MRR reports: 0 while "
        "it is paused or after it ended.",
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

    def _create_upsell_activity(self):
        """A subscription delivers more than was ordered once, by its nature."""
        return super(
            SaleOrder, self.filtered(lambda o: not o.is_subscription)
        )._create_upsell_activity()

    def write(self, vals):
        """What follows from a new state, date, plan or payment method, in order."""
        self._follow_order_state(vals)
        if self._routes_subscription_state(vals):
            # What the state stands for is done, and comes back here.
            return self._write_state(vals)
        self._check_written_dates(vals)
        if not _FOLLOWED & vals.keys():
            return super().write(vals)
        running = self.filtered(lambda o: o.subscription_state in RUNNING_STATES)
        plans = {order: order.plan_id for order in self}
        tokens = {order: order.payment_token_id for order in self}
        running._release_before_moving(vals)
        if "plan_id" in vals and not vals["plan_id"]:
            running._refuse_to_lose_plan()
        result = super().write(vals)
        if "plan_id" in vals:
            running._log_mrr()
        running._follow_chosen_dates(vals)
        if "payment_token_id" in vals:
            self._forget_failures_of(tokens)
        if "plan_id" in vals:
            self._price_on_new_plan(plans)
        return result

    def _refuse_to_lose_plan(self):
        for order in self:
            raise UserError(
                self.env._(
                    "%s is a running subscription and needs its plan. Close it first.",
                    order.name,
                )
            )

    def _action_confirm(self):
        """Start the subscriptions, join the upsells, cancel what was not chosen.

        :raises UserError: one of them has been renewed since, or an alternative to it
            was accepted
        """
        for order in self:
            order._start_by_kind()
        refused = self._find_refused_alternatives()
        result = super()._action_confirm()
        refused._cancel_for(self)
        return result

    @api.model
    def _cron_recurring_create_invoice(self):
        """Create the invoices that are due, then charge what is to be charged.

        Called by the scheduled action.

        :rtype: account.move recordset
        """
        moves, _charged = self.env["sale.subscription.run"]._run(
            self.env._("Subscriptions are not being invoiced or charged"),
            # Without arguments: modules extend it with the parameters of one Odoo
            # version or another. On no subscription: on whatever is due.
            self.browse()._create_recurring_invoice,
            self._cron_charge_subscriptions,
        )
        nothing = self.env["account.move"]
        if isinstance(moves, type(nothing)):
            return moves
        _logger.warning(
            "A module that extends _create_recurring_invoice returns no invoices, but"
            " %r: it should return what it was given",
            moves,
        )
        return nothing
