"""What Odoo signs, the public libraries verify: in the receivers of examples/webhooks.

FCB_NODE names the program, FCB_NODE_RECEIVER a copy of the Node.js receiver that has
its packages; provisioning/clients.py sets both.
"""

import base64
import http.client
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import uuid
from pathlib import Path

from engine.webhook.signing import canonical_body, delivery_headers

EXAMPLES = Path(__file__).resolve().parent.parent / "webhooks"
SECRET = "whsec_" + base64.b64encode(b"thirty-two bytes of secret, more").decode()
OTHER = "whsec_" + base64.b64encode(b"another secret").decode()
PATIENCE = 20.0
MINUTE = 60


def body_of(event_id, **data):
    payload = {"id": event_id, "type": "invoice.posted", "data": data}
    return canonical_body(payload).encode()


class Receiver:
    """A receiver as a process of its own (no script that starts another one)."""

    def __init__(self, command, inbox):
        self.inbox = inbox
        self.lines = []
        self.process = subprocess.Popen(
            command,
            env={
                **os.environ,
                "WEBHOOK_SECRET": SECRET,
                "PORT": "0",
                "INBOX": str(inbox),
            },
            stdout=subprocess.PIPE,
            text=True,
        )
        first = self.process.stdout.readline()
        self.port = int(first.removeprefix("listening on port "))
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.strip())

    def stop(self):
        """Without a chance to clean up."""
        self.process.kill()
        self.process.wait()
        self._reader.join()
        self.process.stdout.close()

    def send(self, headers, body, method="POST"):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, "/webhooks", body, headers)
            return connection.getresponse().status
        finally:
            connection.close()


class ReceiverTests:
    """What both must do."""

    command: list

    def setUp(self):
        super().setUp()
        folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder)
        self.inbox = folder / "inbox"
        self.receiver = self.start()

    def start(self):
        receiver = Receiver(self.command, self.inbox)
        self.addCleanup(receiver.stop)
        return receiver

    def post(self, event_id, body=None, secrets=(SECRET,), age=0, **headers):
        """Sign as Odoo does and send; returns the HTTP status."""
        body = body_of(event_id) if body is None else body
        moment = int(time.time()) - age
        signed = delivery_headers(event_id, "invoice.posted", body, secrets, moment)
        return self.receiver.send({**signed, **headers}, body)

    def check_handled(self, *event_ids):
        """These and no others were handled, each once."""
        marker = f"evt_marker-{uuid.uuid4()}"
        self.assertEqual(self.post(marker), 204)
        deadline = time.monotonic() + PATIENCE
        while f"{marker} invoice.posted" not in self.receiver.lines:
            self.assertLess(time.monotonic(), deadline, self.receiver.lines)
            time.sleep(0.02)
        expected = [f"{event_id} invoice.posted" for event_id in event_ids]
        found = [line for line in self.receiver.lines if "marker" not in line]
        self.assertEqual(sorted(found), sorted(expected))

    def test_verified_and_handled(self):
        self.assertEqual(self.post("evt_1"), 204)
        body = body_of("evt_2", customer="Zoë Ω 漢字 \u2028", amount="10.00")
        self.assertEqual(self.post("evt_2", body), 204)
        self.check_handled("evt_1", "evt_2")

    def test_repetition(self):
        """Each attempt has a timestamp and a signature of its own, and the same id."""
        for age in (200, 100, 0):
            self.assertEqual(self.post("evt_1", age=age), 204)
        self.check_handled("evt_1")

    def test_repetition_after_a_restart(self):
        self.post("evt_1")
        self.check_handled("evt_1")
        self.receiver.stop()
        self.receiver = self.start()
        self.assertEqual(self.post("evt_1"), 204)
        self.check_handled()

    def test_repetitions_at_once(self):
        statuses = []
        threads = [
            threading.Thread(target=lambda: statuses.append(self.post("evt_1")))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(statuses, [204] * 8)
        self.check_handled("evt_1")

    def test_secret_is_being_changed(self):
        """While two secrets hold, each delivery is signed with both."""
        self.assertEqual(self.post("evt_1", secrets=(OTHER, SECRET)), 204)
        self.check_handled("evt_1")

    def test_refused(self):
        body = body_of("evt_1")
        good = delivery_headers("evt_1", "t", body, [SECRET], int(time.time()))
        signature = good["webhook-signature"]
        for name, status in {
            "another secret": self.post("evt_1", secrets=(OTHER,)),
            "too old": self.post("evt_1", age=6 * MINUTE),
            "too far ahead": self.post("evt_1", age=-6 * MINUTE),
            "another id": self.post("evt_1", **{"webhook-id": "evt_2"}),
            "another time": self.post("evt_1", **{"webhook-timestamp": "1700000000"}),
            "no time": self.post("evt_1", **{"webhook-timestamp": "soon"}),
            "no signature": self.post("evt_1", **{"webhook-signature": "garbage"}),
            "half a signature": self.post("evt_1", **{"webhook-signature": "v1,"}),
            "no base64": self.post("evt_1", **{"webhook-signature": "v1,a"}),
            "other version": self.post(
                "evt_1", **{"webhook-signature": signature.replace("v1", "v2")}
            ),
            "other body": self.receiver.send(good, body + b" "),
            "no UTF-8": self.receiver.send(good, b"\xff"),
            "unsigned": self.receiver.send({}, body),
        }.items():
            with self.subTest(name):
                self.assertEqual(status, 401)
        self.assertNotIn(self.receiver.send(good, None, method="GET"), (200, 204))
        large = {**good, "Content-Length": str(2**21)}
        self.assertEqual(self.receiver.send(large, b"x"), 413)
        self.check_handled()

    def test_needs_a_secret(self):
        done = subprocess.run(
            self.command,
            env={**os.environ, "WEBHOOK_SECRET": "plain text", "PORT": "0"},
            capture_output=True,
            text=True,
        )
        self.assertEqual(done.returncode, 1)
        self.assertIn("WEBHOOK_SECRET", done.stderr)


class TestPython(ReceiverTests, unittest.TestCase):
    command = [sys.executable, str(EXAMPLES / "python" / "receiver.py")]


class TestNode(ReceiverTests, unittest.TestCase):
    folder = Path(os.environ.get("FCB_NODE_RECEIVER", EXAMPLES / "node"))
    command = [os.environ.get("FCB_NODE", "node"), str(folder / "receiver.mjs")]


if __name__ == "__main__":
    unittest.main()
