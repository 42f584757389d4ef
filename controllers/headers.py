"""The headers that all answers of the API share."""

import hashlib
import math
import re
import uuid
from datetime import UTC, datetime, time
from email.utils import format_datetime

from odoo.http import request

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


def request_id():
    """What this request is called, in its answer and in the log (str).

    The app's own name for it, where it sent one that can be searched for.
    """
    known = getattr(request, "fc_request_id", None)
    if not known:
        sent = request.httprequest.headers.get("X-Request-Id", "")
        known = sent if _REQUEST_ID.fullmatch(sent) else uuid.uuid4().hex
        request.fc_request_id = known
    return known


def of_allowance(allowance):
    """``RateLimit-*``: how many requests may come at once now, and when all may again.

    :param allowance: see ``_take_rate_token``; None: there is no limit
    """
    if allowance is None:
        return {}
    return {
        "RateLimit-Limit": str(allowance.size),
        "RateLimit-Remaining": str(allowance.left),
        "RateLimit-Reset": str(math.ceil(allowance.full_in)),
    }


def of_deprecation(deprecation):
    """``Deprecation`` (RFC 9745) and ``Sunset`` (RFC 8594) of a route.

    :param deprecation: see :class:`.openapi.operation.Deprecation`; None: it stays
    """
    if deprecation is None:
        return {}
    return {
        "Deprecation": f"@{int(_midnight(deprecation.since).timestamp())}",
        "Sunset": format_datetime(_midnight(deprecation.until), usegmt=True),
        "Link": f'<{deprecation.link}>; rel="deprecation"',
    }


def _midnight(day):
    return datetime.combine(day, time(), UTC)


def let_keep(response):
    """Let the app keep a good answer, and ask whether it is still so.

    ``ETag`` is a digest of the content: two answers with the same are the same, to the
    byte. With ``If-None-Match`` an app is spared the content, not the work.

    :param response: what is answered to a ``GET``; its content is taken away where the
        app has it
    """
    digest = hashlib.sha256(response.get_data()).hexdigest()[:32]
    response.set_etag(digest)
    # Nobody but the app keeps it, and it asks each time.
    response.headers["Cache-Control"] = "private, no-cache"
    known = request.httprequest.if_none_match
    if known.contains_weak(digest):
        response.status_code = 304
        response.set_data(b"")
        for name in ("Content-Type", "Content-Length", "Content-Disposition"):
            response.headers.pop(name, None)
    return response
