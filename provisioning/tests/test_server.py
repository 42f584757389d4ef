"""Which server answers: ours, or another one on its port."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
import unittest.mock
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from .. import server
from ..errors import ProvisioningError


class Answering(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_arguments):
        pass


class FreePortTest(unittest.TestCase):
    def test_a_port_is_taken_on_every_address_of_localhost(self):
        """One who listens on ::1 alone answered for http://localhost."""
        for family, address in (
            (socket.AF_INET, "127.0.0.1"),
            (socket.AF_INET6, "::1"),
        ):
            with self.subTest(address), contextlib.ExitStack() as stack:
                try:
                    listener = socket.create_server((address, 0), family=family)
                except OSError:
                    continue  # no IPv6 here
                stack.enter_context(listener)
                port = listener.getsockname()[1]
                if address in {a[4][0] for a in socket.getaddrinfo("localhost", port)}:
                    self.assertNotEqual(server.free_port(port), port)

    def test_a_free_one_is_given(self):
        port = server.free_port()
        self.assertEqual(server.free_port(port), port)


class ReadyTest(unittest.TestCase):
    def setUp(self):
        other = HTTPServer((server.HOST, 0), Answering)
        threading.Thread(target=other.serve_forever, daemon=True).start()
        self.addCleanup(other.server_close)
        self.addCleanup(other.shutdown)
        self.port = other.server_address[1]
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.log = Path(folder.name) / "odoo.log"
        self.log.touch()

    def server(self, program: str) -> server.Server:
        process = subprocess.Popen([sys.executable, "-c", program])
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return server.Server(process.pid, self.port, "db", self.log, "", process)

    def test_another_server_on_the_port_does_not_count(self):
        """`serve` said that it runs, and where; another one answered there."""
        with unittest.mock.patch.object(server, "START_TIMEOUT", 1.0):
            for program in ("import time; time.sleep(60)", "raise SystemExit(1)"):
                with self.subTest(program), self.assertRaises(ProvisioningError):
                    self.server(program).wait_until_ready()

    def test_the_server_that_has_the_port_counts(self):
        self.log.write_text(f"INFO db odoo: {server.BOUND} on {self.port}\n")
        ours = self.server("import time; time.sleep(60)")
        ours.wait_until_ready()
        self.assertTrue(ours.alive())


if __name__ == "__main__":
    unittest.main()
