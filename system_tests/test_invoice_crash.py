"""Rating and invoicing of usage are killed at each stage, and run again."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from .common import INVOICE_JOB
from .story_case import StoryCase

RATING_JOB = "fusion_centralized_billing.cron_rate_usage"
NOW = datetime(2026, 2, 12, 8)
JANUARY = "2026-01-09T10:00:00"
USAGE = (
    ["a", "calls", "1", "150", JANUARY, None],  # 50 x 0.50 = 25.00
    ["a", "users", "1", "1", JANUARY, "anna"],
    ["a", "users", "2", "1", JANUARY, "bert"],  # 1 x 3 = 3.00
    ["b", "jobs", "1", "1", JANUARY, None],  # a package begun: 1.25
    ["b", "level", "1", "60", JANUARY, None],  # 60 x 0.5 / 7 + 3 = 7.29
)
# The points that each job comes by.
RATED = ("queue read, not rated", "rated, not on the lines")
INVOICED = (
    *(*RATED, "rated, not invoiced", "invoiced, not settled"),
    *("invoiced, not posted", "posted, not told", "posted, not committed"),
)
LEDGER = """
    SELECT o.fc_external_id, m.code, r.window_start, r.revision, r.state,
           trim_scale(r.quantity), trim_scale(r.amount), v.name, v.state
      FROM fusion_billing_rating r
      JOIN sale_order o ON o.id = r.subscription_id
      JOIN fusion_billing_metric m ON m.id = r.metric_id
      LEFT JOIN account_move v ON v.id = r.invoice_id
     ORDER BY 1, 2, 3, 4
"""
AMOUNTS = """
    SELECT o.fc_external_id, m.code, trim_scale(r.amount)
      FROM fusion_billing_rating r
      JOIN sale_order o ON o.id = r.subscription_id
      JOIN fusion_billing_metric m ON m.id = r.metric_id
     WHERE r.state = 'invoiced' AND r.amount != 0 ORDER BY 1, 2
"""
EXPECTED = [
    ("a", "calls", "25"),
    ("a", "users", "3"),
    ("b", "jobs", "1.25"),
    ("b", "level", "7.29"),
    ("b", "users", "2.5"),  # the minimum
]
INVOICES = """
    SELECT v.name, v.state, v.invoice_date, v.amount_total, l.name, l.quantity,
           l.price_unit
      FROM account_move v JOIN account_move_line l ON l.move_id = v.id
     ORDER BY 1, 5, 6, 7
"""
ORDERS = """
    SELECT o.fc_external_id, o.subscription_state, o.last_invoice_date,
           o.next_invoice_date, o.subscription_error, l.name, l.price_unit
      FROM sale_order o JOIN sale_order_line l ON l.order_id = o.id ORDER BY 1, 6
"""
TOLD = """
    SELECT event_type, payload::json->'data'->>'external_id', count(*)
      FROM fusion_billing_webhook GROUP BY 1, 2 ORDER BY 1, 2
"""
QUEUED = "SELECT count(*) FROM fusion_billing_rating_queue"


class TestInvoiceCrash(StoryCase):
    seconds = 60

    def kill_at(self, job: str, point: str) -> None:
        reached = Path(self.workspace.run_dir) / f"{self.killed}-reached"
        self.addCleanup(reached.unlink, missing_ok=True)
        self.kill_when(
            reached.exists,
            self.killed,
            job,
            at=NOW,
            stop=[point, str(reached)],
        )
        reached.unlink()
        # Odoo leaves out a run of a job that was ended three times in a row.
        self.value(self.killed, "DELETE FROM ir_cron_progress")

    def test_killed_is_as_if_undisturbed(self):
        self.play(["usage", *USAGE])
        self.killed = self.copy_database("killed", self.database)
        before = self.rows(self.killed, LEDGER)
        for job, points in ((RATING_JOB, RATED), (INVOICE_JOB, INVOICED)):
            for point in points:
                with self.subTest(job, point=point):
                    self.kill_at(job, point)
                    self.assertNotEqual(self.value(self.killed, QUEUED), "0")
                    self.assertEqual(self.rows(self.killed, LEDGER), before)
        for database in (self.database, self.killed):
            self.run_jobs(database, RATING_JOB, INVOICE_JOB, RATING_JOB, at=NOW)
            self.assertEqual(self.rows(database, AMOUNTS), EXPECTED)
            self.assertEqual(self.oracle(database)[-1][-14:], " 0 differences")
        for query in (LEDGER, INVOICES, ORDERS, TOLD, QUEUED):
            with self.subTest(query.split("FROM")[1].split()[0]):
                expected = self.rows(self.database, query)
                self.assertTrue(expected)
                self.assertEqual(self.rows(self.killed, query), expected)
