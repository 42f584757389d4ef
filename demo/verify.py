"""Verifies webhook signatures, as a receiving app would: by the public rules alone.

Two families come with every webhook, see https://www.standardwebhooks.com for the
second one. Shares no code with the addon that signs them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping

TOLERANCE_S = 300


def fusion_is_valid(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether `X-Fusion-Signature` is `sha256=` and the HMAC-SHA256 of the body."""
    right = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(right, headers.get("X-Fusion-Signature", ""))


def standard_is_valid(
    secret: str, headers: Mapping[str, str], body: bytes, now: float
) -> bool:
    """Whether `webhook-signature` holds a `v1` signature of `id.timestamp.body`.

    :param now: seconds since 1970; a timestamp further away than five minutes, either
        way, is not accepted
    """
    identifier = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    if not (timestamp.isascii() and timestamp.isdecimal()):
        return False
    if abs(now - int(timestamp)) > TOLERANCE_S:
        return False
    signed = f"{identifier}.{timestamp}.".encode() + body
    digest = hmac.new(_key(secret), signed, hashlib.sha256).digest()
    right = "v1," + base64.b64encode(digest).decode()
    given = headers.get("webhook-signature", "").split()
    return any(hmac.compare_digest(right, signature) for signature in given)


def _key(secret: str) -> bytes:
    if secret.startswith("whsec_"):
        return base64.b64decode(secret.removeprefix("whsec_"))
    return secret.encode()
