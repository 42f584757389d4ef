from datetime import timedelta

from odoo import fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tools import format_date

from ..life_cycle.order_plan_change import NEXT_PERIOD


class SaleSubscriptionOrderSelfService(models.AbstractModel):
    """How customers change the plan of their subscription, and pause it, on the portal.

    The methods that change something are called as those of order_portal.py are.
    """

    _name = "sale.subscription.order.self.service"
    _description = "Plan and Pause on the Portal"

    paused_by_customer = fields.Boolean(
        "Paused by Customer",
        copy=False,
        readonly=True,
        help="The customer paused this subscription on the portal, and can resume it "
        "there. A subscription paused by a user can only be resumed by a user.",
    )

    def _check_open_to_customer(self):
        """Refuse what customers would change while something is owed or half done.

        Before the first invoice, and while a period is due, it would change what is
        owed already. Nor while the next period stands on a draft invoice.

        :raises UserError: and why, for the staff
        """
        self._check_can_upsell()
        if self._get_period(self.next_invoice_date):
            raise UserError(
                self.env._("The next period of %s is on a draft invoice.", self.name)
            )

    def _is_open_to_customer(self):
        """Tell whether the check above passes.

        :rtype: bool
        """
        try:
            self._check_open_to_customer()
        except UserError:
            return False
        return True

    # === PLAN ===

    def _get_plan_offers(self):
        """Return the plans that the customer may change to now, and what they cost.

        :return: for each `plan`, `amounts` and `period_text` of a whole period, `date`
            from which on, `first` (days charged and days of a whole period where the
            first one is cut short, and what it costs) or None, and `seen`, which is
            another text when one of these has changed
        :rtype: list[dict]
        """
        self.ensure_one()
        if not self.plan_id.user_change_plan or not self._is_open_to_customer():
            return []
        start, end = self.next_invoice_date, self.end_date
        if end and end <= start:
            return []  # no period begins any more
        plans = self.plan_id.offered_plan_ids.filtered(
            lambda plan: (
                plan.active
                and plan != self.plan_id
                and plan.company_id in (plan.company_id.browse(), self.company_id)
                and self._is_priced_on(plan)
            )
        )
        offers = [self._get_plan_offer(plan) for plan in plans]
        return [offer for offer in offers if offer]

    def _is_priced_on(self, plan):
        """Tell whether all that recurs has a recurring price on a plan.

        A price that was agreed by hand is one for a period of the present plan, and so
        is a discount of a fixed amount: what they are on another, people decide. Of
        what a cancelled upsell left at zero nothing is charged.

        :param plan: sale.subscription.plan
        :rtype: bool
        """
        self.ensure_one()
        lines = self._get_recurring_price_lines().filtered(
            lambda line: (
                not line.is_downpayment
                and line.recurring_discount_type != "percent"
                and (line.product_uom_qty or line._is_line_optional())
            )
        )
        dated = lines.with_context(recurring_price_date=fields.Datetime.now())
        return all(
            not line.recurring_discount_type
            and not line._has_manual_price()
            and line._get_rule(plan).plan_id == plan
            for line in dated
        )

    def _get_plan_offer(self, plan):
        """Return what `_get_plan_offers` does, of one plan.

        :return: None where the change would be refused
        :rtype: dict | None
        """
        try:
            self._check_can_change_plan(plan, NEXT_PERIOD)
        except UserError:
            return None
        order = self._imagine_on_plan(plan)
        date, amounts = order.next_invoice_date, order._get_portal_amounts()
        first = order._get_short_period()
        return {
            "plan": plan,
            "amounts": amounts,
            "period_text": order._get_portal_period_text(),
            "date": date,
            "first": first,
            "seen": f"{date} {amounts['total']} {first and first['total']}",
        }

    def _imagine_on_plan(self, plan):
        """Return this subscription as it would be after `change_plan`.

        :param plan: sale.subscription.plan
        :return: sale.order, a new record: nothing of it is stored
        """
        self.ensure_one()
        lines = [Command.link(line.id) for line in self.order_line]
        order = self.new({"plan_id": plan.id, "order_line": lines}, origin=self)
        order.billing_anchor_date = order._choose_anchor()
        if plan.billing_period != self.plan_id.billing_period:
            # As of `_drop_limited_discounts`: three months are not three years.
            for line in order.order_line:
                if line._get_agreed_periods() is None:
                    continue
                if not line.discount_ended and not line.recurring_discount_type:
                    line.discount = line.discount_afterwards
                line.update({"discount_recurrence": "periods", "discount_periods": 0})
        order._recompute_recurring_prices()
        return order

    def _get_short_period(self):
        """Return the days and the total of the next period if it is no whole one.

        :return: `days`, `whole` and `total`
        :rtype: dict | None
        """
        days, whole = self._get_period_share()
        if days == whole:
            return None
        total = self._get_share_total((days, whole))
        return {"days": days, "whole": whole, "total": total}

    def _get_share_total(self, share):
        """Return what some days of the next period cost, with taxes.

        :param tuple[int, int] share: (days charged, days of a whole period)
        :rtype: float
        """
        lines = self.env["sale.subscription.schedule"]._get_period_lines(self, 0, share)
        return self.env["sale.subscription.discount"]._get_totals(self, lines)["total"]

    def _change_plan_by_customer(self, plan_id, seen, author):
        """Change the plan from the next period on, as the customer wishes.

        :param int plan_id: id of the plan, as it was sent
        :param str seen: of the offer, as the customer saw it
        :param author: res.partner, the customer; empty: whoever has the link
        :return: whether it is on that plan now; not when the offer is another by now
        :rtype: bool
        :raises UserError: that plan is not offered to the customer
        """
        self.ensure_one()
        self._exclude_other_requests()
        if self.plan_id.id == plan_id:
            return True  # pressed twice
        offers = {offer["plan"].id: offer for offer in self._get_plan_offers()}
        if plan_id not in offers:
            raise UserError(self.env._("This plan cannot be chosen online."))
        offer = offers[plan_id]
        if offer["seen"] != seen:
            return False
        self.change_plan(offer["plan"])
        order = self._in_staff_language()
        plan = offer["plan"].with_env(order.env)
        note = order.env._("The customer changed the plan to %s.", plan.name)
        self._post_for_customer(author, [note])
        return True

    # === PAUSE ===

    def _can_be_paused_by_customer(self):
        """Tell whether the customer may pause the subscription now.

        Not while days are charged that are not invoiced yet, nor while it may be closed
        for being unpaid.

        :rtype: bool
        """
        self.ensure_one()
        return bool(
            self.plan_id.user_pause
            and self._is_open_to_customer()
            and self._get_latest_resume_date() > fields.Date.today()
            and not self._has_days_to_invoice()
            and not self._may_be_closed_unpaid()
        )

    def _may_be_closed_unpaid(self):
        """Tell whether it owes what the plan closes it for sooner or later.

        A paused one is not closed for that: a pause would be a way out.

        :rtype: bool
        """
        self.ensure_one()
        return bool(
            self.plan_id.auto_close_limit
            and self._search_overdue_lines([("subscription_id", "=", self.id)])
        )

    def _get_latest_resume_date(self):
        """Return the last day until which the customer may pause it today.

        :rtype: datetime.date
        """
        self.ensure_one()
        latest = fields.Date.today() + timedelta(days=self.plan_id.pause_max_days)
        if self.end_date:  # on which it would not run again, but end
            latest = min(latest, self.end_date - timedelta(days=1))
        return latest

    def _is_resume_date_of_customer(self, day):
        """Tell whether the customer may pause it until a day, if it may be paused.

        :param datetime.date day: the day on which it runs again
        :rtype: bool
        """
        self.ensure_one()
        return fields.Date.today() < day <= self._get_latest_resume_date()

    def _pause_by_customer(self, resume_date, author):
        """Pause the subscription until a day, as its customer wishes.

        :param datetime.date resume_date: the day on which it runs again
        :param author: res.partner, the customer; empty: whoever has the link
        :raises ValidationError: that day is not one of those that may be chosen
        :raises UserError: it cannot be paused by the customer now
        """
        self.ensure_one()
        self._exclude_other_requests()
        if not self._can_be_paused_by_customer():
            raise UserError(self.env._("This subscription cannot be paused online."))
        if not self._is_resume_date_of_customer(resume_date):
            raise ValidationError(self.env._("Not paused until %s.", resume_date))
        self.pause_subscription(resume_date)
        self.paused_by_customer = True
        order = self._in_staff_language()
        note = order.env._(
            "The customer paused the subscription until %s.",
            format_date(order.env, resume_date),
        )
        self._post_for_customer(author, [note])

    def _can_be_resumed_by_customer(self):
        """Tell whether the customer may let the paused subscription run again now.

        :rtype: bool
        """
        self.ensure_one()
        return bool(
            self.plan_id.user_pause
            and self.paused_by_customer
            and self.state == "sale"
            and self.subscription_state == "4_paused"
            and (not self.end_date or self.end_date > fields.Date.today())
        )

    def _get_resume_terms(self):
        """Return what it costs to let a paused subscription run again today.

        :return: `total` charged for the days up to `next_invoice`, of which there are
            `days` of the `whole` period; 0 days where the period is paid, or a new one
            begins today; `seen` is another text when one of these has changed
        :rtype: dict
        """
        self.ensure_one()
        today = fields.Date.today()
        values = self._prepare_resume_values(today)
        following = values.get("next_invoice_date") or self.next_invoice_date
        start, whole_end = self._get_whole_period(today)
        end = min(following, self.end_date or following)
        days = (end - today).days if values and end > today else 0
        whole = (whole_end - start).days
        total = self._get_share_total((days, whole)) if days else 0.0
        return {
            "total": total,
            "days": days,
            "whole": whole,
            "next_invoice": following,
            "seen": f"{following} {days} {total}",
        }

    def _resume_by_customer(self, seen, author):
        """Let the paused subscription run again today, as its customer wishes.

        :param str seen: of the terms, as the customer saw them
        :param author: res.partner, the customer; empty: whoever has the link
        :return: whether it runs; not when the terms are others by now
        :rtype: bool
        :raises UserError: it cannot be resumed by the customer, or not now
        """
        self.ensure_one()
        self._exclude_other_requests()
        if not self._can_be_resumed_by_customer():
            raise UserError(self.env._("This subscription cannot be resumed online."))
        if self._get_resume_terms()["seen"] != seen:
            return False
        self.resume_subscription()
        note = self._in_staff_language().env._("The customer resumed the subscription.")
        self._post_for_customer(author, [note])
        return True
