import itertools
import unittest

from ..webhook.http_response import MAX_HEAD, TransportError, read_response

OK = b"HTTP/1.1 200 OK\r\n\r\n"


def _read(*pieces, broken=False):
    """A ``read`` that gives the pieces, then breaks or says the end."""
    left = list(pieces)

    def read():
        if left:
            return left.pop(0)
        if broken:
            raise TransportError("reset", "broken")
        return b""

    return read


class TestReadResponse(unittest.TestCase):
    def test_status_body_and_the_headers_that_matter(self):
        raw = (
            b"HTTP/1.1 429 Too Many\r\nRETRY-AFTER:  120 \r\nSet-Cookie: a=b\r\n"
            b"Retry-After: 999\r\nContent-Length: 4\r\n\r\nbodymore"
        )
        for size in (1, 7, len(raw)):
            with self.subTest(size=size):
                pieces = [raw[i : i + size] for i in range(0, len(raw), size)]
                response = read_response(_read(*pieces), 100)
                self.assertEqual(response.status, 429)
                self.assertEqual(response.head, b"body")
                self.assertEqual(
                    response.headers, {"retry-after": "120", "content-length": "4"}
                )

    def test_a_body_that_breaks_off_is_no_error(self):
        for head in (
            b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n",
            b"HTTP/1.1 204 No Content\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
            b"HTTP/1.0 200\n\n",
            b"HTTP/1.1 200 OK\r\nno colon\r\n: no name\r\n\xff: \xff\r\n\r\n",
        ):
            for broken in (False, True):
                with self.subTest(head=head[:60], broken=broken):
                    response = read_response(_read(head, broken=broken), 100)
                    self.assertIn(response.status, (200, 204))

    def test_the_end_of_the_body_is_seen(self):
        """A server that does not hang up must not cost the whole deadline."""
        for raw in (
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 204 No Content\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
        ):
            reads = iter([raw])
            with self.subTest(raw=raw):
                read_response(lambda reads=reads: next(reads), 100)

    def test_where_chunks_end(self):
        """However they come; and only then may another request follow."""
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        for body, ends in (
            (b"0\r\n\r\n", True),
            (b"2\r\nok\r\n0\r\n\r\n", True),
            (b"00a;name=value\r\n0123456789\r\n000\r\n\r\n", True),
            # not the last one: so it stands in a chunk
            (b"5\r\n0\r\n\r\n\r\n0\r\n\r\n", True),
            (b"1\r\nx\r\n0\r\nX-A: b\r\nX-C: d\r\n\r\n", True),
            (b"0\r\nX-A: b\r\n", False),
            (b"5\r\nok", False),
            (b"2\r\nok\r\n", False),
            (b"-1\r\nok\r\n0\r\n\r\n", False),
            (b"fffffffff\r\nok\r\n0\r\n\r\n", False),
            (b"0" * 5000, False),
        ):
            raw = head + body
            for size in (1, 7, len(raw)):
                with self.subTest(body=body[:30], size=size):
                    pieces = [raw[i : i + size] for i in range(0, len(raw), size)]
                    response = read_response(_read(*pieces, broken=True), 10_000)
                    self.assertEqual(response.is_reusable, ends)
        more = read_response(_read(head + b"0\r\n\r\nmore"), 10_000)
        self.assertFalse(more.is_reusable)

    def test_what_is_no_chunk_is_not_waited_for(self):
        """It would take the whole deadline, once for each event."""
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        for body in (b"zz\r\n", b"2\r\nokay\r\n", b"z" * 300):
            reads = iter([head, body])
            with self.subTest(body[:10]):
                response = read_response(lambda reads=reads: next(reads), 10_000)
                self.assertFalse(response.is_reusable)

    def test_a_head_that_no_parser_of_the_library_takes(self):
        """What ``http.client`` takes for no answer, or reads but the beginning of;
        the webhook would be sent again, or without the time that is asked for.
        """
        end = b"Retry-After: 120\r\nContent-Length: 2\r\n\r\nok"
        for lines in (
            b"X-A: b\r\n" * 101,
            b"no colon\r\n",
            b"X-A : space before the colon\r\n",
            b"X-A: a lone\rCR\r\n",
        ):
            with self.subTest(lines[:30]):
                reads = iter([b"HTTP/1.1 503 Busy\r\n" + lines + end])
                response = read_response(lambda reads=reads: next(reads), 100)
                self.assertEqual(response.status, 503)
                self.assertEqual(response.headers["retry-after"], "120")
                self.assertEqual(response.head, b"ok")
                self.assertTrue(response.is_reusable)

    def test_an_endless_body_is_cut(self):
        endless = itertools.chain([OK], itertools.repeat(b"x" * 10))
        response = read_response(lambda: next(endless), 25)
        self.assertEqual(response.head, b"x" * 25)

    def test_interim_responses_are_passed_over(self):
        interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n"
        self.assertEqual(read_response(_read(interim + OK), 10).status, 200)

    def test_no_flood_is_read_to_its_end(self):
        for name, start, flood in (
            ("interim", b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
            ("headers", b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"),
            ("one header", b"HTTP/1.1 200 OK\r\nX-A: ", b"b" * 100),
            ("one line", b"", b"b" * 100),
        ):
            read_bytes = 0
            pieces = itertools.chain([start or flood], itertools.repeat(flood))

            def read(pieces=pieces):
                nonlocal read_bytes
                piece = next(pieces)
                read_bytes += len(piece)
                return piece

            with self.subTest(name=name):
                with self.assertRaises(TransportError) as caught:
                    read_response(read, 100)
                self.assertEqual(caught.exception.error_class, "protocol")
                self.assertLessEqual(read_bytes, MAX_HEAD + 200)

    def test_what_is_no_answer(self):
        for raw in (
            b"",
            b"HTTP/1.1 200 OK\r\n",
            b"\r\n\r\n",
            b"SSH-2.0-OpenSSH\r\n\r\n",
            b"HTTP/2 200\r\n\r\n",
            b"HTTP/1.1 2000 OK\r\n\r\n",
            b"HTTP/1.1 099 x\r\n\r\n",
            b"HTTP/1.1 600 x\r\n\r\n",
            b"HTTP/1.1 \xb2\xb0\xb0 OK\r\n\r\n",
            b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        ):
            with self.subTest(raw=raw):
                with self.assertRaises(TransportError) as caught:
                    read_response(_read(raw), 100)
                self.assertEqual(caught.exception.error_class, "protocol")

    def test_a_break_before_the_status_is_passed_on(self):
        with self.assertRaises(TransportError) as caught:
            read_response(_read(b"HTTP/1.1 200 OK\r\n", broken=True), 100)
        self.assertEqual(caught.exception.error_class, "reset")
