"""What the receiver does with a webhook: verify it, note it, answer it.

The first `invoice.posted` gets a 503, once: an app that is restarting. Odoo must send
it again, under the same event id.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TextIO

from .verify import fusion_is_valid, standard_is_valid

FAILED_ONCE = "invoice.posted"


@dataclass
class Arrival:
    """One webhook as it arrived.

    :param repeated: an event of this id was accepted before
    :param intact: the body is JSON, and says the same id, type and app as the headers
        and the address
    """

    app: str
    event_id: str
    event_type: str
    fusion: bool
    standard: bool
    intact: bool
    repeated: bool
    answered: int


@dataclass
class Inbox:
    """Judges webhooks and keeps a log; safe to use from several threads."""

    secrets: dict[str, str]
    log: TextIO
    accepted: set[str] = field(default_factory=set)
    failed: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(
        self, app: str, headers: Mapping[str, str], body: bytes, now: float
    ) -> int:
        """Note a webhook; return the HTTP status to answer.

        :param app: whose address it came to
        :param now: seconds since 1970
        """
        secret = self.secrets.get(app, "")
        event_id = headers.get("X-Fusion-Event-Id", "")
        event_type = headers.get("X-Fusion-Event-Type", "")
        with self.lock:
            arrival = Arrival(
                app=app,
                event_id=event_id,
                event_type=event_type,
                fusion=bool(secret) and fusion_is_valid(secret, headers, body),
                standard=bool(secret) and standard_is_valid(secret, headers, body, now),
                intact=event_id == headers.get("webhook-id")
                and is_intact(body, app, event_id, event_type),
                repeated=event_id in self.accepted,
                answered=200,
            )
            if not (arrival.fusion and arrival.standard and arrival.intact):
                arrival.answered = 401
            elif event_type == FAILED_ONCE and not self.failed:
                self.failed = True
                arrival.answered = 503
            else:
                self.accepted.add(event_id)
            self.log.write(json.dumps(asdict(arrival)) + "\n")
            self.log.flush()
            return arrival.answered


def is_intact(body: bytes, app: str, event_id: str, event_type: str) -> bool:
    """Whether the body is JSON and names this app and event."""
    try:
        content = json.loads(body)
        named = content["service"], content["id"], content["type"]
    except (ValueError, KeyError, TypeError):
        return False
    return named == (app, event_id, event_type)
