"""Rates a whole database once more. benchmarks/oracle.py is the command."""

import json
from collections import Counter, defaultdict
from fractions import Fraction

from second_opinion import arithmetic
from second_opinion.arithmetic import Quantity

from . import queries
from .documents import DocumentCheck, Documents
from .orders import Order, is_billing
from .prices import Prices, priced
from .rows import Groups, Window, agreement_of, item_of, rating_of, shown, stream
from .windows import WindowCheck


class Report:
    """What was counted, and what differs.

    :param say: called with the text of each difference
    """

    def __init__(self, say):
        self.say, self.counts = say, Counter()

    def differ(self, *words):
        self.counts["differences"] += 1
        self.say(" ".join(map(str, words)))


class Oracle:
    """Rates everything again.

    :param connection: psycopg2's, in a transaction with one view of the data
    :param say: called with the text of each difference
    """

    def __init__(self, connection, say):
        self.connection, self.streams = connection, []
        self.report = Report(say)
        self.differ = self.report.differ
        self.prices = Prices(
            self.ask(queries.METRICS),
            self.ask(queries.CHARGES),
            self.ask(queries.TIERS),
        )
        self.windows = WindowCheck(self.report, self.ask(queries.ZONES))
        self.documents = DocumentCheck(
            self.report,
            Documents(self.ask(queries.ITEMS % "l.fc_copied_from_id IS NOT NULL")),
            self.ask(queries.ADJUSTMENTS),
        )

    def stream(self, name, query):
        self.streams.append(stream(self.connection, f"oracle_{name}", query))
        return self.streams[-1]

    def ask(self, query, values=None):
        with self.connection.cursor() as cursor:
            cursor.execute(query, values)
            return cursor.fetchall()

    def run(self):
        """Return the counts: subscriptions, events, windows, differences, ..."""
        orders = self.stream("orders", queries.ORDERS)
        windows, agreements, ratings, events = (
            Groups(self.stream(name, query))
            for name, query in (
                ("windows", queries.WINDOWS),
                ("agreements", queries.AGREEMENTS),
                ("ratings", queries.RATINGS),
                ("events", queries.EVENTS),
            )
        )
        for more, *row in orders:
            names = [column.name for column in orders.description[1:]]
            row = {**json.loads(more), **dict(zip(names, row, strict=True))}
            key = (row["id"],)
            order = Order(
                row, self.prices.charges, [Window(*w) for w in windows.take(key)]
            )
            self.report.counts["subscriptions"] += 1
            self.report.counts["waiting"] += order.waits
            self.check_order(
                order,
                [agreement_of(values) for values in agreements.take(key)],
                [rating_of(values) for values in ratings.take(key)],
                events.take(key),
            )
        self.windows.check_chains(self.stream("chains", queries.CHAINS))
        for name, line, amount in self.ask(queries.UNEXPLAINED):
            self.differ(f"{name}: line {line} over {amount} has no rating")
        for cursor in self.streams:
            cursor.close()
        return self.report.counts

    def check_order(self, order, agreements, ratings, events):
        self.windows.check_windows(order)
        windows = {window.id: window for window in order.windows}
        rows = defaultdict(list)
        for rating in ratings:
            rows[rating.agreement].append(rating)
        lines = self.lines_of(ratings)
        by_place = {(a.window, a.metric): a for a in agreements}
        quantities = self.count_events(order, by_place, rows, events)
        charged = {
            rating.id: self.documents.check_invoice(
                order, rating, lines.get(rating.line)
            )
            for rating in ratings
        }
        for agreement in agreements:
            if agreement.window not in windows:
                self.differ(f"{order.name}: an agreement of another one's window")
                continue
            window = windows[agreement.window]
            text = f"{order.name}, {self.prices.code(agreement.metric)}"
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
            for item in map(item_of, self.ask(queries.ITEMS % "l.id = ANY(%s)", [ids]))
        }

    def count_events(self, order, agreements, rows, events):
        """Count the events of each window; each is in one, or marked as in none.

        :return: {(window id, metric id): ``Quantity``}
        """
        quantities = defaultdict(lambda: Quantity("sum"))
        for window in order.windows:
            for metric, (_code, kind) in self.prices.metrics.items():
                quantities[window.id, metric] = Quantity(kind)
        for _order, metric, moment, usage, quantity, unique_key, unallocated in events:
            self.report.counts["events"] += 1
            window = order.window_at(moment)
            is_billed = is_billing(order, window, metric, moment, agreements)
            if window and is_billed:
                quantities[window.id, metric].add(Fraction(quantity), unique_key)
            if not order.waits and bool(unallocated) == is_billed:
                must = "must not be" if is_billed else "must be"
                text = f"{order.name}, {self.prices.code(metric)}: event {usage}"
                self.differ(text, must, "marked as unallocated")
        for (window, metric), quantity in quantities.items():
            agreement = agreements.get((window, metric))
            if order.waits or not quantity.value:
                continue
            if agreement is None or not rows[agreement.id]:
                text = f"{order.name}, {self.prices.code(metric)}: a window has"
                self.differ(text, shown(quantity.value), "that is not rated")
        return quantities

    def check_agreement(self, text, window, agreement, rows, quantity, charged):
        """Whether quantity and amount of a window are what its events come to.

        :param rows: its revisions, oldest first
        :param charged: {rating id: what documents charge for it}
        """
        self.report.counts["windows"] += bool(rows)
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
            if agreement.terms != self.prices.terms[agreement.charge]:
                self.differ(text, "has another price than its charge")
        if window.is_settled and agreement.state == "open" and len(live) == len(rows):
            self.differ(text, "is settled, and its price is open")
        if not window.is_settled and agreement.state == "settled":
            if window.kind == "billing":
                self.differ(text, "has a settled price, and is not settled")
