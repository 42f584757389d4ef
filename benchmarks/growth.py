"""Growth: what the API takes with many events in the table, beside what with few.

Two databases with the same subscriptions, each a year old, invoiced eleven times: one
with a hundred times as many events as the other, spread over all of them and the year.
A server with one worker for each; requests alternate. Measured are the median of `GET
/subscriptions/{id}/usage` and the rate of `POST /usage` in batches of 1,000.
"""

from __future__ import annotations

import argparse
import json
import random
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from pathlib import Path

from benchmarks.support.command import options_of, parser_of, run_alone
from benchmarks.support.http import Client
from benchmarks.support.rates import Comparison
from benchmarks.support.usage import METRICS
from benchmarks.support.worker import running_worker
from provisioning.errors import ProvisioningError
from provisioning.workspace import Workspace

SCRIPT = Path(__file__).parent / "scripts" / "growth_worker.py"
MANY, FEW = "fcb_bench_growth_many", "fcb_bench_growth_few"
PREFIX = "/api/billing/v1"
SEED = 20260101
FULL = {"events": 10_000_000, "size": 1000, "requests": 500, "batches": 30}
QUICK = {"events": 1_000_000, "size": 1000, "requests": 200, "batches": 10}
FEWER = 100  # times as many events has the larger one
CHUNK = 500_000  # events made in one transaction
BATCH = 1000  # events in a request
CHECKED = 5  # subscriptions whose answer is compared with a sum in SQL
WARM = 10  # requests; a fifth as many batches
USAGE_GOAL = 1.5
INGEST_GOAL = 0.8


def main(workspace: Workspace, argv: list[str]) -> int:
    return run_alone(
        workspace,
        parse(argv),
        lambda workspace, options: Bench(workspace, options).run(),
        (MANY, FEW),
    )


def parse(argv: list[str]) -> argparse.Namespace:
    parser = parser_of("growth", __doc__)
    add = parser.add_argument
    add("--events", type=int, help=f"in the larger table; the other: 1/{FEWER}")
    add("--size", type=int, help="subscriptions, in both")
    add("--requests", type=int, help="GET /subscriptions/{id}/usage of each")
    add("--batches", type=int, help=f"POST /usage with {BATCH:,} events, of each")
    add("--seed", type=int, default=SEED, help="decides what the events are")
    options = options_of(parser, argv, FULL, QUICK)
    if options.size < CHECKED or options.events < 3 * FEWER * options.size:
        # each charge of each subscription has usage in the smaller one, too
        parser.error(
            f"--size must be at least {CHECKED}, --events {3 * FEWER} for each"
        )
    return options


class Bench:
    """Both databases, their servers, and the requests."""

    def __init__(self, workspace: Workspace, options: argparse.Namespace) -> None:
        self.workspace = workspace
        self.options = options
        self.random = random.Random(options.seed)
        self.databases = {MANY: options.events, FEW: options.events // FEWER}

    def run(self) -> dict:
        """Returns the figures, printed already."""
        workspace, options = self.workspace, self.options
        workspace.fresh_database(MANY)
        key = self.make_subscriptions(MANY)
        workspace.databases.copy(MANY, FEW)
        for name in self.databases:
            self.fill(name)
        with ExitStack() as stack:
            clients = {
                name: Client(
                    stack.enter_context(
                        workspace.start_server(name, options={"workers": 1}, name=name)
                    ),
                    key,
                )
                for name in self.databases
            }
            with workspace.phase(f"{options.requests} requests of each"):
                reads = self.read(clients)
            with workspace.phase(f"{options.batches} batches of each"):
                rates = self.ingest(clients)
        return self.report(
            [
                Comparison(
                    "GET /subscriptions/{id}/usage, p50, ms",
                    "with few",
                    reads[MANY],
                    reads[FEW],
                    at_most=USAGE_GOAL,
                ),
                Comparison(
                    "POST /usage, events/s",
                    "with few",
                    rates[MANY],
                    rates[FEW],
                    at_least=INGEST_GOAL,
                ),
            ]
        )

    def worker(self, database: str):
        options = self.options
        return running_worker(
            self.workspace,
            database,
            SCRIPT,
            None,
            size=options.size,
            seed=options.seed,
        )

    def make_subscriptions(self, name: str) -> str:
        """Make what both databases have in common; returns the API key."""
        with (
            self.workspace.phase(f"{self.options.size:,} subscriptions"),
            self.worker(name) as worker,
        ):
            return worker("set_up")

    def fill(self, name: str) -> None:
        """Make the usage of one database."""
        total = self.databases[name]
        with (
            self.workspace.phase(f"{total:,} events"),
            self.worker(name) as worker,
        ):
            for first in range(0, total, CHUNK):
                last = min(first + CHUNK, total)
                worker("fill", first=first, last=last, total=total)
        with self.workspace.phase(f"VACUUM ANALYZE, {total:,} events"):
            # in production autovacuum has long done so
            self.workspace.psql(name, "VACUUM ANALYZE")

    def reference(self) -> str:
        """External id of a subscription, any."""
        return f"0-{1 + self.random.randrange(self.options.size)}"

    def read(self, clients: dict[str, Client]) -> dict[str, list[float]]:
        """Milliseconds of each request, by database; both ask for the same ones."""
        for name, client in clients.items():
            for _ in range(CHECKED):
                self.check_answer(name, client, self.reference())
            for _ in range(WARM):
                client.timed("GET", self.path(self.reference()))
        spent: dict[str, list[float]] = {name: [] for name in clients}
        for _ in range(self.options.requests):
            path = self.path(self.reference())
            for name, client in clients.items():
                spent[name].append(1000 * client.timed("GET", path))
        return spent

    def path(self, reference: str) -> str:
        return f"{PREFIX}/subscriptions/{reference}/usage"

    def check_answer(self, name: str, client: Client, reference: str) -> None:
        """Raise ProvisioningError unless an answer tells what is in the table."""
        current = json.loads(client.answer("GET", self.path(reference))[1])["current"]
        told = {
            charge["metric_code"]: charge["quantity"] for charge in current["charges"]
        }
        rows = self.workspace.psql(
            name,
            "SELECT m.code, trim_scale(sum(u.quantity)) FROM fusion_billing_usage u"
            " JOIN fusion_billing_metric m ON m.id = u.metric_id"
            " JOIN sale_order o ON o.id = u.subscription_id"
            f" WHERE o.fc_external_id = '{reference}' AND u.voided_at IS NULL"
            f" AND u.period_start >= '{current['window_start']}'::timestamp"
            f" AND u.period_start < '{current['window_end']}'::timestamp"
            " GROUP BY m.code",
        )
        found = dict(row.split("|") for row in rows.splitlines())
        if {code: told.get(code) for code in METRICS} != {
            code: found.get(code, "0") for code in METRICS
        }:
            raise ProvisioningError(
                f"{reference} is told {told}, but {found} is stored.",
                "No ratio is given.",
            )

    def ingest(self, clients: dict[str, Client]) -> dict[str, list[float]]:
        """Events a second of each batch, by database."""
        until = datetime.now(timezone.utc).replace(microsecond=0)
        rates: dict[str, list[float]] = {name: [] for name in clients}
        warm = WARM // 5
        for number in range(warm + self.options.batches):
            body = json.dumps({"events": self.events(until)}).encode()
            sides = list(clients.items())
            for name, client in sides if number % 2 else reversed(sides):
                spent = client.timed("POST", f"{PREFIX}/usage", body)
                if number >= warm:
                    rates[name].append(BATCH / spent)
        for name, before in self.databases.items():
            stored = self.workspace.psql(
                name, "SELECT count(*) FROM fusion_billing_usage"
            )
            sent = BATCH * (warm + self.options.batches)
            if int(stored) != before + sent:
                raise ProvisioningError(
                    f"{name} stored {stored} events.", f"Not {before + sent}."
                )
        return rates

    def events(self, until: datetime) -> list[dict]:
        """New events of open windows, of subscriptions and metrics at random."""
        events = []
        for _ in range(BATCH):
            moment = until - timedelta(seconds=self.random.randrange(9 * 86_400))
            text = f"{moment:%Y-%m-%dT%H:%M:%SZ}"
            events.append(
                {
                    "subscription_external_id": self.reference(),
                    "metric_code": self.random.choice(METRICS),
                    "quantity": self.random.randrange(1, 1000),
                    "period_start": text,
                    "period_end": text,
                    "idempotency_key": f"{self.random.getrandbits(128):032x}",
                }
            )
        return events

    def report(self, comparisons: list[Comparison]) -> dict:
        many, few = self.databases.values()
        print(
            f"\nWith {many:,} events, beside {few:,}, of {self.options.size:,}"
            " subscriptions (medians)"
        )
        for comparison in comparisons:
            print(comparison.text(""))
        print(flush=True)
        return {
            "benchmark": "growth",
            "seed": self.options.seed,
            "size": self.options.size,
            "events": {"many": many, "few": few},
            "comparisons": [comparison.as_dict() for comparison in comparisons],
        }
