"""The JSON envelope of ``/api/billing/v1``: one way in, one way out.

Odoo and Werkzeug answer their own refusals (404, 405, 413, a failed transaction)
in HTML. Below the API's prefix every one of them is turned into JSON here.
"""

import json
import logging

from psycopg2 import OperationalError
from werkzeug.exceptions import HTTPException

from odoo import models
from odoo.http import Response, request

from ..engine.errors import BillingError
from ..engine.events import decode_json

_logger = logging.getLogger(__name__)

PREFIX = "/api/billing/v1"
MAX_BODY = 8 * 1024 * 1024

# What is refused before any handler runs: HTTP status -> (code, text).
HTTP_ERRORS = {
    400: ("invalid_request", "the request is not well-formed"),
    401: ("unauthorized", "unknown, expired or revoked API key"),
    404: ("not_found", "no such route"),
    405: ("method_not_allowed", "method not allowed"),
    411: ("length_required", "Content-Length required"),
    413: ("body_too_large", f"the body is limited to {MAX_BODY} bytes"),
    415: (
        "unsupported_media_type",
        "send application/json in UTF-8, without Content-Encoding",
    ),
    500: ("internal_error", "internal error; it has been logged"),
    503: ("busy", "too many requests of the same records at once; send it again"),
}
HEADERS = {
    401: {"WWW-Authenticate": "Bearer"},
    503: {"Retry-After": "1"},
}


class Refused(HTTPException):
    """A request refused by the envelope with a status of :data:`HTTP_ERRORS`."""

    def __init__(self, status):
        super().__init__()
        self.code = status


def json_response(body, status=200, headers=None):
    """Render an answer. ``body`` (dict) holds text, ints, bools, lists and dicts."""
    return Response(
        json.dumps(body, ensure_ascii=False, separators=(",", ":")),
        status=status,
        headers={
            "Content-Type": "application/json; charset=utf-8",
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            **(headers or {}),
        },
    )


def error_response(exception):
    """Render what stopped a request; the one table of statuses decides how."""
    headers = {}
    if isinstance(exception, HTTPException):
        status = exception.code if exception.code in HTTP_ERRORS else 400
        if methods := getattr(exception, "valid_methods", None):
            headers["Allow"] = ", ".join(sorted(methods))
    elif isinstance(exception, OperationalError):
        # Odoo has repeated it five times and gave up; nothing was stored.
        status = 503
    else:
        status = 500
    code, text = HTTP_ERRORS[status]
    return json_response(
        {"status": "error", "error": text, "code": code},
        status,
        headers | HEADERS.get(status, {}),
    )


def read_body():
    """Return the decoded JSON body of the current request.

    The raw bytes are read: Odoo's own decoder replaces bad UTF-8 and makes floats.

    :raises Refused: not JSON by its headers, or too large
    :raises BillingError: not JSON by its content, or cut off
    """
    incoming = request.httprequest
    if incoming.mimetype != "application/json":
        raise Refused(415)
    if incoming.mimetype_params.get("charset", "utf-8").lower() not in (
        "utf-8",
        "utf8",
    ):
        raise Refused(415)
    if incoming.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Refused(415)
    length = incoming.content_length
    if length is None:
        raise Refused(411)
    if length > MAX_BODY:
        raise Refused(413)
    raw = incoming.get_data(cache=True)
    if len(raw) != length:
        raise BillingError("incomplete_body", "the body ended before its length")
    return decode_json(raw)


def _is_ours():
    return f"{request.httprequest.path}/".startswith(f"{PREFIX}/")


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    @classmethod
    def _match(cls, path_info):
        try:
            return super()._match(path_info)
        except HTTPException as exception:
            # Only a missing route goes through _handle_error; a wrong method
            # would leave as it is.
            if _is_ours():
                exception.error_response = error_response(exception)
            raise

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
