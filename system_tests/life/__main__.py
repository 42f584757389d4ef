"""Random programs on an Odoo of their own: `python3 -m system_tests.life --help`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from provisioning.progress import Progress
from provisioning.settings import ADDON, Settings
from provisioning.workspace import Workspace

from .generator import NAMES

SCRIPTS = Path(__file__).parents[1] / "scripts"
DATABASE = "fcb_life"
MODULES = (ADDON, "account_debit_note")


def parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python3 -m system_tests.life",
        description="Play random programs on Odoo and on a model, and compare.",
        epilog=f"What can be left out: {', '.join(NAMES)}.",
    )
    add = parser.add_argument
    add("--seed", type=int, default=1, help="of the first program")
    add("--count", type=int, default=100, help="how many programs")
    add("--steps", type=int, default=12, help="of a long one")
    add("--without", default="", metavar="A,B", help="leave these operations out")
    add("--only", default="", metavar="A,B", help="beside usage, jobs and time")
    add(
        *("--ignore", "-i"),
        default="",
        metavar="A,B",
        help="of money, moves, windows, flags, audit, oracle",
    )
    add("--orders", type=int, default=0, help="play each in so many other orders")
    add("--most", type=int, default=5, help="stop after so many that differ")
    add("--no-shorten", action="store_true", help="print programs as they were made")
    add("--program", help="play this one alone, as it was printed")
    add("--database", default=DATABASE)
    add("--fresh", action="store_true", help="make the database anew")
    add("--update", action="store_true", help="update the modules in it first")
    return parser.parse_args(argv)


ALWAYS = ("usage", "void", "repeat", "jobs", "next", "rate", "wait", "post")


def arguments(options: argparse.Namespace) -> dict:
    """What scripts/life_executor.py is given."""
    without = [name for name in options.without.split(",") if name]
    if options.only:
        kept = {*ALWAYS, *options.only.split(",")}
        without += [name for name in NAMES if name not in kept]
    return {
        "seed": options.seed,
        "count": options.count,
        "steps": options.steps,
        "without": without,
        "often": [name for name in options.only.split(",") if name],
        "ignore": [name for name in options.ignore.split(",") if name],
        "most": options.most,
        "orders": options.orders,
        "shorten": not options.no_shorten,
        "program": json.loads(options.program) if options.program else None,
    }


def main(argv: list[str]) -> int:
    options = parse(argv)
    workspace = Workspace(Settings.from_environment(), Progress())
    with workspace:
        workspace.ensure()
        database = options.database
        if options.fresh or not workspace.database_exists(database):
            workspace.fresh_database(database, MODULES)
            workspace.run_script(database, SCRIPTS / "make_life_world.py")
        elif options.update:
            workspace.run_odoo(
                *("server", "-d", database, "-u", ADDON, "--stop-after-init"),
                *("--no-http", "--log-level=warn"),
                what="Updating",
                log="life-update",
            )
        output = workspace.run_script(
            database, SCRIPTS / "life_executor.py", arguments(options)
        )
    sys.stdout.write(f"{output}\n")
    return 1 if json.loads(output.strip().splitlines()[-1])["failed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
