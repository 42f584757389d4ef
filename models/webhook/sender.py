"""Sending webhooks: what is sent where, and what became of it. No database in here."""

import ssl
import threading
import time
from datetime import datetime, timezone
from typing import NamedTuple

from ...engine.errors import BillingError
from ...engine.webhook import backoff, egress, signing, transport
from ..base import server_options

DEADLINE_S = 15.0
RESPONSE_HEAD = 1024  # bytes kept of an answer
# Connections that are kept for the next event.
MAX_KEPT = 64


class Receiver(NamedTuple):
    """Where the events of a service go.

    :param problem: why there is no secret
    :param on_trial: it was paused, and has not answered since
    """

    url: str
    secrets: tuple[str, ...]
    problem: str
    on_trial: bool


class Claim(NamedTuple):
    """An event that is leased, and all that sending it needs.

    :param token: of the lease
    :param service: id
    :param attempts: before this one
    :param begin_until: monotonic seconds; from then on the lease may end meanwhile
    """

    id: int
    token: str
    service: int
    receiver: Receiver
    event_id: str
    event_type: str
    body: bytes
    attempts: int
    first_attempt_at: datetime | None
    begin_until: float


class Outcome(NamedTuple):
    """What became of an attempt.

    :param status: of HTTP; None where no answer came
    :param retry_after: seconds that the receiver asks to wait, or None
    :param head: the beginning of the answer's body
    """

    status: int | None
    error: str | None
    retry_after: float | None = None
    started_at: datetime | None = None
    seconds: float | None = None
    head: str | None = None

    @property
    def is_delivered(self):
        return self.status is not None and 200 <= self.status < 300


# Not sent: its lease was about to end, or its receiver is paused.
UNSENT = Outcome(None, None)


class Sender:
    """Makes attempts, in any number of threads, outside every transaction."""

    def __init__(self, allowed):
        self._allowed = allowed
        self._context = ssl.create_default_context()
        if ca_file := server_options.get("webhook_ca_file"):
            self._context.load_verify_locations(ca_file)
        self._lock = threading.Lock()
        self._kept = []  # (url, session), the latest last

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        for _url, session in self._kept:
            session.close()

    def send(self, claim):
        """One attempt. Returns an :class:`Outcome`."""
        if time.monotonic() > claim.begin_until:
            return UNSENT
        started_at, began = datetime.now(timezone.utc), time.monotonic()
        outcome = self._attempt(claim)
        return outcome._replace(
            started_at=started_at.replace(tzinfo=None),
            seconds=time.monotonic() - began,
        )

    def _attempt(self, claim):
        if not claim.receiver.secrets:
            # Unsigned, it would teach receivers to accept what anyone can send.
            return Outcome(None, claim.receiver.problem)
        try:
            headers = signing.delivery_headers(
                claim.event_id,
                claim.event_type,
                claim.body,
                claim.receiver.secrets,
                int(time.time()),
            )
            response = self._post(claim.receiver.url, claim.body, headers)
        except BillingError as exc:
            return Outcome(None, exc.message)
        except transport.TransportError as exc:
            return Outcome(None, f"{exc.error_class}: {exc}")
        retry_after = backoff.parse_retry_after(
            response.headers.get("retry-after"), time.time()
        )
        error = None if 200 <= response.status < 300 else f"HTTP {response.status}"
        head = response.head[:RESPONSE_HEAD].decode("utf-8", "replace")
        head = head.replace("\x00", "\ufffd")  # PostgreSQL has no NUL
        return Outcome(response.status, error, retry_after, head=head)

    def _post(self, url, body, headers):
        session = self._take(url)
        try:
            return session.post(body, headers, DEADLINE_S)
        finally:
            self._give_back(url, session)

    def _take(self, url):
        with self._lock:
            for place in reversed(range(len(self._kept))):
                if self._kept[place][0] == url:
                    return self._kept.pop(place)[1]
        return transport.Session(
            egress.check_url(url, self._allowed),
            resolver=transport.system_resolver,
            allowed=self._allowed,
            ssl_context=self._context,
        )

    def _give_back(self, url, session):
        oldest = None
        with self._lock:
            self._kept.append((url, session))
            if len(self._kept) > MAX_KEPT:
                _url, oldest = self._kept.pop(0)
        if oldest:
            oldest.close()
