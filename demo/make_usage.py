"""Makes `usage.csv`: a month of sample usage, in the order in which the apps send it.

    python3 -m demo.make_usage            write demo/usage.csv
    python3 -m demo.make_usage --check    only say whether the file is what this makes

The generator is seeded: the same code makes the same file. `note` says why a row is
there, for people who read the file; nothing computes with it.

Besides plain events there are: the first and the last second of the month and the
first second of the next one, repetitions close by and much later, keys used again with
other content, events without a key, and events that must be refused, each for exactly
one reason.
"""

from __future__ import annotations

import argparse
import csv
import io
import random
import sys
from collections.abc import Iterator
from pathlib import Path

from .catalog import APPS, App, subscription_of

PATH = Path(__file__).with_name("usage.csv")
SEED = 20260101
COLUMNS = (
    *("app", "customer", "subscription", "metric", "day", "time", "minutes"),
    *("quantity", "unique_key", "idempotency_key", "note"),
)
DAYS = [*map(str, range(1, 29)), "last"]
# events of a plain month: (customer, metric) -> how many
VOLUMES = {
    ("nexacloud-a", "compute_hours"): 700,
    ("nexacloud-a", "storage_gb_hours"): 450,
    ("nexacloud-b", "compute_hours"): 500,
    ("nexacloud-b", "storage_gb_hours"): 350,
    ("nexacloud-c", "compute_hours"): 90,
    ("nexadesk-a", "tickets"): 420,
    ("nexadesk-a", "agent_seats"): 120,
    ("nexadesk-b", "tickets"): 250,
    ("nexadesk-b", "agent_seats"): 60,
    ("nexamaps-a", "map_loads"): 850,
    ("nexamaps-a", "tracked_devices"): 380,
    ("nexamaps-b", "map_loads"): 550,
    ("nexamaps-b", "tracked_devices"): 200,
}
# Exactly at a limit: tickets = quota + 3 packages; compute hours below the quota;
# seats at the quota. One unit more would change the invoice.
ONE_EACH = {("nexadesk-b", "tickets"): "1", ("nexacloud-c", "compute_hours"): "1"}
REPEATED_NEAR, REPEATED_LATER, CONFLICTS, KEYLESS = 12, 25, 8, 10


def quantity(dice: random.Random, customer: str, metric: str) -> str:
    """The quantity of one plain event, as decimal text."""
    if text := ONE_EACH.get((customer, metric)):
        return text
    if metric == "compute_hours":
        return _decimal(dice.randint(1, 80_000), 4)
    if metric == "storage_gb_hours":
        return _decimal(dice.randint(10**10, 9 * 10**12), 10)
    if metric == "tickets":
        return str(dice.randint(1, 3))
    if metric == "agent_seats":
        return str(dice.randint(1, 3 if customer.endswith("b") else 7))
    if metric == "map_loads":
        return str(dice.randint(1, 60))
    return "1"


def _decimal(units: int, digits: int) -> str:
    """`units` of the last of `digits` decimals, as text: (12345, 4) is 1.2345."""
    text = str(units).zfill(digits + 1)
    return f"{text[:-digits]}.{text[-digits:]}"


def plain_row(dice: random.Random, app: App, customer: str, metric: str) -> dict:
    """One event somewhere in the month, without a key yet."""
    time = dice.randrange(24 * 3600)
    devices = 25 if customer.endswith("a") else 8
    unique = metric == "tracked_devices"
    return {
        "app": app.code,
        "customer": customer,
        "subscription": subscription_of(customer),
        "metric": metric,
        "day": dice.choice(DAYS),
        "time": f"{time // 3600:02}:{time // 60 % 60:02}:{time % 60:02}",
        "minutes": dice.choice(("0", "1", "15", "60")),
        "quantity": quantity(dice, customer, metric),
        "unique_key": f"device-{dice.randint(1, devices):03}" if unique else "",
        "idempotency_key": "",
        "note": "",
    }


def edge_rows(row: dict) -> Iterator[dict]:
    """The same usage at the edges of the month, where a wrong comparison would show."""
    for note, day, time in (
        ("edge: first second of the month", "1", "00:00:00"),
        ("edge: last second of the month", "last", "23:59:59"),
        ("edge: first second of the next month", "next", "00:00:00"),
    ):
        yield row | {"day": day, "time": time, "minutes": "60", "note": note}


def invalid_rows(row: dict, app: App) -> Iterator[dict]:
    """Events to be refused, each for one reason."""
    other = next(a for a in APPS if a != app)
    for note, changes in (
        ("negative", {"quantity": "-1"}),
        ("not a number", {"quantity": "NaN"}),
        ("infinite", {"quantity": "Infinity"}),
        ("text as quantity", {"quantity": "12 units"}),
        ("eleven decimals", {"quantity": "0.12345678901"}),
        ("too large", {"quantity": "10000000000000000"}),
        ("missing quantity", {"quantity": ""}),
        ("missing metric", {"metric": ""}),
        ("unknown metric", {"metric": "coffee_cups"}),
        ("missing subscription", {"subscription": ""}),
        ("unknown subscription", {"subscription": "2147483000"}),
        ("another app's", {"subscription": subscription_of(other.customers[0])}),
        ("no such time", {"time": "25:61:00"}),
        ("not a time", {"time": "noon"}),
        ("ends before it starts", {"minutes": "-5"}),
    ):
        yield row | changes | {"note": f"invalid: {note}"}
    if app.code == "nexamaps":
        yield row | {"metric": "tracked_devices", "note": "invalid: missing unique key"}


def app_rows(app: App) -> list[dict]:
    """All rows of one app, in sending order."""
    # dice of its own: another app's volume must not change this app's rows
    dice = random.Random(f"{SEED} {app.code}")
    rows = []
    for customer in app.customers:
        for charge in app.charges:
            volume = VOLUMES.get((customer, charge.metric), 0)
            plain = [
                plain_row(dice, app, customer, charge.metric) for _ in range(volume)
            ]
            if plain and (customer, charge.metric) not in ONE_EACH:
                plain += edge_rows(plain[0])
            rows += plain
    # usage of the next month that would show if it leaked into this one
    for row in rows:
        if row["day"] == "next" and row["metric"] == "agent_seats":
            row["quantity"] = "40"
        if row["day"] == "next" and row["unique_key"]:
            row["unique_key"] = "device-999"
    dice.shuffle(rows)
    invalid = [
        faulty
        for customer in app.customers[:2]
        for faulty in invalid_rows(
            plain_row(dice, app, customer, app.charges[0].metric), app
        )
    ]
    for row in invalid:
        rows.insert(dice.randrange(len(rows)), row)
    for number, row in enumerate(rows, 1):
        row["idempotency_key"] = f"{app.code}-{number:05}"
    drop_keys(dice, rows)
    repeat(dice, rows)
    return rows


def drop_keys(dice: random.Random, rows: list[dict]) -> None:
    """Take the key from a few events; their content is what makes them one event."""
    candidates = [r for r in rows if not r["note"] and r["minutes"] == "15"]
    for row in dice.sample(candidates, KEYLESS):
        row.update(idempotency_key="", note="no key")


def repeat(dice: random.Random, rows: list[dict]) -> None:
    """Add repetitions of earlier rows, some with other content under the same key."""
    keyed = [row for row in rows if not row["note"]]
    keyless = [row for row in rows if row["note"] == "no key"]
    chosen = dice.sample(keyed, REPEATED_NEAR + REPEATED_LATER + CONFLICTS)
    near, chosen = chosen[:REPEATED_NEAR], chosen[REPEATED_NEAR:]
    later, conflicts = chosen[:REPEATED_LATER], chosen[REPEATED_LATER:]
    for row in near:
        copy = row | {"note": "repeated: close by"}
        if row["metric"] == "compute_hours":
            copy["quantity"] += "0"  # the same number, written differently
        rows.insert(rows.index(row) + dice.randint(1, 4), copy)
    for row in later + keyless:
        copy = row | {"note": "repeated: much later"}
        position = min(rows.index(row) + dice.randint(260, 900), len(rows))
        rows.insert(position, copy)
    for row in conflicts:
        copy = row | {"minutes": "45", "note": "conflict: other content"}
        if copy["metric"] != "tracked_devices":
            copy["quantity"] = "9"
        rows.append(copy)


def make_rows() -> list[dict]:
    """Rows of all apps, mixed; each app's own stay in their order."""
    queues = [app_rows(app) for app in APPS]
    dice = random.Random(SEED)
    turns = [number for number, queue in enumerate(queues) for _ in queue]
    dice.shuffle(turns)
    iterators = [iter(queue) for queue in queues]
    return [next(iterators[number]) for number in turns]


def to_csv(rows: list[dict]) -> str:
    """The rows as the text of a CSV file, with a header."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def read_rows(path: Path = PATH) -> list[dict]:
    """The rows of a usage file; every cell is text."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing")
    options = parser.parse_args(argv)
    text = to_csv(make_rows())
    if options.check:
        same = PATH.read_text(encoding="utf-8") == text
        print(f"{PATH.name} is {'up to date' if same else 'NOT what this code makes'}.")
        return 0 if same else 1
    PATH.write_text(text, encoding="utf-8")
    print(f"{PATH.name}: {text.count(chr(10)) - 1} rows.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
