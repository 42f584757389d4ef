"""Idempotency keys that our own code makes, where no app has named one.

They begin with a character that no text of a request may contain (see
``events.check_text``). So no app can take such a key before us, nor void an event by
it; and every key an app chooses is its own, also one that looks like ours.
"""

# DEL: of the characters that requests are refused for, one that XML and spreadsheets
# can hold.
MARK = "\x7f"


def content_key(fingerprint: str) -> str:
    """Return the key of an event that was sent without one: it is known by its content.

    :param fingerprint: as ``events.content_fingerprint`` returns it
    """
    return f"{MARK}content:{fingerprint}"


def moved_key(usage_id: int | str) -> str:
    """Return the key of the event that finance bills in place of another.

    :param usage_id: id of that other event
    """
    return f"{MARK}moved:{usage_id}"


def is_own_key(key: str | None) -> bool:
    """Whether our own code has made this key, and not an app."""
    return key is not None and key.startswith(MARK)
