"""Reading the keys of a decoded request body."""

from ..errors import BillingError
from .events import MAX_TEXT, check_text


def check_object(payload: object) -> None:
    """Refuse a body that is no JSON object.

    :raises BillingError: ``invalid_payload``
    """
    if not isinstance(payload, dict):
        raise BillingError("invalid_payload", "invalid payload")


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


def flag(payload: dict, key: str) -> bool:
    """Return a true or false that may be left out, which means false.

    :raises BillingError: ``invalid_<key>``
    """
    value = payload.get(key, False)
    if not isinstance(value, bool):
        raise BillingError(f"invalid_{key}", f"{key} must be true or false", key)
    return value


def record_id(value: object, field: str) -> int:
    """Return a positive 32-bit id; a bool is an int to Python, but not an id.

    :raises BillingError: ``invalid_<field>``
    """
    if type(value) is not int or not 0 < value < 2**31:
        raise BillingError(f"invalid_{field}", f"invalid {field}", field)
    return value
