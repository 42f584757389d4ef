"""What the month must come to, computed from `usage.csv` alone.

This is the second opinion of the demo: it shares no code with the addon. Quantities
and amounts are Decimal; amounts are in the currency of the demo company.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from second_opinion import arithmetic

from .catalog import APPS, CHARGES, App, Charge, subscription_of
from .month import Month

# The first customer of each app pays its first invoice.
PAYERS = tuple(app.customers[0] for app in APPS)
LIMIT = Decimal(10) ** 16
CENT = Decimal("0.01")
NUMBER = re.compile(r"[0-9]+(\.[0-9]{1,10})?")
REQUIRED = ("subscription", "metric", "quantity")


@dataclass(frozen=True)
class Verdict:
    """What must become of one event.

    :param status: accepted, duplicate, conflict or rejected
    :param code: the stable error code of a conflict or a rejection, else empty
    """

    status: str
    code: str = ""


@dataclass(frozen=True)
class Event:
    """A well-formed event."""

    customer: str
    metric: str
    quantity: Decimal
    start: datetime
    end: datetime
    unique_key: str


@dataclass
class AppBooks:
    """What one app posts, event by event, and what must be kept of it."""

    app: App
    month: Month
    verdicts: list[Verdict] = field(default_factory=list)
    kept: dict[tuple, Event] = field(default_factory=dict)

    def post(self, rows: Iterable[dict]) -> list[Verdict]:
        """Judge events in the order they are posted; the first of a key is kept."""
        verdicts = [self._judge(row) for row in rows]
        self.verdicts += verdicts
        return verdicts

    def counts(self) -> Counter:
        """How many events got each status, and `posted` in all."""
        counts = Counter(verdict.status for verdict in self.verdicts)
        counts["posted"] = len(self.verdicts)
        return counts

    def _judge(self, row: dict) -> Verdict:
        if code := self._fault(row):
            return Verdict("rejected", code)
        event = read_event(row, self.month)
        content = (event.quantity, event.start, event.end, event.unique_key)
        key = (event.customer, event.metric, row["idempotency_key"] or content)
        kept = self.kept.setdefault(key, event)
        if kept is event:
            return Verdict("accepted")
        if kept == event:
            return Verdict("duplicate")
        return Verdict("conflict", "idempotency_conflict")

    def _fault(self, row: dict) -> str:
        """The error code of a row that must be refused, else empty."""
        if not all(row[column] for column in REQUIRED):
            return "missing_field"
        own = {subscription_of(customer) for customer in self.app.customers}
        if row["subscription"] not in own:
            return "unknown_subscription"
        if not is_quantity(row["quantity"]):
            return "invalid_quantity"
        if not is_time(row["time"]):
            return "invalid_period"
        if int(row["minutes"]) < 0:
            return "period_order"
        if row["metric"] not in CHARGES:
            return "unknown_metric"
        if CHARGES[row["metric"]].aggregation == "unique" and not row["unique_key"]:
            return "missing_field"
        return ""


def is_quantity(text: str) -> bool:
    """Whether text is a number of at most 10 decimals, from 0 to below 10^16."""
    return bool(NUMBER.fullmatch(text)) and Decimal(text) < LIMIT


def is_time(text: str) -> bool:
    """Whether text is a time of day written HH:MM:SS."""
    try:
        datetime.strptime(text, "%H:%M:%S")
    except ValueError:
        return False
    return True


def read_event(row: dict, month: Month) -> Event:
    """A row as an event; the row must be free of faults."""
    start = month.moment(row["day"], row["time"])
    return Event(
        customer=row["customer"],
        metric=row["metric"],
        quantity=Decimal(row["quantity"]),
        start=start,
        end=start + timedelta(minutes=int(row["minutes"])),
        unique_key=row["unique_key"],
    )


def total(charge: Charge, events: Sequence[Event]) -> Decimal:
    """Quantity that the events of one customer and month come to."""
    pairs = [(Fraction(event.quantity), event.unique_key) for event in events]
    return decimal(arithmetic.total(charge.aggregation, pairs))


def amount(charge: Charge, quantity: Decimal) -> Decimal:
    """Price of a month's quantity, rounded half up to the cent."""
    terms = arithmetic.Terms(
        model=charge.model,
        price=Fraction(charge.price),
        quota=Fraction(charge.quota),
        batch=Fraction(charge.batch),
    )
    cost = arithmetic.cost(terms, Fraction(quantity))
    return cents(decimal(arithmetic.rounded(cost)))


def decimal(number: Fraction) -> Decimal:
    """A fraction that has an end in decimals."""
    return Decimal(number.numerator) / Decimal(number.denominator)


def cents(value: Decimal) -> Decimal:
    return value.quantize(CENT, ROUND_HALF_UP)


@dataclass(frozen=True)
class Figure:
    """Quantity and amount of one charge of one customer."""

    quantity: Decimal = Decimal(0)
    amount: Decimal = Decimal(0)


def figures(
    books: Iterable[AppBooks], month: Month
) -> tuple[dict[tuple[str, str], Figure], dict[tuple[str, str], Figure]]:
    """What each customer's charges come to: in the month, and already in the next.

    :return: two dicts (customer, metric) -> Figure, without those never used
    """
    this, following = defaultdict(list), defaultdict(list)
    for book in books:
        for event in book.kept.values():
            # an event belongs to the month it starts in, whenever it ends
            target = this if month.contains(event.start) else following
            target[event.customer, event.metric].append(event)
    return _priced(this), _priced(following)


def _priced(events: dict) -> dict[tuple[str, str], Figure]:
    priced = {}
    for (customer, metric), group in events.items():
        quantity = total(CHARGES[metric], group)
        figure = Figure(quantity, amount(CHARGES[metric], quantity))
        priced[customer, metric] = figure
    return priced


@dataclass(frozen=True)
class Invoice:
    """An invoice that must exist.

    :param usage: metric -> amount; charges that come to nothing are not on it
    :param tax: rounded line by line
    :param paid: whether its payment has been registered
    """

    customer: str
    day: str
    base_fee: Decimal
    usage: dict[str, Decimal]
    tax: Decimal
    paid: bool

    @property
    def untaxed(self) -> Decimal:
        return self.base_fee + sum(self.usage.values(), Decimal(0))

    @property
    def total(self) -> Decimal:
        return self.untaxed + self.tax


def invoices(
    month: Month, used: dict[tuple[str, str], Figure], tax_percent: Decimal
) -> list[Invoice]:
    """Two invoices for each customer.

    The first, on the first day of the month, is the base fee of the month in advance.
    The second, on the first day of the next month, is the next base fee and the usage.
    """
    result = []
    for app in APPS:
        base_fee = Decimal(app.base_fee)
        for customer in app.customers:
            usage = {
                charge.metric: used[customer, charge.metric].amount
                for charge in app.charges
                if (customer, charge.metric) in used
                and used[customer, charge.metric].amount
            }
            for day, lines in ((month.start, {}), (month.end, usage)):
                tax = sum(
                    (
                        cents(line * tax_percent / 100)
                        for line in (base_fee, *lines.values())
                    ),
                    Decimal(0),
                )
                paid = day == month.start and customer in PAYERS
                result.append(Invoice(customer, str(day), base_fee, lines, tax, paid))
    return result


def webhooks(used: dict[tuple[str, str], Figure]) -> Counter:
    """How many webhooks of each type the demo must cause."""
    customers = [customer for app in APPS for customer in app.customers]
    return Counter(
        {
            "customer.linked": len(customers),
            "subscription.created": len(customers),
            "invoice.posted": 2 * len(customers),
            "invoice.paid": len(PAYERS),
            "rating.closed": len({customer for customer, _metric in used}),
        }
    )
