#!/usr/bin/env python3
"""Rates a whole database once more, from its raw events, and says what differs.

    python3 benchmarks/oracle.py DATABASE

A second opinion: it shares no code with the addon, only reads, in one transaction, and
holds one subscription in memory at a time, and the credit notes of usage. It takes from
the ledger what was agreed when a window was settled (terms, rates, discount), as the
charges may have changed since; all else it works out from events, windows and
documents. Where the server is, libpq's variables say (PGHOST, PGUSER, ...); DATABASE
can be a connection string, too. It needs psycopg2, which Odoo's environment has.

Prints one line for each difference and a line of totals. Exit code 1: differences.
What the rating job has still to look at is counted as waiting, and no difference.
"""

import sys
from pathlib import Path

# Run as a script, or by tests from elsewhere.
sys.path.append(str(Path(__file__).resolve().parents[1]))

from second_opinion.oracle import Oracle


def main(database):
    import psycopg2

    dsn = database if "=" in database or ":" in database else f"dbname={database}"
    connection = psycopg2.connect(dsn)
    connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
    counts = Oracle(connection, print).run()
    print(
        ", ".join(
            f"{counts[name]} {name}"
            for name in ("subscriptions", "waiting", "events", "windows", "ratings")
        )
        + f": {counts['differences']} differences"
    )
    connection.close()
    return 1 if counts["differences"] else 0


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
