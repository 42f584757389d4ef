"""Invoices are charged to saved payment methods, by processes that race or are killed.

A rollback does not bring money back: the provider keeps books of its own, on disk.
"""

import tempfile
from collections import Counter
from datetime import datetime, timedelta, timezone
from pathlib import Path

from .common import INVOICE_JOB, SystemCase

COUNT = 8
KILLS = (1, 9)  # killed when the provider has taken money so many times
NOW = datetime.now(timezone.utc).replace(tzinfo=None)
# two periods are due now: the first, and the one that began a month later
STARTED = NOW - timedelta(days=45)


class TestCharge(SystemCase):
    """Money is taken once for each invoice, whatever happens."""

    seconds = 50

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.source = cls.copy_database("source")
        cls.odoo(cls.source, "-i", "payment_demo")
        cls.script(cls.source, "make_subscriptions.py", {"count": COUNT}, at=STARTED)
        cls.script(cls.source, "make_paying.py")
        folder = tempfile.TemporaryDirectory(dir=cls.workspace.run_dir)
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)

    def charged(self, ledger):
        """Invoice -> how often the provider took money for it."""
        if not ledger.exists():
            return Counter()
        return Counter(ledger.read_text(encoding="utf-8").split())

    def states(self, database):
        """Posted invoice -> how far it is paid, and whether somebody is to look."""
        rows = self.rows(
            database,
            """
            SELECT move.id, move.payment_state, o.payment_exception
              FROM account_move move
              JOIN sale_subscription_period period ON period.move_id = move.id
              JOIN sale_order o ON o.id = period.subscription_id
             WHERE move.state = 'posted'
            """,
        )
        return {move: (paid, asked == "t") for move, paid, asked in rows}

    def test_three_processes_at_once(self):
        database = self.copy_database("race", self.source)
        ledger = self.folder / "race"
        self.race(database, INVOICE_JOB, 3, ledger=str(ledger))
        self.run_jobs(database, INVOICE_JOB, ledger=str(ledger))
        states = self.states(database)
        self.assertEqual(len(states), 2 * COUNT)
        self.assertEqual({*states.values()}, {("paid", False)})
        self.assertEqual(self.charged(ledger), Counter(dict.fromkeys(states, 1)))

    def test_killed(self):
        database = self.copy_database("killed", self.source)
        ledger = self.folder / "killed"
        for times in KILLS:
            self.kill_when(
                lambda times=times: self.charged(ledger).total() >= times,
                database,
                INVOICE_JOB,
                ledger=str(ledger),
            )
        # Within the hour a payment may still be under way; after it, somebody is asked.
        for at in (None, NOW + timedelta(hours=2)):
            self.run_jobs(database, INVOICE_JOB, at=at, ledger=str(ledger))
        states, charged = self.states(database), self.charged(ledger)
        self.assertEqual(len(states), 2 * COUNT)
        self.assertEqual({*charged.values()}, {1}, "charged more than once")
        for move, (paid, asked) in states.items():
            with self.subTest(move):
                if asked:
                    continue
                self.assertEqual((paid, charged[move]), ("paid", 1))
        asked = self.value(
            database, "SELECT count(*) FROM sale_order WHERE payment_exception"
        )
        self.assertLessEqual(int(asked), len(KILLS))
