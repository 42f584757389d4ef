"""What takes long is killed in its midst, and goes on when the server is back."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path

from .story_case import StoryCase

JOB = "fusion_centralized_billing.cron_jobs"
NOW = datetime(2026, 1, 20, 8)
ROWS = 3_000
JOBS = "SELECT work, state, attempts FROM fusion_billing_job ORDER BY id"
USAGE = "SELECT count(*), count(DISTINCT idempotency_key) FROM fusion_billing_usage"
IMPORT = "SELECT state, done_count, accepted_count FROM fusion_billing_usage_import"
LINES = "SELECT count(*) > 0 FROM fusion_billing_control_line"


class TestJobCrash(StoryCase):
    seconds = 60

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.script(cls.database, "make_jobs.py", {"rows": ROWS}, at=NOW)
        cls.folder = Path(tempfile.mkdtemp(dir=cls.workspace.run_dir))

    def kill_at(self, point: str) -> None:
        reached = self.folder / "reached"
        self.kill_when(
            reached.exists, self.database, JOB, at=NOW, stop=[point, str(reached)]
        )
        reached.unlink()
        # Odoo leaves out a run of a job that was ended three times in a row.
        self.value(self.database, "DELETE FROM ir_cron_progress")

    def test_it_goes_on_and_does_nothing_twice(self):
        """An import in its second batch; then a period that is computed, three times.

        The first thousand rows stay. What is killed again and again is given up.
        """
        self.kill_at("rows stored, not committed")
        self.assertEqual(self.rows(self.database, USAGE), [("1000", "1000")])
        self.assertEqual(
            self.rows(self.database, JOBS),
            [("_work_file", "running", "1"), ("_compute_now", "waiting", "0")],
        )
        for attempt in ("1", "2", "3"):
            self.kill_at("totals made, not committed")
            self.assertEqual(
                self.rows(self.database, JOBS),
                [("_work_file", "done", "2"), ("_compute_now", "running", attempt)],
            )
        count = str(ROWS)
        self.assertEqual(self.rows(self.database, USAGE), [(count, count)])
        self.assertEqual(self.rows(self.database, IMPORT), [("done", count, count)])
        self.run_jobs(self.database, JOB, at=NOW)
        self.assertEqual(
            self.rows(self.database, JOBS)[1], ("_compute_now", "failed", "3")
        )
        self.assertEqual(self.value(self.database, LINES), "f")
