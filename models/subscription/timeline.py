from datetime import date
from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, format_date

from ...engine.billing import windows
from ...engine.billing.calendar import Calendar, calendar_of
from ...engine.billing.periods import day_start_utc
from ...engine.billing.windows import GAP
from .chain import chains_of, joined, of_different_chains, root_of

RUNNING = "3_progress"
PAUSED = "4_paused"
RENEWED = "5_renewed"
CHURNED = "6_churn"


class Known(NamedTuple):
    """What of a subscription its windows depend on, before a change and after it."""

    is_subscription: bool
    state: str
    start_date: date
    last_invoice_date: date
    next_invoice_date: date
    end_date: date
    plan: int
    billed_until: date

    @property
    def runs(self):
        return bool(
            self.is_subscription
            and self.state == RUNNING
            and self.start_date
            and self.next_invoice_date
        )


class FusionBillingTimeline(models.AbstractModel):
    """Keeps the windows of subscriptions in step with what happens to them.

    What follows from a change is decided in ``engine/billing/windows.py``; this reads
    the subscription, calls that, and stores what differs.
    """

    _name = "fusion.billing.timeline"
    _description = "Billing Windows of Subscriptions"

    @api.model
    def _know(self, order):
        """What the windows of an order depend on now (:class:`Known`)."""
        return Known(
            is_subscription=order.is_subscription and order.state == "sale",
            state=order.subscription_state,
            start_date=order.start_date,
            last_invoice_date=order.last_invoice_date,
            next_invoice_date=order.next_invoice_date,
            end_date=order.end_date,
            plan=order.plan_id.id,
            billed_until=order.fc_billed_until,
        )

    @api.model
    def _catch_up(self, orders):
        """Make the windows that have begun since; of orders that run.

        :param orders: ``sale.order`` records
        """
        self, orders, now = self.sudo(), orders.sudo(), fields.Datetime.now()
        behind = orders.filtered(lambda order: self._know(order).runs)
        behind = behind.browse(self._behind(behind, now))
        for group in of_different_chains(behind):
            self.env["fusion.billing.window.store"]._store(
                [
                    (order, own, self._followed(order, joined(own, others)))
                    for order, (own, others) in chains_of(group).items()
                ]
            )

    def _behind(self, orders, now):
        """Ids of those whose last window has ended, or that have none."""
        if not orders:
            return []
        self.env["fusion.billing.window"].flush_model()
        return [
            order_id
            for [order_id] in self.env.execute_query(
                SQL(
                    """
                    SELECT o.id FROM unnest(%s::int[]) AS o(id)
                     WHERE NOT EXISTS (
                           SELECT FROM fusion_billing_window w
                            WHERE w.subscription_id = o.id AND w."end" > %s)
                    """,
                    orders.ids,
                    now,
                )
            )
        ]

    @api.model
    def _changed(self, before, resumed=()):
        """Bring windows in step with what was written to their orders.

        :param dict before: order -> what it was before (:class:`Known`)
        :param resumed: those of them that run again as if they had never stopped
        :return: {order: the first instant whose usage may lie in another window now},
            of those whose windows have changed
        :raises UserError: a start was moved into what is settled
        """
        self, since = self.sudo(), {}
        orders = self.env["sale.order"].union(*before).sudo()
        for group in of_different_chains(orders):
            chains = chains_of(group)
            if self._begin(group, before, chains):
                chains = chains_of(group)
            plans = [
                (
                    order,
                    own,
                    self._moved(order, before[order], own, others, order in resumed),
                )
                for order, (own, others) in chains.items()
            ]
            since |= self.env["fusion.billing.window.store"]._store(plans)
        return since

    def _moved(self, order, old, own, others, goes_on):
        """The windows of an order after it was written to.

        :param own: its windows before; ``others``: see :func:`chains_of`
        :param bool goes_on: it runs again as if it had never stopped
        """
        new, tz = self._know(order), order.company_id.fc_billing_tz
        if not new.runs and not (new.state == PAUSED and old.state == PAUSED and own):
            return self._stopped(order, own, old)
        made = joined(own, others)
        if new.runs and not old.runs and own and not goes_on:
            made = self._gone_on(order, made, own, old)
        restart = old.is_subscription and new.start_date != old.start_date
        if restart:
            self._check_start(order, own, new)
            restart = not any(span.is_fixed for span in own)
        if own and old.is_subscription:
            made = self._ended(made, old, new, tz)
        if self.env.context.get("plan_from_today") and new.plan != old.plan:
            made = windows.cut_at(made, fields.Date.today(), tz)
        if restart:
            return self._begun_anew(order, own, others, old, new)
        if new.runs:
            moved = new.last_invoice_date != old.last_invoice_date
            forgotten = None if moved else self._forgotten(order, old, new)
            return self._followed(order, made, moved=moved, forgotten=forgotten)
        if new.next_invoice_date != old.next_invoice_date:
            return self._paused_until(order, made, own[-1], new.next_invoice_date)
        return made

    def _paused_until(self, order, spans, last, day):
        """Its next date was moved while it is paused: its last window ends there."""
        if last.stays or not day or day <= last.first_day:
            return spans
        end = day_start_utc(day, order.company_id.fc_billing_tz)
        moved = windows.replace(last, end=end, end_day=day)
        return tuple(moved if span == last else span for span in spans)

    def _forgotten(self, order, old, new):
        """The day on which a window was to end, where that date has been taken back.

        None: nothing was taken back, or windows end on that day by the calendar anyhow.
        """
        if old.end_date != new.end_date:
            return old.end_date
        day, plan = old.next_invoice_date, order.plan_id
        if not old.runs or day == new.next_invoice_date or new.plan != old.plan:
            return None
        calendars = [
            Calendar(plan.billing_period_unit, plan.billing_period_value, start)
            for start in {root_of(order).start_date, order.start_date}
        ]
        return None if any(c.has(day) for c in calendars) else day

    def _ended(self, spans, old, new, tz):
        """Follow a change of the end date: set (in time, or late), moved or removed."""
        # A closed subscription ended on the day it was closed, whatever date it had.
        before = old.end_date if old.runs else None
        if old.end_date == new.end_date:
            return spans
        if new.end_date:
            return windows.end_at(spans, new.end_date, tz, before)
        return windows.without_end(spans, before) if before else spans

    def _begun_anew(self, order, own, others, old, new):
        """Let the first window begin at the new start, as nothing is settled yet."""
        if not new.runs:
            day, tz = new.start_date, order.company_id.fc_billing_tz
            first = windows.replace(own[0], start=day_start_utc(day, tz), first_day=day)
            return (first, *own[1:]) if day < first.end_day else own
        # Both dates by hand: the subscription as a whole is moved.
        moved = new.last_invoice_date != old.last_invoice_date
        kept = () if moved else tuple(s for s in own if s.kind != GAP)
        first_period = new.last_invoice_date in (False, None, old.start_date)
        first_day = new.start_date if first_period else None
        chain = joined(kept, others)
        made = self._followed(order, chain, True, first_day, own=own)
        # The one that runs keeps the plan it began with, wherever it begins now.
        runs = next((span for span in made if not span.stays), None)
        if runs and runs.start <= fields.Datetime.now():
            kept = windows.replace(runs, plan=own[0].plan)
            made = tuple(kept if span is runs else span for span in made)
        return made

    def _stopped(self, order, spans, old):
        """It runs no more: windows that have begun keep their end, later ones go."""
        if not old.runs:
            return spans
        now, day = fields.Datetime.now(), order.next_invoice_date
        renewed = order.subscription_state == RENEWED
        return tuple(
            span
            for span in spans
            if span.stays
            or span.start <= now
            or (renewed and day and span.first_day < day)
        )

    def _begin(self, orders, before, chains):
        """End what these orders renew where they begin.

        :return: whether there was one
        """
        found = False
        for order in orders:
            parent, (own, _others) = order.subscription_id, chains[order]
            begins = self._know(order).runs and not before[order].runs and not own
            if begins and parent.is_subscription:
                self._end_before(parent, order.start_date)
                found = True
        return found

    def _gone_on(self, order, spans, own, old):
        """It runs again: inside its last window, or from this day on after a gap.

        One that was cancelled begins a new life, with windows of its own.

        :param spans: its windows among those of its chain; ``own``: its own alone
        """
        tz = order.company_id.fc_billing_tz
        day = self.env.context.get("subscription_opened_on") or fields.Date.today()
        if old.state not in (PAUSED, RENEWED, CHURNED) or own[-1].kind == GAP:
            spans = windows.cut_at(spans, day, tz)
        return windows.gap_until(spans, day, tz)

    def _check_start(self, order, spans, new):
        settled = [s for s in spans if s.is_fixed and s.kind == windows.BILLING]
        if settled and new.start_date < settled[-1].end_day:
            raise UserError(
                self.env._(
                    "%(order)s: usage was invoiced for the time up to %(date)s. The"
                    " subscription cannot start before.",
                    order=order.name,
                    date=format_date(
                        self.env, fields.Date.subtract(settled[-1].end_day, days=1)
                    ),
                )
            )

    # -- from the subscription to plain values ---------------------------------

    @api.model
    def _dates(self, order, spans=(), first_day=None, moved=False, forgotten=None):
        """What a running order says of its time (``SubscriptionDates``).

        :param spans: its windows so far: their calendar goes on
        :param first_day: from then on usage is billed; None: as its dates say
        :param moved: the beginning of the present period was moved
        :param forgotten: see ``SubscriptionDates``
        """
        plan = order.plan_id
        period_day = order.last_invoice_date or order.start_date
        first = first_day or period_day
        if order.fc_billed_until:
            first = max(first, order.fc_billed_until)
        starts = (root_of(order).start_date, order.start_date)
        anchors = [*(s.anchor for s in reversed(spans)), *starts]
        aligned = bool("billing_first_day" in plan._fields and plan.billing_first_day)
        return windows.SubscriptionDates(
            first_day=first,
            period_day=period_day if moved else None,
            next_day=order.next_invoice_date,
            end_day=order.end_date or None,
            calendar=calendar_of(
                plan.billing_period_unit,
                plan.billing_period_value,
                dict.fromkeys(anchor for anchor in anchors if anchor),
                order.next_invoice_date,
            ),
            is_aligned=aligned,
            tz=order.company_id.fc_billing_tz,
            plan=plan.id,
            forgotten=forgotten,
        )

    def _followed(self, order, spans, restart=False, first_day=None, own=None, **more):
        """The windows of a running order, from what they were so far.

        :param spans: with those of its chain, see :func:`chains_of`
        :param own: those whose calendar goes on, where these are others
        :param more: for :meth:`_dates`
        """
        dates = self._dates(order, own or spans, first_day, **more)
        staying = tuple(span for span in spans if span.stays)
        begins = restart or len(staying) == len(spans)
        if staying and begins and not order.last_invoice_date:
            spans = windows.gap_until(staying, dates.first_day, dates.tz)
        return windows.follow(spans, dates, fields.Datetime.now(), restart)

    def _store(self, order, old, new):
        """Write what differs of one; the first instant it concerns, or None."""
        Store = self.env["fusion.billing.window.store"]
        return Store._store([(order, old, new)]).get(order)

    # -- other changes ---------------------------------------------------------

    @api.model
    def _zone_changed(self, companies):
        """Windows that have not ended end by the new time zone; starts stay.

        Also of what is paused, or was renewed: there the renewal begins later, or
        earlier, with it.
        """
        Window = self.env["fusion.billing.window"].sudo()
        underway = Window.search(
            [
                ("company_id", "in", companies.ids),
                ("kind", "=", windows.BILLING),
                ("settled_at", "=", False),
                ("end", ">", fields.Datetime.now()),
            ],
            order="start",
        )
        for window in underway:
            tz = window.company_id.fc_billing_tz
            end = day_start_utc(window.end_day, tz)
            if window.exists() and end != window.end and end > window.start:
                self._end_otherwise(window, end, tz)

    def _end_otherwise(self, window, end, tz):
        """Let a window end at another instant, and begin there what follows on it."""
        Window, before = window.browse(), window.end
        following = Window.search(
            [
                ("root_id", "=", window.root_id.id),
                ("start", "=", before),
                ("settled_at", "=", False),
            ]
        )
        pairs = [(window, {"end": end, "tz": tz})]
        pairs += [(w, {"start": end}) for w in following]
        # What becomes shorter first: they may not overlap in between.
        for record, values in pairs if end < before else reversed(pairs):
            span = record._span()
            order, moved = record.subscription_id, windows.replace(span, **values)
            order._fc_moved_since({order: self._store(order, (span,), (moved,))})

    def _end_before(self, order, day):
        """Windows from ``day`` on are those of its renewal."""
        [(spans, _others)] = chains_of(order).values()
        made = tuple(s for s in spans if s.stays or s.first_day < day)
        self._store(order, spans, made)

    @api.model
    def _given_back(self, order):
        """A renewal ended before its first invoice: its time is the old order's."""
        [(spans, _others)] = chains_of(order).values()
        if not any(span.is_fixed for span in spans):
            self._store(order, spans, ())
