from odoo import http

from ..engine.api import answers
from .openapi.operation import Operation
from .route import api_route

GET_CATALOG = Operation(
    name="getCatalog",
    tag="Catalog",
    summary="Prices, metrics and plans",
    answer=answers.Catalog,
    example={
        "status": "ok",
        "charges": [
            {
                "plan_id": 3,
                "plan_code": "monthly",
                "metric": "api_calls",
                "metric_code": "api_calls",
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
)


class CatalogApi(http.Controller):
    @api_route("GET", "/catalog", "read", GET_CATALOG)
    def catalog(self, call):
        return call.service._api_catalog()
