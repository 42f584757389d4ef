"""Opaque positions in lists that are read page by page."""

import base64
import binascii
import re

from ..errors import BillingError

MAX_ID = 2**63 - 1
_CONTENT = re.compile(r"([a-z]+):(0|[1-9][0-9]{0,18})")


def encode_cursor(kind: str, position: int) -> str:
    """Return the cursor after the item with this id.

    :param kind: which list, in lower-case ASCII letters
    """
    return base64.urlsafe_b64encode(f"{kind}:{position}".encode()).decode().rstrip("=")


def decode_cursor(kind: str, text: str) -> int:
    """Return the id after which a page begins.

    :raises BillingError: ``invalid_cursor``: not made by :func:`encode_cursor` for
        this list
    """
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        raw = ""
    match = _CONTENT.fullmatch(raw)
    # Encoded again, because the decoder skips what is not base64.
    if match and match[1] == kind and int(match[2]) <= MAX_ID:
        if encode_cursor(kind, int(match[2])) == text:
            return int(match[2])
    raise BillingError("invalid_cursor", "invalid cursor", "cursor")
