from odoo import http

from ..engine.api import query
from .route import api_route


class SubscriptionsApi(http.Controller):
    @api_route("GET", "/catalog", scope="read")
    def catalog(self, call):
        return call.service._api_catalog()

    @api_route("POST", "/subscriptions", scope="manage")
    def create_subscription(self, call):
        return call.service._create_subscription(call.body())

    @api_route("GET", "/subscriptions/<path:subscription>", scope="read")
    def subscription(self, call, subscription):
        return call.service._api_subscription(subscription)

    @api_route(
        "GET",
        "/subscriptions/<path:subscription>/usage",
        scope="read",
        query={"past": query.whole(0, 24)},
    )
    def subscription_usage(self, call, subscription):
        return call.service._api_subscription_usage(subscription, **call.query)

    @api_route("POST", "/subscriptions/<path:subscription>/cancel", scope="manage")
    def cancel_subscription(self, call, subscription):
        return call.service._api_cancel_subscription(subscription, call.body())
