"""Sends requests, and sends them again where that is safe and may help."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.exceptions import NewConnectionError

from .answer import error_of, object_of
from .encode import json_bytes
from .errors import RetryLaterError, SetupError
from .retry import RetryPolicy

USER_AGENT = "fusion-billing-client/1.0"
# In OpenSSL's words: what no waiting mends.
_BAD_TLS = ("CERTIFICATE_VERIFY_FAILED", "WRONG_VERSION_NUMBER")
_CONNECTIONS = 16  # kept open; more threads than that still work


class _Bearer(AuthBase):
    """The key as an object: a header would lose against a .netrc entry of the host."""

    def __init__(self, key: str) -> None:
        self._value = f"Bearer {key}"

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self._value
        return request


class Transport:
    """Requests to one API with one key. Thread-safe, and usable after a fork.

    :param url: of the API, without a slash at the end
    :param timeout: seconds to connect, and seconds without a byte of the answer
    :param session_factory: makes the `requests` session, e.g. one with a proxy
    """

    def __init__(
        self,
        url: str,
        key: str,
        headers: Mapping[str, str],
        timeout: tuple[float, float],
        retry: RetryPolicy,
        session_factory: Callable[[], requests.Session],
    ) -> None:
        self._url = url
        self._auth = _Bearer(key)
        self._headers = {
            "Accept": "application/json",
            "User-Agent": USER_AGENT,
            **headers,
        }
        self._timeout = timeout
        self._retry = retry
        self._session_factory = session_factory
        self._lock = threading.Lock()
        self._session: requests.Session | None = None
        self._pid = 0
        self.sleep: Callable[[float], None] = time.sleep
        self.chance: Callable[[], float] = random.random

    def call(
        self,
        method: str,
        path: str,
        content: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
        *,
        safe: bool = True,
        retry: RetryPolicy | None = None,
    ) -> dict[str, Any]:
        """The JSON object of the answer.

        :param safe: whether carrying it out twice is the same as once; if not, it is
            repeated only where it was certainly not carried out
        :raises FusionBillingError: by what is to be done about it
        """
        body = None if content is None else json_bytes(content)
        response = self._send(method, path, body, query, safe, retry)
        answer = object_of(response.content)
        if not answer:
            raise SetupError(
                "the answer is not the billing API's", status=response.status_code
            )
        return answer

    def download(self, path: str, kind: str) -> bytes:
        """The bytes of an answer that is no JSON."""
        response = self._send("GET", path, None, None, True, None)
        found = response.headers.get("Content-Type", "").partition(";")[0]
        if found != kind:
            raise SetupError(f"the answer is {found}, not {kind}")
        return response.content

    def close(self) -> None:
        """Close the connections; the next request opens new ones."""
        with self._lock:
            if self._session and self._pid == os.getpid():
                self._session.close()
            self._session = None

    def _send(
        self,
        method: str,
        path: str,
        body: bytes | None,
        query: Mapping[str, str] | None,
        safe: bool,
        retry: RetryPolicy | None,
    ) -> requests.Response:
        retry = retry or self._retry
        begun = time.monotonic()
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._send_once(method, path, body, query)
            except RetryLaterError as error:
                error.attempts = attempt
                delay = retry.delay(attempt, error.retry_after, self.chance)
                if not (
                    error.repeat
                    and (safe or not error.maybe_done)
                    and retry.allows(attempt, time.monotonic() - begun, delay)
                ):
                    raise
            self.sleep(delay)

    def _send_once(
        self,
        method: str,
        path: str,
        body: bytes | None,
        query: Mapping[str, str] | None,
    ) -> requests.Response:
        headers = dict(self._headers)
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            response = self._get_session().request(
                method,
                self._url + path,
                params=query,
                data=body,
                headers=headers,
                auth=self._auth,
                timeout=self._timeout,
                # a redirect would turn a POST into a GET
                allow_redirects=False,
            )
        except (
            requests.exceptions.ConnectionError,
            requests.exceptions.Timeout,
            requests.exceptions.ChunkedEncodingError,
            requests.exceptions.ContentDecodingError,
        ) as error:
            if any(reason in str(error) for reason in _BAD_TLS):
                raise SetupError(f"no secure connection: {error}") from error
            raise RetryLaterError(
                f"no answer: {error}", maybe_done=not _never_connected(error)
            ) from error
        except requests.exceptions.RequestException as error:
            raise SetupError(f"the request cannot be sent: {error}") from error
        good = response.status_code // 100 == 2
        if failure := error_of(response, {} if good else object_of(response.content)):
            failure.request_id = response.headers.get("X-Request-Id")
            raise failure
        return response

    def _get_session(self) -> requests.Session:
        """The session of this process: a forked one must not share connections."""
        if self._session is not None and self._pid == os.getpid():
            return self._session
        with self._lock:
            if self._session is None or self._pid != os.getpid():
                session = self._session_factory()
                for prefix in ("https://", "http://"):
                    # threads beyond the size of the pool open connections of their own
                    if type(session.adapters.get(prefix)) is HTTPAdapter:
                        session.mount(prefix, HTTPAdapter(pool_maxsize=_CONNECTIONS))
                self._session, self._pid = session, os.getpid()
            return self._session

    def after_fork(self) -> None:
        """In the child: another thread may have held the lock."""
        self._lock = threading.Lock()
        self._session = None


def _never_connected(error: requests.exceptions.RequestException) -> bool:
    """Whether no byte of the request can have reached the server."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    cause = error.args[0] if error.args else None
    return isinstance(getattr(cause, "reason", None), NewConnectionError)
