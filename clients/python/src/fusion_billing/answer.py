"""An HTTP answer, judged: its JSON object, or the exception that says what to do."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import Any

import requests

from .errors import (
    CredentialsError,
    FusionBillingError,
    NotFoundError,
    RequestError,
    RetryLaterError,
    SetupError,
)

# Of an answer that is not ours, too: proxies answer so when what they front is away.
_REPEAT = {408, 429, 502, 503, 504}
# The server says that nothing was stored; a proxy's 503 says nothing of the kind.
_NOT_DONE = {
    *("busy", "rate_limited", "internal_error", "incomplete_body", "body_too_slow"),
}
# Waiting some seconds does not mend these.
_NO_REPEAT = {"pdf_unavailable", "internal_error"}
# No caller of this package can cause these: the address is not the API's, or something
# on the way changes requests.
_SETUP = {
    *("not_found", "unknown_database", "method_not_allowed", "length_required"),
    *("unsupported_media_type", "invalid_request", "invalid_json", "invalid_payload"),
}


def error_of(
    response: requests.Response, body: Mapping[str, Any]
) -> FusionBillingError | None:
    """The exception for an answer; None for a good one.

    :param body: its JSON object; empty when it is something else
    """
    status = response.status_code
    code = body.get("code") if isinstance(body.get("code"), str) else None
    message = str(body.get("error") or response.reason or "no reason given")[:500]
    if 200 <= status < 300:
        return None
    if status >= 500 or status in _REPEAT or code == "incomplete_body":
        return RetryLaterError(
            message,
            status=status,
            code=code,
            retry_after=retry_after(response.headers.get("Retry-After")),
            repeat=(status in _REPEAT or status == 400) and code not in _NO_REPEAT,
            maybe_done=code not in _NOT_DONE and status != 429,
        )
    if status == 413:  # a proxy's, too: its limit can be lower than ours
        return RequestError(
            message, status=status, code=code or "body_too_large", body=body
        )
    if code is None or code in _SETUP:
        text = message if code else "the answer is not the billing API's"
        return SetupError(text, status=status, code=code)
    kind: type[FusionBillingError]
    if status in (401, 403):
        return CredentialsError(message, status=status, code=code)
    kind = NotFoundError if status == 404 else RequestError
    return kind(message, status=status, code=code, field=body.get("field"), body=body)


def object_of(content: bytes) -> dict[str, Any]:
    """The JSON object that ``content`` is; empty when it is something else."""
    try:
        body = json.loads(content)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def retry_after(value: str | None) -> float | None:
    """Seconds that a Retry-After header asks for, which may also name a date."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return max(moment.timestamp() - time.time(), 0.0)
