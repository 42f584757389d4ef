"""Ingestion: POST /usage over HTTP, beside what limits it and what it replaces.

One server with one worker, one database, one table. In each round our API stores a
batch of new events; then the same rows, under other keys, go into the same table by
COPY (which is the limit), by `create` of Odoo's JSON-2 API, and a part of them by one
search and create for each event. A ratio is given only where all sides stored the same.
"""

from __future__ import annotations

import argparse
import json
import random
from datetime import datetime, timedelta, timezone
from pathlib import Path

from benchmarks.support.command import options_of, parser_of, run_alone
from benchmarks.support.http import Client, Memory, worker_of
from benchmarks.support.rates import Comparison
from benchmarks.support.usage import METRICS
from benchmarks.support.worker import Worker, running_worker
from provisioning.errors import ProvisioningError
from provisioning.workspace import Workspace

SCRIPT = Path(__file__).parent / "scripts" / "ingest_worker.py"
DATABASE = "fcb_bench_ingest"
PREFIX = "/api/billing/v1"
JSON2 = "/json/2/fusion.billing.usage/create"
SEED = 20260101
FULL = {"size": 1000, "rounds": 7, "single": 300}
QUICK = {"size": 100, "rounds": 3, "single": 100}
# events in a batch -> how many rounds for one of the largest, and the goal against COPY
BATCHES = {10_000: (1, 0.5), 1_000: (2, 0.35)}
LOOPED = 500  # events that one search and create each is measured with
JSON2_GOAL = 10
LOOP_GOAL = 40
SINGLE_GOAL = 1.5
MEMORY_GOAL = 200  # MB
SIDES = ("ours", "copy", "json2", "loop")
# what the keys of each side's rows begin with: one letter, exchanged by the others
LETTERS = dict(zip(SIDES, "pcjl", strict=True))


def main(workspace: Workspace, argv: list[str]) -> int:
    return run_alone(workspace, parse(argv), measure, [DATABASE])


def parse(argv: list[str]) -> argparse.Namespace:
    parser = parser_of("ingest", __doc__)
    add = parser.add_argument
    add("--size", type=int, help="subscriptions the events are for")
    add("--rounds", type=int, help="batches of 10,000 events")
    add("--single", type=int, help="requests with one event")
    add("--seed", type=int, default=SEED, help="decides what the events are")
    add("--limits-only", action="store_true", help="leave the slow sides out")
    return options_of(parser, argv, FULL, QUICK)


def measure(workspace: Workspace, options: argparse.Namespace) -> dict:
    workspace.fresh_database(DATABASE)
    with running_worker(workspace, DATABASE, SCRIPT, None, size=options.size) as worker:
        with workspace.phase(f"{options.size} subscriptions"):
            keys = worker("set_up")
            workspace.psql(DATABASE, "ANALYZE")
        with workspace.start_server(
            DATABASE, options={"workers": 1}, name="bench-ingest"
        ) as server:
            bench = Bench(workspace, options, worker, Client(server, keys["ours"]))
            bench.json2 = Client(server, keys["json2"])
            return bench.run()


class Bench:
    """The rounds of one run."""

    def __init__(
        self,
        workspace: Workspace,
        options: argparse.Namespace,
        worker: Worker,
        client: Client,
    ) -> None:
        self.workspace = workspace
        self.options = options
        self.worker = worker
        self.client = client
        self.json2 = client
        self.random = random.Random(options.seed)
        self.batches = 0
        # to be in the open window of every subscription
        self.until = datetime.now(timezone.utc).replace(microsecond=0)
        self.growth: list[float] = []

    def run(self) -> dict:
        """Returns the figures, printed already."""
        comparisons = []
        memory = Memory(worker_of(self.client.server))
        with self.workspace.phase("warm-up"):
            for _ in range(3):
                self.client.timed("GET", f"{PREFIX}/health")
                self.client.post(f"{PREFIX}/usage", {"events": self.events(1)})
        self.at_rest = memory.now()
        for count, (factor, goal) in BATCHES.items():
            rates: dict[str, list[float]] = {side: [] for side in SIDES}
            rounds = factor * self.options.rounds
            with self.workspace.phase(f"{rounds} rounds of {count:,} events"):
                self.round(count, memory)  # not timed: caches, the first pages
                for _ in range(rounds):
                    for side, rate in self.round(count, memory).items():
                        rates[side].append(rate)
            comparisons += self.compare(count, goal, rates)
        with self.workspace.phase(f"{self.options.single} requests with one event"):
            comparisons.append(self.single())
        return self.report(comparisons)

    def events(self, count: int) -> list[dict]:
        """New events, of subscriptions and metrics at random, in no order."""
        choice, number = self.random.choice, self.random.randrange
        self.batches += 1
        events = []
        for _ in range(count):
            end = self.until - timedelta(seconds=number(10 * 86_400))
            quantity = number(1, 100_000)
            events.append(
                {
                    "subscription_external_id": (
                        f"subscription-{number(self.options.size)}"
                    ),
                    "metric_code": choice(METRICS),
                    "quantity": choice((quantity, f"{quantity}.25")),
                    "period_start": f"{end - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
                    "period_end": f"{end:%Y-%m-%dT%H:%M:%SZ}",
                    "idempotency_key": (
                        f"{LETTERS['ours']}{self.batches}-"
                        f"{self.random.getrandbits(96):024x}"
                    ),
                }
            )
        return events

    def round(self, count: int, memory: Memory) -> dict[str, float]:
        """Have every side store the same rows; returns events a second by side."""
        events = self.events(count)
        keys = {s: f"{letter}{self.batches}-" for s, letter in LETTERS.items()}
        ours = keys["ours"]
        body = json.dumps({"events": events}).encode()
        memory.forget_peak()
        seconds = {"ours": self.client.timed("POST", f"{PREFIX}/usage", body)}
        if count == max(BATCHES):
            self.growth.append(memory.peak() - self.at_rest)
        # only the letter differs: what follows it is part of the key of all
        seconds["copy"] = self.worker("copy", source=ours, target=LETTERS["copy"])
        if not self.options.limits_only:
            rows = self.worker("values", source=ours, target=LETTERS["json2"])
            seconds["json2"] = self.json2.post(JSON2, {"vals_list": rows})
            looped = min(LOOPED, count)
            loop = self.worker(
                "search_and_create", source=ours, target=LETTERS["loop"], limit=looped
            )
            seconds["loop"] = loop * count / looped
        self.check({s: keys[s] for s in seconds if s != "loop"}, count)
        return {side: count / spent for side, spent in seconds.items()}

    def check(self, keys: dict[str, str], count: int) -> None:
        """Raise ProvisioningError unless all sides stored the same."""
        found = {side: self.worker("found", prefix=key) for side, key in keys.items()}
        if found["ours"][0] != count or any(x != found["ours"] for x in found.values()):
            raise ProvisioningError(
                f"The sides stored different rows: {found}", "No ratio is given."
            )

    def compare(self, count: int, goal: float, rates: dict) -> list[Comparison]:
        name = f"{count:,} events a batch"
        others = (
            ("copy", "COPY", goal),
            ("json2", "JSON-2 create", JSON2_GOAL),
            ("loop", "search + create", LOOP_GOAL),
        )
        return [
            Comparison(name, against, rates["ours"], rates[side], at_least=wanted)
            for side, against, wanted in others
            if rates[side]
        ]

    def single(self) -> Comparison:
        """One event, beside a request that does nothing; in milliseconds."""
        ours, health = [], []
        for _ in range(self.options.single):
            body = {"events": self.events(1)}
            ours.append(1000 * self.client.post(f"{PREFIX}/usage", body))
            health.append(1000 * self.client.timed("GET", f"{PREFIX}/health"))
        return Comparison(
            "one event, p50", "GET /health", ours, health, at_most=SINGLE_GOAL
        )

    def report(self, comparisons: list[Comparison]) -> dict:
        print("\nIngestion (medians of the rounds; events a second, or milliseconds)")
        for comparison in comparisons:
            unit = "ms" if comparison.at_most else "events/s"
            print(comparison.text(unit))
        met = max(self.growth) <= MEMORY_GOAL
        print(
            f"  memory of the worker: {self.at_rest:.0f} MB at rest, at most"
            f" {max(self.growth):+.0f} MB in a batch of {max(BATCHES):,};"
            f" goal at most +{MEMORY_GOAL}: {'met' if met else 'NOT met'}\n",
            flush=True,
        )
        return {
            "benchmark": "ingest",
            "seed": self.options.seed,
            "size": self.options.size,
            "comparisons": [comparison.as_dict() for comparison in comparisons],
            "memory": {
                "at_rest_mb": round(self.at_rest, 1),
                "growth_mb": [round(growth, 1) for growth in self.growth],
                "goal_mb": MEMORY_GOAL,
                "met": met,
            },
        }
