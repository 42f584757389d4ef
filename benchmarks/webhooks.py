"""Webhooks: deliveries a second, and what a mute receiver costs the others.

An HTTPS receiver on this machine, a process of its own, answers 204 at once. Ours is
the scheduled job, from the claim to the note of what was answered, to ten services. The
other side posts the same signed bodies with `http.client` on one kept-alive connection
and reads and writes no table. Then the p95 of ten services, from the start of the job
to the answer, with an eleventh that never answers and without it. At last the rate once
more, with a million delivered events in the table.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles

from benchmarks.support.command import options_of, parser_of, run_alone
from benchmarks.support.rates import Comparison
from benchmarks.support.worker import running_worker
from provisioning.errors import ProvisioningError
from provisioning.workspace import Workspace

SCRIPT = Path(__file__).parent / "scripts" / "webhooks_worker.py"
DATABASE = "fcb_bench_webhooks"
FULL = {"events": 10_000, "rounds": 5, "paced": 1000, "kept": 1_000_000}
QUICK = {"events": 2_000, "rounds": 3, "paced": 500, "kept": 100_000}
HEALTHY = 10  # services that are answered
MUTE = 200  # events of the one that is not
RATE_GOAL = 0.6
DELAY_GOAL = 1.2
GROWTH_GOAL = 0.8


def main(workspace: Workspace, argv: list[str]) -> int:
    return run_alone(workspace, parse(argv), run, [DATABASE])


def parse(argv: list[str]) -> argparse.Namespace:
    parser = parser_of("webhooks", __doc__)
    add = parser.add_argument
    add("--events", type=int, help="delivered in a round, by each side")
    add("--rounds", type=int)
    add("--paced", type=int, help="events of the healthy in a round with a mute one")
    add("--kept", type=int, help="delivered events in the table, at last")
    return options_of(parser, argv, FULL, QUICK)


@contextlib.contextmanager
def running_receiver(workspace: Workspace, folder: str) -> Iterator[int]:
    """A receiver for the time of a `with` block; its port."""
    process = subprocess.Popen(
        [str(workspace.python), "-m", "benchmarks.support.receiver", folder],
        cwd=workspace.repo,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline()
        if not line:
            raise ProvisioningError("The receiver did not start.", "See above.")
        yield int(line)
    finally:
        process.stdin.close()
        process.kill()
        process.wait()
        process.stdout.close()


def run(workspace: Workspace, options: argparse.Namespace) -> dict:
    """Returns the figures, printed already."""
    workspace.fresh_database(DATABASE)
    each = max(1, options.events // HEALTHY)
    paced = max(1, options.paced // HEALTHY)
    ours, bare, with_mute, without, full = [], [], [], [], []
    with (
        tempfile.TemporaryDirectory() as folder,
        running_receiver(workspace, folder) as port,
        running_worker(
            workspace,
            DATABASE,
            SCRIPT,
            None,
            port=port,
            ca=str(Path(folder) / "ca.pem"),
            healthy=HEALTHY,
        ) as worker,
    ):
        rest = worker("deliver", count=1)["memory_kb"]
        peak = rest
        for number in range(options.rounds):
            with workspace.phase(f"round {number + 1} of {options.rounds}"):
                found = worker("deliver", count=each)
                check(found, each * HEALTHY)
                ours.append(each * HEALTHY / found["seconds"])
                peak = max(peak, found["memory_kb"])
                spent = worker("loop", count=each)
                bare.append(spent["count"] / spent["seconds"])
                sides = [(0, without), (MUTE, with_mute)]
                for never, delays in sides[:: 1 if number % 2 else -1]:
                    found = worker("deliver", count=paced, never=never)
                    check(found, paced * HEALTHY)
                    delays.append(1000 * quantiles(found["delays"], n=20)[-1])
        with workspace.phase(f"{options.kept:,} delivered events in the table"):
            worker("fill", count=options.kept)
            for _ in range(options.rounds):
                found = worker("deliver", count=each)
                check(found, each * HEALTHY)
                full.append(each * HEALTHY / found["seconds"])
    comparisons = [
        Comparison("deliveries/s", "the bare loop", ours, bare, at_least=RATE_GOAL),
        Comparison(
            "p95 of the healthy beside a mute one, ms",
            "without it",
            with_mute,
            without,
            at_most=DELAY_GOAL,
        ),
        Comparison(
            f"deliveries/s beside {options.kept:,} delivered",
            "with none",
            full,
            ours,
            at_least=GROWTH_GOAL,
        ),
    ]
    print(f"\n{each * HEALTHY:,} events to {HEALTHY} services (medians of the rounds)")
    for comparison in comparisons:
        print(comparison.text(""))
    print(f"  memory of the process: +{(peak - rest) / 1024:.0f} MB at most")
    return {"comparisons": [comparison.as_dict() for comparison in comparisons]}


def check(found: dict, count: int) -> None:
    """Raise ProvisioningError unless all were delivered."""
    if len(found["delays"]) != count:
        raise ProvisioningError(
            f"{len(found['delays'])} of {count} were delivered.", "No ratio is given."
        )
