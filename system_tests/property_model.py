"""What usage must come to: the rules of docs/rating.md on plain values.

A second opinion on rating. It shares no code with the addon, knows no database, keeps
every event, and works everything out anew each time it is asked. What the subscription
module decides (when a period is due, how the dates move) it takes from the database's
answer; what each window, invoice line and flag comes to, it says itself.
"""

from __future__ import annotations

import decimal
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

ZERO, CENT = Decimal(0), Decimal("0.01")
GOES_ON = ("3_progress", "4_paused")
TWICE = "bill it twice"  # how rating says that it refuses an invoice


class Difference(AssertionError):
    """The database did what the rules forbid, or did not do what they ask for."""


@dataclass(eq=False)
class Entry:
    """What one invoice has billed of a window."""

    amount: Decimal
    terms: dict
    counted: set  # the entries that were taken as billed when this one was made
    void: set = field(default_factory=set)  # why it does not count; empty: it does
    closed: date | None = None  # the day its invoice was posted

    def excludes(self, other: Entry) -> bool:
        """Whether both bill the same usage, neither knowing of the other."""
        apart = other not in self.counted and self not in other.counted
        return bool(other is not self and self.amount and other.amount and apart)


@dataclass
class Row:
    """A charge of a subscription over one window that was invoiced, or passed."""

    end: datetime
    entries: list[Entry] = field(default_factory=list)
    kept: dict | None = None  # the terms it passed with

    def live(self) -> list[Entry]:
        return [entry for entry in self.entries if not entry.void]


@dataclass
class Move:
    """An invoice or a credit note. ``lines``: [metric, amount, entry] each."""

    lines: list
    kind: str = "invoice"
    state: str = "draft"
    entries: list[tuple[tuple, Entry]] = field(default_factory=list)
    again: bool = True  # a credit note: its usage is to be billed again


def cost(terms: dict, quantity: Decimal) -> Decimal:
    """The price of a window, rounded."""
    price, batch = Decimal(terms["price"]), Decimal(terms["batch"])
    billable = max(quantity - Decimal(terms["quota"]), ZERO)
    with decimal.localcontext() as context:
        context.prec = 60
        if terms["model"] == "standard":
            amount = billable * price / batch
        elif terms["model"] == "package":
            amount = (billable / batch).to_integral_value(ROUND_CEILING) * price
        else:
            amount = tiered(terms, billable, batch)
        amount = max(amount, Decimal(terms.get("minimum", 0)))
        return amount.quantize(CENT, ROUND_HALF_UP)


def tiered(terms: dict, billable: Decimal, batch: Decimal) -> Decimal:
    """Graduated: each tier its part. Volume: all of it in the tier of the total."""
    amount = below = ZERO
    for up_to, price, flat in terms["tiers"]:
        top = billable if up_to is None else min(billable, Decimal(up_to))
        if terms["model"] == "volume" and billable and top == billable:
            return billable * Decimal(price) / batch + Decimal(flat)
        if terms["model"] == "graduated" and billable > below:
            amount += (top - below) * Decimal(price) / batch + Decimal(flat)
        below = top
    return amount


def aggregate(kind: str, events: list) -> Decimal:
    """The quantity of a window, of (start, arrival, quantity, unique key) each."""
    if kind == "unique":
        return Decimal(len({event[3] for event in events}))
    if kind == "count" or not events:
        return Decimal(len(events))
    if kind == "sum":
        return sum((event[2] for event in events), ZERO)
    return max(event[2] for event in events) if kind == "max" else max(events)[2]


class Model:
    """The state after the steps so far.

    :param world: the executor's answer to "begin"
    """

    def __init__(self, world: dict):
        self.zone = ZoneInfo(world["tz"])
        self.tolerance = timedelta(hours=world["tolerance"])
        self.kinds = world["kinds"]
        self.terms = world["terms"]  # of today, by metric
        self.events: dict[tuple, dict] = {}  # by (subscription, metric, key)
        self.rows: dict[tuple, Row] = {}  # by (subscription, metric, window start)
        self.now = datetime.fromisoformat(world["now"])
        self.subs = world["subs"]
        # Their first invoices have opened the windows, and had no usage.
        self.moves = [Move([], state="posted") for _sub in self.subs]

    # -- windows ---------------------------------------------------------------

    def midnight(self, day: str) -> datetime:
        local = datetime.combine(date.fromisoformat(day), time.min, self.zone)
        return local.astimezone(timezone.utc).replace(tzinfo=None)

    def window(self, sub: str, dates: dict | None = None) -> tuple:
        dates = dates or self.subs[sub]
        return self.midnight(dates["first"]), self.midnight(dates["next"])

    def keys(self, sub: str) -> dict:
        """The windows that can come to something: key -> end."""
        keys = {key: row.end for key, row in self.rows.items() if key[0] == sub}
        start, end = self.window(sub)
        if start < end:
            keys |= {(sub, metric, start): end for metric in self.terms}
        return keys

    def quantity(self, key: tuple, end: datetime) -> Decimal:
        sub, metric, start = key
        return aggregate(
            self.kinds[metric],
            [
                (e["start"], e["arrival"], e["quantity"], e["unique"])
                for (of, what, _key), e in self.events.items()
                if (of, what) == (sub, metric)
                and start <= e["start"] < end
                and not e["voided"]
            ],
        )

    def terms_of(self, key: tuple) -> dict:
        row = self.rows.get(key) or Row(datetime.max)
        if live := row.live():
            return live[-1].terms
        if row.entries or row.kept is None:
            return self.terms[key[1]]
        return row.kept

    def billed(self, key: tuple) -> Decimal:
        return sum((e.amount for e in self.rows[key].live()), ZERO)

    def open(self, key: tuple, end: datetime) -> Decimal:
        amount = cost(self.terms_of(key), self.quantity(key, end))
        return amount - self.billed(key) if key in self.rows else amount

    # -- what the database said that it did --------------------------------------

    def follow(self, step: list, answer: dict) -> None:
        """Take a step, of which the database has said what followed.

        :raises Difference: that was not what had to follow
        """
        self.now = datetime.fromisoformat(answer["now"])
        self.name, *args = step
        name = self.name
        refused = answer["refused"] or ""
        must = name in ("post", "reset", "cancel") and self.would_double(name, *args)
        if must != (TWICE in refused):
            raise Difference(f"refused: {refused!r}, and must be: {must}")
        if not refused and not answer["crashed"]:
            self.trace = answer["trace"]
            getattr(self, f"do_{name}", self.replay_trace)(*args)
            self.replay_trace()
            if "results" in answer and answer["results"] != self.results:
                raise Difference(f"answered {answer['results']}, not {self.results}")
        for sub, dates in answer["subs"].items():
            self.move_on(sub, dates)

    def move_on(self, sub: str, dates: dict) -> None:
        """The window that was open has passed; it keeps its terms, also at 0."""
        keys, before = self.keys(sub), self.window(sub)
        self.subs[sub] = dates
        if before != self.window(sub):
            for key, end in keys.items():
                row = self.rows.setdefault(key, Row(end))
                row.kept = row.kept or self.terms[key[1]]

    def replay_trace(self, *_args) -> None:
        trace, self.trace = self.trace, []
        for kind, what in trace:
            if kind == "posted":
                self.posted(what)
            else:
                self.invoiced(what)

    def invoiced(self, made: dict) -> None:
        """Invoices were made: of each subscription all that is open, once."""
        for sub, (dates, number, due) in made.items():
            self.move_on(sub, dates)
            keys = self.keys(sub)
            opened = {key: self.open(key, end) for key, end in keys.items()}
            for key, end in keys.items():  # also at 0, also without an invoice
                self.rows.setdefault(key, Row(end))
            if due and number is None and any(opened.values()):
                raise Difference(f"{sub} owes {opened}, and got no invoice")
            if number is not None and self.name == "post" and self.waits(sub):
                raise Difference(f"{sub} was billed what finance has to decide on")
            if number is None:
                continue
            move = self.move_number(number)
            if not due:
                continue  # an invoice of something else
            for key, amount in opened.items():
                row = self.rows[key]
                if amount or not row.live():
                    entry = Entry(amount, self.terms_of(key), set(row.live()))
                    row.entries.append(entry)
                    move.entries.append((key, entry))
                    if amount:
                        move.lines.append([key[1], amount, entry])

    def move_number(self, number: int) -> Move:
        while len(self.moves) <= number:
            self.moves.append(Move([]))
        return self.moves[number]

    def posted(self, number: int) -> None:
        move = self.move_number(number)
        move.state = "posted"
        if move.kind == "credit" and move.again:
            for _metric, _amount, entry in move.lines:
                if entry:
                    entry.void.add(number)
        for _key, entry in move.entries:
            entry.void.discard("cancelled")
            entry.closed = entry.closed or self.now.date()

    def would_double(self, name: str, number: int) -> bool:
        """Whether something would count again that was billed again meanwhile."""
        move = self.moves[number]
        why = {"cancelled"} if name == "post" and move.kind == "invoice" else {number}
        return any(
            entry.void == why and entry.excludes(other)
            for row in self.rows.values()
            for entry in row.entries
            for other in row.live()
            if name != "post" or entry in [mine for _key, mine in move.entries]
        )

    # -- steps -------------------------------------------------------------------

    def do_usage(self, events: list, atomic: bool) -> None:
        self.results, new = [], {}
        for sub, metric, key, quantity, start, unique in events:
            start = datetime.fromisoformat(start)
            content = {"quantity": Decimal(quantity), "start": start, "unique": unique}
            known = self.events.get((sub, metric, key)) or new.get((sub, metric, key))
            if start - self.now > self.tolerance:
                result = "rejected"
            elif not known:
                new[sub, metric, key] = {**content, "voided": False}
                result = (
                    "unallocated" if self.lost((sub, metric), start) else "accepted"
                )
            elif content.items() <= known.items():
                result = "voided duplicate" if known["voided"] else "duplicate"
            else:
                result = "conflict"
            self.results.append(result)
        for bad in ("rejected", "conflict"):  # looked at in this order
            if atomic and bad in self.results:
                self.results = [r if r == bad else "not_stored" for r in self.results]
                return
        for scope in sorted(new):
            self.events[scope] = {**new[scope], "arrival": len(self.events)}

    def do_void(self, *scope: str) -> None:
        known = self.events.get(scope)
        already = known and known["voided"]
        self.results = ["already_voided" if already else "voided"]
        if known:
            known["voided"] = True
        else:
            self.results = ["rejected"]

    def do_price(self, metric: str, terms: dict) -> None:
        self.terms[metric] = terms

    def do_rate(self) -> None:
        owing = {sub for sub in self.subs if self.is_billed_by_job(sub)}
        billed = {
            sub
            for kind, what in self.trace
            for sub, [_dates, number, _due] in (what.items() if kind == "made" else ())
            if number is not None
        }
        if owing != billed:
            raise Difference(f"the rating job billed {billed}, not {owing}")

    def is_billed_by_job(self, sub: str) -> bool:
        """Late usage of one that has ended; finance decides on what was released."""
        keys = self.keys(sub)
        today = self.now.date()
        return (
            self.subs[sub]["state"] not in GOES_ON
            and any(self.open(key, end) for key, end in keys.items())
            and not self.waits(sub)
            and not any(
                entry.closed == today
                for key, row in self.rows.items()
                for entry in row.entries
                if key[0] == sub
            )
        )

    def waits(self, sub: str) -> bool:
        """Whether something was given back, and not billed since."""
        return any(
            entry.void
            and entry.amount
            and not any(entry.excludes(other) for other in row.live())
            for key, row in self.rows.items()
            for entry in row.entries
            if key[0] == sub
        )

    def do_credit(self, number: int, again: bool, modify: bool) -> None:
        original, credit = self.moves[number], len(self.moves)
        lines = [[metric, -amount, e] for metric, amount, e in original.lines]
        self.moves.append(Move(lines, kind="credit", again=again or modify))
        self.replay_trace()
        if not modify:
            return
        copy = Move([[metric, amount, None] for metric, amount, _e in original.lines])
        for line, (_metric, _amount, entry) in zip(
            copy.lines, original.lines, strict=True
        ):
            # Only what this credit note has given back; the copy bills it now.
            if entry and entry.void == {credit}:
                [(key, row)] = [i for i in self.rows.items() if entry in i[1].entries]
                line[2] = Entry(entry.amount, entry.terms, set(row.live()))
                row.entries.append(line[2])
                copy.entries.append((key, line[2]))
        self.moves.append(copy)

    def do_post(self, number: int) -> None:
        self.replay_trace()

    def do_reset(self, number: int) -> None:
        self.take_back(number, "draft")

    def do_cancel(self, number: int) -> None:
        self.take_back(number, "cancel")
        for _key, entry in self.moves[number].entries:
            entry.void.add("cancelled")

    def take_back(self, number: int, state: str) -> None:
        self.moves[number].state = state
        for row in self.rows.values():
            for entry in row.entries:
                entry.void.discard(number)

    def do_delete(self, number: int) -> None:
        self.take_back(number, "gone")
        for _key, entry in self.moves[number].entries:
            entry.void.add("deleted")

    def do_drop(self, number: int) -> None:
        move = self.moves[number]
        for _metric, _amount, entry in move.lines:
            if entry and move.kind == "invoice":
                entry.void.add("dropped")
                move.entries = [pair for pair in move.entries if pair[1] is not entry]
        move.lines = []

    # -- what must be --------------------------------------------------------------

    def lost(self, scope: tuple, start: datetime) -> bool:
        """Whether usage is unallocated: in no window with a price for its metric."""
        sub, metric = scope
        if any(
            key[:2] == scope and key[2] <= start < row.end
            for key, row in self.rows.items()
        ):
            return False
        goes_on = self.subs[sub]["state"] in GOES_ON
        return not (metric in self.terms and goes_on and start >= self.window(sub)[0])

    def expected(self) -> dict:
        """The state, in the words of the executor."""
        ledger, lines = {}, {}
        for sub in self.subs:
            for key, end in self.keys(sub).items():
                billed = self.billed(key) if key in self.rows else ZERO
                values = [self.quantity(key, end), billed, self.open(key, end)]
                if any(values):
                    ledger["|".join([*key[:2], key[2].isoformat()])] = values
                lines.setdefault(f"{sub}|{key[1]}", ZERO)
                lines[f"{sub}|{key[1]}"] += values[2]
        flags = {
            "|".join(scope): "voided"
            if event["voided"]
            else "unallocated"
            if self.lost(scope[:2], event["start"])
            else "allocated"
            for scope, event in self.events.items()
        }
        moves = []
        for move in self.moves:
            amounts: dict[str, Decimal] = {}
            for metric, amount, _entry in move.lines if move.state != "gone" else ():
                amounts[metric] = amounts.get(metric, ZERO) + amount
            moves.append([move.state, {m: a for m, a in amounts.items() if a}])
        return {
            "ledger": ledger,
            "lines": {key: amount for key, amount in lines.items() if amount},
            "flags": flags,
            "moves": moves,
        }
