from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import format_date

from ..base.states import UPSELL

OVER = ("5_renewed", "6_churn")


class SaleSubscriptionOrderQuotation(models.AbstractModel):
    """What quotation, PDF and portal page say of an order with a plan."""

    _name = "sale.subscription.order.quotation"
    _description = "Quotations of Subscriptions"

    payment_schedule = fields.Html(
        string="Due",
        compute="_compute_payment_schedule",
        sanitize=False,
        help="The amounts due now, once, and in every period.",
    )

    @api.depends(
        "plan_id",
        "currency_id",
        "start_date",
        "next_invoice_date",
        "last_invoice_date",
        "end_date",
        "sale_order_template_id",
        "state",
        "order_line.price_total",
        "order_line.tax_ids",
        "order_line.recurring_invoice",
        "order_line.qty_to_invoice",
        "order_line.discount_recurrence",
        "order_line.discount_periods",
        "order_line.discount_ended",
    )
    @api.depends_context("lang")
    def _compute_payment_schedule(self):
        self.payment_schedule = False
        for order in self:
            if order._has_payment_schedule():
                order.payment_schedule = order.env["ir.qweb"]._render(
                    "sale_subscription.payment_schedule", {"order": order}
                )

    def _has_payment_schedule(self):
        """Tell whether something of this order is still to be invoiced by its plan.

        :rtype: bool
        """
        self.ensure_one()
        return bool(
            self.plan_id
            and self.state != "cancel"
            and self.subscription_state not in OVER
            and self.order_line
        )

    def _get_payment_schedule(self):
        """Return what is due now, once, and in every period.

        :return: rows, see `sale.subscription.schedule`
        :rtype: list[dict]
        """
        self.ensure_one()
        return self.env["sale.subscription.schedule"]._get_rows(self)

    def _has_ending_discount(self):
        """Tell whether a discount holds in some of the next periods only.

        :rtype: bool
        """
        self.ensure_one()
        return any(line._get_discount_periods_left() for line in self.order_line)

    def _get_measured_names(self):
        """Return the names of what is invoiced afterwards, as it was delivered.

        :rtype: str
        """
        self.ensure_one()
        lines = self.order_line.filtered(
            lambda line: (
                not line.display_type
                and line.product_id.invoice_policy == "delivery"
                and not line._is_invoiced_in_advance()
            )
        )
        return ", ".join(dict.fromkeys(lines.mapped("product_id.display_name")))

    def _get_amount_due_now(self):
        """Return what the first invoice comes to, with taxes.

        :rtype: float
        """
        return self._get_payment_schedule()[0]["total"]

    def _get_prepayment_required_amount(self):
        """Ask for what is due now: the order's total is that of a whole period."""
        self.ensure_one()
        if not self.require_payment or not self._has_payment_schedule():
            return super()._get_prepayment_required_amount()
        return self.currency_id.round(
            self._get_amount_due_now() * self.prepayment_percent
        )

    def _is_paid(self):
        """What is due at first is all that can be paid in advance."""
        self.ensure_one()
        if not self._has_payment_schedule() or self.last_invoice_date:
            return super()._is_paid()
        due = self._get_amount_due_now()
        return self.currency_id.compare_amounts(self.amount_paid, due) >= 0

    def _force_lines_to_invoice_policy_order(self):
        """Not for what is delivered later: it was not in what was paid."""
        return super(
            SaleSubscriptionOrderQuotation, self.filtered(lambda o: not o.plan_id)
        )._force_lines_to_invoice_policy_order()

    # === TERMS ===

    def _get_plan_terms(self):
        """Return what is agreed on beside amounts, for the customer to read.

        :return: (what it is about, what holds)
        :rtype: list[tuple[str, str]]
        """
        self.ensure_one()
        if self.subscription_state == UPSELL or not self._has_payment_schedule():
            return []
        terms = [
            (self.env._("Invoiced"), self._get_period_term()),
            (self.env._("First invoice"), self._get_first_invoice_term()),
            (self.env._("Duration"), self._get_duration_term()),
            (self.env._("Renewal"), self._get_renewal_term()),
            (self.env._("Closing"), self._get_closing_term()),
            (self.env._("Payment"), self._get_payment_term()),
        ]
        return [(about, text) for about, text in terms if text]

    def _get_period_term(self):
        plan = self.plan_id
        text = self.env._("%s, in advance", plan._get_every_text())
        if plan.billing_first_day:
            text += self.env._("; periods follow the calendar")
        return text

    def _get_first_invoice_term(self):
        if self.last_invoice_date:
            return False
        day = self.next_invoice_date or self.start_date
        if not day:
            return self.env._("When the order is confirmed")
        return format_date(self.env, day)

    def _get_duration_term(self):
        if self.end_date:
            return self.env._(
                "Until %s", format_date(self.env, self.end_date - timedelta(days=1))
            )
        template, plan = self.sale_order_template_id, self.plan_id
        if template._get_duration():
            return self._get_duration_text(
                template.duration_value, template.duration_unit
            )
        if plan._get_duration():
            return self._get_duration_text(plan.contract_length, plan.contract_unit)
        return self.env._("Until it is closed")

    def _get_duration_text(self, value, unit):
        plan = self.env["sale.subscription.plan"].new(
            {"billing_period_value": value, "billing_period_unit": unit}
        )
        return plan.billing_period_display

    def _get_renewal_term(self):
        ends = (
            self.end_date
            or self.sale_order_template_id._get_duration()
            or self.plan_id._get_duration()
        )
        if self.plan_id.user_extend:
            return self.env._("You can renew it online")
        return ends and self.env._("By a new order; it does not renew automatically")

    def _get_closing_term(self):
        if self.plan_id.user_closable:
            text = self.env._("You can close it online at any time")
        else:
            text = self.env._("Please contact us to close it")
        if self.plan_id.auto_close_limit:
            text += self.env._(
                "; closed when an invoice is unpaid %s days after its due date",
                self.plan_id.auto_close_limit,
            )
        return text

    def _get_payment_term(self):
        if self.payment_token_id:
            return self.env._(
                "Charged automatically to %s",
                self.sudo().payment_token_id.display_name,
            )
        if self.require_payment:
            return self.env._(
                "Online; your saved payment method is charged automatically for "
                "the next periods"
            )
        return self.env._("By invoice")
