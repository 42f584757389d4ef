"""Rating: the scheduled job, beside one SQL statement and writes of as many lines.

Each side is an Odoo process on a copy of one database, made anew for each round. The
other side gets the same sums by one raw SQL statement, and writes price and name of as
many order lines through the ORM, committed in batches as large as ours; it keeps no
ledger and explains nothing. No ratio is given unless both came to the same quantities,
amounts, prices and totals.
"""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from benchmarks.support.command import options_of, parser_of, run_alone
from benchmarks.support.http import Memory
from benchmarks.support.rates import Comparison
from benchmarks.support.worker import running_worker
from provisioning.errors import ProvisioningError
from provisioning.workspace import Workspace

SCRIPT = Path(__file__).parent / "scripts" / "rating_worker.py"
DATABASE = "fcb_bench_rating"
SEED = 20260101
FULL = {"size": 10_000, "events": 1_000_000, "rounds": 3}
QUICK = {"size": 500, "events": 50_000, "rounds": 3}
NEW_SHARE = 5  # one of so many subscriptions once more, without lines
WARM = 20
CHANGED = 100  # one of so many has new usage
MAX_SIZE = 100_000
RATIO_GOAL = 1.3
NOTHING_NEW_GOAL = 0.05
CHANGED_GOAL = 0.1
MEMORY_GOAL = 200  # MB


def main(workspace: Workspace, argv: list[str]) -> int:
    return run_alone(
        workspace,
        parse(argv),
        lambda workspace, options: Bench(workspace, options).run(),
        (DATABASE, *(f"{DATABASE}_{side}" for side in Bench.SIDES)),
    )


def parse(argv: list[str]) -> argparse.Namespace:
    parser = parser_of("rating", __doc__)
    add = parser.add_argument
    add("--size", type=int, help="subscriptions, each with three charges")
    add("--events", type=int, help="usage events of all of them")
    add("--rounds", type=int, help="how often each side starts anew")
    add("--seed", type=int, default=SEED, help="decides what the events are")
    add("--profile", type=Path, metavar="FOLDER", help="profile each side into it")
    options = options_of(parser, argv, FULL, QUICK)
    if not CHANGED <= options.size <= MAX_SIZE:
        parser.error(f"--size must be between {CHANGED} and {MAX_SIZE:,}")
    if options.rounds < 1 or options.events < 3 * options.size:
        parser.error("--rounds must be at least 1, --events three for a subscription")
    return options


class Bench:
    """The rounds of one run."""

    SIDES = ("ours", "sql")

    def __init__(self, workspace: Workspace, options: argparse.Namespace) -> None:
        self.workspace = workspace
        self.options = options
        self.new = options.size // NEW_SHARE
        self.seconds: dict[str, list[float]] = {}
        self.cpu: dict[str, list[float]] = {}
        self.queries: dict[str, list[int]] = {}
        self.at_rest: list[float] = []
        self.growth: list[float] = []
        self.waiting = 0

    def run(self) -> dict:
        """Returns the figures, printed already."""
        self.make_world()
        for number in range(self.options.rounds):
            with self.workspace.phase(f"round {number + 1} of {self.options.rounds}"):
                self.round(number)
        return self.report()

    def worker(self, database: str):
        options = self.options
        return running_worker(
            self.workspace,
            database,
            SCRIPT,
            None,
            seed=options.seed,
            size=options.size,
            new=self.new,
            warm=WARM,
            events=options.events,
        )

    def make_world(self) -> None:
        options = self.options
        self.workspace.fresh_database(DATABASE)
        with (
            self.workspace.phase(
                f"{options.size:,} subscriptions, {options.events:,} events"
            ),
            self.worker(DATABASE) as worker,
        ):
            worker("set_up")
        # in production autovacuum has long done so
        self.workspace.psql(DATABASE, "VACUUM ANALYZE")

    def round(self, number: int) -> None:
        """Start both sides anew and have each do all there is, by turns."""
        with ExitStack() as stack:
            workers = {}
            for side in self.SIDES:
                name = f"{DATABASE}_{side}"
                self.workspace.databases.copy(DATABASE, name)
                workers[side] = stack.enter_context(self.worker(name))
            ours, sql = workers["ours"], workers["sql"]
            memory = Memory(ours("pid"))
            for part in ("with", "without"):
                # not timed: caches, the first use of everything
                ours("queue", part=f"warm {part}")
                ours("rate")
                sql("sum_and_write", part=f"warm {part}")
            for part in ("with", "without"):
                self.first_run(number, part, ours, sql, memory)
            self.add("nothing new", ours("rate"))
            ours("use_more", part="with", step=CHANGED)
            sql("use_more", part="with", step=CHANGED)
            self.add("1 % changed", ours("rate", profile=self.profile("changed")))
            sql("sum_and_write", part="with")
            self.check("with", ours, sql)

    def first_run(self, number, part, ours, sql, memory: Memory) -> None:
        """Rate one part for the first time, on both sides; which is first, alternates.

        :param part: "with" or "without" order lines of the charges
        """
        waiting = ours("queue", part=part)
        for side in self.SIDES if number % 2 == 0 else reversed(self.SIDES):
            profile = self.profile(f"{side}-{part}")
            if side == "sql":
                spent = sql("sum_and_write", part=part, profile=profile)
            else:
                at_rest = memory.now()
                memory.forget_peak()
                spent = ours("rate", profile=profile)
                if part == "with":
                    self.at_rest.append(at_rest)
                    self.growth.append(memory.peak() - at_rest)
                    self.waiting = waiting
            self.add(f"{side} {part}", spent)
        self.check(part, ours, sql)

    def profile(self, name: str) -> str:
        folder = self.options.profile
        if not folder:
            return ""
        folder.mkdir(parents=True, exist_ok=True)
        return str((folder / f"rating-{name}.prof").absolute())

    def add(self, name: str, spent: dict) -> None:
        self.seconds.setdefault(name, []).append(spent["seconds"])
        self.cpu.setdefault(name, []).append(spent["cpu_seconds"])
        self.queries.setdefault(name, []).append(spent["queries"])

    def check(self, part: str, ours, sql) -> None:
        """Raise ProvisioningError unless both sides came to the same, for all."""
        found = ours("found", part=part, ledger=True)
        expected = sql("found", part=part, ledger=False)
        count = self.options.size if part == "with" else self.new
        if found != expected or found["sums"][0] != 3 * count:
            raise ProvisioningError(
                f"The sides came to different amounts: {found} and {expected}.",
                "No ratio is given.",
            )

    def report(self) -> dict:
        seconds = self.seconds
        first = seconds["ours with"]
        other = "the sums and writes"
        comparisons = [
            Comparison(name, against, ours, sides, at_most=goal)
            for name, against, ours, sides, goal in (
                ("first run", other, first, seconds["sql with"], RATIO_GOAL),
                (
                    "first run, lines created",
                    "the sums and creations",
                    seconds["ours without"],
                    seconds["sql without"],
                    RATIO_GOAL,
                ),
                (
                    "nothing new",
                    "the first run",
                    seconds["nothing new"],
                    first,
                    NOTHING_NEW_GOAL,
                ),
                (
                    "1 % with new usage",
                    "the first run",
                    seconds["1 % changed"],
                    first,
                    CHANGED_GOAL,
                ),
            )
        ]
        print(
            f"\nRating of {self.options.size:,} subscriptions"
            f" ({self.new:,} where lines are created), {self.options.events:,} events,"
            f" {self.waiting:,} rows in the queue (medians of the rounds)"
        )
        for comparison in comparisons:
            print(comparison.text("s"))
        for name, counts in self.queries.items():
            print(
                f"  {name}: {median(self.cpu[name]):.4g} s CPU of the process,"
                f" {max(counts):,} queries"
            )
        met = max(self.growth) <= MEMORY_GOAL
        print(
            f"  memory of the process: {max(self.at_rest):.0f} MB at rest, at most"
            f" {max(self.growth):+.0f} MB in the first run;"
            f" goal at most +{MEMORY_GOAL}: {'met' if met else 'NOT met'}\n",
            flush=True,
        )
        return {
            "benchmark": "rating",
            "seed": self.options.seed,
            "size": self.options.size,
            "events": self.options.events,
            "queue": self.waiting,
            "comparisons": [comparison.as_dict() for comparison in comparisons],
            "cpu_seconds": self.cpu,
            "queries": self.queries,
            "memory": {
                "at_rest_mb": round(max(self.at_rest), 1),
                "growth_mb": [round(growth, 1) for growth in self.growth],
                "goal_mb": MEMORY_GOAL,
                "met": met,
            },
        }
