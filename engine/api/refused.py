"""What is kept of a usage event that was refused: enough to try again, and no more."""

import hashlib
import json
import re
from decimal import Decimal

from .events import EVENT_KEYS as KEPT_KEYS
from .keys import PREFIX

MAX_BODY = 2_000
# A key of ours that an app put where it does not belong.
_SECRET = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{20,}}|(?i:bearer) +[!-~]{{16,}}")
_REMOVED = "[removed]"


def kept_body(event: object) -> tuple[str, bool]:
    """Return an event as JSON text, and whether something of it is left out.

    Decimals become texts of the same digits, which the API reads as the same number.
    What is left out: keys that no event has (their names are told), lists and objects,
    what looks like a key of ours, and what is beyond :data:`MAX_BODY` characters.

    :param event: as ``decode_json`` returns it
    """
    if not isinstance(event, dict):
        return json.dumps({"not_an_event": type(event).__name__}), True
    body, is_cut = {}, False
    for key in KEPT_KEYS:
        if key in event:
            body[key], cut = _kept_value(event[key])
            is_cut = is_cut or cut
    others = sorted(str(key)[:40] for key in event if key not in KEPT_KEYS)
    if others:
        body["left_out"] = others[:10]
        is_cut = True
    text = json.dumps(body)
    if len(text) > MAX_BODY:
        # The longest go first, until the rest can be read.
        for key in sorted(body, key=lambda k: -len(json.dumps(body[k]))):
            body[key] = f"{str(body[key])[:60]}…"
            if len(text := json.dumps(body)) <= MAX_BODY:
                break
        is_cut = True
    return text, is_cut


def event_of(body: str) -> dict:
    """Return the event that :func:`kept_body` has made this text of."""
    return {k: v for k, v in json.loads(body).items() if k in KEPT_KEYS}


def body_digest(event: object, body: str) -> str:
    """Return 32 hex digits by which an event that comes again is known.

    :param body: what is kept of it; of one that was cut, all of it counts
    """
    whole = body if isinstance(event, dict) else f"{body}{str(event)[:10_000]}"
    if isinstance(event, dict):
        parts = (
            f"{key}={str(event[key])[:10_000]}" for key in KEPT_KEYS if key in event
        )
        whole += "|".join(parts)
    return hashlib.sha256(whole.encode("utf-8", "backslashreplace")).hexdigest()[:32]


def _kept_value(value):
    if isinstance(value, Decimal):
        return str(value)[:300], len(str(value)) > 300
    if isinstance(value, str):
        safe = _SECRET.sub(_REMOVED, value)
        return safe, safe != value
    if value is None or isinstance(value, bool):
        return value, False
    if isinstance(value, int):
        if value.bit_length() > 256:
            return "[a very large number]", True
        return value, False
    return f"[{type(value).__name__}]", True
