"""Bad requests of `POST /usage`, as HTTP: table of what is sent and what it gets.

A case is (what it is, pieces, status, codes); see `Pieces`. A good event stands in the
body of each, so that a request which is wrongly taken shows as a row.
"""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass, replace

LIMIT = 8 * 1024 * 1024
JSON = b"Content-Type: application/json"
LINE = b"POST /api/billing/v1/usage HTTP/1.1"


@dataclass(frozen=True)
class Pieces:
    """A request, with what is usual wherever nothing else is said.

    :ivar kind: the header that says what the body is, or none
    :ivar length: the header Content-Length; None: the true one; b"": none
    :ivar authorization: the header Authorization; None: the good key
    :ivar headers: further headers
    :ivar body: None: the good body
    :ivar end: say that nothing more will come
    """

    line: bytes = LINE
    kind: bytes = JSON
    length: bytes | None = None
    authorization: bytes | None = None
    headers: tuple[bytes, ...] = ()
    body: bytes | None = None
    end: bool = False

    def render(self, key: str, good: bytes) -> bytes:
        body = good if self.body is None else self.body
        length = b"Content-Length: %d" % len(body)
        given = b"Authorization: Bearer " + key.encode()
        lines = [
            self.line.replace(b"KEY", key.encode()),
            b"Host: 127.0.0.1",
            given if self.authorization is None else self.authorization,
            self.kind,
            length if self.length is None else self.length,
            *self.headers,
        ]
        return b"\r\n".join([x for x in lines if x]) + b"\r\n\r\n" + body


def authorization(value: bytes) -> Pieces:
    return Pieces(authorization=b"Authorization: " + value)


def kind(value: bytes, body: bytes | None = None) -> Pieces:
    return Pieces(kind=value and b"Content-Type: " + value, body=body)


def chunked(body: bytes, *headers: bytes) -> Pieces:
    return Pieces(
        length=b"", body=body, headers=(b"Transfer-Encoding: chunked", *headers)
    )


# In these KEY stands for the good key.
UNAUTHORIZED = (
    ("no authorization", Pieces(authorization=b"")),
    ("empty", authorization(b"")),
    ("spaces", authorization(b"   ")),
    ("Basic", authorization(b"Basic dXNlcjpwYXNz")),
    ("Digest", authorization(b'Digest username="a"')),
    ("Bearer and nothing", authorization(b"Bearer")),
    ("Bearer and a space", authorization(b"Bearer ")),
    ("a key without Bearer", authorization(b"KEY")),
    ("Token", authorization(b"Token KEY")),
    ("Bearer by a colon", authorization(b"Bearer:KEY")),
    ("unknown", authorization(b"Bearer unknown")),
    ("unknown, well-formed", authorization(b"Bearer fcb_" + b"A" * 43 + b"0f4b2c")),
    ("one character more", authorization(b"Bearer KEYx")),
    ("quoted", authorization(b'Bearer "KEY"')),
    ("twice", authorization(b"Bearer KEY KEY")),
    ("two in a list", authorization(b"Bearer KEY, Bearer KEY")),
    ("LIKE", authorization(b"Bearer fcb_%")),
    ("SQL", authorization(b"Bearer '/**/OR/**/1=1--")),
    ("Latin-1", authorization(b"Bearer \xe9\xff")),
    ("UTF-8", authorization("Bearer ключ".encode())),
    ("the key and Latin-1", authorization(b"Bearer KEY\xff")),
    ("control characters", authorization(b"Bearer \x01\x02\x7f")),
    ("NUL", authorization(b"Bearer KEY\x00")),
    ("64 kB", authorization(b"Bearer " + b"x" * 64_000)),
    ("64 kB behind the key", authorization(b"Bearer KEY" + b"x" * 64_000)),
    (
        "key in the query string",
        Pieces(authorization=b"", line=LINE.replace(b"usage", b"usage?key=KEY")),
    ),
    (
        "access_token in the query string",
        Pieces(
            authorization=b"", line=LINE.replace(b"usage", b"usage?access_token=KEY")
        ),
    ),
    (
        "key in a cookie",
        Pieces(authorization=b"", headers=(b"Cookie: Authorization=Bearer KEY",)),
    ),
    ("a second one", Pieces(headers=(b"Authorization: Bearer x",))),
    ("key in a header", Pieces(authorization=b"", headers=(b"X-Api-Key: KEY",))),
)
METHODS = (b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"PROPFIND", b"TRACE")
MEDIA = (
    ("no content type", kind(b"")),
    ("form", kind(b"application/x-www-form-urlencoded", b"events=%5B%5D")),
    ("JSON called a form", kind(b"application/x-www-form-urlencoded")),
    (
        "multipart",
        kind(
            b"multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="events"\r\n\r\n[]\r\n--b--',
        ),
    ),
    ("multipart without boundary", kind(b"multipart/form-data")),
    ("text", kind(b"text/plain")),
    ("JSON as text", kind(b"text/json")),
    ("JSON of another kind", kind(b"application/vnd.api+json")),
    ("JSON lines", kind(b"application/x-ndjson")),
    ("JSON sequence", kind(b"application/json-seq")),
    ("XML", kind(b"application/xml")),
    ("no media type", kind(b"json")),
    ("two media types", kind(b"application/json, text/plain")),
    ("UTF-16", kind(b"application/json; charset=utf-16")),
    ("Latin-1", kind(b"application/json; charset=iso-8859-1")),
    ("no charset", kind(b"application/json; charset=none")),
    ("non-ASCII content type", kind(b"application/j\xe9son")),
)
ENCODINGS = (
    ("gzip", b"gzip", gzip.compress),
    ("gzip in capitals", b"GZIP", gzip.compress),
    ("deflate", b"deflate", zlib.compress),
    ("br", b"br", bytes),
    ("gzip twice", b"gzip, gzip", lambda body: gzip.compress(gzip.compress(body))),
    ("gzip by name only", b"gzip", bytes),
)
# Werkzeug takes a length that is none for 0, and an empty body is no JSON.
LENGTHS = (
    ("missing", b"", 411, "length_required"),
    ("empty", b"Content-Length:", 400, "invalid_json"),
    ("no number", b"Content-Length: ten", 400, "invalid_json"),
    ("negative", b"Content-Length: -1", 400, "invalid_json"),
    ("a fraction", b"Content-Length: 10.0", 400, "invalid_json"),
    ("two", b"Content-Length: 3\r\nContent-Length: 4", 400, "invalid_json"),
    ("hexadecimal", b"Content-Length: 0x10", 400, "invalid_json"),
    ("one byte over the limit", b"Content-Length: 8388609", 413, "body_too_large"),
    ("huge", b"Content-Length: " + b"9" * 18, 413, "body_too_large"),
    ("beyond 64 bits", b"Content-Length: " + b"9" * 30, 413, "body_too_large"),
)
# What is accepted although it looks strange.
ACCEPTED = (
    ("charset", kind(b"application/json; charset=UTF-8")),
    ("charset in quotes", kind(b'application/json;charset="utf-8"')),
    ("other parameters", kind(b"application/json; version=1")),
    ("capitals", kind(b"Application/JSON")),
    ("bearer in small letters", authorization(b"bearer KEY")),
    ("identity", Pieces(headers=(b"Content-Encoding: identity",))),
    ("a query string", Pieces(line=LINE.replace(b"usage", b"usage?self=1&call=2"))),
    ("HTTP/1.0", Pieces(line=LINE.replace(b"1.1", b"1.0"))),
    ("non-ASCII header", Pieces(headers=(b"X-Note: \xff\xfe\xe9",))),
    ("non-ASCII cookie", Pieces(headers=(b"Cookie: session_id=\xff\xe9; \xff=1",))),
    ("a broken cookie", Pieces(headers=(b"Cookie: =;;=\x01",))),
    ("language", Pieces(headers=(b"Accept-Language: \xff, xx-YY;q=nan",))),
    ("expects a go-ahead", Pieces(headers=(b"Expect: 100-continue",))),
    ("names another method", Pieces(headers=(b"X-HTTP-Method-Override: DELETE",))),
    ("a whole address", Pieces(line=LINE.replace(b"/api", b"http://x/api"))),
    ("a folded header", Pieces(headers=(b"X-Note: a\r\n b",))),
    ("wants HTML", Pieces(headers=(b"Accept: text/html",))),
    ("another origin", Pieces(headers=(b"Origin: https://example.com",))),
    ("a hundred headers less some", Pieces(headers=(b"X-More: 1",) * 80)),
)


def with_key(pieces: Pieces, key: str) -> Pieces:
    """Put the good key where KEY stands."""
    found = pieces.authorization and pieces.authorization.replace(b"KEY", key.encode())
    headers = tuple(x.replace(b"KEY", key.encode()) for x in pieces.headers)
    return replace(pieces, authorization=found, headers=headers)
