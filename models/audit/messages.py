"""What the audit says to a finance person: one sentence for each kind of violation."""

from odoo.tools import LazyTranslate

from .messages_billing import BILLING_KINDS

_lt = LazyTranslate(__name__)

INVARIANTS = [
    ("I1", "1. Each event is stored once"),
    ("I2", "2. All usage is billed, open, unallocated or voided"),
    ("I3", "3. Nothing is billed twice"),
    ("I4", "4. Accepted usage and posted invoices did not change"),
    ("I5", "5. Billing windows have no gaps or overlaps"),
    ("I6", "6. The amount is the quantity at its price"),
    ("I7", "7. One open rating per billing window"),
    ("I8", "8. The order of arrival does not matter"),
    ("I9", "9. Company, customer and currency agree"),
    ("I10", "10. Apps were notified"),
]

# Kinds that are no violation: what people charge by hand is theirs to say.
NOTES = frozenset(("confirmed_by_hand", "credited_by_hand"))

# Kind of violation -> the invariant it breaks, and what is said of it. The texts may
# name: subscription, metric, window, expected, found, difference, other, service,
# invoice, currency.
KINDS = {
    **BILLING_KINDS,
    "event_twice": (
        "I1",
        _lt(
            "The usage event %(other)s of %(subscription)s (%(metric)s) is stored, "
            "and billed, %(found)s times."
        ),
    ),
    "event_invalid": (
        "I1",
        _lt(
            "A usage event of %(subscription)s (%(metric)s) has a quantity or "
            "dates that are never accepted: %(found)s."
        ),
    ),
    "event_nameless": (
        "I1",
        _lt(
            "A usage event of %(subscription)s (%(metric)s, quantity %(found)s) "
            "has no idempotency key or no fingerprint: if the app sends it again, "
            "it is billed again."
        ),
    ),
    "event_on_renewal_too": (
        "I1",
        _lt(
            "The usage event %(other)s (%(metric)s) counts on %(subscription)s and on"
            " the subscription that this one renewed."
        ),
    ),
    "event_lost": (
        "I1",
        _lt(
            "On %(window)s %(service)s was told that %(expected)s usage events "
            "were accepted, but only %(found)s of them are stored."
        ),
    ),
    "quantity": (
        "I2",
        _lt(
            "%(subscription)s, %(metric)s, %(window)s: the usage events come to"
            " %(expected)s, but %(found)s is rated, a difference of %(difference)s."
        ),
    ),
    "flagged_but_billed": (
        "I2",
        _lt(
            "%(subscription)s, %(metric)s, %(window)s: %(found)s usage events are"
            " marked unallocated, although a window bills them."
        ),
    ),
    "not_rated": (
        "I2",
        _lt(
            "%(subscription)s, %(metric)s, %(window)s: there are %(expected)s usage"
            " events, but no rating, and none is waiting to be made."
        ),
    ),
    "in_no_window": (
        "I2",
        _lt(
            "%(subscription)s, %(metric)s, %(window)s: %(found)s usage events lie in no"
            " billing window and are not marked unallocated. Nobody bills them."
        ),
    ),
    "forgotten": (
        "I2",
        _lt(
            "%(subscription)s, %(window)s: the window ended long ago, and nobody has"
            " billed it."
        ),
    ),
    "event_changed": (
        "I4",
        _lt(
            "A usage event of %(subscription)s (%(metric)s, quantity now %(other)s) was"
            " changed after it was accepted: its content no longer matches its"
            " fingerprint."
        ),
    ),
    "events_of_settled": (
        "I4",
        _lt(
            "%(subscription)s, %(window)s: the usage events are not those that were"
            " there when the window was settled. One was changed, deleted or moved."
        ),
    ),
    "void_unexplained": (
        "I4",
        _lt(
            "A usage event of %(subscription)s (%(metric)s, quantity %(found)s) is "
            "voided, but the time, the reason or the user is missing."
        ),
    ),
    "rating_amount_changed": (
        "I4",
        _lt(
            "%(subscription)s, %(metric)s, %(window)s: the rating says %(found)s"
            " %(currency)s, the calculation kept with it %(expected)s. One of them was"
            " changed afterwards."
        ),
    ),
    "rating_quantity_changed": (
        "I4",
        _lt(
            "%(subscription)s, %(metric)s, %(window)s: the rating says a quantity of"
            " %(found)s, the calculation kept with it %(expected)s. One of them was"
            " changed afterwards."
        ),
    ),
    "rating_terms_changed": (
        "I4",
        _lt(
            "%(subscription)s, %(metric)s, %(window)s: the rating says the price"
            " %(found)s, the calculation kept with it %(expected)s. One of them was"
            " changed afterwards."
        ),
    ),
    "agreement_changed": (
        "I4",
        _lt(
            "%(subscription)s, %(metric)s, %(window)s: the settled price is %(found)s,"
            " but the usage was billed at %(expected)s (price, product, currency,"
            " exchange rates or discount)."
        ),
    ),
    "rating_missing": (
        "I4",
        _lt(
            "%(subscription)s, %(metric)s, %(window)s: the price was settled, but no"
            " rating says what the window came to."
        ),
    ),
    "agreement_opened": (
        "I4",
        _lt(
            "%(subscription)s, %(metric)s, %(window)s: the billing window is "
            "settled, but its price still follows the usage prices of the plan, "
            "although none of its invoices was withdrawn."
        ),
    ),
    "item_changed": (
        "I4",
        _lt(
            "%(subscription)s, %(metric)s, %(window)s: the journal item on %(invoice)s"
            " was posted with %(expected)s, and now has %(found)s."
        ),
    ),
    "windows_overlap": (
        "I5",
        _lt(
            "%(subscription)s: a window begins at %(found)s, before the one before it"
            " ends at %(expected)s."
        ),
    ),
    "windows_apart": (
        "I5",
        _lt(
            "%(subscription)s: no window covers the time from %(expected)s to"
            " %(found)s."
        ),
    ),
    "window_root": (
        "I5",
        _lt(
            "%(subscription)s, %(window)s: the billing window is recorded under "
            "the renewals of %(found)s, but belongs to those of %(expected)s."
        ),
    ),
    "window_days": (
        "I5",
        _lt(
            "%(subscription)s, %(window)s: the billing window ends at %(found)s, "
            "but should end when %(expected)s begins."
        ),
    ),
    "window_rated": (
        "I5",
        _lt(
            "%(subscription)s, %(metric)s, %(window)s: the window is %(found)s, but was"
            " rated as %(expected)s."
        ),
    ),
    "window_opened": (
        "I5",
        _lt(
            "%(subscription)s, %(window)s: the window does not count as settled,"
            " although something of it was billed."
        ),
    ),
    "window_skipped": (
        "I5",
        _lt(
            "%(subscription)s, %(window)s: the window was never billed, although a"
            " later one was."
        ),
    ),
    "rating_not_told": (
        "I10",
        _lt(
            "%(service)s was notified %(found)s times, instead of %(expected)s, "
            "that %(metric)s of %(subscription)s, %(window)s, was closed "
            "(rating.closed)."
        ),
    ),
    "told_of_nothing": (
        "I10",
        _lt(
            "%(service)s was notified that %(other)s of %(subscription)s, "
            "%(window)s, was closed (rating.closed), but there is no such rating."
        ),
    ),
    "invoice_not_told": (
        "I10",
        _lt(
            "%(service)s was never notified of %(invoice)s of %(subscription)s "
            "(%(other)s)."
        ),
    ),
    "subscription_not_told": (
        "I10",
        _lt(
            "%(subscription)s has the status %(expected)s, but the last status "
            "sent to %(service)s is: %(found)s."
        ),
    ),
}
