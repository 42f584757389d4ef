#!/usr/bin/env python3
"""Rates a whole database once more, from its raw events, and says what differs.

    python3 benchmarks/oracle.py DATABASE

A second opinion: it shares no code with the addon, only reads, in one transaction, and
holds one subscription in memory at a time, and the credit notes of usage. It takes from
the ledger what was agreed when a window was settled (terms, rates, discount), as the
charges may have changed since; all else it works out from events, windows and
documents. Where the server is, libpq's variables say (PGHOST, PGUSER, ...); DATABASE
can be a connection string, too. It needs psycopg2, which Odoo's environment has.

Prints one line for each difference and a line of totals. Exit code 1: differences.
What the rating job has still to look at is counted as waiting, and no difference.
"""

import json
import sys
from bisect import bisect_right
from collections import Counter, defaultdict, namedtuple
from datetime import datetime, time, timedelta, timezone
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

# Run as a script, or by tests from elsewhere.
sys.path.append(str(Path(__file__).resolve().parents[1]))

from second_opinion import arithmetic
from second_opinion.arithmetic import Quantity, Terms, cost, rounded

ORDERS = """
    SELECT json_build_object('zone', coalesce(c.fc_billing_tz, 'UTC'),
                             'waits', EXISTS (
                                 SELECT FROM fusion_billing_rating_queue q
                                  WHERE q.subscription_id = o.id))::text,
           o.id, o.name, o.state, o.subscription_state, o.plan_id, o.company_id,
           o.start_date, o.last_invoice_date, o.next_invoice_date, o.end_date,
           o.fiscal_position_id
      FROM sale_order o
      JOIN res_company c ON c.id = o.company_id
     WHERE o.id IN (SELECT subscription_id FROM fusion_billing_usage
                     UNION SELECT subscription_id FROM fusion_billing_window
                     UNION SELECT subscription_id FROM fusion_billing_rating)
     ORDER BY o.id
"""
WINDOWS = """
    SELECT w.subscription_id, w.start, w.id, w."end", w.first_day, w.end_day, w.tz,
           w.kind, w.is_settled IS TRUE, w.plan_id, y.rounding::text, w.company_id
      FROM fusion_billing_window w
      JOIN res_currency y ON y.id = w.currency_id
     ORDER BY w.subscription_id, w.start, w.id
"""
CHAINS = """
    SELECT o.name, w.root_id, w.start, w."end"
      FROM fusion_billing_window w JOIN sale_order o ON o.id = w.subscription_id
     ORDER BY w.root_id, w.start, w.id
"""
AGREEMENTS = """
    SELECT subscription_id, id, window_id, metric_id, charge_id, state, terms::text,
           rate_from::text, rate_to::text, coalesce(discount, 0)::text
      FROM fusion_billing_window_charge ORDER BY subscription_id, id
"""
RATINGS = """
    SELECT r.subscription_id, r.agreement_id, r.revision, r.id, r.state,
           r.quantity::text, r.amount::text, r.terms::text, r.rate_from::text,
           r.rate_to::text, coalesce(r.discount, 0)::text,
           coalesce(nullif(r.line_price, 0), r.amount)::text, r.window_start,
           r.window_end, l.id, v.state, v.name, r.invoice_id, b.state, v.id,
           v.fiscal_position_id
      FROM fusion_billing_rating r
      LEFT JOIN account_move_line l ON l.id = r.invoice_line_id
      LEFT JOIN account_move v ON v.id = l.move_id
      LEFT JOIN account_move b ON b.id = r.invoice_id
     ORDER BY r.subscription_id, r.agreement_id, r.revision, r.id
"""
EVENTS = """
    SELECT subscription_id, metric_id, period_start, id, quantity::text, unique_key,
           unallocated
      FROM fusion_billing_usage WHERE voided_at IS NULL
     ORDER BY subscription_id, metric_id, period_start, id
"""
ADJUSTMENTS = """
    SELECT x.rating_id, x.id, x.line_id, x.forgiven::text, x.ended_by_id IS NOT NULL,
           x.agreement_id
      FROM fusion_billing_adjustment x
"""
# Lines of usage and copies of them: what each charges, and its journal item.
ITEMS = """
    SELECT l.id, l.fc_copied_from_id, v.id, v.reversed_entry_id, v.state, v.move_type,
           coalesce(v.fc_bill_again, FALSE), v.name, l.price_unit::text,
           l.quantity::text, coalesce(l.discount, 0)::text, l.price_subtotal::text,
           l.amount_currency::text, l.balance::text, y.rounding::text,
           own.rounding::text, l.currency_id = own.id AS is_own, l.currency_id,
           v.currency_id, coalesce(nullif(v.invoice_currency_rate, 0), 1)::text,
           EXISTS (SELECT FROM account_move_line_account_tax_rel t
                    WHERE t.account_move_line_id = l.id), a.account_type
      FROM account_move_line l
      JOIN account_move v ON v.id = l.move_id
      JOIN res_currency y ON y.id = v.currency_id
      JOIN res_company c ON c.id = v.company_id
      JOIN res_currency own ON own.id = c.currency_id
      LEFT JOIN account_account a ON a.id = l.account_id
     WHERE %s
"""
# Lines of usage on invoices, made for an order and not copied, that no rating explains.
# A credit note no longer knows what it was copied from once that is deleted.
UNEXPLAINED = """
    SELECT v.name, l.id, l.price_subtotal::text
      FROM sale_order_line s
      JOIN sale_order_line_invoice_rel m ON m.order_line_id = s.id
      JOIN account_move_line l ON l.id = m.invoice_line_id
      JOIN account_move v ON v.id = l.move_id
     WHERE s.fc_charge_id IS NOT NULL AND l.fc_copied_from_id IS NULL
       AND v.move_type = 'out_invoice' AND v.state != 'cancel'
       AND l.price_subtotal != 0
       AND NOT EXISTS (SELECT FROM fusion_billing_rating r
                        WHERE r.invoice_line_id = l.id)
"""
CHARGES = """
    SELECT c.id, c.metric_id, c.plan_id, c.company_id, c.active, c.date_start,
           c.date_end, c.charge_model, coalesce(c.included_quota, 0)::text,
           c.price_per_unit::text, c.unit_batch::text,
           coalesce(c.minimum_amount, 0)::text
      FROM fusion_billing_charge c
"""
TIERS = """
    SELECT charge_id, nullif(up_to, 0)::text, price_per_unit::text,
           coalesce(flat_fee, 0)::text
      FROM fusion_billing_charge_tier
     ORDER BY charge_id, nullif(up_to, 0) NULLS LAST, id
"""
TERMS = ("model", "quota", "price", "batch", "minimum", "tiers")
TIERED = ("graduated", "volume")
FOREVER = datetime.max
Window = namedtuple(
    "Window",
    "order start id end first_day end_day zone kind is_settled plan rounding company",
)
Agreement = namedtuple(
    "Agreement", "order id window metric charge state terms rate_from rate_to discount"
)
Rating = namedtuple(
    "Rating",
    "order agreement revision id state quantity amount terms rate_from rate_to discount"
    " put start end line line_state name invoice invoice_state move position",
)
Item = namedtuple(
    "Item",
    "id source move reverses state kind again name price quantity discount subtotal"
    " amount balance rounding own_rounding is_own currency move_currency rate taxed"
    " account",
)


def stream(connection, name, query):
    """Rows of a query, a few thousand in memory at a time."""
    cursor = connection.cursor(name)
    cursor.itersize = 5000
    cursor.execute(query)
    return cursor


def terms_of(text):
    """The agreed price, as it was kept; None: there is none."""
    if text is None:
        return None
    get = json.loads(text).get
    return Terms(
        model=get("model"),
        quota=Fraction(get("quota")),
        price=Fraction(get("unit_price")),
        batch=Fraction(get("unit_batch")),
        minimum=Fraction(get("minimum", 0)),
        tiers=tuple(
            (
                None if tier["up_to"] is None else Fraction(tier["up_to"]),
                Fraction(tier["unit_price"]),
                Fraction(tier["flat_fee"]),
            )
            for tier in get("tiers", ())
        ),
    )


class Groups:
    """A stream in order of its first columns, taken group by group."""

    def __init__(self, rows):
        self.rows = iter(rows)
        self.next = next(self.rows, None)

    def take(self, key):
        """Yield the rows that begin with the key; those of earlier keys are skipped."""
        while self.next is not None and self.next[: len(key)] <= key:
            row, self.next = self.next, next(self.rows, None)
            if row[: len(key)] == key:
                yield row


def priced(row, quantity, step):
    """What a quantity comes to by the terms of an agreement or a rating."""
    if row.terms is None:
        return Fraction(0)
    amount = cost(row.terms, quantity, row.discount)
    if row.rate_from:
        amount = amount * row.rate_to / row.rate_from
    return rounded(amount, step)


class Order:
    """What a subscription says of the time that is to come, and its charges of prices.

    :param windows: its windows, in order of time
    """

    def __init__(self, row, charges, windows):
        self.row, self.id, self.name = row, row["id"], row["name"]
        self.waits, self.windows = row["waits"], windows
        self.zone = ZoneInfo(row["zone"])
        self.starts = [window.start for window in windows]
        self.charges = [
            c for c in charges if c["active"] and c["company"] == row["company_id"]
        ]
        self.runs = row["state"] == "sale" and row["subscription_state"] == "3_progress"

    def midnight(self, day, zone=None):
        local = datetime.combine(day, time.min, zone or self.zone)
        return local.astimezone(timezone.utc).replace(tzinfo=None)

    def window_at(self, moment):
        """The window that a moment lies in, or None."""
        at = bisect_right(self.starts, moment) - 1
        window = self.windows[at] if at >= 0 else None
        return window if window and moment < window.end else None

    def of_plan(self, plan):
        """The charges of a plan; one that has none left counts as the order's own."""
        return [c for c in self.charges if c["plan"] == plan] or [
            c for c in self.charges if c["plan"] == self.row["plan_id"]
        ]

    def prices(self, window, metric):
        """Whether the charges price a metric in a window that is not settled."""
        day = window.first_day
        return any(
            c["metric"] == metric
            and (not c["first"] or c["first"] <= day)
            and (not c["last"] or day <= c["last"])
            for c in self.of_plan(window.plan)
        )

    def will_bill(self, metric, moment):
        """Whether usage is of a window that is to come."""
        row = self.row
        first = row["last_invoice_date"] or row["start_date"]
        if not (self.runs and row["start_date"] and row["next_invoice_date"]):
            return False
        start = self.windows[-1].end if self.windows else self.midnight(first)
        end = self.midnight(row["end_date"]) if row["end_date"] else FOREVER
        return start <= moment < end and any(
            c["metric"] == metric
            and (not c["last"] or row["next_invoice_date"] <= c["last"])
            for c in self.charges
            if c["plan"] == row["plan_id"]
        )


class Documents:
    """What invoices and credit notes charge for usage, and their journal items."""

    def __init__(self, rows):
        self.copies = defaultdict(list)
        for item in sorted(map(item_of, rows)):
            self.copies[item.source].append(item)

    def charged(self, line):
        """What a line charges, less what reverses it; below zero: it gives back."""
        return signed(line) + sum(map(self.charged, self.reversals(line)))

    def reversals(self, line):
        return [
            copy
            for copy in self.copies.get(line.id, ())
            if copy.state == "posted" and copy.reverses == line.move
        ]

    def judge(self, line, charged, in_ledger):
        """What credit notes mean: (billed again, {their line: how much it forgives}).

        Parts that add up to the line are a full credit, billed again only if all of
        them say so. What is beyond the line is by hand.
        """
        credits = self.reversals(line)
        sign, left, forgiven = (1 if charged >= 0 else -1), abs(charged), {}
        for credit in credits:
            part = in_ledger(-self.charged(credit)) * sign
            counted = min(part, left) if part > 0 else part
            left -= counted
            forgiven[credit.id] = counted * sign
        counting = [credit for credit in credits if forgiven[credit.id]]
        again = bool(counting and not left) and all(
            credit.kind == "out_refund" and credit.again for credit in counting
        )
        return again, {} if again else forgiven


def item_of(row):
    item = Item(*row)
    numbers = {
        name: Fraction(getattr(item, name))
        for name in (
            "price quantity discount subtotal amount balance rounding own_rounding rate"
        ).split()
    }
    return item._replace(source=item.source or 0, **numbers)


def signed(item):
    amount = item.price * item.quantity * (1 - item.discount / 100)
    amount = rounded(amount, item.rounding)
    return -amount if item.kind == "out_refund" else amount


def is_billing(order, window, metric, moment, agreements):
    """Whether a window bills a metric; ``window`` None: one that is to come.

    A settled one by what was agreed, another one by what the charges say.
    """
    if window is None:
        return order.will_bill(metric, moment)
    if window.kind != "billing":
        return False
    if window.is_settled:
        agreement = agreements.get((window.id, metric))
        return bool(agreement and agreement.terms)
    return order.prices(window, metric)


class Oracle:
    """Rates everything again.

    :param connection: psycopg2's, in a transaction with one view of the data
    :param say: called with the text of each difference
    """

    def __init__(self, connection, say):
        self.connection, self.say = connection, say
        self.counts, self.streams = Counter(), []

    def stream(self, name, query):
        self.streams.append(stream(self.connection, f"oracle_{name}", query))
        return self.streams[-1]

    def ask(self, query, values=None):
        with self.connection.cursor() as cursor:
            cursor.execute(query, values)
            return cursor.fetchall()

    def differ(self, *words):
        self.counts["differences"] += 1
        self.say(" ".join(map(str, words)))

    def run(self):
        """Return the counts: subscriptions, events, windows, differences, ..."""
        self.read_prices()
        self.documents = Documents(self.ask(ITEMS % "l.fc_copied_from_id IS NOT NULL"))
        self.adjustments = defaultdict(list)
        for rating, *values in sorted(self.ask(ADJUSTMENTS), key=lambda row: row[1]):
            self.adjustments[rating].append(values)
        self.zones = defaultdict(set)
        for company, zone in self.ask(
            "SELECT company_id, tz FROM fusion_billing_window UNION"
            " SELECT id, coalesce(fc_billing_tz, 'UTC') FROM res_company"
        ):
            self.zones[company].add(ZoneInfo(zone))
        orders = self.stream("orders", ORDERS)
        windows, agreements, ratings, events = (
            Groups(self.stream(name, query))
            for name, query in (
                ("windows", WINDOWS),
                ("agreements", AGREEMENTS),
                ("ratings", RATINGS),
                ("events", EVENTS),
            )
        )
        for more, *row in orders:
            names = [column.name for column in orders.description[1:]]
            row = {**json.loads(more), **dict(zip(names, row, strict=True))}
            key = (row["id"],)
            order = Order(row, self.charges, [Window(*w) for w in windows.take(key)])
            self.counts["subscriptions"] += 1
            self.counts["waiting"] += order.waits
            self.check_order(
                order,
                [agreement_of(values) for values in agreements.take(key)],
                [rating_of(values) for values in ratings.take(key)],
                events.take(key),
            )
        self.check_chains()
        for name, line, amount in self.ask(UNEXPLAINED):
            self.differ(f"{name}: line {line} over {amount} has no rating")
        for cursor in self.streams:
            cursor.close()
        return self.counts

    def read_prices(self):
        tiers = defaultdict(list)
        for charge, up_to, price, fee in self.ask(TIERS):
            up_to = None if up_to is None else Fraction(up_to)
            tiers[charge].append((up_to, Fraction(price), Fraction(fee)))
        names = (
            "id metric plan company active first last model quota price batch"
        ).split()
        self.charges = [
            {
                **dict(zip(names, row, strict=False)),
                **dict(zip(names[8:], map(Fraction, row[8:11]), strict=True)),
                "minimum": Fraction(row[11]),
                "tiers": tuple(
                    tiers[row[0]] if row[7] in ("graduated", "volume") else ()
                ),
            }
            for row in self.ask(CHARGES)
        ]
        self.terms = {
            charge["id"]: Terms(**{name: charge[name] for name in TERMS})
            for charge in self.charges
        }
        self.metrics = {
            metric: (code, kind)
            for metric, code, kind in self.ask(
                "SELECT id, code, aggregation FROM fusion_billing_metric"
            )
        }

    # -- windows ---------------------------------------------------------------

    def check_chains(self):
        """Windows of a subscription and its renewals follow each other."""
        root, end = None, None
        for name, of_root, start, until in self.stream("chains", CHAINS):
            if of_root == root and start != end:
                how = "overlap" if start < end else "leave a gap"
                self.differ(f"{name}: windows {how} between {end} and {start}")
            root, end = of_root, max(until, end) if of_root == root else until

    def check_windows(self, order):
        """Whether windows are cut at midnight, and one ends at the next invoice."""
        for window in order.windows:
            zones, day = self.zones[window.company], window.end_day
            if window.end not in {order.midnight(day, zone) for zone in zones}:
                self.differ(
                    f"{order.name}: the window from {window.start} ends at"
                    f" {window.end}, not at the beginning of {day}"
                )
            apart = window.start - datetime.combine(window.first_day, time.min)
            if abs(apart) > timedelta(hours=15):
                self.differ(
                    f"{order.name}: the window from {window.first_day} begins at"
                    f" {window.start}"
                )
        day, end_day = order.row["next_invoice_date"], order.row["end_date"]
        ends = {window.end_day for window in order.windows}
        last = max((w.end_day for w in order.windows if w.is_settled), default=None)
        is_named = order.runs and order.row["start_date"] and day and not order.waits
        first = min((window.first_day for window in order.windows), default=None)
        is_passed = day and any(
            (end_day and end_day < day, last and last >= day, first and first >= day)
        )
        if is_named and ends and day not in ends and not is_passed:
            self.differ(
                f"{order.name}: no window ends on {day}, the next invoice's day"
            )

    # -- one subscription ------------------------------------------------------

    def check_order(self, order, agreements, ratings, events):
        self.check_windows(order)
        windows = {window.id: window for window in order.windows}
        rows = defaultdict(list)
        for rating in ratings:
            rows[rating.agreement].append(rating)
        lines = self.lines_of(ratings)
        by_place = {(a.window, a.metric): a for a in agreements}
        quantities = self.count_events(order, by_place, rows, events)
        charged = {
            rating.id: self.check_invoice(order, rating, lines.get(rating.line))
            for rating in ratings
        }
        for agreement in agreements:
            if agreement.window not in windows:
                self.differ(f"{order.name}: an agreement of another one's window")
                continue
            window = windows[agreement.window]
            text = f"{order.name}, {self.metrics[agreement.metric][0]}"
            text += f" from {window.start}"
            if not order.waits:
                self.check_agreement(
                    text,
                    window,
                    agreement,
                    rows[agreement.id],
                    quantities[window.id, agreement.metric].value,
                    charged,
                )
        known = {agreement.id for agreement in agreements}
        for rating in ratings:
            if rating.agreement not in known:
                self.differ(f"{order.name}: rating {rating.id} has another's agreement")

    def lines_of(self, ratings):
        """The invoice lines of ratings: {id: ``Item``}."""
        ids = [rating.line for rating in ratings if rating.line]
        if not ids:
            return {}
        return {
            item.id: item
            for item in map(item_of, self.ask(ITEMS % "l.id = ANY(%s)", [ids]))
        }

    def count_events(self, order, agreements, rows, events):
        """Count the events of each window; each is in one, or marked as in none.

        :return: {(window id, metric id): ``Quantity``}
        """
        quantities = defaultdict(lambda: Quantity("sum"))
        for window in order.windows:
            for metric, (_code, kind) in self.metrics.items():
                quantities[window.id, metric] = Quantity(kind)
        for _order, metric, moment, usage, quantity, unique_key, unallocated in events:
            self.counts["events"] += 1
            window = order.window_at(moment)
            is_billed = is_billing(order, window, metric, moment, agreements)
            if window and is_billed:
                quantities[window.id, metric].add(Fraction(quantity), unique_key)
            if not order.waits and bool(unallocated) == is_billed:
                must = "must not be" if is_billed else "must be"
                text = f"{order.name}, {self.metrics[metric][0]}: event {usage}"
                self.differ(text, must, "marked as unallocated")
        for (window, metric), quantity in quantities.items():
            agreement = agreements.get((window, metric))
            if order.waits or not quantity.value:
                continue
            if agreement is None or not rows[agreement.id]:
                text = f"{order.name}, {self.metrics[metric][0]}: a window has"
                self.differ(text, shown(quantity.value), "that is not rated")
        return quantities

    def check_agreement(self, text, window, agreement, rows, quantity, charged):
        """Whether quantity and amount of a window are what its events come to.

        :param rows: its revisions, oldest first
        :param charged: {rating id: what documents charge for it}
        """
        self.counts["windows"] += bool(rows)
        self.check_terms(text, window, agreement, rows)
        if rows and rows[-1].quantity != quantity:
            latest = shown(rows[-1].quantity)
            self.differ(text, f"quantity {latest}, counted {shown(quantity)}")
        if [row.revision for row in rows] != list(range(len(rows))):
            self.differ(text, "lacks a revision, or has one twice")
        if not rows and agreement.state == "open":
            return
        step = Fraction(window.rounding)
        counting, of_rating = [], {row.id: row for row in rows}
        for rating in of_rating.values():
            if rating.state == "invoiced":
                came_to = priced(rating, rating.quantity, step)
                counting += [
                    (key, came_to, forgiven)
                    for key, forgiven, ended in charged[rating.id][1]
                    if not ended
                ]
        must = arithmetic.charged(
            priced(agreement, quantity, step),
            [entry[1:] for entry in sorted(counting)],
            step,
        )
        comes = sum(charged[row.id][0] for row in rows)
        if comes != must:
            self.differ(text, f"comes to {shown(comes)}, must be {shown(must)}")

    def check_terms(self, text, window, agreement, rows):
        """A settled price is what was billed at, an open one what the charge says."""
        live = [row for row in rows if row.state != "released"]

        def price(row):
            return row.terms, row.rate_from, row.rate_to, row.discount

        if agreement.state == "settled":
            if not live:
                self.differ(text, "is settled, and was not rated")
            elif window.kind != "gap" and price(agreement) not in map(price, live):
                self.differ(text, "was settled at another price than it was rated at")
        elif agreement.terms is not None:
            if agreement.terms != self.terms[agreement.charge]:
                self.differ(text, "has another price than its charge")
        if window.is_settled and agreement.state == "open" and len(live) == len(rows):
            self.differ(text, "is settled, and its price is open")
        if not window.is_settled and agreement.state == "settled":
            if window.kind == "billing":
                self.differ(text, "has a settled price, and is not settled")

    # -- documents -------------------------------------------------------------

    def check_invoice(self, order, row, line):
        """What documents charge for a rating, and whether it says the same of them.

        :param line: the ``Item`` that bills it, or None
        :return: (amount, what finance has charged otherwise: [(its place in the order
            of posting, how much was forgiven, whether it counts no more)])
        """
        self.counts["ratings"] += 1
        text = f"{order.name}: rating {row.id}"
        if row.state == "open":
            if row.invoice:
                self.differ(text, f"is open, and on invoice {row.invoice}")
            return row.amount, []
        again, forgiven = False, {}
        is_posted = line is not None and row.line_state == "posted"
        # A draft that somebody has edited counts as it stands.
        if is_posted or (line is not None and row.line_state == "draft"):
            again, forgiven = self.judge_line(order, row, line)
        if row.state == "released":
            if is_posted and row.invoice and row.amount and not again:
                self.differ(
                    text, f"does not count, and its invoice {row.name} is posted"
                )
            return Fraction(0), []
        if again:
            self.differ(text, f"counts as billed, and its line on {row.name} does not")
        return self.check_billed(text, row, forgiven)

    def check_billed(self, text, row, forgiven):
        """Whether what counts as billed is on an invoice.

        :param forgiven: {document line: how much of the rating it forgives}
        :return: as :meth:`check_invoice`
        """
        if not row.amount:
            if row.invoice_state == "cancel":
                self.differ(text, "counts as billed, and its invoice is cancelled")
            return Fraction(0), []
        if row.line_state not in ("draft", "posted") or not row.invoice:
            self.differ(text, "counts as billed, and is on no invoice")
            return row.amount, []
        if row.move != row.invoice:
            self.differ(text, "is on the line of another invoice")
        return self.check_adjustments(text, row, forgiven)

    def judge_line(self, order, row, line):
        """(billed again, {document line: how much of the rating it forgives})"""
        self.check_item(line)
        for copy in self.documents.reversals(line):
            self.check_item(copy)
        adapted = order.row["fiscal_position_id"] or row.position
        put = row.put if adapted else row.amount

        def in_ledger(amount):
            return rounded(amount * row.amount / put, line.rounding) if put else amount

        charged = in_ledger(signed(line))
        again, forgiven = self.documents.judge(line, charged, in_ledger)
        forgiven[line.id] = row.amount - charged
        return again, {key: value for key, value in forgiven.items() if value}

    def check_adjustments(self, text, row, forgiven):
        """Whether the ledger knows what was charged otherwise than rated."""
        known = {
            line: (key, Fraction(amount), ended)
            for key, line, amount, ended, _agreement in self.adjustments[row.id]
        }
        if any(entry[4] != row.agreement for entry in self.adjustments[row.id]):
            self.differ(text, "has an adjustment of another window")
        less = sum(forgiven.values())
        if {line: entry[1] for line, entry in known.items()} != forgiven:
            self.differ(
                text,
                f"over {shown(row.amount)} is on {row.name} over"
                f" {shown(row.amount - less)}",
            )
        less = sum(entry[1] for entry in known.values())
        return row.amount - less, [*known.values()]

    def check_item(self, item):
        """Whether a journal item says what its line of the document does."""
        text = f"{item.name}: line {item.id}"
        sign = 1 if item.kind == "out_refund" else -1
        amount = rounded(
            item.price * item.quantity * (1 - item.discount / 100), item.rounding
        )
        if not item.taxed and item.subtotal != amount:
            self.differ(
                text, f"comes to {shown(amount)}, has {shown(item.subtotal)} as its sum"
            )
        spare = 2 * item.rounding if item.taxed else 0
        if abs(item.amount - sign * item.subtotal) > spare:
            self.differ(text, f"is booked over {shown(item.amount)}")
        balance = item.amount if item.is_own else item.amount / item.rate
        spare = 0 if item.is_own else item.own_rounding
        if abs(item.balance - balance) > spare:
            self.differ(text, f"has the balance {shown(item.balance)}")
        if item.currency != item.move_currency:
            self.differ(text, "is in another currency than its document")
        if item.account in ("asset_receivable", "liability_payable", "asset_cash"):
            self.differ(text, f"is booked on an account of the kind {item.account}")


def agreement_of(values):
    return numbers_of(Agreement(*values))


def rating_of(values):
    row = Rating(*values)
    return numbers_of(row)._replace(
        quantity=Fraction(row.quantity or 0),
        amount=Fraction(row.amount or 0),
        put=Fraction(row.put or 0),
    )


def numbers_of(row):
    return row._replace(
        terms=terms_of(row.terms),
        rate_from=row.rate_from and Fraction(row.rate_from),
        rate_to=row.rate_to and Fraction(row.rate_to),
        discount=Fraction(row.discount),
    )


def shown(number):
    """As a decimal, where it has an end."""
    text = f"{float(number):.10f}".rstrip("0").rstrip(".")
    return text if Fraction(text) == number else str(number)


def main(database):
    import psycopg2

    dsn = database if "=" in database or ":" in database else f"dbname={database}"
    connection = psycopg2.connect(dsn)
    connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
    counts = Oracle(connection, print).run()
    print(
        ", ".join(
            f"{counts[name]} {name}"
            for name in ("subscriptions", "waiting", "events", "windows", "ratings")
        )
        + f": {counts['differences']} differences"
    )
    connection.close()
    return 1 if counts["differences"] else 0


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
