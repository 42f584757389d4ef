import itertools
import socket
import threading

from odoo.tests import BaseCase, tagged

from ...controllers import slow_body


@tagged("post_install", "-at_install")
class TestSlowBody(BaseCase):
    """Bodies on a connection whose clock goes as each test says."""

    def setUp(self):
        super().setUp()
        self.client, self.server = socket.socketpair()
        self.stream = self.server.makefile("rb")
        for thing in (self.stream, self.client, self.server):
            self.addCleanup(thing.close)

    def _read(self, length, *seconds):
        """Read a body; each look at the clock finds the next of these, then the last.

        :return: the bytes, or None where it was too slow
        """
        times = itertools.chain(
            seconds or (0,), itertools.repeat((seconds or (0,))[-1])
        )
        try:
            return slow_body.read_in_time(
                self.stream, self.server, length, lambda: next(times)
            )
        except slow_body.TooSlow:
            return None

    def test_what_is_there_is_read(self):
        """A part of it has come with the headers, and what follows is left alone."""
        self.client.sendall(b"headers\n" + b"x" * 50_000)
        self.stream.readline()
        later = threading.Timer(0.05, self.client.sendall, [b"y" * 50_000 + b"next"])
        later.start()
        self.addCleanup(later.join)
        self.assertEqual(self._read(100_000), b"x" * 50_000 + b"y" * 50_000)
        self.assertEqual(self.stream.read(4), b"next")

    def test_the_end_of_the_client_is_the_end(self):
        self.client.sendall(b"half")
        self.client.shutdown(socket.SHUT_WR)
        self.assertEqual(self._read(100), b"half")

    def test_nothing_for_five_seconds_is_too_slow(self):
        self.client.sendall(b"x")
        self.assertIsNone(self._read(100, 0, 5.1))

    def test_the_rate_counts_from_the_fifth_second(self):
        """64 KiB give one more second: to the sixth."""
        self.client.sendall(b"x" * 65_536)
        later = threading.Timer(0.1, self.client.sendall, [b"rest"])
        later.start()
        self.addCleanup(later.join)
        self.assertEqual(len(self._read(65_540, 0, 5.1)), 65_540)
        self.client.sendall(b"x" * 65_536)
        self.assertIsNone(self._read(65_540, 0, 6.1))

    def test_all_of_it_has_a_minute(self):
        """8 MiB less one byte would allow 133 seconds."""
        content = b"x" * (8 * 1024 * 1024 - 1)
        sender = threading.Thread(target=self.client.sendall, args=[content])
        sender.start()
        self.addCleanup(sender.join)
        self.patch(slow_body, "LAST", 0.3)
        with self.assertRaises(slow_body.TooSlow):
            slow_body.read_in_time(self.stream, self.server, len(content) + 1)

    def test_after_that_nobody_reads_on(self):
        """Werkzeug would, for as long as the client sends."""
        self.client.sendall(b"x")
        self.assertIsNone(self._read(100, 0, 5.1))
        self.assertEqual(self.stream.read(1), b"")

    def test_a_timeout_of_the_server_stays(self):
        self.server.settimeout(7.0)
        self.client.sendall(b"body")
        self.assertEqual(self._read(4), b"body")
        self.assertEqual(self.server.gettimeout(), 7.0)
