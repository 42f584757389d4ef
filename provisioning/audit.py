"""`./fcb audit DB`: the audit of a database, on the terminal."""

from __future__ import annotations

import argparse
import json
import textwrap

from .errors import ProvisioningError
from .progress import Progress
from .settings import HERE, Settings
from .workspace import Workspace

SCRIPT = HERE / "audit_shell.py"
MARK = "FCB_AUDIT "
# How many findings are printed as text; JSON has all that are kept.
SHOWN = 10
ALL = 100_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("database", metavar="DB")
    parser.add_argument(
        "--json", action="store_true", help="print the outcome, all findings, as JSON"
    )


def main(options: argparse.Namespace) -> int:
    """Run the audit, print it; 1 when there is a violation, or a check failed."""
    workspace = Workspace(Settings.from_environment(), Progress(quiet=True))
    with workspace:
        workspace.ensure()
        if not workspace.database_exists(options.database):
            raise ProvisioningError(
                f"There is no database {options.database}.",
                "Make one with ./fcb demo",
            )
        limit = ALL if options.json else SHOWN
        output = workspace.run_script(options.database, SCRIPT, limit, name="audit")
    outcome = read(output)
    if "error" in outcome:
        raise ProvisioningError(
            f"The addon in {options.database} is missing, or older than this checkout.",
            f"Update it with: ./fcb odoo -- -d {options.database}"
            " -u fusion_centralized_billing --stop-after-init",
        )
    print(json.dumps(outcome, indent=2) if options.json else render(outcome))
    return 1 if outcome["state"] in ("violations", "failed") else 0


def read(output: str) -> dict:
    """The outcome in what the script has printed."""
    lines = [line for line in output.splitlines() if line.startswith(MARK)]
    if not lines:
        raise ProvisioningError("The audit gave no result.", output.strip()[-2000:])
    return json.loads(lines[-1].removeprefix(MARK))


def render(outcome: dict) -> str:
    """The outcome as a table, one line for each invariant, and the first findings."""
    width = max(len(result["name"]) for result in outcome["results"])
    lines = [f"{'':{width}} {'checked':>12} {'violations':>11}"]
    for result in outcome["results"]:
        checked = f"{result['checked']:,}" if result["checked"] else "-"
        lines.append(
            f"{result['name']:{width}} {checked:>12} {result['violations']:>11,}"
            f"  {result['error'] or result['subject']}"
        )
    if outcome["waiting"]:
        lines += [
            "",
            f"{outcome['waiting']:,} subscriptions have usage that is still to be"
            " rated; that part was left out.",
        ]
    if outcome["findings"]:
        lines.append("")
    for finding in outcome["findings"]:
        lines += textwrap.wrap(
            f"{finding['invariant']:4} {finding['message']}",
            width=88,
            subsequent_indent=" " * 5,
        )
    hidden = outcome["violations"] - len(outcome["findings"])
    if hidden > 0:
        lines.append(f"... and {hidden:,} more: Fusion Billing > Usage > Audit")
    lines += ["", _verdict(outcome)]
    return "\n".join(lines)


def _verdict(outcome: dict) -> str:
    if outcome["state"] == "failed":
        return "Failed: a check could not be made."
    if outcome["state"] == "nothing":
        return "Nothing was checked: there is nothing to look at, so nothing is known."
    if outcome["state"] == "explained":
        return f"{outcome['violations']:,} violations, all of them explained."
    if outcome["violations"]:
        return f"{outcome['violations']:,} violations."
    if outcome["waiting"]:
        return "What was looked at agrees; not all was."
    return "Clean: usage, ratings, invoices and webhooks agree."
