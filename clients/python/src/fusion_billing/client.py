"""The client: one method for each route of the API."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import requests

from .customers import CustomerRoutes
from .invoices import InvoiceRoutes
from .retry import RetryPolicy
from .subscriptions import SubscriptionRoutes
from .transport import Transport
from .usage import UsageRoutes
from .webhook_events import WebhookEventRoutes

API = "/api/billing/v1"
_PRINTABLE = re.compile(r"[\x21-\x7e]+")


class Client(
    CustomerRoutes,
    SubscriptionRoutes,
    UsageRoutes,
    InvoiceRoutes,
    WebhookEventRoutes,
):
    """A source app's access to the billing API.

    One client serves all threads of a program. Requests that fail for a reason that
    passes (no connection, no answer in time, 429, 502, 503, 504) are sent again, after
    waits that grow; every request is safe to send twice but `create_subscription`
    without an ``external_id`` and `send_test_webhook`, which are only sent again where
    they certainly were not carried out.

    :param base_url: of the server, e.g. ``https://billing.example.com``, with or
        without ``/api/billing/v1``
    :param api_key: as it was shown when it was issued
    :param database: its name, where a server has several
    :param timeout: seconds that the server may take to answer
    :param connect_timeout: seconds that a connection may take
    :param retry: how often and how long; see :class:`RetryPolicy`
    :param session_factory: makes the `requests` session, for proxies or certificates
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        database: str | None = None,
        *,
        timeout: float = 30.0,
        connect_timeout: float = 5.0,
        retry: RetryPolicy | None = None,
        session_factory: Callable[[], requests.Session] = requests.Session,
    ) -> None:
        url = base_url.rstrip("/").removesuffix(API)
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("base_url must begin with https:// or http:// and a host")
        if parts.query or parts.fragment or parts.username is not None:
            raise ValueError("base_url must have no user, query or fragment")
        # not in the text: error messages end in logs
        if not _PRINTABLE.fullmatch(api_key):
            raise ValueError("api_key holds a character that no key has")
        if database is not None and not _PRINTABLE.fullmatch(database):
            raise ValueError("database holds a character that no database name has")
        self._base_url = url
        self._transport = Transport(
            url + API,
            api_key,
            {"X-Odoo-Database": database} if database else {},
            (connect_timeout, timeout),
            retry or RetryPolicy(),
            session_factory,
        )

    def __repr__(self) -> str:
        return f"Client({self._base_url!r})"

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections. The client can be used again."""
        self._transport.close()

    def health(self) -> None:
        """Return when the server answers.

        :raises RetryLaterError, SetupError: it does not, or something else does
        """
        self._transport.call("GET", "/health")

    def openapi(self) -> dict[str, Any]:
        """The description of the API that the server gives of itself."""
        return self._transport.call("GET", "/openapi.json")
