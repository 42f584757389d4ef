"""Routes of the HTTP API: read the body, call one model method, render."""

from odoo import SUPERUSER_ID, api, http
from odoo.http import request
from odoo.sql_db import Cursor

from ..engine.errors import BillingError
from ..engine.keys import parse_bearer
from .envelope import MAX_BODY, PREFIX, Refused, json_response, read_body


def _route(path, method):
    return http.route(
        f"{PREFIX}{path}",
        type="http",
        auth="none",
        methods=[method],
        csrf=False,
        readonly=False,
        save_session=False,
        max_content_length=MAX_BODY,
    )


def _service():
    """The service the bearer key belongs to; one answer for every bad key."""
    key = parse_bearer(request.httprequest.headers.get("Authorization"))
    env = api.Environment(request.env.cr, SUPERUSER_ID, {})
    service = env["fusion.billing.service"]._match_api_key(key)
    if not service:
        raise Refused(401)
    service._touch_last_used()
    return service


def _answer(handler):
    """Authenticate, run ``handler(service)`` and render its answer.

    A refusal is an answer like any other, with HTTP 400: what the handler stored
    before it (the good events of a batch) is committed.
    """
    if request.httprequest.method == "OPTIONS":  # Odoo adds it to every route
        raise Refused(405)
    try:
        body = handler(_service())
    except BillingError as error:
        body = {"status": "error", "error": error.message, "code": error.code}
    return json_response(body, 200 if body["status"] == "ok" else 400)


def _record_usage(service):
    """Ingest with READ COMMITTED, so that requests with the same events just wait.

    At Odoo's REPEATABLE READ, ON CONFLICT DO NOTHING fails where another request has
    inserted the event meanwhile; each failure logs the whole batch as an error.
    """
    payload = read_body()
    cr = request.env.cr
    if isinstance(cr, Cursor):  # the one cursor of a test cannot change its level
        cr.rollback()  # nothing is written yet; only a new transaction may choose
        cr.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
    return service._api_record_usage(payload)


class FusionBillingApi(http.Controller):
    @_route("/customers", "POST")
    def upsert_customer(self, **_query):
        return _answer(lambda service: service._api_upsert_customer(read_body()))

    @_route("/usage", "POST")
    def record_usage(self, **_query):
        return _answer(_record_usage)

    @_route("/catalog", "GET")
    def catalog(self, **_query):
        return _answer(lambda service: service._api_catalog())

    @_route("/subscriptions", "POST")
    def create_subscription(self, **_query):
        return _answer(lambda service: service._api_create_subscription(read_body()))

    @_route("/health", "GET")
    def health(self, **_query):
        return json_response({"status": "ok"})
