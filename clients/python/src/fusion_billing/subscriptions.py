from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from .decode import decode
from .encode import Number, day_text, decimal_text, path
from .results import Cancellation, NewSubscription, Subscription, SubscriptionUsage
from .routes import Routes, body_of


@dataclass(frozen=True)
class OrderLine:
    """A product that is billed each period."""

    product_id: int
    quantity: Number = 1


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
        when: Literal["now", "period_end"] = "period_end",
        reason: str | None = None,
    ) -> Cancellation:
        """End it, with the period that runs or at once.

        :raises NotFoundError: ``unknown_subscription``
        """
        route = path("subscriptions", reference, "cancel")
        body = body_of(when=when, reason=reason)
        return decode(Cancellation, self._transport.call("POST", route, body))
