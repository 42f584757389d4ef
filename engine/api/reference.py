"""By what a request names a subscription.

A reference is a text, what the app calls its subscription; a number, Odoo's id of it;
or both, as a pair. Where an app has no names of its own, its texts are Odoo's ids: that
is known where they are looked up, not here.
"""

from ..errors import BillingError
from ..shape import MAX_ID

# What makes a text of a path or a query parameter Odoo's id: "id:80".
ID_PREFIX = "id:"

Reference = str | int | tuple[str, int]


def reference_id(reference: str | int) -> int | None:
    """The id that a text or a number can mean, else None.

    :param reference: a number, or its decimal text without leading zeros
    """
    if isinstance(reference, str):
        # isdecimal() alone also takes digits of other scripts.
        if not (reference.isascii() and reference.isdecimal()):
            return None
        if reference.startswith("0") or len(reference) > 10:
            return None
        reference = int(reference)
    return reference if 0 < reference <= MAX_ID else None


def id_in_text(text: str) -> int | None:
    """Odoo's id where a text is one with its prefix, as ``id:80``; else None."""
    if not text.startswith(ID_PREFIX):
        return None
    return reference_id(text.removeprefix(ID_PREFIX))


def reference_in_text(text: str) -> str | int:
    """The reference that stands in a path or in a query parameter."""
    return id_in_text(text) or text


def order_id(value: object) -> int:
    """Return the value of the key ``subscription_id``: a number, or its decimal text.

    :raises BillingError: ``invalid_subscription_id``
    """
    number = None
    if type(value) in (int, str):  # a bool is an int to Python, but no id
        number = reference_id(value)
    if number is None:
        raise BillingError(
            "invalid_subscription_id", "invalid subscription_id", "subscription_id"
        )
    return number
