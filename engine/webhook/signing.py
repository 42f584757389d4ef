"""The bytes of a webhook, and the signatures over exactly those bytes."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Sequence

from ..errors import BillingError

USER_AGENT = "Fusion-Centralized-Billing"
_SECRET_PREFIX = "whsec_"


def canonical_body(payload: dict) -> str:
    """Return the JSON text of a payload: sorted keys, no spaces, not escaped.

    The same payload always gives the same bytes (encoded as UTF-8). Amounts and
    quantities must be text already.

    :raises ValueError: NaN or an infinity, which JSON does not have
    :raises TypeError: a value JSON does not have, such as Decimal
    """
    return json.dumps(
        payload,
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
        allow_nan=False,
    )


def fusion_signature(secret: str, body: bytes) -> str:
    """Return ``sha256=<hex>``: HMAC of the body alone, keyed by the secret's text."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return f"sha256={digest}"


def standard_signature(
    secrets: Sequence[str], msg_id: str, timestamp: int, body: bytes
) -> str:
    """Return ``v1,<base64>`` for each secret, separated by spaces.

    Source: Standard Webhooks 1.0, "Signature scheme" (symmetric): HMAC-SHA256 of
    ``id.timestamp.body``. The timestamp is signed, so an old request cannot be
    sent again as new.

    :param secrets: the current one first, then those still valid while rotating
    :param timestamp: of this attempt, whole seconds since the epoch
    :raises BillingError: ``invalid_webhook_secret``
    """
    signed = f"{msg_id}.{timestamp}.".encode() + body
    return " ".join(
        "v1," + base64.b64encode(hmac.digest(_key(secret), signed, "sha256")).decode()
        for secret in secrets
    )


def delivery_headers(
    event_id: str,
    event_type: str,
    body: bytes,
    secrets: Sequence[str],
    timestamp: int,
) -> dict[str, str]:
    """Return the headers of one delivery attempt.

    :param event_id: the same on every attempt; receivers drop what they know
    :param secrets: at least one, see :func:`standard_signature`; the first one
        makes ``X-Fusion-Signature``
    :raises BillingError: ``invalid_webhook_secret``
    """
    return {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "X-Fusion-Event-Id": event_id,
        "X-Fusion-Event-Type": event_type,
        "X-Fusion-Signature": fusion_signature(secrets[0], body),
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": standard_signature(secrets, event_id, timestamp, body),
    }


def _key(secret):
    """``whsec_`` announces base64 (Standard Webhooks 1.0); other text is the key."""
    key = secret.encode()
    if secret.startswith(_SECRET_PREFIX):
        try:
            key = base64.b64decode(secret[len(_SECRET_PREFIX) :], validate=True)
        except (binascii.Error, ValueError):
            key = b""
    if not key:
        raise BillingError(
            "invalid_webhook_secret",
            "the webhook secret must be plain text, or whsec_ and base64",
            "webhook_secret",
        )
    return key
