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
