from dataclasses import dataclass
from typing import Annotated, Literal

from ...billing.aggregation import AGGREGATIONS
from ...billing.charge_models import CHARGE_MODELS
from ...shape import Answer, Currency, Day, Format, Id, Number, OneOf, Shape


@dataclass(frozen=True)
class Tier(Shape):
    up_to: Annotated[Number | None, "The last billable unit of it; null: without end."]
    price_per_unit: Annotated[Number, "For each `unit_batch`."]
    flat_fee: Annotated[Number, "Once, as soon as a unit lies in it."]


@dataclass(frozen=True)
class Price(Shape):
    plan_id: Id
    plan_code: Annotated[str, "The price's name."]
    metric: Annotated[str, "As `metric_code`, by its older name."]
    metric_code: Annotated[str, "`code` of the metric it is for."]
    included_quota: Annotated[Number, "What a window includes."]
    price_per_unit: Annotated[
        Number, "For each `unit_batch` above the quota: 5 for 1000 is 0.005 a unit."
    ]
    unit_batch: Annotated[Number, "How many units a price is for."]
    charge_model: Annotated[str, OneOf(CHARGE_MODELS)]
    tiers: Annotated[list[Tier], "Of graduated and volume prices; else empty."]
    minimum_amount: Annotated[Number, "What a window costs at least."]
    currency: Currency
    valid_from: Annotated[Day | None, "First day."]
    valid_until: Annotated[Day | None, "Last day."]


@dataclass(frozen=True)
class Metric(Shape):
    code: Annotated[str, "`metric_code` of usage events."]
    name: Annotated[str, "For people."]
    aggregation: Annotated[
        str, OneOf(AGGREGATIONS), "How the events of a window become one quantity."
    ]
    unit: Annotated[str | None, "As `calls`."]


@dataclass(frozen=True)
class Plan(Shape):
    plan_id: Id
    name: Annotated[str, "For people."]
    billing_period_value: Annotated[int, Format({"type": "integer", "minimum": 1})]
    billing_period_unit: Literal["week", "month", "year"]


@dataclass(frozen=True)
class Catalog(Answer):
    charges: Annotated[list[Price], "Prices that are valid today, or will be."]
    metrics: list[Metric]
    plans: list[Plan]
