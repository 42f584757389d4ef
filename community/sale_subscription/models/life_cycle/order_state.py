from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..base.states import (
    QUOTATION,
    RENEWAL,
    RUNNING_STATES,
    SUBSCRIPTION_CLOSED_STATE,
    SUBSCRIPTION_DRAFT_STATE,
    UPSELL,
)

# In the context of the one write by which a method of the life cycle sets the state.
STATE_BY_CODE = "subscription_state_by_code"
CANCELLING = "subscription_cancelling"
# Quotations that follow from a subscription, of which they need to know.
FOLLOWING_STATES = (RENEWAL, UPSELL)
QUOTATION_STATES = (False, *SUBSCRIPTION_DRAFT_STATE)
WATCHED_DATES = {"start_date", "next_invoice_date", "resume_date"}
# What is written beside a state and says more of the same.
ARGUMENT_OF = {"4_paused": "resume_date", "6_churn": "close_reason_id"}


class SaleSubscriptionOrderState(models.AbstractModel):
    """Fields that drive the life cycle, written by import, RPC or other modules.

    A state that is simply written would bring no dates, no invoice and no line of the
    MRR log with it. So whoever writes one gets what the button of that name does, with
    the same rights and the same refusals; where there is none, the write is refused.
    """

    _name = "sale.subscription.order.state"
    _description = "Status of Subscriptions"

    @api.model_create_multi
    def create(self, vals_list):
        """Let imported subscriptions begin, and pause, as any other would."""
        default = self.env.context.get("default_subscription_state")
        wanted, kept = [], []
        for vals in vals_list:
            state = vals.get("subscription_state", default)
            options = self._check_state_to_create(state, vals)
            wanted.append((state, options))
            if state in RUNNING_STATES:
                left_out = ("subscription_state", "resume_date")
                vals = {name: vals[name] for name in vals if name not in left_out}
            kept.append(vals)
        if default in RUNNING_STATES:
            others = dict(self.env.context)
            del others["default_subscription_state"]
            # Nothing but a whole new context takes one value out of it.
            self = self.with_context(others)  # pylint: disable=context-overridden
        orders = super().create(kept)
        for order, (state, options) in zip(orders, wanted, strict=True):
            if state in RUNNING_STATES:
                order._begin_as_imported(options)
            if state == "4_paused":
                order.pause_subscription(options["resume_date"])
        return orders

    def _check_state_to_create(self, state, vals):
        """Refuse what an order cannot be created as.

        :return: what else is told of the beginning: `resume_date`, `date_order`
        :rtype: dict
        :raises UserError: and what to do instead
        """
        day = fields.Date.to_date(vals.get("resume_date")) or None
        if day and state != "4_paused":
            self._refuse_resume_date()
        if state in SUBSCRIPTION_CLOSED_STATE:
            raise UserError(
                self.env._(
                    'An order cannot be created as "%s": create it in progress, '
                    "then close or renew it.",
                    self._get_state_label(state),
                )
            )
        if state in FOLLOWING_STATES and not vals.get("subscription_id"):
            raise UserError(
                self.env._(
                    'An order cannot be created as "%s" without its original '
                    "subscription: use the button on that subscription.",
                    self._get_state_label(state),
                )
            )
        return {"resume_date": day, "date_order": vals.get("date_order")}

    def _begin_as_imported(self, options):
        """Let an order that was created as a running subscription begin to run."""
        self.ensure_one()
        if self.is_subscription and not self.next_invoice_date:
            if self.start_date and self.start_date < fields.Date.today():
                raise UserError(
                    self.env._(
                        "%s started in the past: enter the date of its next "
                        "invoice, or all periods since then would be invoiced.",
                        self.name,
                    )
                )
        self._begin_by_state()
        if options["date_order"]:
            self.date_order = options["date_order"]

    # === WRITE ===

    def _write_state(self, vals):
        """Do what a state stands for, and write the rest before or after it.

        :param dict vals: values for `write`, with `subscription_state`
        :return: True
        """
        self.check_access("write")
        vals = dict(vals)
        state = vals.pop("subscription_state") or False
        changed = self.filtered(lambda o: (o.subscription_state or False) != state)
        option = changed and ARGUMENT_OF.get(state)
        argument = vals.pop(option, None) if option else None
        # The dates of a quotation are those it begins with.
        quotations = changed.filtered(
            lambda o: o.subscription_state in QUOTATION_STATES
        )
        if quotations and vals:
            quotations.write(vals)
        for order in changed:
            order._route_subscription_state(state, argument)
        if vals:
            (self - quotations).write(vals)
        return True

    def _routes_subscription_state(self, vals):
        """Tell whether writing these values calls a method, which then writes them.

        For overrides of `write` that compare what was with what is.

        :rtype: bool
        """
        return "subscription_state" in vals and not self.env.context.get(STATE_BY_CODE)

    def _route_subscription_state(self, state, argument=None):
        """Do to one order what a state that somebody writes stands for.

        :param str state: the state it is to get, or False
        :param argument: what was written beside it, see `ARGUMENT_OF`
        :raises UserError: no method leads there from its present state
        """
        self.ensure_one()
        previous = self.subscription_state or False
        if state == "3_progress" and previous in QUOTATION_STATES:
            self._begin_by_state()
        elif (previous, state) == ("4_paused", "3_progress"):
            self.resume_subscription()
        elif previous in SUBSCRIPTION_CLOSED_STATE and state == "3_progress":
            self.set_open()
        elif (previous, state) == ("3_progress", "4_paused"):
            self.pause_subscription(fields.Date.to_date(argument) or None)
        elif previous in RUNNING_STATES and state == "6_churn":
            self.set_close(argument)
        elif self.state == "cancel" and state in QUOTATION_STATES and previous:
            self.action_draft()
        elif state in FOLLOWING_STATES and previous in QUOTATION_STATES:
            self._follow_from_subscription(state)
        else:
            self._refuse_state(state)

    def _begin_by_state(self):
        """Confirm a quotation; let an order that is confirmed without it begin."""
        if not self.is_subscription:
            raise UserError(
                self.env._(
                    "%s has no recurring plan. Every subscription needs one.",
                    self.name,
                )
            )
        if self.state != "sale":
            self.action_confirm()
        else:
            self._start_by_kind()

    def _follow_from_subscription(self, state):
        """Make a quotation one that follows from its parent; code alone does."""
        if not self.subscription_id or self.state not in QUOTATION:
            self._refuse_state(state)
        self.with_context(**{STATE_BY_CODE: True}).write({"subscription_state": state})

    def _get_state_label(self, state):
        """Return what people call a state of a subscription.

        :rtype: str
        """
        field = self._fields["subscription_state"]
        return dict(field._description_selection(self.env)).get(state, "-")

    def _refuse_state(self, state):
        raise UserError(
            self.env._(
                'The status of %(order)s cannot be set to "%(state)s" directly. '
                "Use the buttons to confirm, pause, close, reopen, renew or upsell "
                "it.",
                order=self.name or self.env._("A new order"),
                state=self._get_state_label(state),
            )
        )

    # === WHAT BELONGS TO THE STATE ===

    def _follow_order_state(self, vals):
        """Cancel what runs as the button does, also where `state` is simply written.

        :raises UserError: a running subscription is to become a quotation
        """
        if vals.get("state") not in ("draft", "sent", "cancel"):
            return
        if self.env.context.get(CANCELLING):
            return
        running = self.filtered(lambda o: o.subscription_state in RUNNING_STATES)
        if running and vals["state"] != "cancel":
            raise UserError(
                self.env._(
                    "%s is a running subscription. Cancel it before it becomes a"
                    " quotation again.",
                    running[0].name,
                )
            )
        if running:
            running._action_cancel()

    def _check_written_dates(self, vals):
        """Refuse dates that no method of the life cycle would have set.

        :raises UserError: and what to do instead
        """
        if self.env.context.get(STATE_BY_CODE) or not WATCHED_DATES & vals.keys():
            return
        if vals.get("resume_date"):
            if any(order.subscription_state != "4_paused" for order in self):
                self._refuse_resume_date()
            self._check_day_to_resume(fields.Date.to_date(vals["resume_date"]))
        # Whoever sets both dates moves the subscription as a whole.
        if "last_invoice_date" in vals:
            return
        if "next_invoice_date" in vals:
            # It says up to when all is paid, should it run again.
            ended = self.filtered(
                lambda o: o.subscription_state in SUBSCRIPTION_CLOSED_STATE
            )
            if ended:
                raise UserError(
                    self.env._(
                        "%s has ended. Reopen or renew it before you change the date of"
                        " its next invoice.",
                        ended[0].name,
                    )
                )
        running = self.filtered(lambda o: o.subscription_state in RUNNING_STATES)
        for order in running:
            order._check_dates_of_running(vals)

    def _refuse_resume_date(self):
        raise UserError(
            self.env._("Only a paused subscription has a date on which it resumes.")
        )

    def _check_day_to_resume(self, day):
        if day <= fields.Date.today():
            raise ValidationError(
                self.env._("A paused subscription can only be resumed after today.")
            )

    def _check_dates_of_running(self, vals):
        self.ensure_one()
        if "next_invoice_date" in vals and not vals["next_invoice_date"]:
            raise UserError(
                self.env._(
                    "%s is running and needs the date of its next invoice. Pause "
                    "or close it if it should not be invoiced.",
                    self.name,
                )
            )
        if "start_date" not in vals:
            return
        start = fields.Date.to_date(vals["start_date"])
        following = fields.Date.to_date(
            vals.get("next_invoice_date", self.next_invoice_date)
        )
        latest = self.last_invoice_date or following
        if not start or (latest and start > latest):
            raise UserError(
                self.env._(
                    "%s is running: it cannot start later than its invoiced "
                    "periods or its first invoice.",
                    self.name,
                )
            )

    @api.constrains("subscription_id")
    def _check_subscription_id(self):
        if self._has_cycle("subscription_id"):
            raise ValidationError(
                self.env._("A subscription cannot follow from itself.")
            )
