"""The `./fcb` command line."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from . import commands, settings
from .errors import ProvisioningError

EPILOG = """\
examples:
  ./fcb demo                       the whole product at work, about two minutes at first
  ./fcb serve                      the same database in a browser
  ./fcb test                       every test, on a fresh trial database
  ./fcb test --extra-addons ~/my-addons my_module
  ./fcb odoo -- shell -d fcb_demo
  ./fcb odoo -- -d mine -i fusion_centralized_billing --stop-after-init
  ./fcb psql fcb_demo -- -c 'SELECT count(*) FROM fusion_billing_usage'
  ./fcb clean                      removes everything this command ever made

environment:
"""


def parser() -> argparse.ArgumentParser:
    """The command line; the environment part of the help is settings.py's text."""
    lines = (settings.__doc__ or "").splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("FCB_HOME"))
    environment = "\n".join(f"  {line}" for line in lines[start:])
    top = argparse.ArgumentParser(
        prog="./fcb",
        description="Try, test and work on Fusion Centralized Billing. Odoo 19 and"
        " PostgreSQL are fetched into one cache folder at first use; nothing is"
        " installed on the system except, as root, Chromium for the browser tests.",
        epilog=EPILOG + environment,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    subs = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, function, text: str) -> argparse.ArgumentParser:
        sub = subs.add_parser(name, help=text, description=text)
        sub.set_defaults(function=function)
        return sub

    add("demo", commands.demo, "run the product's main job and report on it")
    add(
        "pictures",
        commands.pictures,
        "take the pictures of docs/ anew, from the demo's database",
    )
    serve = add("serve", commands.serve, "leave Odoo up for a browser")
    serve.add_argument("-d", "--database", help="default: the demo's")
    serve.add_argument("--port", type=int, help="default: 8069, or any if it is taken")
    serve.add_argument(
        "--no-cron", action="store_true", help="run no scheduled jobs in it"
    )
    serve.add_argument(
        "--webhook-allow",
        metavar="HOST:PORT",
        help="where webhooks may go beside public addresses, as localhost:8443",
    )
    serve.add_argument(
        "--webhook-ca-file",
        type=Path,
        metavar="FILE",
        help="certificates to trust for receivers (PEM)",
    )
    add("stop", commands.stop, "stop what was left running (Odoo, PostgreSQL)")
    add("status", commands.status, "what runs, which versions, how large the cache is")
    test = add(
        "test", commands.test, "run the tests (the same as fcb_test_on_trial.sh)"
    )
    commands.add_test_arguments(test)
    odoo = add(
        "odoo", commands.odoo, "run any Odoo command with tree and configuration"
    )
    odoo.add_argument("--extra-addons", action="append", type=Path, default=[])
    odoo.usage = "./fcb odoo [--extra-addons DIR] -- ARGS"
    psql = add("psql", commands.psql, "open a database in psql")
    psql.add_argument("database", metavar="DB")
    psql.usage = "./fcb psql DB [-- ARGS]"
    audit = add(
        "audit",
        commands.audit,
        "hold usage, ratings, invoices and webhooks of a database against each other;"
        " the exit code is 1 when something is wrong",
    )
    commands.add_audit_arguments(audit)
    bench = add("bench", commands.bench, "run a benchmark; without a name, list them")
    bench.add_argument("name", nargs="?", metavar="NAME")
    bench.usage = "./fcb bench [NAME [ARGS]]"
    add("lint", commands.lint, "run the linters at their pinned versions")
    add("clean", commands.clean, "stop what runs and remove the cache folder")
    return top


def main(argv: Sequence[str]) -> int:
    """Run a command; returns the exit code. Expected failures get no traceback."""
    # a terminated run stops what it started, as an interrupted one does
    signal.signal(signal.SIGTERM, _terminate)
    os.umask(0o022)
    ours, theirs = split_arguments(list(argv))
    options = parser().parse_args(ours)
    options.args = theirs
    try:
        return options.function(options)
    except ProvisioningError as error:
        print(error.render(), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. Run the command again to go on.", file=sys.stderr)
        return 130


def split_arguments(argv: list[str]) -> tuple[list[str], list[str]]:
    """Our arguments, and those handed on to the program that a command runs."""
    own = len(argv)
    if argv[:1] in (["demo"], ["pictures"]):
        own = 1
    elif argv[:1] == ["bench"] and len(argv) > 1 and not argv[1].startswith("-"):
        own = 2
    elif "--" in argv:
        own = argv.index("--")
    theirs = argv[own:]
    return argv[:own], theirs[1:] if theirs[:1] == ["--"] else theirs


def _terminate(_number: int, _frame) -> None:
    raise KeyboardInterrupt
