"""Reading the answer to a webhook: only the status counts, nothing is unbounded."""

import contextlib
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

MAX_HEAD = 16 * 1024  # status line and headers, interim responses included

_HEAD_END = re.compile(rb"\r?\n\r?\n")  # a lone LF ends a line, too: RFC 9112, 2.2
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9]{2})(?: [^\r\n]*)?")
_KEPT_HEADERS = frozenset(
    ("retry-after", "content-length", "content-type", "connection")
    + ("transfer-encoding",)
)
_MAX_HEADER_VALUE = 128
_LENGTH = re.compile(r"[0-9]{1,15}")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\n]*)?\r?\n")
_MAX_CHUNK_LINE = 256  # its size, and extensions that nobody uses


class TransportError(Exception):
    """No answer was had.

    :param str error_class: resolve, refused_address, connect, tls, timeout,
        protocol or reset
    :param str message: for people; holds nothing the receiver sent
    """

    def __init__(self, error_class: str, message: str):
        super().__init__(message)
        self.error_class = error_class
        self.message = message


class Response(NamedTuple):
    """What came back.

    :param status: HTTP status code
    :param head: beginning of the body as it came, for diagnosis only: neither
        unchunked nor decompressed, and possibly cut
    :param headers: the few that matter, names in lower case
    :param is_reusable: the answer has ended, and another request may follow
    """

    status: int
    head: bytes
    headers: Mapping[str, str]
    is_reusable: bool = False


def read_response(read: Callable[[], bytes], max_body: int) -> Response:
    """Read one final response; interim ones (1xx) are passed over, within bounds.

    Once the status is here, a body that breaks off or never ends changes nothing.

    :param read: returns the next bytes, ``b""`` at the end; may raise
        :class:`TransportError`
    :param max_body: bytes of the body that are read at most
    :raises TransportError: protocol, or what ``read`` raises before the headers end
    """
    buffer = b""
    passed = 0  # bytes of heads already parsed
    searched = 0  # bytes of the buffer that hold no whole end of a head
    while True:
        end = _HEAD_END.search(buffer, searched)
        if passed + (end.end() if end else len(buffer)) > MAX_HEAD:
            raise TransportError("protocol", "the headers do not end")
        if end is None:
            piece = read()
            if not piece:
                raise TransportError("protocol", "the receiver hung up, no answer")
            searched = max(0, len(buffer) - 3)
            buffer += piece
            continue
        version, status, headers = _parse_head(buffer[: end.start()])
        passed += end.end()
        buffer = buffer[end.end() :]
        searched = 0
        if status == 101:
            raise TransportError("protocol", "the receiver changed the protocol")
        if status >= 200:
            body, has_ended = _read_body(read, buffer, status, headers, max_body)
            words = headers.get("connection", "").lower().split(",")
            closes = "close" in [word.strip() for word in words]
            is_reusable = version == 1 and has_ended and not closes
            return Response(status, body[:max_body], headers, is_reusable)


def _parse_head(head):
    lines = head.split(b"\n")
    match = _STATUS_LINE.fullmatch(lines[0].rstrip(b"\r"))
    if not match:
        raise TransportError("protocol", "the answer is not HTTP/1.1")
    headers = {}
    for line in lines[1:]:
        name, _colon, value = line.decode("latin-1").partition(":")
        if name.lower() in _KEPT_HEADERS:
            headers.setdefault(name.lower(), value.strip()[:_MAX_HEADER_VALUE])
    return int(match[1]), int(match[2]), headers


def _read_body(read, body, status, headers, max_body):
    """Read on to the end of the body, but not beyond the limit.

    :param body: its beginning
    :return: (what was read of it, whether it has ended, and nothing came after it)
    """
    find_end, is_told_once = _end_finder(status, headers)
    end = None
    # However the body ends, the status is known, see read_response.
    with contextlib.suppress(TransportError):
        while (end := find_end(body)) is None and len(body) < max_body:
            piece = read()
            if not piece:
                break
            body += piece
    return body[:end], is_told_once and end == len(body)


def _end_finder(status, headers):
    """What finds the end of a body in what came so far, and whether to rely on it.

    :return: (function: bytes -> where the body ends, or None; bool)
    """
    length = 0 if status in (204, 304) else None
    coding = headers.get("transfer-encoding")
    if length is None and coding is None:
        told = headers.get("content-length", "")
        length = int(told) if _LENGTH.fullmatch(told) else None
    if length is not None:
        return lambda body: length if len(body) >= length else None, True
    if coding and coding.lower().endswith("chunked"):
        # Who tells a length as well contradicts himself.
        return _Chunks().find_end, "content-length" not in headers
    return lambda body: None, False  # it ends with the connection


class _Chunks:
    """A body in chunks, looked at again and again while it comes (RFC 9112, 7.1)."""

    def __init__(self):
        self._place = 0  # where the next chunk begins

    def find_end(self, body):
        """Where it ends: after the chunk of no size, and its trailers; None: not yet.

        :raises TransportError: what stands there is no chunk
        """
        while match := _CHUNK.match(body, self._place):
            size = int(match[1], 16)
            if size == 0:
                # Lines of trailers, if any, then an empty one.
                end = body.find(b"\n\r\n", match.end() - 1)
                return None if end < 0 else end + 3
            if match.end() + size + 2 > len(body):
                return None
            self._place = match.end() + size + 2
        line = body[self._place : self._place + _MAX_CHUNK_LINE]
        if b"\n" in line or len(line) == _MAX_CHUNK_LINE:
            raise TransportError("protocol", "the body is not in chunks")
        return None
