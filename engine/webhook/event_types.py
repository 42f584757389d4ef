"""The kinds of webhook events there are, in the order people read them.

The one list: the records that apps choose from (data/webhook_types.xml), the OpenAPI
document and docs/webhook-events.md are held against it by tests. Another module adds
its own by :func:`register`; see docs/extend/webhook-type.md.
"""

EVENT_TYPES: dict[str, str] = {
    "customer.linked": "An account of the app got its customer.",
    "subscription.created": "A subscription runs for the first time.",
    "subscription.updated": "The state of a subscription changed.",
    "usage.threshold_reached": "Usage reached a share of the quota.",
    "rating.closed": "The windows of a subscription went on a posted invoice.",
    "invoice.posted": "An invoice was posted.",
    "invoice.paid": "An invoice was paid.",
    "invoice.cancelled": "An invoice was cancelled.",
    "reconciliation.mismatch": "The totals of the app differ from those here.",
}
# Somebody tries the receiver: told whatever an app has chosen, and never chosen.
TEST = "webhook.test"


def register(code: str, description: str) -> None:
    """Add a kind of event.

    :param code: what receivers read, as ``quote.accepted``
    :param description: one sentence for those who choose it
    """
    EVENT_TYPES[code] = description


def is_known(code: str) -> bool:
    return code == TEST or code in EVENT_TYPES
