"""The JSON envelope of ``/api/billing/v1``: one way in, one way out.

Odoo and Werkzeug answer their own refusals (404, 405, 413, a failed transaction)
in HTML. Below the API's prefix every one of them is turned into JSON here.
"""

import contextlib
import json
import logging
import re

import psycopg2
from psycopg2.pool import PoolError
from werkzeug.exceptions import ClientDisconnected, HTTPException, NotFound

from odoo import models
from odoo.exceptions import ConcurrencyError
from odoo.http import HttpDispatcher, RegistryError, Response, request
from odoo.sql_db import db_connect

from ..engine.api.errors import ERRORS, error_body
from ..engine.api.events import MAX_VALUES, decode_json
from ..engine.errors import BillingError
from .headers import of_allowance, request_id
from .raw_path import raw_path

_logger = logging.getLogger(__name__)

PREFIX = "/api/billing/v1"
MAX_BODY = 8 * 1024 * 1024

# Which code of the error table an HTTP status of Odoo's or Werkzeug's stands for.
CODES = {
    404: "not_found",
    405: "method_not_allowed",
    411: "length_required",
    413: "body_too_large",
    415: "unsupported_media_type",
}
_SLASHES = re.compile("/{2,}")
BUSY = (
    psycopg2.OperationalError,
    psycopg2.InterfaceError,
    PoolError,
    ConcurrencyError,
)
HEADERS = {
    "unauthorized": {"WWW-Authenticate": "Bearer"},
    "busy": {"Retry-After": "1"},
}


class Refused(HTTPException):
    """A request that is refused before any handler of ours looks at it.

    :param str error_code: a key of :data:`~..engine.api.errors.ERRORS`
    :param reason: what is wrong (str); without one, what the code means
    """

    def __init__(self, error_code, reason=None):
        super().__init__()
        self.error_code = error_code
        self.reason = reason
        self.code = ERRORS[error_code].status


def json_response(body, status=200, headers=None):
    """Render an answer. ``body`` (dict) holds text, ints, bools, lists and dicts."""
    return Response(
        json.dumps(body, ensure_ascii=False, separators=(",", ":")),
        status=status,
        headers={
            "Content-Type": "application/json; charset=utf-8",
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "X-Request-Id": request_id(),
            **(headers or {}),
        },
    )


def error_response(exception):
    """Render what stopped a request; the error table decides how."""
    headers, reason = {}, None
    if isinstance(exception, Refused):
        code, reason = exception.error_code, exception.reason
    elif isinstance(exception, HTTPException):
        code = CODES.get(exception.code, "invalid_request")
        if code == "not_found" and not request.db:
            code = "busy" if _is_database_down(exception) else "unknown_database"
        if methods := getattr(exception, "valid_methods", None):
            # Odoo adds OPTIONS to every route, and none of ours answers it.
            headers["Allow"] = ", ".join(sorted({*methods} - {"OPTIONS"}))
    elif isinstance(exception, BUSY) or type(exception) is psycopg2.DatabaseError:
        # Odoo has repeated the request five times and gave up, or PostgreSQL went away
        # (a plain DatabaseError comes from a pooled connection that is dead). Whether
        # the last commit went through is not known then: the app has to send it again.
        code = "busy"
    else:
        code = "internal_error" if _has_good_host() else "invalid_request"
    body = error_body(BillingError(code, reason or ERRORS[code].meaning))
    call = getattr(request, "fc_call", None)
    if call:
        headers |= of_allowance(call.allowance)
    if call and request.env:
        request.fc_call = None  # a failure after this must not be logged twice
        call.failed = True
        call.answer = body
        # Without a database there is no log to write to.
        with contextlib.suppress(psycopg2.Error):
            call.log(ERRORS[code].status)
    return json_response(body, ERRORS[code].status, headers | HEADERS.get(code, {}))


def _has_good_host():
    """Whether the header Host is there and makes an address; Odoo cannot do without."""
    try:
        return "Host" in request.httprequest.headers and bool(request.httprequest.url)
    except ValueError:
        return False


def _is_database_down(exception):
    """Whether it is for now that a database cannot be used.

    Odoo then goes on as if there were none. An app that was told so would give up.

    :param exception: what Odoo ended with, having tried without a database
    """
    named = request.httprequest.headers.get("X-Odoo-Database")
    while exception and not isinstance(exception, RegistryError):
        exception = exception.__context__
    failed = exception and isinstance(exception.__cause__, psycopg2.OperationalError)
    try:
        with db_connect("postgres").cursor() as cr:
            if failed and named:
                cr.execute("SELECT 1 FROM pg_database WHERE datname = %s", [named])
                failed = cr.rowcount
            # where none was named, Odoo chose one that is there
            return bool(failed)
    except psycopg2.OperationalError:
        return True


def read_body(optional=False, max_values=MAX_VALUES):
    """Return the decoded JSON body of the current request.

    The raw bytes are read: Odoo's own decoder replaces bad UTF-8 and makes floats.

    :param bool optional: no body at all is ``{}``
    :param int max_values: see :func:`~..engine.events.decode_json`
    :raises Refused: not JSON by its headers, or too large
    :raises BillingError: not JSON by its content, or cut off
    """
    incoming = request.httprequest
    if optional and not incoming.content_length:
        return {}
    charset = incoming.mimetype_params.get("charset", "utf-8")
    for is_good, reason in (
        (incoming.mimetype == "application/json", "Content-Type: application/json"),
        (charset.lower() in ("utf-8", "utf8"), "text in UTF-8: no other charset"),
        (
            incoming.headers.get("Content-Encoding", "identity").lower() == "identity",
            "it uncompressed: without Content-Encoding",
        ),
    ):
        if not is_good:
            raise Refused("unsupported_media_type", f"send {reason}")
    length = incoming.content_length
    if length is None:
        raise Refused("length_required")
    if length > MAX_BODY:
        raise Refused("body_too_large")
    try:
        raw = incoming.get_data(cache=True)
    except ClientDisconnected:  # or slower than the server waits
        raw = b""
    if len(raw) != length:
        raise BillingError("incomplete_body", "the body ended before its length")
    return decode_json(raw, max_values)


def is_ours(path):
    """Whether a path (str) is of the API, spelt in whatever way."""
    return _SLASHES.sub("/", f"{path}/").startswith(f"{PREFIX}/")


def _is_ours():
    return is_ours(request.httprequest.path)


class JsonErrors(HttpDispatcher):
    """Answers in JSON also where no database, and so no ``ir.http``, is reached.

    Odoo keeps one dispatcher for each type of route; a later one takes its place.
    """

    routing_type = HttpDispatcher.routing_type

    def handle_error(self, exc):
        return error_response(exc) if _is_ours() else super().handle_error(exc)


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    @classmethod
    def _match(cls, path_info):
        try:
            if _is_ours():
                # An id that holds a slash is one segment; a decoded path forgets that.
                path_info = raw_path(request.httprequest)
            return super()._match(path_info)
        except HTTPException as exception:
            if not _is_ours():
                raise
            # Odoo asks nobody how a wrong method is to be answered. And it makes a
            # redirection, in HTML, of a missing route where the path has two slashes
            # or a cookie names a language.
            no_route = isinstance(exception, NotFound) or exception.code is None
            # It merges slashes when it looks for other methods of a path, too.
            no_route = no_route or "//" in path_info
            refused = Refused("not_found") if no_route else exception
            refused.error_response = error_response(refused)
            raise refused from None

    @classmethod
    def _dispatch(cls, endpoint):
        if _is_ours():
            # A query parameter is passed by its name, and this one is taken.
            request.params.pop("self", None)
        return super()._dispatch(endpoint)

    @classmethod
    def _serve_fallback(cls):
        """Nothing else (attachments, pages) is looked up below the prefix."""
        return None if _is_ours() else super()._serve_fallback()

    @classmethod
    def _handle_error(cls, exception):
        if _is_ours():
            return error_response(exception)
        return super()._handle_error(exception)
