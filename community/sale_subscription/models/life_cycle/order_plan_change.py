from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import format_date

from ..base.states import RUNNING_STATES

NEXT_PERIOD = "next_period"
NOW = "now"


class SaleSubscriptionOrderPlanChange(models.AbstractModel):
    """Plan change on a running subscription."""

    _name = "sale.subscription.order.plan.change"
    _description = "Plan Change of Subscriptions"

    def action_open_change_plan_wizard(self):
        """Ask for the new plan and from when on, then change it.

        :return: window action
        :rtype: dict
        """
        self.check_access("write")
        return self._open_wizard(
            "sale.subscription.change.plan", self.env._("Change Plan")
        )

    def change_plan(self, plan, timing=NEXT_PERIOD):
        """Move running subscriptions to another plan, with its recurring prices.

        "next_period": what is invoiced stays as it is; the first period on the new
        plan begins on the next invoice date. "now": it begins today, and what was
        invoiced for the days from today on is credited on its first invoice.

        :param plan: sale.subscription.plan, or its id
        :param str timing: "next_period" or "now"
        :return: True
        :raises UserError: one of the subscriptions cannot change, or not today
        """
        self.check_access("write")
        plan = self.env["sale.subscription.plan"].browse(getattr(plan, "id", plan))
        plan.check_access("read")
        for order in self:
            order._check_can_change_plan(plan, timing)
            previous = order.plan_id
            # One row of the MRR log for all of it; a locked order changes, too.
            quiet = order.sudo().with_context(
                mrr_logged_by_caller=True,
                subscription_update=True,
                # For those who bill by what a period's plan is.
                plan_from_today=timing == NOW,
            )
            starts_today = timing == NOW and order.last_invoice_date
            translated = quiet.with_context(lang=order.partner_id.lang)
            credit_lines = translated._prepare_credit_lines() if starts_today else []
            if plan.billing_period != previous.billing_period:
                quiet._drop_limited_discounts()
            quiet.write({"plan_id": plan.id})
            if starts_today:
                quiet._start_new_period_today(credit_lines)
            quiet._recompute_recurring_prices()
            order._log_mrr(always=True)
            order.message_post(
                body=self.env._(
                    "Plan changed from %(old)s to %(new)s, from %(date)s on.",
                    old=previous.name,
                    new=plan.name,
                    date=format_date(self.env, order.next_invoice_date),
                )
            )
        return True

    def _check_can_change_plan(self, plan, timing):
        self.ensure_one()
        if self.state != "sale" or self.subscription_state not in RUNNING_STATES:
            raise UserError(self.env._("%s is not a running subscription.", self.name))
        if plan == self.plan_id:
            raise UserError(
                self.env._(
                    "%(order)s is already on the plan %(plan)s.",
                    order=self.name,
                    plan=plan.name,
                )
            )
        if self._get_period(self.next_invoice_date):
            raise UserError(
                self.env._(
                    "%(order)s has a draft invoice from %(date)s on, on its present"
                    " plan. Post or delete it first.",
                    order=self.name,
                    date=format_date(self.env, self.next_invoice_date),
                )
            )
        if timing != NOW or not self.last_invoice_date:
            return
        today = fields.Date.today()
        if self.subscription_state == "4_paused":
            raise UserError(
                self.env._(
                    "%s is paused. Resume it first, or change the plan from the next"
                    " period on.",
                    self.name,
                )
            )
        if today >= self.next_invoice_date:
            raise UserError(
                self.env._("A period of %s is due. Invoice it first.", self.name)
            )
        if today <= self.last_invoice_date:
            raise UserError(
                self.env._(
                    "%s was invoiced today. Change the plan from the next period on, or"
                    " reset that invoice first.",
                    self.name,
                )
            )
        self._check_everything_is_posted()

    def _check_everything_is_posted(self):
        """Refuse when it is not known yet what is invoiced for the days to come."""
        draft = self._search_charged_days("draft").move_id
        upsells = self.sudo().subscription_child_ids.filtered(
            lambda o: o._is_upsell_to_invoice()
        )
        if draft or upsells or self._has_days_to_invoice():
            raise UserError(
                self.env._(
                    "Some current charges of %(order)s are not invoiced yet: "
                    "%(what)s. Invoice and post them first.",
                    order=self.name,
                    what=", ".join(
                        [
                            *upsells.mapped("name"),
                            *draft.mapped(lambda m: m.name or self.env._("a draft")),
                        ]
                    )
                    or self.name,
                )
            )

    def _search_charged_days(self, state):
        """Return the invoice lines that charge days of this subscription from today on.

        :param str state: of their invoices
        :rtype: account.move.line recordset
        """
        self.ensure_one()
        return (
            self.env["account.move.line"]
            .sudo()
            .search(
                [
                    ("subscription_id", "=", self.id),
                    ("parent_state", "=", state),
                    ("charged_until", ">", fields.Date.today()),
                    # What an earlier plan change gave back is not given back twice.
                    ("credited_from", "=", False),
                ],
                order="id",
            )
        )

    def _prepare_credit_lines(self):
        """Return one-off lines that give back what is invoiced from today on.

        Taken from the posted invoices less their credit notes, not from the order: that
        may have been changed since.

        :return: values of sale.order.line
        :rtype: list[dict]
        """
        self.ensure_one()
        today = fields.Date.today()
        charged_lines = self._search_charged_days("posted")
        groups = charged_lines.grouped(
            lambda x: (x.product_id, x.tax_ids, x.charged_from, x.charged_until)
        )
        values = []
        for (product, taxes, start, end), lines in groups.items():
            charged = sum(line._get_amount_charged() for line in lines)
            # A discount that is a line was charged less than nothing.
            is_discount = any(lines.sale_line_ids.mapped("recurring_discount_type"))
            sign = self.currency_id.compare_amounts(charged, 0)
            if sign == (-1 if is_discount else 1):
                start_unused = max(start, today)
                values.append(
                    self._prepare_days_line(
                        self.env._("Unused on the plan %s:", self.plan_id.name),
                        (start_unused, end),
                        (end - start).days,
                        {
                            "product_id": product.id,
                            "product_uom_id": product.uom_id.id,
                            "product_uom_qty": 1,
                            "price_unit": -charged,
                            "tax_ids": [Command.set(taxes.ids)],
                        },
                    )
                )
        charged_lines.credited_from = today
        return values

    def _start_new_period_today(self, credit_lines):
        """End the current period yesterday, and let the next one be due today.

        :param list credit_lines: values of sale.order.line, invoiced with it
        """
        today = fields.Date.today()
        self._get_period(self.last_invoice_date).period_end = today
        self.write({"next_invoice_date": today})
        self._create_days_lines(credit_lines)
