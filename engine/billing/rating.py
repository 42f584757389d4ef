"""Which revision follows for a window and metric: its amount, and if it is news."""

from dataclasses import dataclass, field, replace
from datetime import date
from decimal import ROUND_UP, Decimal

from .ledger import Adjustment, charged_for
from .money import EXACT, format_decimal, round_amount
from .pricing import PriceTerms, price

_ZERO = Decimal(0)
_HUNDRED = Decimal(100)
_CENT = Decimal("0.01")
# The largest amount, in smallest units (7e12 where these are cents): beyond it Odoo's
# floats have no digits left for them, and the invoice could not be posted.
TOO_MUCH = 7 * Decimal(10) ** 14
MOST_PEAK = 2**31 - 1  # what the column holds


@dataclass(frozen=True)
class Agreement:
    """At which price one metric is billed in one window.

    :param terms: None: the metric has no price (any more)
    :param rate_from: of the price's currency, exactly as stored
    :param rate_to: of the invoice's currency; both None: they are the same
    :param discount: in percent
    :param rate_day: the day whose rates these are
    """

    charge: int
    product: int
    currency: int
    terms: PriceTerms | None
    rate_from: Decimal | None = None
    rate_to: Decimal | None = None
    discount: Decimal = _ZERO
    # What is told of the rates, and no part of the price.
    rate_day: date | None = field(default=None, compare=False)

    def dated(self, rate_day: date | None) -> "Agreement":
        return replace(self, rate_day=rate_day)

    def without_price(self) -> "Agreement":
        return replace(self, terms=None)


@dataclass(frozen=True)
class Standing:
    """What the ledger says of an agreement so far.

    :param revision: the latest one; -1: none
    :param charged: what the lines of its invoiced revisions charge by now
    :param counted: which revisions these are
    :param adjustments: what finance charged otherwise, as far as it still counts
    :param quantity: of the latest revision
    :param open: the open revision as it stands, or None
    :param peak: highest share of the quota that was reached, in percent
    :param is_told: a revision says what the window came to, and still counts
    """

    revision: int = -1
    charged: Decimal = _ZERO
    counted: tuple[int, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    quantity: Decimal = _ZERO
    open: "Revision | None" = None
    peak: int = 0
    is_told: bool = False


@dataclass(frozen=True)
class Revision:
    """What a window comes to now, and what of it is still to be charged.

    :param window_amount: of the whole window, rounded once
    :param amount: what is to be charged now, below zero: given back
    :param explanation: the arithmetic for people; nothing reads it back
    """

    agreement: Agreement
    quantity: Decimal
    included: Decimal
    billable: Decimal
    window_amount: Decimal
    amount: Decimal
    counted: tuple[int, ...]
    peak: int
    explanation: dict = field(compare=False, default_factory=dict)

    @property
    def quota_share(self) -> Decimal | None:
        """The quantity in percent of the quota, to two digits; None: without a quota.

        Rounded up: what is over 80 % or over the quota, by however little, is seen to
        be, and what is exactly there is not.
        """
        terms = self.agreement.terms
        if terms is None or not terms.included:
            return None
        share = EXACT.divide(EXACT.multiply(self.quantity, _HUNDRED), terms.included)
        return min(share.quantize(_CENT, ROUND_UP, EXACT), Decimal(MOST_PEAK))


def next_revision(
    agreement: Agreement, quantity: Decimal, step: Decimal, standing: Standing
) -> Revision:
    """Price the quantity of a window, and take off what it has been charged.

    Rounded once, in the invoice's currency, after conversion.

    :param quantity: usage of the window
    :param step: smallest unit of the invoice's currency
    """
    if agreement.terms is None:
        quantity = included = billable = window_amount = _ZERO
        explanation, peak = {"quantity": "0", "included": "0", "billable": "0"}, 0
    else:
        priced = price(agreement.terms, quantity, agreement.discount)
        included, billable = priced.included, priced.billable
        explanation = priced.as_dict()
        if agreement.rate_from:
            explanation["rates"] = [
                format_decimal(agreement.rate_from),
                format_decimal(agreement.rate_to),
            ]
        window_amount = round_amount(converted(agreement, priced.amount), step)
        quota = agreement.terms.included
        peak = int(quantity * 100 / quota) if quota else 0
    target = charged_for(window_amount, standing.adjustments, step)
    explanation["rounded"] = format_decimal(window_amount)
    if target != window_amount:
        explanation["charged_in_all"] = format_decimal(target)
    if standing.charged:
        explanation["billed"] = format_decimal(standing.charged)
    return Revision(
        agreement=agreement,
        quantity=quantity,
        included=included,
        billable=billable,
        window_amount=window_amount,
        amount=EXACT.subtract(target, standing.charged),
        counted=standing.counted,
        peak=max(standing.peak, min(peak, MOST_PEAK)),
        explanation=explanation,
    )


def converted(agreement: Agreement, amount: Decimal) -> Decimal:
    """An amount of the price's currency in that of the invoice, not rounded."""
    if not agreement.rate_from:
        return amount
    return EXACT.divide(EXACT.multiply(amount, agreement.rate_to), agreement.rate_from)


def is_postable(revision: Revision, step: Decimal) -> bool:
    """Whether an invoice can carry what the window comes to, to the cent."""
    return abs(revision.window_amount) < TOO_MUCH * step


def is_news(revision: Revision, standing: Standing, settles: bool) -> bool:
    """Whether a revision says something new, so that the ledger has to store it.

    :param settles: the window is about to be settled: a row is kept for 0, too, as it
        says what the window came to; again, where an invoice with it was taken back
    """
    if standing.open is not None:
        return revision != standing.open
    return bool(
        revision.amount
        or revision.quantity != standing.quantity
        or (settles and not standing.is_told)
    )
