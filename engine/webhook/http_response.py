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
            length = _body_length(status, headers)
            wanted = max_body if length is None else min(length, max_body)
            body = _read_body(read, buffer, wanted)
            is_reusable = (
                version == 1
                # Its length, and that alone, says where it ends.
                and len(body) == length
                and "transfer-encoding" not in headers
                and headers.get("connection", "").lower() != "close"
            )
            return Response(status, body[:wanted], headers, is_reusable)


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


def _body_length(status, headers):
    """Bytes; None: not known."""
    if status in (204, 304):
        return 0
    length = headers.get("content-length", "")
    return int(length) if _LENGTH.fullmatch(length) else None


def _read_body(read, body, wanted):
    # However the body ends, the status is known, see read_response.
    with contextlib.suppress(TransportError):
        # The last chunk is looked for, because not every server hangs up after it.
        while len(body) < wanted and not body.endswith(b"0\r\n\r\n"):
            piece = read()
            if not piece:
                break
            body += piece
    return body
