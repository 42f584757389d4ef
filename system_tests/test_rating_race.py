"""Several processes rate the same subscriptions at once; some are killed."""

from __future__ import annotations

import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

from .api import ApiCase, now

COUNT = 60
UNITS = 7
# Of each: what its line says, and the ledger. A unit costs 1, none is free.
AMOUNTS = """
    SELECT l.price_unit, r.amount, r.quantity, r.revision, count(*)
      FROM sale_order o
      LEFT JOIN sale_order_line l ON l.order_id = o.id AND l.fc_charge_id IS NOT NULL
      LEFT JOIN fusion_billing_rating r
        ON r.subscription_id = o.id AND r.state = 'open' AND r.amount != 0
     WHERE o.fc_external_id LIKE 'closing-%'
     GROUP BY 1, 2, 3, 4 ORDER BY 1
"""
QUEUED = "SELECT count(*) FROM fusion_billing_rating_queue"


class TestRatingRace(ApiCase):
    seconds = 40

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.orders = cls.script(
            cls.database,
            "make_closing.py",
            {"count": COUNT},
            at=(now() - timedelta(days=3)).replace(tzinfo=None),
        )
        cls.rate()  # what making them has queued
        cls.total = 0

    @classmethod
    def rate(cls) -> None:
        cls.run_jobs(cls.database, "fusion_centralized_billing.cron_rate_usage")

    def post(self) -> None:
        events = [
            self.event(subscription_external_id=name, quantity=UNITS)
            for name in self.orders
        ]
        self.assertEqual(self.api.usage(events).body["accepted"], COUNT)
        type(self).total += UNITS

    def start_raters(self, count: int, slow: float) -> list:
        """Processes that begin at once, each ``slow`` seconds a batch."""
        folder = Path(tempfile.mkdtemp(dir=self.workspace.run_dir))
        self.addCleanup(shutil.rmtree, folder)
        go = folder / "go"
        ready = [folder / f"ready-{number}" for number in range(count)]
        processes = [
            self.start_script(
                self.database,
                "run_rating.py",
                {"ready": str(path), "go": str(go), "slow": slow},
                at=None,
                name=f"rater-{number}",
            )
            for number, path in enumerate(ready)
        ]
        self.wait_for(lambda: all(path.exists() for path in ready), processes)
        go.touch()
        return processes

    def printed(self, number: int) -> int:
        """How many subscriptions a process says it has rated."""
        name = f"system-{type(self).__name__}-rater-{number}.log"
        lines = (self.workspace.logs / name).read_text(encoding="utf-8").split()
        return int(lines[-1])

    def check_amounts(self) -> None:
        """Every subscription once, with everything that was posted."""
        self.assertEqual(self.psql(QUEUED), "0")
        total = str(self.total)
        [row] = self.psql(AMOUNTS).splitlines()
        price, amount, quantity, revision, count = row.split("|")
        self.assertEqual((revision, count), ("0", str(COUNT)))
        for text in (price, amount, quantity):
            self.assertEqual(float(text), float(total))

    def test_three_processes_share_the_work(self):
        self.post()
        raters = self.start_raters(3, slow=0.5)
        self.assertEqual([process.wait() for process in raters], [0, 0, 0])
        shares = [self.printed(number) for number in range(3)]
        self.assertEqual(sum(shares), COUNT, shares)
        self.assertTrue(all(shares), f"they did not run at once: {shares}")
        self.check_amounts()

    def test_killed_between_and_inside_batches(self):
        self.post()
        for _ in range(3):
            before = int(self.psql(QUEUED))
            [rater] = self.start_raters(1, slow=0.3)
            self.wait_for(lambda b=before: int(self.psql(QUEUED)) < b, [rater])
            rater.kill()
            rater.wait()
            self.assertGreater(int(self.psql(QUEUED)), 0, "it was done before")
        self.rate()
        self.check_amounts()
