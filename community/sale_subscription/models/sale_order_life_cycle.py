import logging

from psycopg2 import OperationalError

from odoo import fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import format_date

from .sale_order import RUNNING_STATES, SUBSCRIPTION_DRAFT_STATE

# From where a subscription that ran before comes back. Paused is another thing.
REOPENED = ("1_draft", "2_renewal", "5_renewed", "6_churn")

_logger = logging.getLogger(__name__)

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


class SaleOrder(models.Model):
    """Life cycle of a subscription: confirmed, paused, closed, reopened, expired."""

    _inherit = "sale.order"

    def _set_subscription_state(self, state, event_type=None, replaced=None, **values):
        """Change the state: the one way the methods of this module do it.

        :param str state: the new state
        :param str event_type: for the MRR log, where the states do not tell
        :param replaced: see `_log_mrr`
        :param values: further fields to write
        :raises UserError: a subscription cannot get there from its present state
        """
        labels = dict(
            self._fields["subscription_state"]._description_selection(self.env)
        )
        for order in self:
            previous = order.subscription_state
            if previous not in ALLOWED_FROM[state]:
                raise UserError(
                    self.env._(
                        '%(order)s is not a subscription that can become "%(state)s".',
                        order=order.name,
                        state=labels[state],
                    )
                )
            order._write_by_code({"subscription_state": state, **values})
            event = event_type or LOGGED_AS.get((previous, state))
            if event or state == "3_progress":
                order._log_mrr(event or "new", replaced)

    # === CONFIRM AND CANCEL ===

    def _action_confirm(self):
        """Start the subscriptions among the confirmed orders; join the upsells.

        :raises UserError: one of them has been renewed since
        """
        for order in self:
            if order.subscription_state == "7_upsell":
                order._join_parent()
            elif not order.is_subscription:
                continue
            elif order.subscription_state not in SUBSCRIPTION_DRAFT_STATE:
                order._raise_renewed()
            elif order.last_invoice_date:
                # It ran before it was cancelled and set to draft.
                order._check_parent_does_not_run()
                order.set_open()
            elif order.subscription_state == "2_renewal":
                order._start_renewal()
            else:
                order._start_subscription(order.start_date or fields.Date.today())
        return super()._action_confirm()

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
        """A cancelled order is not a running subscription any more."""
        self.check_access("write")
        confirmed = self.filtered(lambda o: o.state == "sale")
        result = super()._action_cancel()
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

    # === CLOSE AND REOPEN ===

    def set_close(self, close_reason_id=None, renew=False):
        """End the subscriptions today.

        :param int close_reason_id: id of a sale.order.close.reason, or None
        :param bool renew: they end because their renewal, confirmed, goes on
        :return: True
        :raises UserError: one of the orders is not a running or paused subscription,
            or has no such renewal
        """
        self.check_access("write")
        for order in self:
            if renew:
                order._close_for_renewal()
                continue
            if order.subscription_state not in RUNNING_STATES:
                raise UserError(
                    self.env._("%s is not a running subscription.", order.name)
                )
            order._close(close_reason_id)
        return True

    def _close_for_renewal(self):
        if self.renewal_id.state != "sale":
            raise UserError(
                self.env._("%s has no renewal that is confirmed.", self.name)
            )
        self._set_subscription_state("5_renewed")

    def _close(self, close_reason_id=None, event_type=None):
        self.ensure_one()
        today = fields.Date.today()
        end_date = min(self.end_date or today, today)
        end_date = max(end_date, self.start_date or end_date)
        values = {
            "end_date": end_date,
            "contract_end_date": self.end_date if self.end_date != end_date else False,
            "resume_date": False,
        }
        if close_reason_id:
            values["close_reason_id"] = close_reason_id
        self._set_subscription_state("6_churn", event_type=event_type, **values)

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
            if order.subscription_state == "5_renewed":
                if order.renewal_id:
                    order._raise_renewed()
                day = order._get_first_unpaid_day(day)
            values = order._prepare_opening_values(day)
            order.with_context(subscription_opened_on=day)._set_subscription_state(
                "3_progress",
                event_type="reopen" if order.subscription_state in REOPENED else None,
                close_reason_id=False,
                resume_date=False,
                contract_end_date=False,
                **values,
            )
            if "next_invoice_date" in values:
                order._charge_days_from(day)
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
                "%(order)s goes on as %(renewal)s. Cancel that first.",
                order=self.name,
                renewal=self.renewal_id.name or self.env._("another order"),
            )
        )

    def action_open_close_wizard(self):
        """Ask for the reason, then close.

        :return: window action
        :rtype: dict
        """
        self.check_access("write")
        return self._open_wizard(
            "sale.subscription.close", self.env._("Close Subscription")
        )

    def _open_wizard(self, model, title):
        return {
            "type": "ir.actions.act_window",
            "name": title,
            "res_model": model,
            "view_mode": "form",
            "target": "new",
            "context": {"default_subscription_ids": self.ids},
        }

    # === PAUSE AND RESUME ===

    def pause_subscription(self, resume_date=None):
        """Stop invoicing until `resume_subscription`, or until ``resume_date``.

        :param datetime.date resume_date: the day from which it runs again by itself
        :return: True
        :raises UserError: one of the orders is not in progress
        :raises ValidationError: the resume date is not in the future
        """
        self.check_access("write")
        if resume_date and resume_date <= fields.Date.today():
            raise ValidationError(
                self.env._("A paused subscription can only be resumed after today.")
            )
        self._set_subscription_state("4_paused", resume_date=resume_date)
        return True

    def resume_subscription(self):
        """Run paused subscriptions again; the pause is not invoiced.

        :return: True
        :raises UserError: one of the orders is not paused
        """
        self.check_access("write")
        for order in self:
            if order.subscription_state != "4_paused":
                raise UserError(self.env._("%s is not paused.", order.name))
        return self.set_open()

    def action_open_pause_wizard(self):
        """Ask until when, then pause.

        :return: window action
        :rtype: dict
        """
        self.check_access("write")
        return self._open_wizard(
            "sale.subscription.pause", self.env._("Pause Subscription")
        )

    # === WHAT HAPPENS BY ITSELF ===

    def _cron_subscription_expiration(self):
        """Resume, expire, and close what was not paid: each on its day."""
        self.env["sale.subscription.run"]._run(
            self.env._("Subscriptions are not resumed or closed"),
            self._resume_on_date,
            self._close_expired,
            self._close_unpaid,
        )

    def _resume_on_date(self):
        today = fields.Date.today()
        paused = self.search(
            [("subscription_state", "=", "4_paused"), ("resume_date", "<=", today)]
        )
        # One that ends before it would be resumed is not.
        paused = paused.filtered(lambda o: not o.end_date or o.resume_date < o.end_date)
        for order in paused:
            # From the day it was promised for, also when this run comes late.
            order._apply_isolated(lambda o: o._open_from(o.resume_date))

    def _close_expired(self):
        ids = [row["so_id"] for row in self._get_expired_subscriptions()]
        for order in self.browse(ids):
            order._apply_isolated(lambda o: o.set_close())

    def _close_unpaid(self):
        reason = self.env["sale.order.close.reason"]._get_unpaid_reason()
        for order in self.browse(self._handle_unpaid_subscriptions()):
            order._apply_isolated(lambda o: o.set_close(reason.id))

    def _apply_isolated(self, method):
        """Call ``method`` with one subscription; keep its failure from the others.

        :param method: function of one sale.order
        :return: whether it was done
        :rtype: bool
        """
        self.ensure_one()
        try:
            with self.env.cr.savepoint():
                method(self)
        except OperationalError:
            raise  # of the database, not of this subscription: the run is repeated
        except UserError as error:
            self._record_subscription_error(str(error))
            return False
        except Exception as error:
            _logger.exception("Subscription %s could not be processed", self.id)
            self._record_subscription_error(str(error))
            return False
        if self.subscription_error:
            self.sudo().subscription_error = False
        return True

    def _get_expired_subscriptions(self):
        """Return the subscriptions to be closed because their end date has come.

        One that still has a period to be invoiced before its end is left until that
        has happened, else the revenue of a missed cron run would be lost. A hook for
        modules, in the form that they know.

        :return: a row for each, with its id as ``so_id``
        :rtype: list[dict[str, int]]
        """
        today = fields.Date.today()
        ended = self.search(
            [
                ("is_subscription", "=", True),
                ("subscription_state", "in", RUNNING_STATES),
                ("end_date", "<=", today),
            ]
        )
        ended = ended.filtered(
            lambda o: (
                o.subscription_state == "4_paused"
                or not o.next_invoice_date
                or o.next_invoice_date >= o.end_date
            )
        )
        return [{"so_id": order.id} for order in ended]

    def _handle_unpaid_subscriptions(self):
        """Return which subscriptions are to be closed because they are unpaid.

        A hook for modules; the scheduled action closes what it returns.

        :return: {id of a subscription: id of the account.move that is unpaid}
        :rtype: dict[int, int]
        """
        return {
            row["so_id"]: row["move_id"] for row in self._get_unpaid_subscriptions()
        }

    def _get_unpaid_subscriptions(self):
        """Return the subscriptions unpaid for longer than their plan allows.

        :return: a row for each and unpaid invoice, with their ids
        :rtype: list[dict[str, int]]
        """
        today = fields.Date.today()
        periods = self._get_overdue_periods(
            [
                ("subscription_id.subscription_state", "=", "3_progress"),
                ("subscription_id.plan_id.auto_close_limit", ">", 0),
            ]
        )
        return [
            {"so_id": period.subscription_id.id, "move_id": period.move_id.id}
            for period in periods
            if (today - period.move_id.invoice_date_due).days
            > period.subscription_id.plan_id.auto_close_limit
        ]

    def _get_overdue_periods(self, domain):
        """Return the periods whose invoice is posted, past its due date and unpaid.

        :param list domain: further conditions on sale.subscription.period
        :rtype: sale.subscription.period recordset
        """
        return (
            self.env["sale.subscription.period"]
            .sudo()
            .search(
                [
                    *domain,
                    ("move_id.move_type", "=", "out_invoice"),
                    ("move_id.state", "=", "posted"),
                    ("move_id.payment_state", "in", ("not_paid", "partial")),
                    ("move_id.invoice_date_due", "<", fields.Date.today()),
                ]
            )
        )

    def _reopen_when_paid(self):
        """Run again what was closed for being unpaid and owes nothing overdue now."""
        reason = self.env["sale.order.close.reason"]._get_unpaid_reason()
        today = fields.Date.today()
        closed = self.filtered(
            lambda o: (
                o.subscription_state == "6_churn"
                and o.state == "sale"
                and o.close_reason_id == reason
                # By now it would have ended anyway.
                and (not o.contract_end_date or o.contract_end_date > today)
            )
        )
        unpaid = self._get_overdue_periods([("subscription_id", "in", closed.ids)])
        for order in closed - unpaid.subscription_id:
            order.set_open()
            order.message_post(body=self.env._("Paid: the subscription runs again."))
