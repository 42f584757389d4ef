from odoo import api, models
from odoo.exceptions import UserError


class SaleSubscriptionOrderMrr(models.AbstractModel):
    """Monthly recurring revenue (MRR) and the log of its changes."""

    _name = "sale.subscription.order.mrr"
    _description = "Recurring Revenue of Subscriptions"

    @api.depends(
        "plan_id",
        "order_line.price_subtotal",
        "order_line.recurring_invoice",
        "order_line.discount_recurrence",
        "order_line.discount_ended",
        "order_line.discount_afterwards",
    )
    def _compute_recurring_total(self):
        for order in self:
            lines = order.order_line.filtered(lambda x: x._is_invoiced_in_advance())
            if not order.plan_id:
                total = 0
            elif any(line.discount_recurrence == "once" for line in lines):
                # It is one invoice that costs less, no period does.
                total = self.env["sale.subscription.discount"]._get_untaxed(
                    order,
                    lambda line: (
                        line.discount_recurrence != "once" and not line.discount_ended
                    ),
                )
            elif order.subscription_state == "7_upsell":
                total = sum(line._get_whole_period_amount() for line in lines)
            else:
                total = sum(lines.mapped("price_subtotal"))
            order.recurring_total = total

    @api.depends(
        "plan_id.billing_period_value",
        "plan_id.billing_period_unit",
        "recurring_total",
    )
    def _compute_recurring_monthly(self):
        for order in self:
            factor = order.plan_id._get_monthly_factor() if order.plan_id else 0
            order.recurring_monthly = order.recurring_total * factor

    @api.ondelete(at_uninstall=False)
    def _unlink_except_with_history(self):
        """The MRR of past months would change with it."""
        if logged := self.sudo().filtered("sale_order_log_ids"):
            raise UserError(
                self.env._(
                    "%s was a running subscription and is part of the reports of "
                    "that time. It cannot be deleted, only cancelled.",
                    logged[0].name,
                )
            )

    def _counts_as_running(self):
        """Tell whether reports count it among the subscriptions that run.

        Not with a plan alone: something of it has to recur.

        :rtype: bool
        """
        self.ensure_one()
        return self.subscription_state == "3_progress" and any(
            line.recurring_invoice and not line.display_type for line in self.order_line
        )

    def _get_active_mrr(self):
        """Return the MRR that counts now: none unless the subscription is in progress.

        :rtype: float
        """
        self.ensure_one()
        running = self.is_subscription and self.subscription_state == "3_progress"
        return self.recurring_monthly if running else 0.0

    def _log_mrr(self, event_type=None, replaced=None, always=False):
        """Write the change of MRR since the last row of the log.

        :param str event_type: what happened, written also when the amount is the same;
            None: an edit, written only when it changes the amount
        :param replaced: row of sale.order.log by which another subscription handed its
            MRR over to this one. That part is a transfer; what is left an edit.
        :param bool always: the plan was changed: write the edit also when the amount is
            the same

        With `mrr_logged_by_caller` in the context edits are left to a later call, so
        that one action of a user is one row.
        """
        if not event_type and self.env.context.get("mrr_logged_by_caller"):
            return
        for order in self.sudo().filtered("is_subscription"):
            amount, company_amount, active = order._get_mrr_change()
            if event_type:
                moved = amount, company_amount
                if replaced:
                    moved = -replaced.amount_signed, -replaced.amount_company_signed
                order._add_mrr_row(event_type, *moved, active)
                amount -= moved[0]
                company_amount -= moved[1]
            elif active:
                # The first line that recurs came, or the last one went.
                begins = active > 0
                event = "new" if begins else "churn"
                order._add_mrr_row(event, amount, company_amount, active)
                continue
            if always or not order.currency_id.is_zero(amount):
                initial = {"recurring_monthly": order._get_active_mrr() - amount}
                if always:
                    initial["plan_id"] = order.sale_order_log_ids[:1].plan_id
                order.sale_order_log_ids._create_mrr_change_log(order, initial)

    def _add_mrr_row(self, event_type, amount, company_amount, active):
        self.ensure_one()
        Log = self.env["sale.order.log"].sudo()
        return Log.create(
            Log._prepare_values(
                self,
                event_type,
                self.currency_id.round(amount),
                self.company_id.currency_id.round(company_amount),
                active,
            )
        )

    def _get_mrr_change(self):
        """Return what the log lacks to state the MRR of now.

        :return: (amount, amount in company currency, change of active subscriptions)
        :rtype: tuple[float, float, int]
        """
        self.ensure_one()
        [(logged, company_logged, active)] = (
            self.env["sale.order.log"]
            .sudo()
            ._read_group(
                [("order_id", "=", self.id)],
                [],
                ["amount_signed:sum", "amount_company_signed:sum", "active_change:sum"],
            )
        )
        mrr = self._get_active_mrr()
        # At the rate of the order, for good: see the help of the field.
        company_mrr = self.company_id.currency_id.round(mrr / (self.currency_rate or 1))
        is_active = int(self._counts_as_running())
        return (
            mrr - (logged or 0),
            company_mrr - (company_logged or 0),
            is_active - (active or 0),
        )
