"""Fetches the events that the receiver has missed, for example while it was down.

    FCB=https://odoo.example.com/api/billing/v1 KEY=fcb_... python catch_up.py

They go into the receiver's inbox; those that are there already are known by their ids.
It goes on where it stopped the last time, so it can run again and again.
"""

from __future__ import annotations

import json
import os
import urllib.parse
import urllib.request
from contextlib import closing
from typing import Any

from receiver import TABLE, connect, note

POSITION = "CREATE TABLE IF NOT EXISTS position (cursor TEXT NOT NULL)"
SECONDS = 60.0


def fetch(cursor: str | None) -> dict[str, Any]:
    """One page of GET /events."""
    query = {"limit": "1000"} | ({"cursor": cursor} if cursor else {})
    request = urllib.request.Request(
        f"{os.environ['FCB']}/events?{urllib.parse.urlencode(query)}",
        headers={"Authorization": f"Bearer {os.environ['KEY']}"},
    )
    with urllib.request.urlopen(request, timeout=SECONDS) as response:
        page: dict[str, Any] = json.load(response)
    return page


def main() -> None:
    with closing(connect()) as database:
        with database:
            database.execute(TABLE)
            database.execute(POSITION)
        [cursor] = database.execute("SELECT max(cursor) FROM position").fetchone()
        count, more = 0, True
        while more:
            page = fetch(cursor)
            for event in page["events"]:
                note(event["event_id"], json.dumps(event["payload"]).encode())
            # after the events: what comes twice is known by its id
            with database:
                database.execute("DELETE FROM position")
                if page["next_cursor"]:
                    database.execute(
                        "INSERT INTO position VALUES (?)", (page["next_cursor"],)
                    )
            count += len(page["events"])
            cursor, more = page["next_cursor"], page["has_more"]
    print(f"{count} events")


if __name__ == "__main__":
    main()
