from odoo import http

from ..engine.api import answers
from .openapi.operation import Operation, Request
from .openapi.values import an_object, flag, names_subscription, or_null, ref
from .route import api_route

SCHEMAS = {
    "ReconciliationRequest": names_subscription(
        an_object(
            {
                "subscription_external_id": ref("SubscriptionReference"),
                "subscription_id": ref("OdooReference"),
                "metric_code": ref("Text", "Code of an active metric."),
                "window_start": ref("InstantInput", "First instant of the window."),
                "window_end": ref("InstantInput", "First instant after it."),
                "declared_quantity": ref("DecimalInput"),
                "declared_count": {
                    "type": ["integer", "null"],
                    "minimum": 0,
                    "maximum": 2**31 - 1,
                    "description": "How many events you sent.",
                },
                "declared_amount": or_null(
                    ref("DecimalInput", "In the subscription's currency.")
                ),
                "complete": flag("You have sent all usage of the window."),
            },
            optional=("declared_count", "declared_amount", "complete"),
        )
    ),
}

RECONCILE = Operation(
    name="reconcile",
    tag="Reconciliation",
    summary="Compare your totals of a window with ours",
    description="""
The quantity of a window `[window_start, window_end)`, and optionally the number of
events and the amount. On a mismatch finance gets an activity, and you the event
`reconciliation.mismatch`. The same window again replaces what you declared.
""",
    request=Request(
        SCHEMAS,
        "ReconciliationRequest",
        {
            "A month": {
                "subscription_external_id": "sub-1",
                "metric_code": "api_calls",
                "window_start": "2026-01-01T00:00:00Z",
                "window_end": "2026-02-01T00:00:00Z",
                "declared_quantity": "130",
                "declared_count": 42,
                "complete": True,
            }
        },
    ),
    answer=answers.Reconciliation,
    example={
        "status": "ok",
        "reconciliation_id": 5,
        "state": "matched",
        "complete": True,
        "currency": "USD",
        "declared": {"quantity": "130", "count": 42, "amount": None},
        "ours": {"quantity": "130", "count": 42, "amount": "15.00"},
        "difference": {"quantity": "0", "count": 0, "amount": None},
        "compared_at": "2026-02-01T00:10:00Z",
    },
    errors=(
        "invalid_payload",
        "missing_field",
        "invalid_subscription_external_id",
        "invalid_subscription_id",
        "subscription_mismatch",
        "unknown_subscription",
        "invalid_metric_code",
        "unknown_metric",
        "invalid_period",
        "invalid_window",
        "invalid_declared_quantity",
        "invalid_declared_count",
        "invalid_declared_amount",
        "invalid_complete",
    ),
)


class ReconciliationsApi(http.Controller):
    @api_route("POST", "/reconciliations", "usage", RECONCILE, read_committed=True)
    def reconcile(self, call):
        return call.service._api_reconcile(call.body())
