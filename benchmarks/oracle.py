#!/usr/bin/env python3
"""Rates a whole database once more, from its raw events, and says what differs.

    python3 benchmarks/oracle.py DATABASE

A second opinion: it shares no code with the addon, only reads, in one transaction, and
holds the ratings of one subscription in memory at a time. Where the server is, libpq's
variables say (PGHOST, PGUSER, ...); DATABASE can be a connection string, too. It needs
psycopg2, which Odoo's environment has.

Prints one line for each difference and a line of totals. Exit code 1: differences.
What the rating job has still to look at is counted as waiting, and no difference.
"""

import json
import sys
from collections import Counter, defaultdict, namedtuple
from datetime import datetime, time, timezone
from fractions import Fraction
from zoneinfo import ZoneInfo

ORDERS = """
    SELECT json_build_object('zone', coalesce(c.fc_billing_tz, 'UTC'),
                             'rounding', y.rounding::text, 'waits', EXISTS (
                                 SELECT FROM fusion_billing_rating_queue q
                                  WHERE q.subscription_id = o.id))::text,
           o.id, o.name, o.state, o.subscription_state, o.plan_id, o.company_id,
           o.start_date, o.last_invoice_date, o.next_invoice_date, o.end_date,
           o.fc_settled_day, o.fc_settled_start, o.fc_settled_end,
           o.fc_window_plan_id, o.fc_window_plan_day
      FROM sale_order o
      JOIN res_company c ON c.id = o.company_id
      JOIN res_currency y ON y.id = o.currency_id
     WHERE o.id IN (SELECT subscription_id FROM fusion_billing_usage
                     UNION SELECT subscription_id FROM fusion_billing_rating)
     ORDER BY o.id
"""
RATINGS = """
    SELECT r.subscription_id, r.metric_id, r.charge_id, r.window_start, r.window_end,
           r.revision, r.state, r.quantity::text, r.amount::text,
           r.explanation::text, r.id,
           l.id, v.state, v.name, r.invoice_id, b.state, r.released_by_id,
           (CASE v.move_type WHEN 'out_refund' THEN -l.price_subtotal
                             ELSE l.price_subtotal END)::text
      FROM fusion_billing_rating r
      LEFT JOIN account_move_line l ON l.id = r.invoice_line_id
      LEFT JOIN account_move v ON v.id = l.move_id
      LEFT JOIN account_move b ON b.id = r.invoice_id
     ORDER BY r.subscription_id, r.metric_id, r.window_start, r.charge_id, r.revision
"""
EVENTS = """
    SELECT subscription_id, metric_id, period_start, id, quantity::text, unique_key,
           unallocated
      FROM fusion_billing_usage WHERE voided_at IS NULL
     ORDER BY subscription_id, metric_id, period_start, id
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
FOREVER = datetime.max
Rating = namedtuple(
    "Rating",
    "order metric charge start end revision state quantity amount explanation id"
    " line line_state name invoice invoice_state credit on_line",
)
RENEWED = "5_renewed"


def stream(connection, name, query):
    """Rows of a query, a few thousand in memory at a time."""
    cursor = connection.cursor(name)
    cursor.itersize = 5000
    cursor.execute(query)
    return cursor


def terms_of_explanation(explanation):
    """The agreed price, as it was kept with a rating."""
    get = explanation.get
    return {
        "model": get("model"),
        "quota": Fraction(get("quota")),
        "price": Fraction(get("unit_price")),
        "batch": Fraction(get("unit_batch")),
        "minimum": Fraction(get("minimum", 0)),
        "tiers": [
            (
                None if tier["up_to"] is None else Fraction(tier["up_to"]),
                Fraction(tier["unit_price"]),
                Fraction(tier["flat_fee"]),
            )
            for tier in get("tiers", ())
        ],
    }


def cost(terms, quantity):
    """What a quantity costs, not rounded, in the charge's currency."""
    billable = max(Fraction(0), quantity - terms["quota"])
    amount = Fraction(0)
    if not billable:
        pass
    elif terms["model"] == "standard":
        amount = billable * terms["price"] / terms["batch"]
    elif terms["model"] == "package":
        amount = -(-billable // terms["batch"]) * terms["price"]
    elif terms["model"] == "graduated":
        below = Fraction(0)
        for up_to, price, fee in terms["tiers"]:
            if billable > below:
                top = billable if up_to is None else min(up_to, billable)
                amount += (top - below) * price / terms["batch"] + fee
                below = top
    elif terms["model"] == "volume":
        price, fee = next(
            (price, fee)
            for up_to, price, fee in terms["tiers"]
            if up_to is None or billable <= up_to
        )
        amount = billable * price / terms["batch"] + fee
    else:
        raise ValueError(f"unknown charge model {terms['model']}")
    return max(amount, terms["minimum"])


def rounded(amount, step):
    """To a multiple of the step, half away from zero."""
    units = abs(amount) / step
    whole = (2 * units + 1) // 2
    return whole * step if amount >= 0 else -whole * step


class Quantity:
    """The quantity of a window, event by event in their order."""

    def __init__(self, kind):
        self.kind, self.value, self.keys = kind, Fraction(0), set()

    def add(self, quantity, unique_key):
        if self.kind == "sum":
            self.value += quantity
        elif self.kind == "count":
            self.value += 1
        elif self.kind == "max":
            self.value = max(self.value, quantity)
        elif self.kind == "last":
            self.value = quantity
        elif unique_key is not None:
            self.keys.add(unique_key)
            self.value = Fraction(len(self.keys))


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


class Order:
    """What the dates of a subscription say of its windows."""

    def __init__(self, row, charges):
        self.row, self.id, self.name = row, row["id"], row["name"]
        self.zone, self.rounding = ZoneInfo(row["zone"]), Fraction(row["rounding"])
        self.waits, self.next_day = row["waits"], row["next_invoice_date"]
        first = row["last_invoice_date"] or row["start_date"]
        self.start = self.end = FOREVER
        if first and self.next_day:
            self.start, self.end = self.midnight(first), self.midnight(self.next_day)
            # Where the window before ended, also when the time zone was changed.
            settled = row["fc_settled_day"]
            if settled and (
                settled == row["last_invoice_date"]
                or row["fc_settled_start"] < self.start < row["fc_settled_end"]
            ):
                self.start = row["fc_settled_end"]
        self.find_prices(charges, first)
        self.is_over = (
            row["state"] != "sale"
            or row["subscription_state"] not in ("3_progress", "4_paused", RENEWED)
            or (self.is_renewed and row["fc_settled_day"] == self.next_day)
        )

    @property
    def is_renewed(self):
        return self.row["subscription_state"] == RENEWED

    def find_prices(self, charges, first):
        """Which metrics have a price, in the open window and after it."""
        row = self.row
        own = [c for c in charges if c["active"] and c["company"] == row["company_id"]]
        later = [c for c in own if c["plan"] == row["plan_id"]]
        now = [c for c in own if c["plan"] == row["fc_window_plan_id"]]
        if row["fc_window_plan_day"] != first or not now:
            now = later
        self.priced = {
            c["metric"]
            for c in now
            if first
            and (not c["first"] or c["first"] <= first)
            and (not c["last"] or first <= c["last"])
        }
        day = self.next_day or first
        self.priced_later = {
            c["metric"] for c in later if not c["last"] or (day and day <= c["last"])
        }

    def midnight(self, day):
        local = datetime.combine(day, time.min, self.zone)
        return local.astimezone(timezone.utc).replace(tzinfo=None)

    def will_bill(self, metric, moment):
        """Whether usage is of the open window, or of one that is to come."""
        days = [self.row["end_date"]] if self.row["end_date"] else []
        if self.is_renewed:
            days.append(self.next_day)
        until = max(self.midnight(min(days)), self.end) if days else FOREVER
        if self.is_over or not self.start <= moment < until:
            return False
        return metric in (self.priced if moment < self.end else self.priced_later)


class Oracle:
    """Rates everything again.

    :param connection: psycopg2's, in a transaction with one view of the data
    :param say: called with the text of each difference
    """

    def __init__(self, connection, say):
        self.connection, self.say = connection, say
        self.counts = Counter()

    def ask(self, query):
        with self.connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchall()

    def differ(self, *words):
        self.counts["differences"] += 1
        self.say(" ".join(map(str, words)))

    def run(self):
        """Return the counts: subscriptions, events, windows, differences, ..."""
        tiers = defaultdict(list)
        for charge, up_to, price, fee in self.ask(TIERS):
            up_to = None if up_to is None else Fraction(up_to)
            tiers[charge].append((up_to, Fraction(price), Fraction(fee)))
        names = (
            "id metric plan company active first last model quota price batch"
        ).split()
        charges = [
            {
                **dict(zip(names, row, strict=False)),
                **dict(zip(names[8:], map(Fraction, row[8:11]), strict=True)),
                "minimum": Fraction(row[11]),
                "tiers": tiers[row[0]],
            }
            for row in self.ask(CHARGES)
        ]
        self.terms = {charge["id"]: charge for charge in charges}
        self.metrics = {
            metric: (code, kind)
            for metric, code, kind in self.ask(
                "SELECT id, code, aggregation FROM fusion_billing_metric"
            )
        }
        orders = stream(self.connection, "oracle_orders", ORDERS)
        ratings = Groups(stream(self.connection, "oracle_ratings", RATINGS))
        events = Groups(stream(self.connection, "oracle_events", EVENTS))
        for more, *row in orders:
            names = [column.name for column in orders.description[1:]]
            row = {**json.loads(more), **dict(zip(names, row, strict=True))}
            order = Order(row, charges)
            self.counts["subscriptions"] += 1
            self.counts["waiting"] += order.waits
            windows = defaultdict(list)
            for values in ratings.take((order.id,)):
                rating = Rating(*values)
                explanation = json.loads(rating.explanation or "{}")
                rating = rating._replace(
                    quantity=Fraction(rating.quantity or 0),
                    amount=Fraction(rating.amount or 0),
                    explanation=explanation,
                )
                windows[rating.metric, rating.charge, rating.start].append(rating)
                self.check_invoice(order, rating)
            quantities = self.check_events(order, windows, events.take((order.id,)))
            for key, rows in windows.items():
                self.counts["windows"] += 1
                if not order.waits:
                    self.check_window(order, rows, quantities[key].value)
        for name, line, amount in self.ask(UNEXPLAINED):
            self.differ(f"{name}: line {line} over {amount} has no rating")
        return self.counts

    def check_events(self, order, windows, events):
        """Count the events of each window; whether each event is in one, or marked."""
        quantities = {key: Quantity(self.metrics[key[0]][1]) for key in windows}
        unrated = {m: Quantity(kind) for m, (_code, kind) in self.metrics.items()}
        counting = defaultdict(list)  # metric -> (start, end, key) that price it
        for key, rows in windows.items():
            if not rows[-1].explanation.get("superseded"):
                counting[key[0]].append((rows[-1].start, rows[-1].end, key))
        for _order, metric, moment, usage, quantity, unique_key, unallocated in events:
            self.counts["events"] += 1
            found = [
                key for start, end, key in counting[metric] if start <= moment < end
            ]
            for key in found:
                quantities[key].add(Fraction(quantity), unique_key)
            text = f"{order.name}, {self.metrics[metric][0]}: event {usage}"
            if len(found) > 1:
                self.differ(text, f"is rated {len(found)} times")
            if order.waits:
                continue
            lost = not found and not order.will_bill(metric, moment)
            if bool(unallocated) != lost:
                must = "must be" if lost else "must not be"
                self.differ(text, must, "marked as unallocated")
            elif not lost and not found and moment < order.end:
                unrated[metric].add(Fraction(quantity), unique_key)
        self.check_unrated(order, unrated)
        return quantities

    def check_unrated(self, order, unrated):
        """A quantity of 0 needs no rating.

        :param unrated: what the open window has that no rating counts, by metric
        """
        for metric, quantity in unrated.items():
            if quantity.value:
                text = f"{order.name}, {self.metrics[metric][0]}: the open window has"
                self.differ(text, shown(quantity.value), "that is not rated")

    def check_window(self, order, rows, quantity):
        """Whether a window's quantity and amount are what its events come to.

        :param rows: its revisions, oldest first
        """
        latest = rows[-1]
        text = f"{order.name}, {self.metrics[latest.metric][0]} from {latest.start}"
        if latest.quantity != quantity:
            self.differ(
                text, f"quantity {shown(latest.quantity)}, counted {shown(quantity)}"
            )
        amount = self.amount(order, rows, quantity)
        billed = sum(row.amount for row in rows if row.state != "released")
        if amount != billed:
            self.differ(text, f"comes to {shown(billed)}, must be {shown(amount)}")

    def amount(self, order, rows, quantity):
        """What a window costs, at the price agreed for it."""
        latest = rows[-1]
        if latest.explanation.get("superseded"):
            return Fraction(0)
        # One that found nothing more to bill says nothing of its own on the price.
        newest = {
            row.state: row
            for row in rows
            if row.amount or not row.explanation.get("billed_by")
        }
        if "invoiced" in newest:
            terms = terms_of_explanation(newest["invoiced"].explanation)
        elif "released" in newest or latest[3:5] == (order.start, order.end):
            terms = self.terms[latest.charge]
        else:
            terms = terms_of_explanation(latest.explanation)
        rate = Fraction(latest.explanation.get("conversion_rate", 1))
        return rounded(cost(terms, quantity) * rate, order.rounding)

    def check_invoice(self, order, row):
        """Whether what counts as billed is on an invoice, at that amount."""
        self.counts["ratings"] += 1
        text = f"{order.name}: rating {row.id}"
        if row.state == "released":
            if row.invoice_state == "posted" and not row.credit:
                self.differ(
                    text, f"does not count, and its invoice {row.name} is posted"
                )
        elif row.state == "invoiced" and not row.amount:
            if row.invoice_state == "cancel":
                self.differ(text, "counts as billed, and its invoice is cancelled")
        elif row.state == "invoiced":
            if row.line_state not in ("draft", "posted"):
                self.differ(text, "counts as billed, and is on no invoice")
            elif Fraction(row.on_line) != row.amount:
                self.differ(
                    text,
                    f"over {shown(row.amount)} is on {row.name} over {row.on_line}",
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
