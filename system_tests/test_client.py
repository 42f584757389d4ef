"""An app with the Python client, while the server is killed twice and started again."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from provisioning.clients import install_client
from provisioning.process import clean_env

from .api import ApiCase, children
from .common import INVOICE_JOB, SCRIPTS

COUNT = 4000
BAD = 40  # each hundredth
KILL_AT = (500, 1500)  # so many are stored
STORED = """
    SELECT count(*), count(DISTINCT u.idempotency_key), sum(u.quantity)
      FROM fusion_billing_usage u JOIN sale_order o ON o.id = u.subscription_id
     WHERE o.fc_external_id = 'story/1'
"""


class TestClient(ApiCase):
    seconds = 40
    quiet = False  # servers that are killed do not end quietly

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = Path(tempfile.mkdtemp(dir=cls.workspace.run_dir))
        cls.addClassCleanup(shutil.rmtree, folder)
        workspace = cls.workspace
        cls.python = install_client(
            workspace.settings, workspace.progress, folder / "venv"
        )

    def setUp(self):
        super().setUp()
        self.killed = self.start()
        self.addCleanup(lambda: self.killed.stop())

    def start(self, port: int | None = None):
        return self.workspace.start_server(
            self.database,
            port,
            name=f"system-{type(self).__name__}-killed",
            options={"workers": self.workers},
        )

    def restart(self) -> None:
        """Kill it without a chance to clean up, and start it on the same port."""
        for pid in (self.killed.pid, *children(self.killed)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.killed.process.wait()
        time.sleep(0.5)
        self.killed = self.start(self.killed.port)

    def stored(self) -> list[str]:
        return self.psql(STORED).split("|")

    def test_story(self):
        arguments = (self.killed.url, self.api.key, COUNT, self.world["fee"])
        program = subprocess.Popen(
            [self.python, SCRIPTS / "client_story.py", *map(str, arguments)],
            env=clean_env(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(program.wait)
        self.addCleanup(program.kill)
        steps = [program.stdout.readline() for _ in range(2)]
        if not steps[-1]:
            self.fail(program.communicate()[1])
        # the fee of the first period; with it the window of the usage begins
        self.run_jobs(self.database, INVOICE_JOB)
        program.stdin.write("go on\n")
        program.stdin.flush()
        for count in KILL_AT:
            self.wait_for(lambda count=count: int(self.stored()[0]) >= count, [program])
            self.restart()
        output, errors = program.communicate(timeout=300)
        self.assertEqual(program.returncode, 0, errors)
        found = [json.loads(line) for line in [*steps, *output.splitlines()] if line]
        said = {step.pop("step"): step for step in found}
        self.check_begun(said)
        self.check_counts(said)
        self.check_ended(said)

    def check_begun(self, said):
        self.assertEqual(said["wrong key"], {"code": "unauthorized"})
        self.assertEqual(
            said["begun"],
            {
                "partners": 1,
                "customer": "story@example.com",
                "subscriptions": 1,
                "same": True,
                "start_date": True,
                "lines": [[self.world["fee"], "2"]],
            },
        )

    def check_counts(self, said):
        """4,000 events of 0.1, of which 40 name no metric: 3,960 are 396; three of them
        voided leave 395.7. One call costs 1."""
        used = said["used"]
        troubles = used.pop("troubles")
        self.assertEqual(troubles, ["RetryLaterError"])
        self.assertEqual(
            used,
            {"taken": COUNT - BAD, "refused": BAD, "codes": ["unknown_metric"]},
        )
        count, keys, quantity = self.stored()
        self.assertEqual((count, keys, float(quantity)), ("3960", "3960", 396.0))
        self.assertEqual(
            said["listed"],
            {
                "events": 3960,
                "keys": 3960,
                "quantity": "396.0",
                "charge": "396",
                "amount": "396.00",
            },
        )
        self.assertEqual(
            said["voided"],
            {
                "voided": 3,
                "already_voided": 3,
                "unknown": "unknown_event",
                "charge": "395.7",
                "listed": 3,
            },
        )

    def check_ended(self, said):
        ended = said["ended"]
        types = ended.pop("types")
        self.assertEqual(types[:2], ["customer.linked", "subscription.created"])
        self.assertEqual(
            ended,
            {
                "reconciliation": "matched",
                "complete": True,
                "codes": [
                    ["no_webhook_url", False],
                    ["unknown_event", True],
                    ["unknown_invoice", True],
                    ["unknown_customer", True],
                ],
                "ends": True,
                "invoices": [["20.00"]],
            },
        )
