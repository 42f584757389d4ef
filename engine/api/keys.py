"""API keys: how they look, and what is stored of them."""

import base64
import hashlib
import re
import zlib
from collections.abc import Callable

PREFIX = "fcb_"
RANDOM_BYTES = 32
KEY_LENGTH = len(PREFIX) + 43 + 6  # prefix, 32 bytes in base64url, checksum
MAX_BEARER = 512

# RFC 6750, 2.1: the scheme's case does not matter (RFC 9110, 11.1) and spaces
# follow it. Any visible ASCII is a token; whether it is a key, its hash decides.
_BEARER = re.compile(rf"(?i:bearer) +([!-~]{{1,{MAX_BEARER}}})")


def generate_api_key(random_bytes: Callable[[int], bytes]) -> str:
    """Return a new raw key: prefix, 32 random bytes in base64url, checksum.

    The prefix lets secret scanners find a leaked key, the checksum lets them
    tell it from a look-alike without asking us.

    :param random_bytes: cryptographic source, such as ``secrets.token_bytes``
    """
    random = base64.urlsafe_b64encode(random_bytes(RANDOM_BYTES))
    body = PREFIX + random.rstrip(b"=").decode()
    return body + _checksum(body)


def may_be_key(raw: str) -> bool:
    """Whether a text can be a key of ours, by its checksum.

    A text without our prefix can be: the hash of a key from elsewhere may be stored.
    """
    if not raw.startswith(PREFIX):
        return bool(raw)
    return len(raw) == KEY_LENGTH and raw[-6:] == _checksum(raw[:-6])


def hash_api_key(raw: str) -> str:
    """Return the SHA-256 hex digest that is stored in place of a key.

    Plain SHA-256 is enough: a key is 256 random bits, which no dictionary holds.
    Any text can be hashed, also what no client could send.
    """
    return hashlib.sha256(raw.encode("utf-8", "surrogatepass")).hexdigest()


def parse_bearer(header: str | None) -> str | None:
    """Return the token of an ``Authorization: Bearer`` header, else None.

    Exactly one token of at most 512 visible ASCII characters; anything else is
    no token, so that it costs no hashing and no query.
    """
    match = _BEARER.fullmatch(header) if header else None
    return match[1] if match else None


def _checksum(body):
    return f"{zlib.crc32(body.encode()) & 0xFFFFFF:06x}"
