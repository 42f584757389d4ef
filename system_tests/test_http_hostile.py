"""Bad HTTP before `POST /usage`: what it gets, and that it leaves nothing behind."""

from __future__ import annotations

import json
import time

from . import hostile_http
from .api import USAGE, Api, ApiCase, exchange, leave
from .hostile_http import LINE, Pieces


class TestHostileHttp(ApiCase):
    """On a server with workers, as in production."""

    seconds = 20

    def send(self, pieces: Pieces, end: bool = False):
        """Send a request that has a good event in it, unless it says otherwise."""
        good = json.dumps({"events": [self.event()]}).encode()
        pieces = hostile_http.with_key(pieces, self.api.key)
        request = pieces.render(self.api.key, good)
        return exchange(self.server.port, [request], end or pieces.end)

    def check_nothing_stored(self, before: int) -> None:
        self.assertEqual(self.stored(), before, "rows were added")

    def refused(self, name, pieces, status, code):
        """One case: refused so, nothing stored."""
        with self.subTest(name):
            before = self.stored()
            answer = self.send(pieces)
            body = self.check_refused(answer, status, code)
            self.check_nothing_stored(before)
            return answer, body
        return None, None

    def test_keys(self):
        """All bad keys get the same answer, so that none tells how near it was."""
        bodies = set()
        for name, pieces in hostile_http.UNAUTHORIZED:
            answer, _body = self.refused(name, pieces, 401, "unauthorized")
            if answer:
                bodies.add(answer.content)
                self.assertEqual(answer.headers["www-authenticate"], "Bearer")
        for name in ("expired", "revoked", "archived"):
            with self.subTest(name):
                api = Api(self.server.port, self.world["keys"][name])
                answer = api.usage([self.event()])
                self.check_refused(answer, 401, "unauthorized")
                bodies.add(answer.content)
        # No key at all, no Bearer, and a bad key: told apart, so that people find it.
        self.assertEqual(len(bodies), 3)
        self.check_still_works()
        self.check_quiet()

    def test_methods(self):
        for method in hostile_http.METHODS:
            pieces = Pieces(line=LINE.replace(b"POST", method))
            answer, _body = self.refused(method, pieces, 405, "method_not_allowed")
            if answer:
                self.assertIn("POST", answer.headers["allow"])
        self.check_still_works()
        self.check_quiet()

    def test_media_types(self):
        for name, pieces in hostile_http.MEDIA:
            self.refused(name, pieces, 415, "unsupported_media_type")
        good = json.dumps({"events": [self.event()]}).encode()
        for name, encoding, encode in hostile_http.ENCODINGS:
            pieces = Pieces(
                body=encode(good), headers=(b"Content-Encoding: " + encoding,)
            )
            self.refused(name, pieces, 415, "unsupported_media_type")
        self.check_still_works()
        self.check_quiet()

    def test_lengths(self):
        for name, length, status, code in hostile_http.LENGTHS:
            self.refused(name, Pieces(length=length), status, code)
        self.check_still_works()
        self.check_quiet()

    def test_body_over_the_limit(self):
        """Also when all of it is sent: the answer must arrive, not a broken pipe."""
        before = self.stored()
        filler = b" " * hostile_http.LIMIT
        self.refused("sent in full", Pieces(body=filler + b"{}"), 413, "body_too_large")
        body = json.dumps({"events": [self.event()]}).encode()
        exact = body + b" " * (hostile_http.LIMIT - len(body))
        self.check_json(self.api.post_raw(exact), 200)
        self.assertEqual(self.stored(), before + 1)
        self.check_quiet()

    def test_chunked(self):
        """Refused: its length is not known before it is read."""
        good = json.dumps({"events": [self.event()]}).encode()
        chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(good), good)
        for name, pieces in (
            ("one chunk", hostile_http.chunked(chunks)),
            ("no end", hostile_http.chunked(chunks[:-5])),
            ("no chunk", hostile_http.chunked(b"0\r\n\r\n")),
            ("nothing", hostile_http.chunked(b"")),
            ("broken", hostile_http.chunked(b"zz\r\n" + good)),
            ("not chunked at all", hostile_http.chunked(good)),
            (
                "with a length",
                hostile_http.chunked(chunks, b"Content-Length: %d" % len(chunks)),
            ),
        ):
            self.refused(name, pieces, 411, "length_required")
        self.check_still_works()
        self.check_quiet()

    def test_length_longer_than_the_body(self):
        good = json.dumps({"events": [self.event()]}).encode()
        for name, missing, body in (
            ("one byte", 1, good),
            ("half", len(good) // 2, good[: len(good) // 2]),
            ("all", 10, b""),
        ):
            length = b"Content-Length: %d" % (len(body) + missing)
            pieces = Pieces(body=body, length=length, end=True)
            self.refused(name, pieces, 400, "incomplete_body")
        self.check_still_works()
        self.check_quiet()

    def test_length_shorter_than_the_body(self):
        """The rest is no second request."""
        good = json.dumps({"events": [self.event()]}).encode()
        before = self.stored()
        cut = Pieces(body=good, length=b"Content-Length: %d" % (len(good) - 5))
        self.check_refused(self.send(cut), 400, "invalid_json")
        second = Pieces().render(self.api.key, good)
        smuggled = Pieces(body=b"{}" + second, length=b"Content-Length: 2")
        body = self.check_json(self.send(smuggled), 200)
        self.assertEqual(body["accepted"], 0)  # the two bytes are no events
        self.check_nothing_stored(before)
        self.check_quiet()

    def test_slow_body(self):
        """A body in small pieces is taken; one that does not come, or byte by byte, is
        refused, and holds no worker for longer."""
        before = self.stored()
        good = json.dumps({"events": [self.event()]}).encode()
        request = Pieces().render(self.api.key, good)
        pieces = []
        for start in range(0, len(request), 40):
            pieces += [request[start : start + 40], 0.05]
        self.check_json(exchange(self.server.port, pieces), 200)
        self.assertEqual(self.stored(), before + 1)
        for name, pieces in (
            ("stalled", [request[:-20], 6.0]),
            ("dripped", [request[:-20], *[0.5, b" "] * 16]),
            ("all of it, but the rest later", [request[:-20], 9.0, request[-20:]]),
        ):
            with self.subTest(name):
                began = time.monotonic()
                self.check_refused(
                    exchange(self.server.port, pieces), 408, "body_too_slow"
                )
                self.assertLess(time.monotonic() - began, 15)
                self.assertEqual(self.stored(), before + 1)
        with self.subTest("without a key"):
            anonymous = Pieces(authorization=b"").render(self.api.key, good)
            answer = exchange(self.server.port, [anonymous[:-20], *[0.5, b" "] * 4])
            self.check_refused(answer, 401, "unauthorized")
        self.check_still_works()
        self.check_quiet()

    def test_client_gone(self):
        """Gone before the body is there: nothing. Gone after: stored once, and the
        retry says duplicate."""
        event = self.event()
        body = json.dumps({"events": [event]}).encode()
        request = Pieces().render(self.api.key, body)
        before = self.stored()
        leave(self.server.port, request[:-10])
        leave(self.server.port, request[: len(request) // 3])
        leave(self.server.port, b"")
        self.check_still_works()
        self.assertEqual(self.stored(), before + 1)
        leave(self.server.port, request)
        answer = self.check_json(self.api.usage([event]), 200)
        self.assertEqual(answer["accepted"] + answer["duplicates"], 1)
        self.wait_for(lambda: self.stored() == before + 2, [])
        self.check_quiet()

    def test_what_looks_strange_but_is_good(self):
        for name, pieces in hostile_http.ACCEPTED:
            with self.subTest(name):
                before = self.stored()
                body = self.check_json(self.send(pieces), 200)
                self.assertEqual(
                    body,
                    {
                        "status": "ok",
                        "accepted": 1,
                        "duplicates": 0,
                        "results": [{"status": "accepted"}],
                    },
                )
                self.assertEqual(self.stored(), before + 1)
        self.check_quiet()

    def test_paths(self):
        for path in ("/usag", "/usage%00", "/usage%2fx", "/%ff", "/usage;x", ""):
            with self.subTest(path):
                answer = self.api.post_raw(b"{}", path=f"/api/billing/v1{path}")
                self.check_refused(answer, 404, "not_found")
        with self.subTest("below"):
            answer = self.api.post_raw(b"{}", path=f"{USAGE}/../usage/x")
            self.check_refused(answer, 404, "not_found")
        self.check_quiet()

    def test_rate_limit(self):
        """Over the rate: 429, when to come again, and nothing stored."""
        api = Api(self.server.port, self.world["keys"]["slow"])
        before = self.stored()
        answers = [api.usage([]) for _ in range(40)]
        refused = [answer for answer in answers if answer.status != 200]
        self.assertTrue(refused)
        for answer in refused:
            self.check_refused(answer, 429, "rate_limited")
            self.assertRegex(answer.headers["retry-after"], r"\A[1-9][0-9]*\Z")
        self.check_nothing_stored(before)
        self.check_still_works()
        self.check_quiet()
