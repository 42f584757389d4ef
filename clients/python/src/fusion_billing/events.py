"""Usage events, as they are sent."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from .encode import Instant, Number, decimal_text, instant_text


def by_id(subscription_id: int) -> str:
    """A subscription by the id that answers give it, where its name in your app is
    asked for: ``client.subscription(by_id(80))``.

    A bare 80 is a name of yours, once you have given a subscription an external id.
    """
    return f"id:{subscription_id}"


def subscription_keys(name: str | int | None, number: int | None) -> dict[str, Any]:
    """The keys of a request that name a subscription.

    :raises ValueError: nothing names it
    """
    keys: dict[str, Any] = {}
    if name is not None:
        keys["subscription_external_id"] = name
    if number is not None:
        keys["subscription_id"] = number
    if not keys:
        raise ValueError("a subscription needs its external id or its subscription_id")
    return keys


@dataclass(frozen=True)
class UsageKey:
    """What an event is known by. The subscription goes by its external id, or with
    ``subscription_id`` by that.
    """

    subscription_external_id: str | int | None
    metric_code: str
    idempotency_key: str
    subscription_id: int | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            **subscription_keys(self.subscription_external_id, self.subscription_id),
            "metric_code": self.metric_code,
            "idempotency_key": self.idempotency_key,
        }


@dataclass(frozen=True)
class UsageEvent:
    """One measurement. Values are checked here for what would be lost on the way
    (floats, moments without a zone); the rest is for the API to judge.

    :param subscription_external_id: the id you gave the subscription. An app that has
        never given one may name it by its ``subscription_id`` here
    :param subscription_id: the id that answers give it, with None for the other
    :param quantity: zero or more, at most 10 decimals; never a float
    :param period_start: decides the window that the event is billed in
    :param idempotency_key: what makes two events the same. Best is a name that your
        system has for the event, such as a request id. When none is given one is made
        here, so that however often this object is sent it is one event
    :param unique_key: what a unique-count metric counts, for example a user's id
    :raises TypeError, ValueError: see :mod:`fusion_billing.encode`
    """

    subscription_external_id: str | int | None
    metric_code: str
    quantity: Number
    period_start: Instant
    period_end: Instant
    idempotency_key: str = field(default_factory=lambda: str(uuid.uuid4()))
    unique_key: str | None = None
    subscription_id: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.idempotency_key, str) or not self.idempotency_key:
            raise ValueError("idempotency_key must be text; leave it out to have one")
        self.as_json()

    @property
    def key(self) -> UsageKey:
        return UsageKey(
            self.subscription_external_id,
            self.metric_code,
            self.idempotency_key,
            self.subscription_id,
        )

    def as_json(self) -> dict[str, Any]:
        """What is sent; the same each time."""
        event: dict[str, Any] = {
            **subscription_keys(self.subscription_external_id, self.subscription_id),
            "metric_code": self.metric_code,
            "quantity": decimal_text(self.quantity, "quantity"),
            "period_start": instant_text(self.period_start, "period_start"),
            "period_end": instant_text(self.period_end, "period_end"),
            "idempotency_key": self.idempotency_key,
        }
        if self.unique_key is not None:
            event["unique_key"] = self.unique_key
        return event
