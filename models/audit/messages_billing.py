"""The sentences about what was billed: I3, I6, I7 and I9; see ``messages.py``."""

from odoo.tools import LazyTranslate

_lt = LazyTranslate(__name__)

BILLING_KINDS = {
    "line_without_rating": (
        "I3",
        _lt(
            "%(invoice)s charges %(subscription)s %(found)s %(currency)s for "
            "%(metric)s, but no rating supports it. The next invoice may charge "
            "the same usage again."
        ),
    ),
    "billed_twice": (
        "I3",
        _lt(
            "%(subscription)s, %(metric)s, %(window)s: two invoices bill the same"
            " usage. One of them comes to %(expected)s, both together to %(found)s"
            " %(currency)s."
        ),
    ),
    "two_prices": (
        "I3",
        _lt(
            "%(subscription)s, %(metric)s, %(window)s: %(found)s prices were agreed for"
            " the same usage."
        ),
    ),
    "credited_but_counted": (
        "I3",
        _lt(
            "%(subscription)s, %(metric)s, %(window)s: the invoice line of "
            "%(found)s %(currency)s on %(invoice)s was credited in full, to be "
            "billed again, but counts as charged."
        ),
    ),
    "charged_by_hand": (
        "I3",
        _lt(
            "%(invoice)s charges %(subscription)s %(found)s %(currency)s for "
            "%(metric)s by hand: a copy, a debit note, or a line entered by a "
            "user. No rating supports it. If this is intended, tick Charged by "
            "Hand on the invoice."
        ),
    ),
    "confirmed_by_hand": (
        "I3",
        _lt(
            "%(invoice)s charges %(subscription)s %(found)s %(currency)s for "
            "%(metric)s by hand. A user has confirmed this."
        ),
    ),
    "credited_by_hand": (
        "I3",
        _lt(
            "%(subscription)s, %(metric)s, %(window)s: the credit notes exceed "
            "what %(invoice)s charges by %(found)s %(currency)s. The excess was "
            "credited by hand."
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
    "amount": (
        "I6",
        _lt(
            "%(subscription)s, %(metric)s, %(window)s: by its price the usage costs"
            " %(expected)s %(currency)s, but the ratings come to %(found)s."
        ),
    ),
    "window_amount": (
        "I6",
        _lt(
            "%(subscription)s, %(metric)s, %(window)s: by its price the usage costs"
            " %(expected)s %(currency)s, but a rating says %(found)s."
        ),
    ),
    "price": (
        "I6",
        _lt(
            "%(subscription)s, %(metric)s, %(window)s: the price is not settled "
            "yet and reads %(found)s, but the usage price is %(expected)s."
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
    "open_but_billed": (
        "I6",
        _lt(
            "%(subscription)s, %(metric)s, %(window)s: %(found)s %(currency)s count as"
            " still to be invoiced, but %(invoice)s charges them."
        ),
    ),
    "item_subtotal": (
        "I6",
        _lt(
            "%(subscription)s, %(metric)s, %(window)s: on %(invoice)s the line comes to"
            " %(expected)s %(currency)s, but its subtotal is %(found)s."
        ),
    ),
    "item_amount": (
        "I6",
        _lt(
            "%(subscription)s, %(metric)s, %(window)s: the line on %(invoice)s is "
            "for %(expected)s %(currency)s, but its journal item is for %(found)s."
        ),
    ),
    "item_balance": (
        "I6",
        _lt(
            "%(subscription)s, %(metric)s, %(window)s: the journal item on %(invoice)s"
            " is %(expected)s in the company's currency, but its balance is %(found)s."
        ),
    ),
    "item_account": (
        "I6",
        _lt(
            "%(subscription)s, %(metric)s, %(window)s: %(invoice)s books the usage "
            "on an account that is not for revenue (%(found)s)."
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
            "%(subscription)s, %(metric)s, %(window)s: the billing window has "
            "%(found)s ratings, but their numbering shows %(expected)s. One was "
            "removed, or made twice."
        ),
    ),
    "counted": (
        "I7",
        _lt(
            "%(subscription)s, %(metric)s, %(window)s: the open rating deducts the "
            "revisions %(found)s, but the revisions charged were %(expected)s."
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
            "%(subscription)s belongs to %(expected)s, but one of its ratings "
            "(%(metric)s, %(window)s), its price or its invoice belongs to "
            "%(found)s."
        ),
    ),
    "window_company": (
        "I9",
        _lt(
            "%(subscription)s belongs to %(expected)s, but its billing window "
            "%(window)s or a price agreed for it belongs to %(found)s."
        ),
    ),
    "usage_of_other_company": (
        "I9",
        _lt(
            "%(subscription)s belongs to %(expected)s, but has %(other)s usage events"
            " of an app of %(found)s."
        ),
    ),
    "other_currency": (
        "I9",
        _lt(
            "%(subscription)s is billed in %(expected)s, but a rating of it"
            " (%(metric)s, %(window)s) or its invoice is in %(found)s."
        ),
    ),
    "window_currency": (
        "I9",
        _lt(
            "%(subscription)s is billed in %(expected)s, but its window %(window)s in"
            " %(found)s."
        ),
    ),
    "other_customer": (
        "I9",
        _lt(
            "Usage of %(subscription)s, a subscription of %(expected)s (%(metric)s,"
            " %(window)s), is charged to %(found)s by %(invoice)s."
        ),
    ),
    "window_customer": (
        "I9",
        _lt(
            "%(subscription)s is a subscription of %(expected)s, but its window"
            " %(window)s is billed to %(found)s."
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
    "other_window": (
        "I9",
        _lt(
            "%(subscription)s, %(metric)s, %(window)s: the rating and its agreed "
            "price belong to different billing windows, metrics or subscriptions."
        ),
    ),
}
