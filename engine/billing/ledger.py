"""What a window has been charged, and what is still to be charged for it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from .money import EXACT, round_amount


@dataclass(frozen=True)
class Adjustment:
    """Finance charged another amount than was rated: forgiven, or added.

    A credit note that is not billed again, another price, quantity or discount on the
    draft, the reversal of what a void gave back.

    :param rated: what the window came to on the invoice in question, >= 0
    :param forgiven: so much less was charged; below zero: so much more
    """

    rated: Decimal
    forgiven: Decimal


def charged_for(
    amount: Decimal, adjustments: Iterable[Adjustment], step: Decimal
) -> Decimal:
    """What the customer is to have been charged in all for a window.

    Adjustments apply one after the other, each to the outcome of those before:

    - usage above what the window came to then is billed in full;
    - what becomes less uses up what was forgiven first: nothing is given back twice,
      and nobody gets back more than he paid;
    - what was added counts for the share of the usage that is left.

    :param amount: what the window comes to now, >= 0
    :param adjustments: in the order of their posting
    :param step: the currency's smallest unit
    """
    adjustments = tuple(adjustments)
    rated = [adjustment.rated for adjustment in adjustments]
    for index, adjustment in enumerate(adjustments):
        # The windows of the later invoices are seen through this adjustment, too.
        then, forgiven = rated[index], adjustment.forgiven
        amount = _apply(amount, then, forgiven, step)
        for later in range(index + 1, len(rated)):
            rated[later] = _apply(rated[later], then, forgiven, step)
    return amount


def _apply(amount, rated, forgiven, step):
    if amount >= rated:
        return EXACT.subtract(amount, forgiven)
    charged = EXACT.subtract(rated, forgiven)
    if forgiven >= 0:
        return min(charged, amount)
    return round_amount(EXACT.divide(EXACT.multiply(amount, charged), rated), step)


def in_ledger(signed: Decimal, rated: Decimal, put: Decimal, step: Decimal) -> Decimal:
    """What an amount of a document is in the taxes of the ledger.

    :param signed: as the document has it, in the customer's taxes
    :param rated: what was rated
    :param put: what that was put on the invoice line with, in the customer's taxes
    :param step: the currency's smallest unit
    """
    if put != rated:
        signed = EXACT.divide(EXACT.multiply(signed, rated), put)
    return round_amount(signed, step)


@dataclass(frozen=True)
class CreditPart:
    """A posted document line that gives back some of a usage line, or adds to it.

    :param amount: given back, in the sign of the usage line; below zero: added
    :param bill_again: whether the usage is to be billed again
    """

    amount: Decimal
    bill_again: bool


@dataclass(frozen=True)
class Verdict:
    """What documents have made of a usage line.

    :param released_by: index of the part with which the line was credited in full, to
        be billed again; None: it was not
    :param forgiven: for each part, how much of the line it forgives; what goes beyond
        the line is a credit by hand and counts as nothing here
    """

    released_by: int | None
    forgiven: tuple[Decimal, ...]


def judge_credits(line: Decimal, parts: Sequence[CreditPart]) -> Verdict:
    """Tell what the posted credit notes of a usage line mean.

    Parts that add up to the whole line are a full credit note. It is billed again only
    if all of them say so.

    :param line: what the line charges, below zero where it gives back
    """
    sign = 1 if line >= 0 else -1
    left, forgiven, last = abs(line), [], None
    for index, part in enumerate(parts):
        amount = EXACT.multiply(part.amount, sign)
        counted = min(amount, left) if amount > 0 else amount
        left = EXACT.subtract(left, counted)
        forgiven.append(EXACT.multiply(counted, sign))
        if counted:
            last = index
    counting = [part for part, amount in zip(parts, forgiven, strict=True) if amount]
    if counting and left == 0 and all(part.bill_again for part in counting):
        return Verdict(last, tuple(Decimal(0) for _part in parts))
    return Verdict(None, tuple(forgiven))
