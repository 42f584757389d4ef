"""Invoicing beside OCA's modules: the scheduled action, from due to posted.

Each side is an Odoo process on a database of its own, with the same customers,
products, tax and amounts. Months pass; on each day of a month a slice of the
subscriptions is due, and every side invoices that slice before the next slice comes. No
ratio is given unless all sides posted the same amounts.
"""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from benchmarks.support.command import options_of, parser_of, run_alone
from benchmarks.support.comparison import comparison_addons, pinned_versions
from benchmarks.support.figures import Ratio, Samples, describe, table
from benchmarks.support.worker import Worker, running_worker
from provisioning.errors import ProvisioningError
from provisioning.workspace import Workspace

SCRIPT = Path(__file__).parent / "scripts" / "invoicing_worker.py"
SEED = 20260101
FULL = {"size": 300, "slices": 6, "rounds": 3}
QUICK = {"size": 40, "slices": 4, "rounds": 2}
START = datetime(2026, 1, 1, 5)
# The first month opens the subscriptions; the second warms up every cache and makes
# lines that later months only change. Neither is timed.
UNTIMED_MONTHS = 2
MAX_ROUNDS = 9


@dataclass(frozen=True)
class Contender:
    """One side: what it is called, its data (see SIDES) and the modules it needs."""

    name: str
    side: str
    module: str
    goal: float | None = None  # for ours against it


@dataclass(frozen=True)
class Figure:
    name: str
    title: str
    contenders: tuple[Contender, ...]  # ours first


CONTRACT = "contract_variable_quantity"
SUBSCRIPTION = "subscription_oca"
FIGURES = (
    Figure(
        "usage",
        "3 usage lines: rated, invoiced, posted",
        (
            Contender("ours", "metered", "fusion_centralized_billing"),
            Contender("OCA contract", "contract_variable", CONTRACT, 0.9),
            Contender(
                "OCA subscription_oca",
                "subscription_oca_variable_posting",
                SUBSCRIPTION,
                0.45,
            ),
            Contender(
                "the same, drafts posted at once",
                "subscription_oca_variable",
                SUBSCRIPTION,
            ),
        ),
    ),
    Figure(
        "plain",
        "3 recurring lines: invoiced, posted",
        (
            Contender("ours", "drop_in", "sale_subscription"),
            Contender("OCA contract", "contract", CONTRACT, 0.9),
            Contender(
                "OCA subscription_oca", "subscription_oca_posting", SUBSCRIPTION, 0.45
            ),
            Contender(
                "the same, drafts posted at once", "subscription_oca", SUBSCRIPTION
            ),
        ),
    ),
)


def main(workspace: Workspace, argv: list[str]) -> int:
    return run_alone(workspace, parse(argv), run)


def parse(argv: list[str]) -> argparse.Namespace:
    parser = parser_of("invoicing", __doc__)
    add = parser.add_argument
    add("--size", type=int, help="subscriptions of each side")
    add("--slices", type=int, help="in how many parts a month is invoiced, up to 28")
    add("--rounds", type=int, help=f"months that are timed, up to {MAX_ROUNDS}")
    add("--seed", type=int, default=SEED, help="decides how much is used")
    add("--figure", choices=[f.name for f in FIGURES], help="this one only")
    add("--profile", type=Path, metavar="FOLDER", help="profile each side into it")
    options = options_of(parser, argv, FULL, QUICK)
    if not 1 <= options.rounds <= MAX_ROUNDS:
        parser.error(f"--rounds must be between 1 and {MAX_ROUNDS}")
    if not 1 <= options.slices <= 28 or options.slices > options.size:
        parser.error("--slices must be between 1 and 28, and not more than --size")
    return options


def run(workspace: Workspace, options: argparse.Namespace) -> dict:
    """Returns the figures, printed already."""
    report = {
        "benchmark": "invoicing",
        "seed": options.seed,
        "size": options.size,
        "slices": options.slices,
        "rounds": options.rounds,
        "against": pinned_versions(),
        "figures": {},
    }
    addons = comparison_addons(workspace)
    with Workspace(workspace.settings, workspace.progress, [addons]) as both:
        both.ensure()
        # its own: another run may have other modules on its path
        both.conf = both.write_conf("bench")
        for figure in FIGURES:
            if options.figure in (None, figure.name):
                found = Bench(both, figure, options).run()
                report["figures"][figure.name] = found
    return report


class Bench:
    """One figure: its databases, its workers, its rounds."""

    def __init__(
        self, workspace: Workspace, figure: Figure, options: argparse.Namespace
    ) -> None:
        self.workspace = workspace
        self.figure = figure
        self.options = options
        self.samples = {contender.name: Samples() for contender in figure.contenders}

    def run(self) -> dict:
        """Returns the figures, printed already."""
        figure, options = self.figure, self.options
        databases = self.make_databases()
        with ExitStack() as stack:
            workers = {}
            with self.workspace.phase(f"{figure.name}: {options.size} subscriptions"):
                for contender, database in zip(
                    figure.contenders, databases, strict=True
                ):
                    worker = stack.enter_context(
                        running_worker(
                            self.workspace,
                            database,
                            SCRIPT,
                            START,
                            side=contender.side,
                            seed=options.seed,
                            size=options.size,
                            slices=options.slices,
                        )
                    )
                    worker("set_up")
                    # in production autovacuum has long done so
                    self.workspace.psql(database, "ANALYZE")
                    workers[contender.name] = worker
            for month in range(1, UNTIMED_MONTHS + options.rounds + 1):
                timed = month > UNTIMED_MONTHS
                text = f"month {month}" + ("" if timed else ", not timed")
                with self.workspace.phase(f"{figure.name}: {text}"):
                    for part in range(options.slices):
                        self.invoice(workers, month, part, timed)
        return self.report()

    def make_databases(self) -> list[str]:
        """One for each side; those with the same modules begin as copies."""
        names: dict[str, list[str]] = {}
        for contender in self.figure.contenders:
            name = f"fcb_bench_{contender.side}"
            same = names.setdefault(contender.module, [])
            if same:
                self.workspace.databases.copy(same[0], name)
            else:
                self.workspace.fresh_database(name, [contender.module])
            same.append(name)
        return [f"fcb_bench_{contender.side}" for contender in self.figure.contenders]

    def invoice(
        self, workers: dict[str, Worker], month: int, part: int, timed: bool
    ) -> None:
        """Have every side invoice one slice, each time another one first."""
        day = date(2026, month, 1) + timedelta(days=part)
        numbers = list(range(part, self.options.size, self.options.slices))
        for worker in workers.values():
            worker("prepare", day=day.isoformat(), numbers=numbers)
        names = list(workers)
        first = (month + part) % len(names)
        invoices = {}
        for name in names[first:] + names[:first]:
            profile = ""
            if self.options.profile and timed:
                self.options.profile.mkdir(parents=True, exist_ok=True)
                file = f"{self.figure.name}-{name.split()[-1]}.prof"
                profile = str((self.options.profile / file).absolute())
            answer = workers[name]("invoice", count=len(numbers), profile=profile)
            invoices[name] = answer["invoices"]
            if timed:
                self.samples[name].add(len(numbers), answer["spent"])
        if month > 1:
            check(invoices, numbers, day)

    def report(self) -> dict:
        """Print the medians and the ratios; return them for the JSON file."""
        ours, *others = self.figure.contenders
        ratios = [
            Ratio(c.name, self.samples[ours.name], self.samples[c.name], c.goal)
            for c in others
        ]
        count = len(self.samples[ours.name].milliseconds)
        print(f"\n{self.figure.title} (a subscription, median of {count} slices)")
        for line in [*table(self.samples), *map(describe, ratios)]:
            print(line)
        print(flush=True)
        return {
            "medians": {name: found.medians() for name, found in self.samples.items()},
            "ratios": [ratio.as_dict() for ratio in ratios],
        }


def check(invoices: dict[str, list], numbers: list[int], day: date) -> None:
    """Raise ProvisioningError unless every side posted the same amounts for all."""
    expected = next(iter(invoices.values()))
    for name, rows in invoices.items():
        if [row[0] for row in rows] != numbers:
            problem = f"{name} made {len(rows)} invoices for {len(numbers)} due"
        elif any(row[1] != "posted" for row in rows):
            problem = f"{name} left invoices unposted"
        elif rows != expected:
            pair = next(p for p in zip(rows, expected, strict=True) if p[0] != p[1])
            problem = f"{name} has other amounts: {pair[0]} and not {pair[1]}"
        else:
            continue
        raise ProvisioningError(
            f"On {day} {problem}.", "The sides do different things: no ratio is given."
        )
