"""One way for a request to come in, and for its answer to go out.

A route declares its method, its path and the scope that a key needs for it. What is
around its handler is here, once: the key, the scope, the rate limit, the answer, the
log.
"""

import re
import time
from dataclasses import dataclass

from werkzeug.exceptions import MethodNotAllowed, NotFound

from odoo import SUPERUSER_ID, api, http
from odoo.http import request

from ..engine.api.errors import error_body, status_of
from ..engine.api.keys import parse_bearer
from ..engine.api.query import read_query
from ..engine.errors import BillingError, NotFoundError, TooManyValues
from ..models.base.own_transaction import begin_read_committed, own_statements
from . import front, headers
from .envelope import HEADERS, MAX_BODY, PREFIX, Refused, json_response, read_body
from .openapi.operation import Operation
from .raw_path import text_of

# How many JSON values a body may have for each event: twice what an event can use.
VALUES_PER_EVENT = 16
_VARIABLE = re.compile(r"<(?:[a-z]+:)?([a-z_]+)>")


@dataclass(frozen=True)
class Route:
    """A route as it was declared.

    :param path: below the prefix, with ``{name}`` for what varies
    :param scope: ``usage``, ``read`` or ``manage``; None: no key is needed
    :param operation: its description, with the query parameters it takes
    """

    method: str
    path: str
    scope: str | None
    operation: Operation


ROUTES: list[Route] = []


class Call:
    """One request of a source app.

    :ivar key: its ``fusion.billing.api.key``
    :ivar service: the ``fusion.billing.service`` it acts as
    :ivar query: values of the query parameters that were given (dict)
    :ivar answer: what it was answered (dict), for the log
    :param allowance: what the rate limit says, see ``_take_rate_token``
    :param previous: the call of this request that Odoo repeats, or None
    """

    def __init__(self, route, key, allowance, previous=None):
        self.route = route
        self.key = key
        self.allowance = allowance
        self.service = key.service_id
        self.query = {}
        self.answer = {}
        self.started = previous.started if previous else time.perf_counter()
        self.failed = False  # the request's own transaction is lost

    def body(self, optional=False):
        """The decoded JSON body; an optional one that is not there is ``{}``."""
        return read_body(optional)

    def events_body(self):
        """The decoded JSON body of a request that has usage events in it."""
        limit = self.service._max_events()
        try:
            return read_body(max_values=VALUES_PER_EVENT * (limit + 1))
        except TooManyValues as error:
            if error.objects <= limit:
                raise
            raise self.service._too_many_events() from None

    def log(self, status):
        """Write the call into the service's log.

        With the request's own transaction, where that can write: the log then tells
        exactly what was stored.

        :param int status: the HTTP status it was answered with
        """
        codes = [self.answer.get("code")]
        codes += [error.get("code") for error in self.answer.get("errors", ())]
        results = [result["status"] for result in self.answer.get("results", ())]
        values = {
            "service_id": self.service.id,
            "key_id": self.key.id,
            "method": self.route.method,
            "route": self.route.path,
            "status": status,
            "duration_ms": 1000 * (time.perf_counter() - self.started),
            "request_bytes": request.httprequest.content_length or 0,
            "event_count": len(results),
            "accepted": results.count("accepted") + results.count("voided"),
            "duplicates": results.count("duplicate") + results.count("already_voided"),
            "conflicts": results.count("conflict"),
            "rejected": results.count("rejected"),
            "error_codes": ",".join(sorted({code for code in codes if code})),
            "request_id": headers.request_id(),
        }
        log = request.env["fusion.billing.api.log"]
        if not (self.failed or request.env.cr.readonly):
            log._write_call(request.env.cr, values)
            return
        with own_statements(request.env) as cr:
            log._write_call(cr, values)


def api_route(
    method: str,
    path: str,
    scope: str | None,
    operation: Operation,
    read_committed: bool = False,
):
    """Declare a method of a controller as a route of the API.

    The method gets the :class:`Call` and what varies in the path, and returns the
    answer: a dict with ``status``, or a response. GET routes only read, and may be
    served by a replica; not those at READ COMMITTED.

    :param path: Odoo's notation, ``/customers/<path:external_id>``
    :param scope: which scope the key needs; None: no key is needed
    :param operation: what the OpenAPI document says of it
    :param read_committed: run at READ COMMITTED; see docs/decisions/0015 and 0023
    """
    names = _VARIABLE.findall(path)
    route = Route(method, _VARIABLE.sub(r"{\1}", path), scope, operation)
    ROUTES.append(route)

    def decorate(handler):
        @http.route(
            f"{PREFIX}{path}",
            type="http",
            auth="none",
            methods=[method],
            csrf=False,
            readonly=method == "GET" and not read_committed,
            save_session=False,
            max_content_length=MAX_BODY,
        )
        def endpoint(self, **params):
            if request.httprequest.method == "OPTIONS":  # Odoo adds it to every route
                methods = {r.method for r in ROUTES if r.path == route.path}
                raise MethodNotAllowed(
                    methods | ({"HEAD"} if "GET" in methods else set())
                )
            # A server-wide module has its routes also where it is not installed.
            if not request.db or "fusion.billing.service" not in request.env:
                raise NotFound()
            # Odoo mixes what stands in the path with the query string.
            arguments = {name: text_of(params[name]) for name in names}
            if scope is None:
                return _complete(route, handler(self, **arguments))
            if read_committed:
                # At Odoo's REPEATABLE READ, ON CONFLICT DO NOTHING fails where another
                # request has inserted the event meanwhile; each failure logs the whole
                # batch as an error.
                begin_read_committed(request.env.cr)
            call = _authenticated_call(route)
            answer = _answer(call, lambda: handler(self, call, **arguments))
            answer.headers.update(headers.of_allowance(call.allowance))
            return _complete(route, answer)

        # Not functools.wraps: Odoo would take the signature of the handler for it.
        endpoint.__name__ = handler.__name__
        endpoint.__doc__ = handler.__doc__
        return endpoint

    return decorate


def _authenticated_call(route):
    """The call of the service the bearer key belongs to; one answer for a bad key."""
    header = request.httprequest.headers.get("Authorization")
    if not header:
        raise Refused("unauthorized", "no header `Authorization: Bearer fcb_...`")
    raw_key = parse_bearer(header)
    if not raw_key:
        raise Refused("unauthorized", "`Authorization` is not `Bearer` and one API key")
    env = api.Environment(request.env.cr, SUPERUSER_ID, {})
    with own_statements(env) as cr:
        key = env(cr=cr)["fusion.billing.api.key"]._authenticate(raw_key)
        front.note_key(request.db, raw_key, key)
        if not key:
            raise Refused("unauthorized", "unknown, expired or revoked API key")
        key._touch_last_used()
        # A request that Odoo repeats (a concurrent transaction) has taken its token.
        previous = getattr(request, "fc_call", None)
        allowance = (
            previous.allowance if previous else key.service_id._take_rate_token()
        )
    request.fc_call = Call(route, key.with_env(env), allowance, previous)
    return request.fc_call


def _complete(route, response):
    """Give an answer the headers that do not depend on what it says."""
    response.headers["X-Request-Id"] = headers.request_id()
    response.headers.update(headers.of_deprecation(route.operation.deprecation))
    if route.method == "GET" and response.status_code == 200:
        return headers.let_keep(response)
    return response


def _answer(call, handler):
    """Check what the key may do, run the handler and render its answer.

    A refusal is an answer like any other: what the handler stored before it (the good
    events of a batch) is committed.
    """
    if call.allowance and call.allowance.wait:
        # counted, and not in the log
        error = BillingError("rate_limited", "too many requests; wait and try again")
        retry = {"Retry-After": str(int(call.allowance.wait) + 1)}
        return json_response(error_body(error), status_of(error.code), retry)
    more = {}
    try:
        if not call.key._allows(call.route.scope):
            raise BillingError(
                "insufficient_scope", f"this API key has no scope {call.route.scope}"
            )
        call.query = _query(call.route)
        answer = handler()
        if not isinstance(answer, dict):
            call.log(answer.status_code)
            return answer
        status = 200 if answer["status"] == "ok" else status_of(answer["code"])
    except BillingError as error:
        answer = error_body(error)
        status = status_of(error.code, isinstance(error, NotFoundError))
        more = HEADERS.get(error.code, {})
    call.answer = answer
    call.log(status)
    return json_response(answer, status, more)


def _query(route):
    """The values of the query parameters; writing routes take none, and ignore them."""
    if route.method != "GET":
        return {}
    readers = {name: given.read for name, given in route.operation.query.items()}
    return read_query(request.httprequest.args.items(multi=True), readers)
