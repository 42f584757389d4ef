"""What the audit says to a finance person: one sentence for each kind of violation."""

from odoo.tools import LazyTranslate

_lt = LazyTranslate(__name__)

# Kind of violation -> the invariant it breaks, and what is said of it. The texts may
# name: subscription, metric, window, expected, found, difference, other, service,
# invoice, currency.
KINDS = {
    "event_twice": (
        "I1",
        _lt(
            "The usage event %(other)s of %(subscription)s (%(metric)s) is stored"
            " %(found)s times. It is billed as often."
        ),
    ),
    "event_invalid": (
        "I1",
        _lt(
            "A usage event of %(subscription)s (%(metric)s) has a quantity or a period"
            " that is never accepted: %(found)s."
        ),
    ),
    "event_nameless": (
        "I1",
        _lt(
            "A usage event of %(subscription)s (%(metric)s, quantity %(found)s) has no"
            " key or no fingerprint: if the app sends it again, it is billed again."
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
            "On %(window)s %(service)s was told that %(expected)s usage events are"
            " accepted, but only %(found)s of them are stored."
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
    "billed_by_two_charges": (
        "I3",
        _lt(
            "%(subscription)s, %(metric)s, %(window)s: two charges bill the same usage."
            " One of them comes to %(expected)s, both together to %(found)s"
            " %(currency)s."
        ),
    ),
    "line_copied": (
        "I3",
        _lt(
            "%(subscription)s, %(metric)s, %(window)s: billed once as %(expected)s"
            " %(currency)s, and again by a line that was copied to %(invoice)s; with"
            " it the customer is charged %(found)s."
        ),
    ),
    "line_without_rating": (
        "I3",
        _lt(
            "%(invoice)s charges %(subscription)s %(found)s %(currency)s for"
            " %(metric)s, but no rating says so. The next invoice may charge the same"
            " usage again."
        ),
    ),
    "released_but_posted": (
        "I3",
        _lt(
            "%(subscription)s, %(metric)s, %(window)s: %(invoice)s charges %(found)s"
            " %(currency)s and is neither cancelled nor credited, but the usage counts"
            " as not billed and will be charged again."
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
    "rating_amount_changed": (
        "I4",
        _lt(
            "%(subscription)s, %(metric)s, %(window)s: the rating says %(found)s"
            " %(currency)s, the arithmetic kept with it %(expected)s. One of them was"
            " changed afterwards."
        ),
    ),
    "rating_quantity_changed": (
        "I4",
        _lt(
            "%(subscription)s, %(metric)s, %(window)s: the rating says a quantity of"
            " %(found)s, the arithmetic kept with it %(expected)s. One of them was"
            " changed afterwards."
        ),
    ),
    "terms_changed": (
        "I4",
        _lt(
            "%(subscription)s, %(metric)s, %(window)s: invoiced at the price"
            " %(expected)s, but late usage is rated at %(found)s (charge model, quota,"
            " price, batch)."
        ),
    ),
    "windows_overlap": (
        "I5",
        _lt(
            "%(subscription)s, %(metric)s: two windows bill the time %(window)s. One of"
            " them comes to %(expected)s, both together to %(found)s %(currency)s."
        ),
    ),
    "in_a_gap": (
        "I5",
        _lt(
            "%(subscription)s, %(metric)s, %(window)s: %(found)s usage events lie"
            " between two windows and are not marked unallocated. Nobody bills them."
        ),
    ),
    "amount": (
        "I6",
        _lt(
            "%(subscription)s, %(metric)s, %(window)s: by its price the usage costs"
            " %(expected)s %(currency)s, but the ratings come to %(found)s."
        ),
    ),
    "line_amount": (
        "I6",
        _lt(
            "%(subscription)s, %(metric)s, %(window)s: rated %(expected)s %(currency)s,"
            " but %(invoice)s charges %(found)s."
        ),
    ),
    "billed_nowhere": (
        "I6",
        _lt(
            "%(subscription)s, %(metric)s, %(window)s: %(expected)s %(currency)s count"
            " as billed, but no invoice charges them."
        ),
    ),
    "two_open": (
        "I7",
        _lt(
            "%(subscription)s, %(metric)s, %(window)s: the window has %(found)s open"
            " ratings, each of which would be invoiced."
        ),
    ),
    "revisions": (
        "I7",
        _lt(
            "%(subscription)s, %(metric)s, %(window)s: the window has %(found)s"
            " ratings, by their numbers there are %(expected)s. One was removed,"
            " or made twice."
        ),
    ),
    "order_line": (
        "I7",
        _lt(
            "%(subscription)s, %(metric)s: the open ratings come to %(expected)s"
            " %(currency)s, the line of the subscription says %(found)s."
        ),
    ),
    "other_company": (
        "I9",
        _lt(
            "%(subscription)s belongs to %(expected)s, but a rating of it (%(metric)s,"
            " %(window)s), its charge or its invoice to %(found)s."
        ),
    ),
    "usage_of_other_company": (
        "I9",
        _lt(
            "%(subscription)s belongs to %(expected)s, but has %(other)s usage events"
            " of %(service)s, an app of %(found)s."
        ),
    ),
    "other_currency": (
        "I9",
        _lt(
            "%(subscription)s is billed in %(expected)s, but a rating of it"
            " (%(metric)s, %(window)s) or its invoice is in %(found)s."
        ),
    ),
    "other_customer": (
        "I9",
        _lt(
            "Usage of %(subscription)s, a subscription of %(expected)s (%(metric)s,"
            " %(window)s), is charged to %(found)s by %(invoice)s."
        ),
    ),
    "other_invoice": (
        "I9",
        _lt(
            "%(subscription)s, %(metric)s, %(window)s: the rating names the invoice"
            " %(expected)s, but its line is on %(found)s."
        ),
    ),
    "other_order": (
        "I9",
        _lt(
            "Usage of %(expected)s (%(metric)s, %(window)s) is charged by an invoice"
            " line of the order %(found)s."
        ),
    ),
    "rating_not_told": (
        "I10",
        _lt(
            "%(service)s was told %(found)s times, instead of %(expected)s, that"
            " %(metric)s of %(subscription)s, %(window)s, was closed (rating.closed)."
        ),
    ),
    "invoice_not_told": (
        "I10",
        _lt(
            "%(service)s was never told of %(invoice)s of %(subscription)s (%(other)s)."
        ),
    ),
    "subscription_not_told": (
        "I10",
        _lt(
            "%(subscription)s is in the state %(expected)s, but what %(service)s was"
            " told last is: %(found)s."
        ),
    ),
}
