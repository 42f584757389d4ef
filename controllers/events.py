from odoo import http

from ..engine.api import query
from ..engine.api.payload import check_object
from .route import api_route


class EventsApi(http.Controller):
    @api_route(
        "GET",
        "/events",
        scope="read",
        query={
            "type": query.text,
            "state": query.choice("pending", "sent", "dead"),
            "created_from": query.instant,
            "created_until": query.instant,
            **query.page("event"),
        },
        read_committed=True,
    )
    def events(self, call):
        return call.service._api_events(call.query)

    @api_route("POST", "/events/<string:event_id>/replay", scope="manage")
    def replay_event(self, call, event_id):
        check_object(call.body(optional=True))
        return call.service._api_replay_event(event_id)

    @api_route("POST", "/webhooks/test", scope="manage")
    def test_webhook(self, call):
        check_object(call.body(optional=True))
        return call.service._api_test_webhook()
