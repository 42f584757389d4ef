"""Reading the keys of a decoded request body."""

import re

from ..errors import BillingError
from .events import CONTROL, MAX_TEXT, check_keys, check_text

# One address: whether mail arrives there, only mail can tell. Letters of any script, as
# RFC 6531 has them; no quotes, and no comma, with which people join several.
MAX_EMAIL = 254
_LOCAL = rf'[^\s{CONTROL}@.,;:<>()\[\]"\\]+'
_LABEL = r"[^\W_]+(-+[^\W_]+)*"
_LAST_LABEL = r"([^\W\d_]{2,}|xn--[A-Za-z0-9-]+)"
EMAIL_PATTERN = rf"{_LOCAL}(\.{_LOCAL})*@({_LABEL}\.)+{_LAST_LABEL}"
_EMAIL = re.compile(EMAIL_PATTERN)


def check_object(payload: object, *known: str) -> None:
    """Refuse a body that is no JSON object, or has other keys than these.

    :raises BillingError: ``invalid_payload``, ``unknown_field``
    """
    if not isinstance(payload, dict):
        raise BillingError("invalid_payload", "invalid payload")
    check_keys(payload, frozenset(known))


def require(payload: dict, key: str, message: str = "missing {key}") -> object:
    """Return the value of a key that must be there.

    :param message: the text of the error, with ``{key}``
    :raises BillingError: ``missing_field``: absent, null or empty text
    """
    value = payload.get(key)
    if value is None or value == "":
        raise BillingError("missing_field", message.format(key=key), key)
    return value


def optional_text(payload: dict, key: str, max_length: int = MAX_TEXT) -> str | None:
    """Return the text of a key, None when it is absent, null or empty.

    :raises BillingError: ``invalid_<key>``
    """
    value = payload.get(key)
    if value is None or value == "":
        return None
    return check_text(value, key, f"invalid_{key}", max_length)


def contact_changes(payload: dict) -> dict[str, str | None]:
    """Return the ``name`` and ``email`` that a customer shall have: those given.

    An e-mail that is null or empty is taken away; a customer always has a name.

    :raises BillingError: ``invalid_name``, ``invalid_email``
    """
    changes: dict[str, str | None] = {}
    if "name" in payload:
        if payload["name"] in (None, ""):
            raise BillingError("invalid_name", "name cannot be empty", "name")
        changes["name"] = check_text(payload["name"], "name", "invalid_name")
    if "email" in payload:
        email = optional_text(payload, "email", MAX_EMAIL)
        if email and not _EMAIL.fullmatch(email):
            raise BillingError("invalid_email", "email is no e-mail address", "email")
        changes["email"] = email
    return changes


def flag(payload: dict, key: str) -> bool:
    """Return a true or false that may be left out, which means false.

    :raises BillingError: ``invalid_<key>``
    """
    value = payload.get(key, False)
    if not isinstance(value, bool):
        raise BillingError(f"invalid_{key}", f"{key} must be true or false", key)
    return value


def choice(payload: dict, key: str, values: tuple[str, ...], default: str) -> str:
    """Return one of a few words; the default where it is left out.

    :raises BillingError: ``invalid_<key>``
    """
    value = payload.get(key, default)
    if not isinstance(value, str) or value not in values:
        raise BillingError(
            f"invalid_{key}", f"{key} is none of {', '.join(values)}", key
        )
    return value


def record_id(value: object, field: str) -> int:
    """Return a positive 32-bit id; a bool is an int to Python, but not an id.

    :raises BillingError: ``invalid_<field>``
    """
    if type(value) is not int or not 0 < value < 2**31:
        raise BillingError(f"invalid_{field}", f"invalid {field}", field)
    return value
