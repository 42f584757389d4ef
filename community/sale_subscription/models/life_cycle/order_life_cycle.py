from odoo import fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import format_date

from ..base.states import RUNNING_STATES, SUBSCRIPTION_DRAFT_STATE
from .order_state import CANCELLING, STATE_BY_CODE

# From where a subscription that ran before comes back. Paused is another thing.
REOPENED = ("1_draft", "2_renewal", "5_renewed", "6_churn")

# From which states each state can be reached by the methods below.
ALLOWED_FROM = {
    "1_draft": {"6_churn"},
    "2_renewal": {"6_churn"},
    "3_progress": {False, "1_draft", "2_renewal", "4_paused", "5_renewed", "6_churn"},
    "4_paused": {"3_progress", "5_renewed"},
    "5_renewed": {"3_progress", "4_paused", "6_churn"},
    "6_churn": {"3_progress", "4_paused", "5_renewed"},
}

# What the MRR log calls a change, by the state before it and the one after it.
LOGGED_AS = {
    ("4_paused", "3_progress"): "resume",
    ("5_renewed", "3_progress"): "transfer_in",
    ("6_churn", "3_progress"): "reopen",
    ("3_progress", "4_paused"): "pause",
    ("3_progress", "6_churn"): "churn",
    ("4_paused", "6_churn"): "churn",
    ("3_progress", "5_renewed"): "transfer_out",
    ("4_paused", "5_renewed"): "transfer_out",
    ("6_churn", "5_renewed"): "transfer_out",
}


class SaleSubscriptionOrderLifeCycle(models.AbstractModel):
    """Life cycle of a subscription: confirmed, paused, closed, reopened, expired."""

    _name = "sale.subscription.order.life.cycle"
    _description = "Life Cycle of Subscriptions"

    def _set_subscription_state(self, state, event_type=None, replaced=None, **values):
        """Change the state: the one way the methods of this module do it.

        :param str state: the new state
        :param str event_type: for the MRR log, where the states do not tell
        :param replaced: see `_log_mrr`
        :param values: further fields to write
        :raises UserError: a subscription cannot get there from its present state
        """
        for order in self:
            previous = order.subscription_state
            if previous not in ALLOWED_FROM[state]:
                raise UserError(
                    self.env._(
                        '%(order)s cannot get the status "%(state)s".',
                        order=order.name,
                        state=self._get_state_label(state),
                    )
                )
            by_code = order.with_context(**{STATE_BY_CODE: True})
            by_code._write_by_code({"subscription_state": state, **values})
            event = event_type or LOGGED_AS.get((previous, state))
            if event or state == "3_progress":
                order._log_mrr(event or "new", replaced)

    # === CONFIRM AND CANCEL ===

    def _start_by_kind(self):
        """Start, renew, join or run again, as a confirmed order is meant to."""
        self.ensure_one()
        if self.subscription_state == "7_upsell":
            self._join_parent()
        elif not self.is_subscription:
            return
        elif self.subscription_state not in SUBSCRIPTION_DRAFT_STATE:
            self._raise_renewed()
        elif self.last_invoice_date and self.sudo().sale_order_log_ids:
            # It ran before it was cancelled and set to draft.
            self._check_parent_does_not_run()
            self._begin_on_another_plan()
            self._open_from(fields.Date.today())
        elif self.subscription_state == "2_renewal":
            self._start_renewal()
        else:
            self._start_subscription(self.start_date or fields.Date.today())

    def _start_subscription(self, start, **values):
        """Let a confirmed subscription run.

        :param datetime.date start: its first day
        :param values: see `_set_subscription_state`
        :raises ValidationError: the first invoice is dated before the start
        """
        self.ensure_one()
        first_invoice = self.next_invoice_date or start
        if first_invoice < start:
            raise ValidationError(
                self.env._(
                    "%s: the first invoice cannot be dated before the start of the"
                    " subscription.",
                    self.name,
                )
            )
        self.write({"start_date": start, "next_invoice_date": first_invoice})
        if not self.end_date:
            self._set_deferred_end_date_from_template()
        values["billing_anchor_date"] = self._choose_anchor()
        self._set_subscription_state("3_progress", **values)

    def _set_deferred_end_date_from_template(self):
        """Set the end date that the template or the plan gives; a hook for modules.

        Called on confirmation, with the start date set, where no end date was entered.
        """
        self.ensure_one()
        self.end_date = self._get_contract_end(self._choose_anchor())

    def _begin_on_another_plan(self):
        """Let the first period of a plan it did not run on yet begin where one can.

        Today, or when what is paid ends. Cut to a boundary of the plan before, a year
        would begin in the past, and its rest be charged by days.
        """
        self.ensure_one()
        last_row = self.sudo().sale_order_log_ids.sorted("id")[-1:]
        if not last_row.plan_id or last_row.plan_id == self.plan_id:
            return
        today = fields.Date.today()
        self.next_invoice_date = max(self.next_invoice_date or today, today)
        self._write_by_code({"billing_anchor_date": self._choose_anchor()})

    def _get_contract_end(self, anchor):
        """Return the end date that the duration of the template or the plan gives.

        Counted from the anchor: a month from 30 April, of a subscription of the 31st,
        ends on 31 May with its period, not a day before.

        :param datetime.date anchor: the billing anchor
        :rtype: datetime.date | bool
        """
        self.ensure_one()
        duration = self.sale_order_template_id._get_duration()
        duration = duration or self.plan_id._get_duration()
        if not duration:
            return False
        index = self.plan_id._get_boundary_index(anchor, self.start_date)
        if index is None:
            return self.start_date + duration
        return anchor + (self.plan_id.billing_period * index + duration)

    def _action_cancel(self):
        """A cancelled order is not a running subscription any more.

        :raises UserError: what is due of one of them could not be invoiced before
        """
        self.check_access("write")
        confirmed = self.filtered(lambda o: o.state == "sale")
        begun = confirmed.filtered(lambda o: not o._is_renewal_not_begun())
        begun._check_no_days_in_draft()
        begun._invoice_before_end(posted=True)
        cancelling = self.with_context(**{CANCELLING: True})
        result = super(SaleSubscriptionOrderLifeCycle, cancelling)._action_cancel()
        for order in confirmed:
            if order.subscription_state == "7_upsell":
                order._leave_parent()
            elif order._is_renewal_not_begun():
                order._close(event_type="transfer_out")
                order._give_back_to_parent()
            elif order.subscription_state in RUNNING_STATES:
                order._close()
        return result

    def action_draft(self):
        """A cancelled subscription becomes a quotation again, with its dates."""
        self.check_access("write")
        result = super().action_draft()
        for order in self:
            if order.is_subscription and order.subscription_state == "6_churn":
                order._set_subscription_state(
                    "2_renewal" if order.subscription_id else "1_draft",
                    end_date=order.contract_end_date,
                    contract_end_date=False,
                    close_reason_id=False,
                )
        return result

    # === REOPEN ===

    def set_open(self):
        """Run closed or paused subscriptions again.

        The time in between is not invoiced. Where nothing is paid for the days from
        today up to the next boundary, these are charged by days.

        :return: True
        :raises UserError: one of the orders cannot be opened
        """
        self.check_access("write")
        day = fields.Date.today()
        if self.env.su:  # what people send as a context does not count
            day = self.env.context.get("subscription_open_from") or day
        for order in self:
            if order.state != "sale" or not order.is_subscription:
                raise UserError(
                    self.env._("%s is not a confirmed subscription.", order.name)
                )
            first = day
            if order.subscription_state == "5_renewed":
                if order.renewal_id:
                    order._raise_renewed()
                first = order._get_first_unpaid_day(day)
            values = order._prepare_opening_values(first)
            order.with_context(subscription_opened_on=first)._set_subscription_state(
                "3_progress",
                event_type="reopen" if order.subscription_state in REOPENED else None,
                close_reason_id=False,
                pause_date=False,
                resume_date=False,
                contract_end_date=False,
                **values,
            )
            if "next_invoice_date" in values:
                order._charge_days_from(first)
        return True

    def _open_from(self, day):
        """Open them as of ``day``, by the method that modules extend.

        :param datetime.date day: today, or earlier when it was due earlier
        :return: True
        :raises UserError: one of the orders cannot be opened
        """
        orders = self.sudo().with_context(subscription_open_from=day)
        return orders.set_open()

    def _prepare_opening_values(self, day):
        """Return the dates of a subscription that runs again from ``day``.

        :param datetime.date day: the day it is opened
        :rtype: dict
        :raises UserError: it ended before, or a draft invoice is in the way
        """
        self.ensure_one()
        values = self._prepare_resume_values(day)
        if (
            values
            and self.next_invoice_date
            and self._get_period(self.next_invoice_date)
        ):
            raise UserError(
                self.env._(
                    "%(order)s has a draft invoice from %(date)s on. Post or delete it"
                    " before it runs again.",
                    order=self.name,
                    date=format_date(self.env, self.next_invoice_date),
                )
            )
        if self.subscription_state == "4_paused":
            self._check_not_ended(day)
            return values
        end = self.end_date
        if self.subscription_state == "6_churn":
            # What counts is how long it was agreed to run.
            end = self.contract_end_date
        return {**values, "end_date": end if end and end > day else False}

    def _get_first_unpaid_day(self, day):
        """Return the first day from ``day`` on that no renewal was invoiced for.

        A renewal that was cancelled after its first invoice has charged days that are
        not to be charged here again.

        :param datetime.date day: lower bound, inclusive
        :rtype: datetime.date
        """
        renewals = self.subscription_child_ids.filtered(
            lambda o: o.subscription_state == "6_churn" and o.last_invoice_date
        )
        return max([day, *renewals.mapped("next_invoice_date")])

    def _check_not_ended(self, day):
        if self.end_date and self.end_date <= day:
            raise UserError(
                self.env._(
                    "%(order)s ended on %(date)s. Set a later end date first.",
                    order=self.name,
                    date=format_date(self.env, self.end_date),
                )
            )

    def _raise_renewed(self):
        raise UserError(
            self.env._(
                "%(order)s continues as %(renewal)s. Cancel %(renewal)s first.",
                order=self.name,
                renewal=self.renewal_id.name or self.env._("another order"),
            )
        )
