from datetime import date
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ..control.case import ControlCase

MODELS = "odoo.addons.fusion_centralized_billing.models"


@tagged("post_install", "-at_install")
class TestJob(ControlCase):
    """Whatever takes long: asked for once, seen to be done, never at work for ever."""

    def setUp(self):
        super().setUp()
        self._record(300)
        self.manager = new_test_user(
            self.env,
            "job-manager",
            "fusion_centralized_billing.group_manager,account.group_account_invoice",
        )
        self.period = self.env["fusion.billing.control"].create(
            {"date_start": "2026-01-01", "date_end": "2026-01-31"}
        )
        self.period = self.period.with_user(self.manager)
        Job = type(self.env["fusion.billing.job"])
        self.startPatch(patch.object(Job, "_has_many_events", lambda job, most: True))

    def startPatch(self, patcher):
        self.addCleanup(patcher.stop)
        return patcher.start()

    def _run(self):
        """The scheduled action runs."""
        self.env.flush_all()
        with self.enter_registry_test_mode():
            self.env.ref("fusion_centralized_billing.cron_jobs").method_direct_trigger()
        self.env.invalidate_all()

    def _jobs(self, record):
        return self.env["fusion.billing.job"].search(
            [("res_model", "=", record._name), ("res_id", "=", record.id)]
        )

    def test_a_button_does_not_wait_and_begins_once(self):
        self.period.action_compute()
        self.assertEqual(self.period.job_state, "waiting")
        self.assertFalse(self.period.computed_at)
        with self.assertRaisesRegex(UserError, "at work already"):
            self.period.action_compute()
        self.assertEqual(len(self._jobs(self.period)), 1)
        self._run()
        self.assertEqual(self.period.job_state, "done")
        self.assertEqual(self.line(self.period).accepted_quantity, 300)
        self.assertEqual(self.period.write_uid, self.manager)
        # Done, it can be asked for again.
        self.period.action_compute()
        self.assertEqual(self.period.job_state, "waiting")

    def test_it_is_seen_how_far_it_is(self):
        seen = []
        Store = type(self.env["fusion.billing.control"])
        original = Store._worst_states

        def look(control):
            original(control)
            if control.id == self.period.id:
                job = self._jobs(control)
                job.invalidate_recordset()
                seen.append((job.state, job.done_count, job.total_count))

        self.period.action_compute()
        with patch.object(Store, "_worst_states", look):
            self._run()
        self.assertEqual(seen, [("running", 3, 4)])

    def test_what_fails_says_why_and_stops_no_other(self):
        """One period cannot be computed; the one that was asked for later is."""
        other = self.period.create(
            {"date_start": "2026-02-01", "date_end": "2026-02-28"}
        )
        (self.period | other).action_compute()
        Control = type(self.env["fusion.billing.control"])
        original = Control._compute_now

        def compute(control):
            if control.id == self.period.id:
                control.note = "half done"
                control.flush_recordset()
                raise ZeroDivisionError("no rate")
            return original(control)

        with patch.object(Control, "_compute_now", compute):
            with self.assertLogs(f"{MODELS}.base.job", "ERROR"):
                self._run()
        self.assertEqual((self.period.job_state, other.job_state), ("failed", "done"))
        self.assertEqual(self.period.job_problem, "no rate")
        self.assertFalse(self.period.note)
        self.period.action_compute()
        self._run()
        self.assertEqual(
            (self.period.job_state, self.period.job_problem), ("done", False)
        )

    def test_what_was_killed_is_begun_again_and_given_up_at_last(self):
        self.period.action_compute()
        job = self._jobs(self.period)
        job.write({"state": "running", "attempts": 2})
        self._run()
        self.assertEqual(job.state, "done")
        self.period.action_compute()
        job = self._jobs(self.period)[0]
        job.write({"state": "running", "attempts": 3})
        self._run()
        self.assertEqual(job.state, "failed")
        self.assertIn("interrupted 3 times", self.period.job_problem)

    def test_a_transaction_that_fails_lets_go_of_the_job(self):
        """The lock is of the connection, and would outlive it; the next run goes on."""
        self.period.action_compute()
        job = self._jobs(self.period)
        with (
            patch.object(type(job), "_do", lambda j: j.env.cr.execute("SELECT 1/0")),
            mute_logger("odoo.sql_db"),
            self.assertLogs("odoo.addons.base.models.ir_cron", "ERROR"),
        ):
            self._run()
        self.env.cr.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
            " AND pid = pg_backend_pid() AND objid = %s",
            [job.id],
        )
        self.assertEqual(self.env.cr.fetchone(), (0,))
        self._run()
        self.assertEqual(self.period.job_state, "done")

    def test_a_record_that_was_deleted(self):
        self.period.action_compute()
        job = self._jobs(self.period)
        self.period.unlink()
        self._run()
        self.assertEqual(job.state, "failed")

    def test_an_audit(self):
        Audit = self.env["fusion.billing.audit"].with_user(self.manager)
        first = Audit.browse().action_run()["res_id"]
        self.assertEqual(Audit.browse().action_run()["res_id"], first)
        audit = Audit.browse(first)
        self.assertEqual((audit.state, audit.job_state), ("waiting", "waiting"))
        self._run()
        self.assertEqual(audit.job_state, "done")
        self.assertNotEqual(audit.state, "waiting")
        self.assertEqual(len(audit.result_ids), 10)

    def test_an_audit_that_fails(self):
        Audit = self.env["fusion.billing.audit"].with_user(self.manager)
        audit = Audit.browse(Audit.browse().action_run()["res_id"])
        with patch.object(type(Audit), "_judge_run", side_effect=UserError("no")):
            self._run()
        self.assertEqual((audit.state, audit.job_problem), ("failed", "no"))
        self.assertTrue(audit.finished_at)

    def _accrual(self):
        account = self.env["account.account"].create(
            {
                "name": "Accrued usage",
                "code": "198765",
                "account_type": "asset_current",
            }
        )
        journal = self.env["account.journal"].search(
            [("type", "=", "general"), ("company_id", "=", self.company.id)], limit=1
        )
        return (
            self.env["fusion.billing.accrual"]
            .with_user(self.manager)
            ._prepare(self.company, date(2026, 1, 31), journal, account)
        )

    def test_an_accrual(self):
        """200 calls above 100 at 0.50: 100.00 are accrued, and posted once."""
        accrual = self._accrual()
        self.assertEqual((accrual.job_state, accrual.line_count), ("waiting", 0))
        with self.assertRaisesRegex(UserError, "at work already"):
            accrual.action_post_entries()
        with self.assertRaisesRegex(UserError, "being worked on"):
            accrual.action_cancel()
        self._run()
        self.assertEqual((accrual.job_state, accrual.balance), ("done", 100.0))
        accrual.action_post_entries()
        self.assertEqual((accrual.job_state, accrual.state), ("waiting", "draft"))
        self._run()
        self.assertEqual((accrual.job_state, accrual.state), ("done", "posted"))
        self.assertEqual(accrual.posted_by_id, self.manager)
        # Killed when it was posted, and before that was noted: nothing is posted anew.
        entry = accrual.move_id
        self._jobs(accrual)[0].state = "running"
        self._run()
        self.assertEqual((accrual.state, accrual.move_id), ("posted", entry))

    def test_an_accrual_that_is_another_one_by_now(self):
        accrual = self._accrual()
        self._run()
        self._record(10)
        accrual.action_post_entries()
        self._run()
        self.assertEqual((accrual.state, accrual.balance), ("draft", 105.0))
        said = accrual.message_ids.mapped("body")
        self.assertTrue(any("Nothing is posted yet" in body for body in said))

    def test_a_large_spreadsheet(self):
        """It is made in the background, and anew once the figures are."""
        self.period.action_compute()
        self._run()
        with patch(f"{MODELS}.control.export.LINES_AT_ONCE", 0):
            self.assertEqual(self.period.action_export()["tag"], "soft_reload")
            self.assertEqual(self.period.action_export()["tag"], "soft_reload")
            self.assertEqual(self.period.job_state, "waiting")
            self._run()
            url = self.period.action_export()["url"]
            self.assertIn("/xlsx_file/", url)
            self.assertTrue(self.period.xlsx_file)
            self.period.action_compute()
            self._run()
            self.assertFalse(self.period.xlsx_file)
            self.assertEqual(self.period.action_export()["tag"], "soft_reload")

    def test_little_is_done_at_once(self):
        Job = type(self.env["fusion.billing.job"])
        with patch.object(Job, "_has_many_events", lambda job, most: False):
            self.period.action_compute()
        self.assertTrue(self.period.computed_at)
        self.assertFalse(self.period.job_state)
        self.assertFalse(self._jobs(self.period))
