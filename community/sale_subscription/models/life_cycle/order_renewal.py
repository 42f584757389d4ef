from datetime import date

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import format_date

from ..base.states import RENEWAL, RUNNING_STATES, UPSELL

# What the MRR log of a renewal begins with, by the state of what it renews.
TAKEN_OVER_AS = {
    "3_progress": "transfer_in",
    "4_paused": "resume",
    "6_churn": "reopen",
}

# Fields of a subscription that an order which follows from it takes over. What people
# promise anew (dates, signature, validity) is not among them.
CARRIED_FIELDS = (
    "company_id",
    "partner_id",
    "partner_invoice_id",
    "partner_shipping_id",
    "pricelist_id",
    "plan_id",
    "payment_term_id",
    "fiscal_position_id",
    "journal_id",
    "user_id",
    "team_id",
    "client_order_ref",
    "tag_ids",
)


class SaleSubscriptionOrderRenewal(models.AbstractModel):
    """Renewal: a new order goes on where this one ends, and takes its place."""

    _name = "sale.subscription.order.renewal"
    _description = "Renewal of Subscriptions"

    # === ORDERS THAT FOLLOW FROM A SUBSCRIPTION ===

    def _create_upsell_renew_order(self, kind):
        """Make the quotation of an upsell or a renewal of this subscription.

        :param str kind: "7_upsell" or "2_renewal"
        :rtype: sale.order
        :raises UserError: this subscription cannot have one now
        """
        self.ensure_one()
        if kind == UPSELL:
            self._check_can_upsell()
        else:
            self._check_can_renew()
        values = self._prepare_upsell_renew_order_values(kind)
        orders = self.with_company(self.company_id)
        orders.browse().check_access("create")
        order = orders.sudo().create(values).with_env(orders.env)
        order.check_access("create")
        order.message_post_with_source(
            "mail.message_origin_link",
            render_values={"self": order, "origin": self},
            subtype_xmlid="mail.mt_note",
        )
        return order

    def _prepare_upsell_renew_order_values(self, subscription_management):
        """Return the values of an order that follows from this one; a hook for modules.

        :param str subscription_management: "7_upsell" or "2_renewal"
        :rtype: dict
        """
        self.ensure_one()
        values = {name: self[name] for name in CARRIED_FIELDS}
        values = self._convert_to_write(values)
        values |= {
            "subscription_id": self.id,
            "subscription_state": subscription_management,
            "origin": self.client_order_ref or self.name,
        }
        if subscription_management == UPSELL:
            values |= self._prepare_upsell_values()
        else:
            recurring = self.order_line.filtered("recurring_invoice")
            # With their headings: those say which lines are optional.
            sections = recurring.parent_id | recurring.parent_id.parent_id
            values |= {
                "sale_order_template_id": self.sale_order_template_id.id,
                "start_date": self._get_renewal_start(),
                "billing_anchor_date": self._get_billing_anchor(),
                # Upsells are paid by what they join.
                "payment_token_id": self.payment_token_id.id,
                "order_line": self._prepare_following_lines(
                    RENEWAL, lambda line: line in recurring | sections
                ),
            }
        return values

    def _prepare_following_lines(self, kind, condition, **values):
        """Return the commands that make lines which continue those of this order.

        :param str kind: "7_upsell" or "2_renewal"
        :param condition: which lines, a function of one sale.order.line
        :param values: what is different on the new ones
        :rtype: list
        """
        commands = []
        for line in self._get_copiable_order_lines().filtered(condition):
            discount = line._prepare_following_discount(kind)
            if discount is None:
                continue
            [data] = line.copy_data()
            commands.append(
                Command.create(
                    {**data, "parent_line_id": line.id, **values, **discount}
                )
            )
        return commands

    # === RENEWAL ===

    def prepare_renewal_order(self):
        """Make a renewal quotation, or open the one there is.

        :return: window action
        :rtype: dict
        :raises UserError: this subscription cannot be renewed
        """
        self.ensure_one()
        self.check_access("write")
        renewal = self.renewal_id or self._create_upsell_renew_order(RENEWAL)
        return renewal._open_order()

    def _check_can_renew(self):
        self.ensure_one()
        allowed = ("3_progress", "4_paused", "6_churn")
        if self.state != "sale" or self.subscription_state not in allowed:
            raise UserError(
                self.env._("%s is not a subscription that can be renewed.", self.name)
            )
        if self.renewal_id:
            raise UserError(
                self.env._(
                    "%(order)s already has a renewal: %(renewal)s.",
                    order=self.name,
                    renewal=self.renewal_id.name,
                )
            )

    def _get_renewal_start(self):
        """Return the day on which a renewal of this subscription begins.

        The first day that is not invoiced here, once what is due up to today is. What
        runs goes on without a gap; what was paused or closed begins again today at the
        earliest.

        :rtype: datetime.date
        """
        self.ensure_one()
        today = fields.Date.today()
        start = self.next_invoice_date or today
        if self.subscription_state != "3_progress":
            return max(start, today)
        end = self.end_date or date.max
        while start <= today and start < end:
            start = min(self._get_whole_period(start)[1], end)
        return start

    def _start_renewal(self):
        """Let a confirmed renewal run, and its parent end.

        :raises UserError: the parent cannot be renewed any more, or has a draft invoice
            of the period with which the renewal would begin
        """
        self.ensure_one()
        # Whoever confirms this changes the parent: not with rights on this one alone.
        self.subscription_id.check_access("write")
        parent = self.subscription_id.sudo()
        parent.lock_for_update(allow_referencing=True)
        event_type = TAKEN_OVER_AS.get(parent.subscription_state)
        if not event_type:
            raise UserError(
                self.env._("%s is not a subscription that can be renewed.", parent.name)
            )
        if parent.next_invoice_date and parent._get_period(parent.next_invoice_date):
            raise UserError(
                self.env._(
                    "%(order)s has a draft invoice from %(date)s on. Post or delete it"
                    " before you confirm the renewal.",
                    order=parent.name,
                    date=format_date(self.env, parent.next_invoice_date),
                )
            )
        agreed = self.start_date or parent._get_renewal_start()
        parent._invoice_before_end(until=agreed, posted=True)
        start = self._get_start_after(parent, agreed)
        values = {}
        if self.next_invoice_date and self.next_invoice_date < start:
            values["next_invoice_date"] = start
        if self.end_date and self.end_date <= start:
            raise UserError(
                self.env._(
                    "%(renewal)s begins on %(date)s, when the period invoiced on"
                    " %(order)s ends. Its own end date must be later.",
                    renewal=self.name,
                    date=format_date(self.env, start),
                    order=parent.name,
                )
            )
        parent.set_close(renew=True)
        if values:
            self.write(values)
        self._start_subscription(
            start, event_type=event_type, replaced=parent._get_last_transfer()
        )
        parent.message_post(
            body=self.env._(
                "Renewed by %(renewal)s from %(date)s on.",
                renewal=self.name,
                date=format_date(self.env, start),
            )
        )

    def _get_start_after(self, parent, agreed):
        """Return the day on which this renewal begins, and say when it is another one.

        :param parent: sale.order, invoiced up to the agreed day
        :param datetime.date agreed: the day that was agreed
        :rtype: datetime.date
        """
        today = fields.Date.today()
        earliest = parent.next_invoice_date or today
        if parent.subscription_state != "3_progress":
            earliest = max(earliest, today)
        start = max(agreed, earliest)
        dates = (self.start_date, self.next_invoice_date)
        if replaced := [day for day in dates if day and day < start]:
            self.message_post(
                body=self.env._(
                    "It starts on %(start)s, not on %(date)s: the days before are "
                    "invoiced on %(order)s, or are before its end.",
                    start=format_date(self.env, start),
                    date=format_date(self.env, min(replaced)),
                    order=parent.name,
                )
            )
        return start

    def _get_last_transfer(self):
        """Return the log row that says which MRR was handed over, if there was any.

        :rtype: sale.order.log
        """
        row = self.sudo().sale_order_log_ids.sorted("id")[-1:]
        return row.filtered("amount_signed")

    def _is_renewal_not_begun(self):
        """Tell whether this renewal runs, but has no invoice yet.

        :rtype: bool
        """
        return bool(
            self.subscription_state in RUNNING_STATES
            and self.subscription_id.sudo().subscription_state == "5_renewed"
            and not self.sudo().subscription_period_ids
        )

    def _check_parent_does_not_run(self):
        parent = self.subscription_id.sudo()
        if parent.subscription_state in RUNNING_STATES:
            raise UserError(
                self.env._(
                    "%(order)s runs again. Close it before you confirm %(renewal)s.",
                    order=parent.name,
                    renewal=self.name,
                )
            )

    def _give_back_to_parent(self):
        """Let the parent go on as before when its renewal did not even begin."""
        self.ensure_one()
        # As when it began: not with rights on this one alone.
        self.subscription_id.check_access("write")
        parent = self.subscription_id.sudo()
        states = {event: state for state, event in TAKEN_OVER_AS.items()}
        rows = self.sudo().sale_order_log_ids.sorted("id", reverse=True)
        # The last time it began: it may have been cancelled and confirmed before.
        state = next(states[r.event_type] for r in rows if r.event_type in states)
        parent._set_subscription_state(state, replaced=self._get_last_transfer())
        parent.message_post(
            body=self.env._(
                "%s was cancelled: this subscription is back to what it was before.",
                self.name,
            )
        )
