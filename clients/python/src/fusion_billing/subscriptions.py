from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from .decode import decode
from .encode import Number, day_text, decimal_text, path
from .results import (
    Cancellation,
    Day,
    NewSubscription,
    Subscription,
    SubscriptionUsage,
)
from .routes import Routes, body_of


@dataclass(frozen=True)
class OrderLine:
    """A product that is billed each period."""

    product_id: int
    quantity: Number = 1


@dataclass(frozen=True)
class LineQuantity:
    """A line of a subscription, and how much it is to have."""

    line_id: int
    quantity: Number


class SubscriptionRoutes(Routes):
    """Subscriptions. A ``reference`` is the external id you gave one, or
    ``by_id(subscription_id)``.
    """

    def create_subscription(
        self,
        external_customer_id: str,
        plan_id: int,
        lines: Iterable[OrderLine] = (),
        *,
        external_id: str | None = None,
        start_date: date | str | None = None,
        billed_until: date | str | None = None,
    ) -> NewSubscription:
        """Create a subscription and start it.

        :param external_id: its id in your app. With it the request is safe to repeat:
            the same id gives the same subscription. Without, the client repeats only
            what certainly was not carried out; when `RetryLaterError.maybe_done` is
            true the subscription may exist
        :param billed_until: of a contract that was billed elsewhere, the first day that
            was not; the first day of a period. Required where a whole period since
            ``start_date`` is over
        """
        body = body_of(
            external_customer_id=external_customer_id,
            plan_id=plan_id,
            lines=[
                {
                    "product_id": line.product_id,
                    "quantity": decimal_text(line.quantity, "quantity"),
                }
                for line in lines
            ],
            external_id=external_id,
            start_date=None if start_date is None else day_text(start_date),
            billed_until=None if billed_until is None else day_text(billed_until),
        )
        answer = self._transport.call(
            "POST", "/subscriptions", body, safe=bool(external_id)
        )
        return decode(NewSubscription, answer)

    def subscription(self, reference: str | int) -> Subscription:
        """State, dates and lines.

        :raises NotFoundError: ``unknown_subscription``
        """
        route = path("subscriptions", reference)
        return decode(Subscription, self._transport.call("GET", route))

    def subscription_usage(
        self, reference: str | int, past: int | None = None
    ) -> SubscriptionUsage:
        """What was used and what it comes to: the open window, and windows before.

        :param past: how many windows before, 0 to 24
        :raises NotFoundError: ``unknown_subscription``
        """
        route = path("subscriptions", reference, "usage")
        query = {} if past is None else {"past": str(past)}
        return decode(
            SubscriptionUsage, self._transport.call("GET", route, query=query)
        )

    def cancel_subscription(
        self,
        reference: str | int,
        when: Literal["now", "period_end", "on"] = "period_end",
        reason: str | None = None,
        *,
        date: Day | str | None = None,
    ) -> Cancellation:
        """End it, with the period that runs, at once or on a day.

        :param date: for ``on``: the first day that is not billed, after today
        :raises NotFoundError: ``unknown_subscription``
        """
        route = path("subscriptions", reference, "cancel")
        body = body_of(when=when, date=_day(date), reason=reason)
        return decode(Cancellation, self._transport.call("POST", route, body))

    def update_subscription(
        self,
        reference: str | int,
        *,
        plan_id: int | None = None,
        lines: Iterable[OrderLine | LineQuantity] = (),
        when: Literal["now", "period_end"] = "period_end",
    ) -> Subscription:
        """Change its plan and quantities; what is not named stays.

        :param lines: a quantity of 0 takes a line away
        :param when: from the next invoice on, or today
        :raises NotFoundError: ``unknown_subscription``
        """
        wishes = [
            {
                **(
                    {"line_id": line.line_id}
                    if isinstance(line, LineQuantity)
                    else {"product_id": line.product_id}
                ),
                "quantity": decimal_text(line.quantity, "quantity"),
            }
            for line in lines
        ]
        body = body_of(plan_id=plan_id, lines=wishes or None, when=when)
        route = path("subscriptions", reference)
        return decode(Subscription, self._transport.call("PATCH", route, body))

    def undo_cancel(self, reference: str | int) -> Subscription:
        """Take back a cancellation with ``period_end`` or ``on``, while it runs.

        :raises NotFoundError: ``unknown_subscription``
        """
        return self._changed(reference, "undo-cancel")

    def pause_subscription(
        self,
        reference: str | int,
        *,
        start: Day | str | None = None,
        until: Day | str | None = None,
    ) -> Subscription:
        """Pause it.

        :param start: the day on which it pauses; None: today
        :param until: the day on which it runs again by itself; None: until it is
            resumed
        :raises NotFoundError: ``unknown_subscription``
        """
        days = {"from": _day(start), "until": _day(until)}
        return self._changed(reference, "pause", **days)

    def resume_subscription(
        self, reference: str | int, date: Day | str | None = None
    ) -> Subscription:
        """End its pause, today or on a day, or take back one that is planned.

        :raises NotFoundError: ``unknown_subscription``
        """
        return self._changed(reference, "resume", date=_day(date))

    def reactivate_subscription(self, reference: str | int) -> Subscription:
        """Let it run again after its end, from today on.

        :raises NotFoundError: ``unknown_subscription``
        """
        return self._changed(reference, "reactivate")

    def _changed(
        self, reference: str | int, verb: str, **body: str | None
    ) -> Subscription:
        route = path("subscriptions", reference, verb)
        answer = self._transport.call("POST", route, body_of(**body))
        return decode(Subscription, answer)


def _day(value: Day | str | None) -> str | None:
    return None if value is None else day_text(value)
