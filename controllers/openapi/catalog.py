from ...engine.billing.aggregation import AGGREGATIONS
from ...engine.billing.charge_models import CHARGE_MODELS
from .operation import Operation
from .values import an_object, answer, list_of, one_of, or_null, ref, text

SCHEMAS = {
    "Catalog": answer(
        {
            "charges": list_of(
                ref("Price"), "Prices that are valid today, or will be."
            ),
            "metrics": list_of(ref("Metric")),
            "plans": list_of(ref("Plan")),
        }
    ),
    "Price": an_object(
        {
            "plan_id": ref("Id"),
            "plan_code": text("The price's name."),
            "metric": text("`code` of the metric it is for."),
            "included_quota": ref("Decimal", "What a window includes."),
            "price_per_unit": ref("Decimal", "For each `unit_batch` above the quota."),
            "unit_batch": ref("Decimal"),
            "charge_model": one_of(*CHARGE_MODELS),
            "tiers": list_of(
                ref("Tier"), "Of graduated and volume prices; else empty."
            ),
            "minimum_amount": ref("Decimal", "What a window costs at least."),
            "currency": ref("Currency"),
            "valid_from": or_null(ref("Day", "First day.")),
            "valid_until": or_null(ref("Day", "Last day.")),
        }
    ),
    "Tier": an_object(
        {
            "up_to": or_null(
                ref("Decimal", "The last billable unit of it; null: without end.")
            ),
            "price_per_unit": ref("Decimal", "For each `unit_batch`."),
            "flat_fee": ref("Decimal", "Once, as soon as a unit lies in it."),
        }
    ),
    "Metric": an_object(
        {
            "code": text("`metric_code` of usage events."),
            "name": text("For people."),
            "aggregation": one_of(
                *AGGREGATIONS,
                description="How the events of a window become one quantity.",
            ),
            "unit": or_null(text("As `calls`.")),
        }
    ),
    "Plan": an_object(
        {
            "plan_id": ref("Id"),
            "name": text("For people."),
            "billing_period_value": {"type": "integer", "minimum": 1},
            "billing_period_unit": one_of("week", "month", "year"),
        }
    ),
}

OPERATIONS = {
    ("GET", "/catalog"): Operation(
        name="getCatalog",
        tag="Catalog",
        summary="Prices, metrics and plans",
        answer="Catalog",
        example={
            "status": "ok",
            "charges": [
                {
                    "plan_id": 3,
                    "plan_code": "monthly",
                    "metric": "api_calls",
                    "included_quota": "100",
                    "price_per_unit": "0.5",
                    "unit_batch": "1",
                    "charge_model": "standard",
                    "tiers": [],
                    "minimum_amount": "0",
                    "currency": "USD",
                    "valid_from": None,
                    "valid_until": None,
                }
            ],
            "metrics": [
                {
                    "code": "api_calls",
                    "name": "API calls",
                    "aggregation": "sum",
                    "unit": "calls",
                }
            ],
            "plans": [
                {
                    "plan_id": 3,
                    "name": "Monthly",
                    "billing_period_value": 1,
                    "billing_period_unit": "month",
                }
            ],
        },
    ),
}
