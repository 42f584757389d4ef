"""What the tests of webhook delivery share: a receiver, services, an outbox."""

from __future__ import annotations

import copy
import json
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

from .api import ADDON
from .common import SystemCase

JOB = "fusion_centralized_billing.cron_deliver_webhooks"
STATES = """
    SELECT state, attempts, count(*) FROM fusion_billing_webhook GROUP BY 1, 2
     ORDER BY 1, 2
"""
ENQUEUE = """
    INSERT INTO fusion_billing_webhook
           (service_id, event_id, event_type, payload, state, attempts,
            next_attempt_at, create_date, write_date)
    SELECT {service}, 'evt_' || md5('{service}-' || n), 'webhook.test',
           '{{"id":"evt_' || md5('{service}-' || n) || '","type":"webhook.test"}}',
           'pending', 0,
           moment, moment, moment
      FROM generate_series(1, {count}) n, LATERAL (
           SELECT date_trunc('second', now() AT TIME ZONE 'UTC') AS moment) x
"""


class WebhookCase(SystemCase):
    """A receiver over TLS on this machine, and a service for each of its ``paths``."""

    paths: dict[str, str]  # code of a service -> path, see webhook_receiver.py
    services: dict[str, int]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        source, _none = cls.shared_database(
            "webhooks", lambda database: cls.odoo(database, "-i", ADDON)
        )
        cls.use_database(source)
        cls.start_receivers()
        cls.use_conf()
        cls.services = cls.script(
            cls.database,
            "make_webhooks.py",
            {"url": f"https://localhost:{cls.port}", "paths": cls.paths},
        )

    @classmethod
    def use_database(cls, source: str) -> None:
        cls.database = cls.copy_database("world", source)

    @classmethod
    def start_receivers(cls) -> None:
        cls.start_receiver()

    @classmethod
    def start_receiver(cls) -> None:
        folder = tempfile.TemporaryDirectory(dir=cls.workspace.run_dir)
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        process = subprocess.Popen(
            [str(cls.workspace.python), "-m", f"{__package__}.webhook_receiver"]
            + [folder.name],
            cwd=cls.workspace.repo,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        cls.addClassCleanup(process.stdout.close)
        cls.addClassCleanup(process.wait)
        cls.addClassCleanup(process.kill)
        cls.addClassCleanup(process.stdin.close)
        cls.port = int(process.stdout.readline())

    @classmethod
    def ports(cls) -> list[int]:
        """Of the receivers that may be reached."""
        return [cls.port]

    @classmethod
    def use_conf(cls) -> None:
        """From here on every process of this class may reach the receiver."""
        if "workspace" not in vars(cls):
            cls.workspace = copy.copy(cls.workspace)
            cls.addClassCleanup(delattr, cls, "workspace")
        cls.workspace.conf = cls.workspace.write_conf(
            f"system-{cls.__name__}",
            sections=cls.sections(),
        )

    @classmethod
    def sections(cls) -> dict[str, dict[str, object]]:
        """What odoo.conf says of our receivers."""
        return {
            ADDON: {
                "webhook_allow": ",".join(f"localhost:{port}" for port in cls.ports()),
                "webhook_ca_file": cls.folder / "ca.pem",
            }
        }

    def setUp(self):
        super().setUp()
        self.value(self.database, "TRUNCATE fusion_billing_webhook CASCADE")
        for name in ("received", "captured"):
            (self.folder / name).write_text("")
        (self.folder / "go").unlink(missing_ok=True)

    def enqueue(self, code: str, count: int) -> None:
        """Put so many events of a service into the outbox."""
        query = ENQUEUE.format(service=self.services[code], count=count)
        self.value(self.database, query)

    def deliver(self) -> None:
        self.run_jobs(self.database, JOB)

    def receipts(self) -> list[list[str]]:
        """(path, event id) of all requests, in the order of their arrival."""
        lines = (self.folder / "received").read_text(encoding="utf-8").splitlines()
        return [line.split() for line in lines]

    def captured(self) -> list[dict]:
        """All requests: their `headers`, by names in lower case, and `body`."""
        lines = (self.folder / "captured").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def times_received(self) -> Counter:
        """How many events arrived once, twice ...: times -> events."""
        return Counter(Counter(event for _path, event in self.receipts()).values())

    def states(self) -> list[tuple[str, ...]]:
        """(state, attempts, events), as text."""
        return self.rows(self.database, STATES)

    def end_leases(self) -> None:
        """As when two minutes have gone by."""
        self.value(
            self.database,
            "UPDATE fusion_billing_webhook SET lease_expires_at = '2000-01-01'"
            " WHERE lease_expires_at IS NOT NULL",
        )
