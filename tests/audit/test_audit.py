from datetime import datetime
from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .case import AuditCase


@tagged("post_install", "-at_install")
class TestAuditRun(AuditCase):
    """Who runs it, who is told, what is kept."""

    def setUp(self):
        super().setUp()
        self.order = self.subscribe()
        self.at("2026-01-10 12:00:00")
        self.use(150, "2026-01-10")
        self.day("2026-02-01 09:00:00")

    def _break(self):
        self._sql(
            "UPDATE fusion_billing_rating SET amount = 24 WHERE subscription_id = %s",
            self.order.id,
        )

    def test_ten_results(self):
        audit = self._audit()
        self.assertEqual(
            audit.result_ids.mapped("invariant"), [f"I{n}" for n in range(1, 11)]
        )
        checked = dict(audit.result_ids.mapped(lambda r: (r.invariant, r.checked)))
        self.assertEqual((checked["I1"], checked["I2"], checked["I9"]), (1, 1, 1))
        self.assertTrue(audit.finished_at >= audit.started_at)
        self.assertEqual(audit.user_id, self.env.user)

    def test_the_responsible_are_asked_to_look(self):
        self.service.user_id = new_test_user(
            self.env, "audit-manager", "fusion_centralized_billing.group_manager"
        )
        self._break()
        audit = self._audit()
        self.assertEqual(audit.activity_ids.user_id, self.service.user_id)
        self.assertEqual(audit.state, "violations")
        self.assertEqual(audit.violation_count, len(audit.finding_ids))

    def test_a_check_that_fails_stops_no_other(self):
        self._sql("UPDATE fusion_billing_rating SET terms = '{\"model\": 1}'")
        with mute_logger("odoo.addons.fusion_centralized_billing.models.audit.audit"):
            audit = self._audit()
        self.assertEqual(audit.state, "failed")
        self.assertEqual(audit.result_ids.filtered("error").mapped("invariant"), ["I6"])
        self.assertEqual(len(audit.result_ids), 10)

    def test_only_so_many_are_kept_and_all_are_counted(self):
        for number in range(3):
            self.use(1, f"2026-01-1{number}")
        self.rate()
        self._sql("UPDATE fusion_billing_usage SET fingerprint = 'x'")
        module = "odoo.addons.fusion_centralized_billing.models.audit.check.KEPT"
        with patch(module, 2):
            audit = self._audit()
        self.assertEqual(audit.violation_count, 4)
        self.assertEqual(len(audit.finding_ids), 2)

    def test_another_company_is_left_out(self):
        self._break()
        other = self.env["res.company"].create({"name": "Another Company"})
        audit = self.env["fusion.billing.audit"]._run(other)
        self.assertEqual((audit.state, audit.company_id), ("nothing", other))

    def test_who_may_run_it(self):
        reader = new_test_user(
            self.env, "audit-user", "fusion_centralized_billing.group_user"
        )
        manager = new_test_user(
            self.env, "audit-manager", "fusion_centralized_billing.group_manager"
        )
        Audit = self.env["fusion.billing.audit"]
        with self.assertRaisesRegex(AccessError, "Only billing managers"):
            Audit.with_user(reader).action_run()
        action = Audit.with_user(manager).action_run()
        audit = Audit.browse(action["res_id"])
        self.assertEqual(audit.user_id, manager)
        self.assertEqual(len(audit.with_user(reader).result_ids), 10)

    def test_findings_of_other_companies_are_not_seen(self):
        self._break()
        audit = self._audit()
        other = self.env["res.company"].create({"name": "Another Company"})
        reader = new_test_user(
            self.env,
            "audit-other",
            "fusion_centralized_billing.group_user",
            company_id=other.id,
            company_ids=[(6, 0, other.ids)],
        )
        for model in ("audit", "audit.finding", "audit.result"):
            found = self.env[f"fusion.billing.{model}"].with_user(reader).search([])
            self.assertFalse(found.filtered(lambda r: r.company_id == self.company))
        self.assertTrue(audit.finding_ids)

    def test_a_finding_opens_what_it_is_about(self):
        self._break()
        finding = self._findings("rating_amount_changed")
        self.assertEqual(finding.action_open()["res_model"], "fusion.billing.rating")
        self.assertEqual(finding.action_open()["res_id"], finding.rating_id.id)

    def test_old_runs_are_deleted_but_for_the_last(self):
        Audit = self.env["fusion.billing.audit"]
        old, last = self._audit(), self._audit()
        (old | last).started_at = datetime(2020, 1, 1)
        Audit._prune()
        self.assertEqual((old | last).exists(), last)


@tagged("post_install", "-at_install")
class TestAuditBlocks(AuditCase):
    """A company can hold what the audit would find wrong."""

    def setUp(self):
        super().setUp()
        self.order = self.subscribe()
        self.plan.invoice_posting = "draft"
        self.at("2026-01-10 12:00:00")
        self.use(150, "2026-01-10")
        self.day("2026-02-01 09:00:00")
        self.draft = self.documents("draft")
        self._rated_as(149)

    def _rated_as(self, quantity):
        self._sql(
            "UPDATE fusion_billing_rating SET quantity = %s WHERE subscription_id = %s",
            quantity,
            self.order.id,
        )

    def test_off_unless_asked_for(self):
        self.draft.action_post()
        self.assertEqual(self.draft.state, "posted")

    def test_a_wrong_quantity(self):
        self.company.fc_block_bad_invoices = True
        self.draft.action_post()
        self.assertEqual(self.draft.state, "draft")
        self.assertIn("come to 150, but 149 is rated", self.draft.fc_held_reason)

    def test_windows_that_do_not_follow_each_other(self):
        self._rated_as(150)
        self._sql(
            'UPDATE fusion_billing_window SET "end" = "end" - interval \'1 hour\''
            " WHERE subscription_id = %s AND is_settled",
            self.order.id,
        )
        self.company.fc_block_bad_invoices = True
        self.draft.action_post()
        self.assertEqual(self.draft.state, "draft")
        self.assertIn("no window covers the time", self.draft.fc_held_reason)

    def test_usage_that_came_since_is_no_reason(self):
        self._rated_as(150)
        self.use(10, "2026-01-20")
        self.company.fc_block_bad_invoices = True
        self.draft.action_post()
        self.assertEqual(self.draft.state, "posted")

    def test_another_subscription_is_no_reason(self):
        self.company.fc_block_bad_invoices = True
        other = self.subscribe("2026-02-01")
        self.use(120, "2026-02-01", order=other)
        self.day("2026-03-01 09:00:00")
        drafts = self.documents("draft").filtered(
            lambda m: m.invoice_line_ids.sale_line_ids.order_id == other
        )
        drafts.action_post()
        self.assertEqual({*drafts.mapped("state")}, {"posted"})
