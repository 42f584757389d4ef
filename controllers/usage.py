from odoo import http

from ..engine.api import query
from ..engine.api.collector import paused_collection
from .route import api_route


class UsageApi(http.Controller):
    @api_route("POST", "/usage", scope="usage", read_committed=True)
    def record_usage(self, call):
        with paused_collection():
            return call.service._record_events(call.events_body())

    @api_route("POST", "/usage/void", scope="usage", read_committed=True)
    def void_usage(self, call):
        return call.service._api_void_usage(call.events_body())

    @api_route(
        "GET",
        "/usage",
        scope="read",
        query={
            "subscription": query.text,
            "metric": query.text,
            "state": query.choice("accepted", "unallocated", "voided"),
            "period_from": query.instant,
            "period_until": query.instant,
            "received_from": query.instant,
            "received_until": query.instant,
            "idempotency_key": query.text,
            **query.page("usage"),
        },
        read_committed=True,
    )
    def usage(self, call):
        return call.service._api_usage(call.query)

    @api_route("POST", "/reconciliations", scope="usage", read_committed=True)
    def reconcile(self, call):
        return call.service._api_reconcile(call.body())
