"""HTTPS POSTs to an address that someone else chose. The engine's only I/O.

Sockets and ``ssl`` directly, because each of these must hold and the HTTP clients
at hand give way in one or the other: the address that was checked is the address
that is connected to; no proxy or netrc of the environment; no redirect; one
deadline over all, against receivers that send a byte now and then; nothing
unbounded is read.
"""

import contextlib
import ipaddress
import queue
import re
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping

from .egress import Target, is_public_address
from .http_response import Response, TransportError, read_response

MAX_RESPONSE = 64 * 1024
MAX_ADDRESSES = 4  # tried; all are checked
# A connection is kept for at most so long: the name may get another address meanwhile.
MAX_AGE_S = 60.0

_CHUNK = 16 * 1024
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]+")
_HEADER_VALUE = re.compile(r"[ -~]*")


class _Deadline:
    """What is left of the time for one delivery."""

    def __init__(self, seconds, clock):
        self._clock = clock
        self._end = clock() + seconds

    def left(self):
        left = self._end - self._clock()
        if left <= 0:
            raise TransportError("timeout", "no complete answer in time")
        return left


def system_resolver(host: str, port: int) -> list[str]:
    """Return the addresses the operating system has for a name.

    :raises OSError: unknown name, or no name server answers
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(sockaddr[0] for *_rest, sockaddr in found))


class Session:
    """Posts to one receiver, over a connection that is kept from one to the next.

    Not for several threads at once. To be closed in the end, as by ``with``.

    :param target: from :func:`~.egress.check_url`
    :param resolver: asked once for each connection; ALL its addresses must be public
    :param allowed: (host, port) pairs whose address need not be public
    :param ssl_context: must verify certificates and names
    :param keep: whether the receiver is told that there may be more
    :param clock: monotonic seconds
    """

    def __init__(
        self,
        target: Target,
        *,
        resolver: Callable[[str, int], Iterable[str]],
        allowed: frozenset[tuple[str, int]],
        ssl_context: ssl.SSLContext,
        keep: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ):
        if (
            not ssl_context.check_hostname
            or ssl_context.verify_mode != ssl.CERT_REQUIRED
        ):
            raise ValueError("the TLS context must verify certificate and name")
        self._target, self._resolver, self._allowed = target, resolver, allowed
        self._ssl_context, self._keep = ssl_context, keep
        self._clock = clock
        self._tls = None
        self._opened_at = 0.0

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        self.close()

    def close(self):
        if self._tls:
            self._tls.close()
            self._tls = None

    def post(self, body: bytes, headers: Mapping[str, str], deadline_s: float):
        """POST ``body`` verbatim and return the :class:`Response`, of any status.

        The status is the verdict: once it is here, a body that breaks off or never
        ends changes nothing. Redirects are answers like any other.

        :param deadline_s: seconds for everything, from resolving to the last byte
        :raises TransportError: no answer was had
        """
        request = _request_head(self._target, headers, len(body), self._keep) + body
        deadline = _Deadline(deadline_s, self._clock)
        if self._tls and not self._is_usable():
            self.close()
        if self._tls:
            # The receiver had closed the kept connection: try again on a new one.
            with contextlib.suppress(_NothingHeardError):
                return self._exchange(request, deadline)
        self._open(deadline)
        try:
            return self._exchange(request, deadline)
        except _NothingHeardError as exc:
            raise exc.__cause__ from None

    def _is_usable(self):
        """Whether a kept connection can take another request.

        Bytes that come without a request mean that the receiver closes it.
        """
        return (
            self._clock() - self._opened_at < MAX_AGE_S
            and not self._tls.pending()
            and not select.select([self._tls], [], [], 0)[0]
        )

    def _open(self, deadline):
        target = self._target
        addresses = _addresses(target, self._resolver, self._allowed, deadline)
        with contextlib.ExitStack() as opened:
            plain = opened.enter_context(_connect(addresses, target.port, deadline))
            tls = opened.enter_context(_wrap(plain, target.host, self._ssl_context))
            _shake_hands(tls, deadline)
            opened.pop_all()
        self._tls, self._opened_at = tls, self._clock()

    def _exchange(self, request, deadline):
        heard = False

        def read():
            nonlocal heard
            piece = _read(self._tls, deadline)
            heard = heard or bool(piece)
            return piece

        response = None
        try:
            _send(self._tls, request, deadline)
            response = read_response(read, MAX_RESPONSE)
            return response
        except TransportError as exc:
            if heard or exc.error_class == "timeout":
                raise
            raise _NothingHeardError from exc
        finally:
            if not (self._keep and response and response.is_reusable):
                self.close()


class _NothingHeardError(Exception):
    """The connection ended without a byte; the cause says how."""


def post(
    target: Target, body: bytes, headers: Mapping[str, str], *, deadline_s, **options
) -> Response:
    """POST once, as :meth:`Session.post` does, on a connection of its own.

    :param options: of :class:`Session`
    """
    with Session(target, keep=False, **options) as session:
        return session.post(body, headers, deadline_s)


def _request_head(target, headers, length, keep):
    host = f"[{target.host}]" if ":" in target.host else target.host
    if target.port != 443:
        host = f"{host}:{target.port}"
    lines = [
        f"POST {target.path} HTTP/1.1",
        f"Host: {host}",
        f"Content-Length: {length}",
        "Accept-Encoding: identity",  # not compressed: a small answer stays small
        *([] if keep else ["Connection: close"]),
    ]
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
            raise TransportError("protocol", "a header of the request is not sendable")
        lines.append(f"{name}: {value}")
    return "\r\n".join([*lines, "", ""]).encode("ascii")


def _addresses(target, resolver, allowed, deadline):
    """Resolve once and check every address; literal ones need no resolver."""
    if _is_address(target.host):
        addresses = [target.host]
    else:
        addresses = _resolve(resolver, target, deadline)
    if (target.host, target.port) not in allowed:
        # One that is not public is enough: which of a mixed answer is connected
        # to would be up to whoever runs the name server.
        if not all(map(is_public_address, addresses)):
            raise TransportError(
                "refused_address", "the host resolves to an address that is not public"
            )
    if not addresses or not all(map(_is_address, addresses)):
        raise TransportError("resolve", "the host has no address")
    return addresses[:MAX_ADDRESSES]


def _is_address(text):
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _resolve(resolver, target, deadline):
    """Ask the resolver, within the deadline, which getaddrinfo does not know.

    It waits in a thread of its own; one that is too late ends unheard.
    """
    answers = queue.SimpleQueue()

    def ask():
        try:
            answers.put(list(resolver(target.host, target.port)))
        except (OSError, ValueError):  # ValueError: a name that IDNA refuses
            answers.put(None)

    threading.Thread(target=ask, daemon=True, name="webhook-resolver").start()
    try:
        addresses = answers.get(timeout=deadline.left())
    except queue.Empty:
        raise TransportError("timeout", "the name server does not answer") from None
    if addresses is None:
        raise TransportError("resolve", "the host name cannot be resolved")
    return addresses


def _connect(addresses, port, deadline):
    """Connect to the first address that answers; each gets its share of the time."""
    error = "timeout"
    for index, address in enumerate(addresses):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.settimeout(deadline.left() / (len(addresses) - index))
            connection.connect((address, port))
        except TimeoutError:
            connection.close()
        except OSError:
            connection.close()
            error = "connect"
        except TransportError:
            connection.close()
            break
        else:
            return connection
    raise TransportError(error, "no connection to the host")


def _wrap(plain, host, ssl_context):
    try:
        return ssl_context.wrap_socket(
            plain, server_hostname=host, do_handshake_on_connect=False
        )
    except OSError as exc:
        raise TransportError("reset", "the connection broke before TLS") from exc


def _shake_hands(tls, deadline):
    try:
        tls.settimeout(deadline.left())
        tls.do_handshake()
    except ssl.SSLCertVerificationError as exc:
        raise TransportError("tls", f"certificate: {exc.verify_message}") from exc
    except TimeoutError as exc:
        raise TransportError("timeout", "the TLS handshake takes too long") from exc
    except ssl.SSLError as exc:
        raise TransportError("tls", f"handshake: {exc.reason or 'broken off'}") from exc
    except OSError as exc:
        raise TransportError("reset", "the connection broke in the handshake") from exc


def _send(tls, data, deadline):
    """Send until all is out, or the receiver has hung up.

    That is no error yet: it may have answered before it read all, as with 413.
    Not ``sendall``: over TLS its time-out starts anew with every piece.
    """
    view = memoryview(data)
    try:
        while view:
            tls.settimeout(deadline.left())
            view = view[tls.send(view[:_CHUNK]) :]
    except TimeoutError as exc:
        raise TransportError("timeout", "the receiver does not read") from exc
    except OSError:
        return


def _read(tls, deadline):
    try:
        tls.settimeout(deadline.left())
        return tls.recv(_CHUNK)
    except TimeoutError as exc:
        raise TransportError("timeout", "no complete answer in time") from exc
    except OSError as exc:
        raise TransportError("reset", "the connection broke") from exc
