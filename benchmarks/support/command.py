"""What the commands of all benchmarks have in common."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable
from pathlib import Path

from provisioning.lock import exclusive
from provisioning.workspace import Workspace


def parser_of(name: str, text: str) -> argparse.ArgumentParser:
    """The parser of ``./fcb bench name``, with the options that each one has."""
    parser = argparse.ArgumentParser(
        prog=f"./fcb bench {name}",
        description=text,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="a small size, for a first impression")
    add("--json", type=Path, metavar="FILE", help="write the figures there, too")
    return parser


def options_of(
    parser: argparse.ArgumentParser,
    argv: list[str],
    full: dict[str, int],
    quick: dict[str, int],
) -> argparse.Namespace:
    """Parse; what is not said of a size is as ``full`` has it, or ``quick``.

    Ends the process when a size is less than 1.
    """
    options = parser.parse_args(argv)
    for name, value in (quick if options.quick else full).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
        if getattr(options, name) < 1:
            parser.error(f"--{name} must be at least 1")
    return options


def run_alone(
    workspace: Workspace,
    options: argparse.Namespace,
    run: Callable[[Workspace, argparse.Namespace], dict],
    databases: Iterable[str] = (),
) -> int:
    """Run while no other benchmark does; ``run`` prints, and returns the figures.

    :param databases: names of those that are dropped in the end
    :return: 0: a ratio is a finding, not a failure
    """
    workspace.ensure()
    with exclusive(workspace.cache / "bench.lock", workspace.progress, "a benchmark"):
        try:
            report = run(workspace, options)
        finally:
            for name in databases:
                workspace.drop_database(name)
    if options.json:
        text = json.dumps(report, indent=2) + "\n"
        options.json.write_text(text, encoding="utf-8")
    return 0
