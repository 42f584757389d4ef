from datetime import timedelta

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import format_date

from .sale_order import RUNNING_STATES

NEXT_PERIOD = "next_period"
NOW = "now"


class SaleOrder(models.Model):
    """Plan change on a running subscription."""

    _inherit = "sale.order"

    def action_open_change_plan_wizard(self):
        """Ask for the new plan and from when on, then change it.

        :return: window action
        :rtype: dict
        """
        return self._open_wizard(
            "sale.subscription.change.plan", self.env._("Change Plan")
        )

    def change_plan(self, plan, timing=NEXT_PERIOD):
        """Move running subscriptions to another plan, with its recurring prices.

        "next_period": what is invoiced stays as it is; the first period on the new
        plan begins on the next invoice date. "now": it begins today, and what was
        invoiced for the days from today on is credited on its first invoice.

        :param plan: sale.subscription.plan
        :param str timing: "next_period" or "now"
        :return: True
        :raises UserError: one of the subscriptions cannot change, or not today
        """
        self.check_access("write")
        for order in self:
            order._check_can_change_plan(plan, timing)
            previous = order.plan_id
            # One row of the MRR log for all of it; a locked order changes, too.
            quiet = order.sudo().with_context(
                mrr_logged_by_caller=True, subscription_update=True
            )
            starts_today = timing == NOW and order.last_invoice_date
            credit_lines = quiet._prepare_credit_lines() if starts_today else []
            quiet.write({"plan_id": plan.id})
            if starts_today:
                quiet._start_new_period_today(credit_lines)
            quiet._recompute_recurring_prices()
            order._log_mrr()
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
                    "%(order)s is on the plan %(plan)s already.",
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
        pending = self._get_upsells_of_period().filtered(
            lambda o: o.invoice_status == "to invoice" or "draft" in o._invoice_states()
        )
        if pending:
            raise UserError(
                self.env._(
                    "The upsell %s has no posted invoice yet, so what it leaves unused"
                    " is not known. Invoice it first.",
                    pending[0].name,
                )
            )

    def _invoice_states(self):
        return self.sudo().invoice_ids.mapped("state")

    def _get_upsells_of_period(self):
        """Return the confirmed upsells charged for days of the current period.

        :rtype: sale.order recordset
        """
        self.ensure_one()
        return self.subscription_child_ids.filtered(
            lambda o: (
                o.subscription_state == "7_upsell"
                and o.state == "sale"
                and o.next_invoice_date == self.next_invoice_date
            )
        )

    def _prepare_credit_lines(self):
        """Return one-off lines that give back what is invoiced from today on.

        Taken from the posted invoices, not from the order: that may have been changed
        since. What a credit note took back as a whole is not given back twice.

        :return: values of sale.order.line
        :rtype: list[dict]
        """
        self.ensure_one()
        today = fields.Date.today()
        end = self.next_invoice_date
        invoiced = [
            (self._get_period(self.last_invoice_date).move_id, self.last_invoice_date)
        ]
        for upsell in self._get_upsells_of_period():
            invoiced += [(move, upsell.start_date) for move in upsell.invoice_ids]
        return [
            self._prepare_credit_line(line, (end - today).days, (end - start).days)
            for move, start in invoiced
            if move.state == "posted" and move.payment_state != "reversed"
            for line in move.invoice_line_ids
            if line.subscription_id == self
            and line.sale_line_ids[:1]._is_invoiced_in_advance()
        ]

    def _prepare_credit_line(self, invoice_line, unused_days, days):
        last_day = self.next_invoice_date - timedelta(days=1)
        order = self.with_context(lang=self.partner_id.lang)
        product = invoice_line.product_id.with_context(lang=self.partner_id.lang)
        text = order.env._(
            "Unused on the plan %(plan)s: %(start)s to %(end)s (%(unused)s of %(days)s"
            " days)",
            plan=order.plan_id.name,
            start=format_date(order.env, fields.Date.today()),
            end=format_date(order.env, last_day),
            unused=unused_days,
            days=days,
        )
        price = -invoice_line.price_unit * unused_days / days
        return {
            "product_id": invoice_line.product_id.id,
            "name": f"{product.display_name}\n{text}",
            "product_uom_qty": invoice_line.quantity,
            "product_uom_id": invoice_line.product_uom_id.id,
            "price_unit": price,
            "technical_price_unit": price,
            "discount": invoice_line.discount,
            "tax_ids": [Command.set(invoice_line.tax_ids.ids)],
            "recurring_invoice": False,
        }

    def _start_new_period_today(self, credit_lines):
        """End the current period yesterday, and let the next one be due today.

        :param list credit_lines: values of sale.order.line, invoiced with it
        """
        today = fields.Date.today()
        self._get_period(self.last_invoice_date).period_end = today
        self.write(
            {
                "next_invoice_date": today,
                "order_line": [Command.create(values) for values in credit_lines],
            }
        )

    def _get_copiable_order_lines(self):
        """Leave credits behind: a copy has nothing to give back."""
        lines = super()._get_copiable_order_lines()
        return lines.filtered(
            lambda line: (
                line.price_unit >= 0
                or line.recurring_invoice
                or not line.product_id.recurring_invoice
            )
        )
