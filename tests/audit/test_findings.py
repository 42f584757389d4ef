from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .case import AuditCase

AUDIT = "odoo.addons.fusion_centralized_billing.models.audit.audit"


@tagged("post_install", "-at_install")
class TestFindings(AuditCase):
    """A finding is one record from run to run, and people say what becomes of it."""

    def setUp(self):
        super().setUp()
        self.order = self.subscribe()
        self.at("2026-01-10 12:00:00")
        self.use(150, "2026-01-10")
        self.day("2026-02-01 09:00:00")
        self.manager = new_test_user(
            self.env, "findings-manager", "fusion_centralized_billing.group_manager"
        )
        self.reader = new_test_user(
            self.env, "findings-reader", "fusion_centralized_billing.group_user"
        )

    def _amount(self, amount):
        """The rating says so, behind Odoo's back; 25.00 is right."""
        self._sql(
            "UPDATE fusion_billing_rating SET amount = %s WHERE subscription_id = %s",
            amount,
            self.order.id,
        )

    def _break(self):
        self._amount(24)
        audit = self._audit()
        return audit.finding_ids.filtered(lambda f: f.kind == "rating_amount_changed")

    def test_a_finding_is_the_same_one_in_the_next_run(self):
        finding = self._break()
        self.at("2026-02-02 09:00:00")
        again = self._audit()
        self.assertIn(finding, again.finding_ids)
        self.assertEqual(finding.state, "open")
        self.assertEqual(finding.audit_id, again)
        self.assertEqual(len(finding.audit_ids), 2)
        self.assertEqual((finding.first_seen_at.day, finding.last_seen_at.day), (1, 2))

    def test_it_opens_what_the_reader_may_read(self):
        """*Open* of a finding about an invoice ended in an access error."""
        finding = self._break()
        self.assertTrue(finding.with_user(self.reader).can_open)
        about = ("rating_id", "subscription_id", "service_id")
        finding.write(dict.fromkeys(about) | {"move_id": self.order.invoice_ids[:1].id})
        self.assertFalse(finding.with_user(self.reader).can_open)
        with self.assertRaisesRegex(UserError, "you may read"):
            finding.with_user(self.reader).action_open()
        accountant = new_test_user(
            self.env,
            "findings-accountant",
            "fusion_centralized_billing.group_user,account.group_account_invoice",
        )
        seen = finding.with_user(accountant)
        self.assertTrue(seen.can_open)
        self.assertEqual(seen.action_open()["res_model"], "account.move")

    def test_what_is_mended_is_gone_and_opens_when_it_is_back(self):
        finding = self._break()
        self._amount(25)
        clean = self._audit()
        self.assertEqual((clean.state, finding.state), ("clean", "gone"))
        self.assertTrue(finding.gone_at)
        self._amount(24)
        self.assertEqual(self._audit().state, "violations")
        self.assertEqual((finding.state, finding.gone_at), ("open", False))

    def test_what_is_explained_is_no_longer_counted_until_its_figures_change(self):
        self._break()
        last = self.env["fusion.billing.audit"].search([], limit=1)
        findings = last.finding_ids
        findings.with_user(self.manager)._explain("agreed with the customer")
        self.assertEqual({*findings.mapped("state")}, {"accepted"})
        self.assertEqual(findings[0].reason, "agreed with the customer")
        self.assertEqual(findings[0].settled_uid, self.manager)
        self.assertEqual((last.state, last.open_count), ("explained", 0))
        self.assertEqual(self._audit().state, "explained")
        self._amount(23)
        self.assertEqual(self._audit().state, "violations")
        [changed] = findings.filtered(lambda f: f.kind == "rating_amount_changed")
        self.assertEqual((changed.state, changed.reason), ("open", False))

    def test_who_may_and_how(self):
        finding = self._break()
        mine = finding.with_user(self.manager)
        mine.action_take()
        self.assertEqual((finding.state, finding.user_id), ("progress", self.manager))
        with self.assertRaisesRegex(UserError, "Explain why"):
            mine._explain("  ")
        for act in (
            lambda: finding.with_user(self.reader).action_take(),
            lambda: finding.with_user(self.reader)._explain("x"),
            lambda: finding.with_user(self.reader).action_reopen(),
            lambda: mine.write({"state": "accepted"}),
            lambda: mine.write({"reason": "x"}),
        ):
            with self.assertRaises(AccessError):
                act()
        wizard = (
            self.env["fusion.billing.audit.explain.wizard"]
            .with_user(self.manager)
            .with_context(**mine.action_open_explain_wizard()["context"])
            .create({"reason": "known"})
        )
        wizard.action_explain()
        self.assertEqual((finding.state, finding.reason), ("accepted", "known"))
        mine.action_reopen()
        self.assertEqual((finding.state, finding.reason), ("open", False))

    def test_what_is_gone_is_not_explained(self):
        finding = self._break()
        self._amount(25)
        self._audit()
        with self.assertRaisesRegex(UserError, "resolved"):
            finding._explain("too late")

    def test_what_was_not_looked_at_is_not_gone(self):
        """The order waits to be rated: that nothing is found of it proves nothing."""
        finding = self._break()
        self._amount(25)
        self.env["fusion.billing.rating.queue"]._add(self.order)
        audit = self._audit()
        self.assertEqual((audit.state, audit.waiting_count), ("partial", 1))
        self.assertEqual(finding.state, "open")
        self.assertIn("1 subscriptions were checked only in part", audit.words)

    def test_a_check_that_failed_makes_nothing_gone(self):
        finding = self._break()
        self._amount(25)
        check = "fusion.billing.audit.ledger"
        with (
            patch.object(
                self.env.registry[check], "_check_i4", side_effect=ValueError("broken")
            ),
            self.assertLogs(AUDIT, "ERROR"),
        ):
            audit = self._audit()
        self.assertEqual((audit.state, finding.state), ("failed", "open"))

    def test_what_is_beyond_the_kept_ones_is_not_gone(self):
        for number in range(3):
            self.use(1, f"2026-01-1{number}")
        self.rate()
        self._sql("UPDATE fusion_billing_usage SET fingerprint = 'x'")
        found = self._audit().finding_ids.filtered(lambda f: f.kind == "event_changed")
        self.assertEqual(len(found), 4)
        with patch("odoo.addons.fusion_centralized_billing.models.audit.check.KEPT", 2):
            self._audit()
        self.assertEqual({*found.mapped("state")}, {"open"})

    def test_a_run_of_another_company_says_nothing_of_this_one(self):
        finding = self._break()
        other = self.env["res.company"].create({"name": "Another Company"})
        audit = self.env["fusion.billing.audit"]._run(other)
        self.assertEqual((audit.state, audit.checked_count), ("nothing", 0))
        self.assertIn("nothing to check", audit.words)
        self.assertEqual(finding.state, "open")

    def test_a_check_of_nothing_is_not_good(self):
        results = self._audit().result_ids
        state = dict(results.mapped(lambda r: (r.invariant, r.state)))
        self.assertEqual((state["I1"], state["I8"]), ("agree", "with_i2"))
        other = self.env["res.company"].create({"name": "Another Company"})
        results = self.env["fusion.billing.audit"]._run(other).result_ids
        states = {*results.mapped("state")} - {"with_i2"}
        self.assertEqual(states, {"nothing"})

    def test_an_empty_list_says_which_run_found_nothing(self):
        Finding = self.env["fusion.billing.audit.finding"]
        self.env["fusion.billing.audit"].search([]).unlink()
        self.assertIn("No audit has run yet", Finding.get_empty_list_help(""))
        audit = self._audit()
        said = Finding.get_empty_list_help("")
        self.assertIn(f"checked {audit.checked_count} events", said)
        self.assertNotIn("days ago", said)
        self.at("2026-02-05 09:00:00")
        self.assertIn("That was 4 days ago", Finding.get_empty_list_help(""))

    def test_the_lists_open_on_what_is_open(self):
        action = self.env.ref("fusion_centralized_billing.audit_finding_action")
        self.assertIn("search_default_unsettled", action.context)

    def test_a_large_run_is_seen_to_wait(self):
        Audit = self.env["fusion.billing.audit"].with_user(self.manager)
        with patch(f"{AUDIT}.AT_ONCE", -2):
            action = Audit.browse().action_run()
        audit = Audit.browse(action["res_id"])
        self.assertEqual((audit.state, audit.user_id), ("waiting", self.manager))
        self.env.flush_all()
        with self.enter_registry_test_mode():
            self.env.ref("fusion_centralized_billing.cron_jobs").method_direct_trigger()
        self.env.invalidate_all()
        self.assertEqual(audit.state, "clean")
        self.assertGreater(audit.checked_count, 0)

    def test_gone_findings_are_pruned_but_not_what_has_a_reason(self):
        finding = self._break()
        audit = finding.audit_id
        finding._explain("agreed")
        self._amount(25)
        self._audit()
        others = audit.finding_ids - finding
        self.assertEqual((finding.state, finding.reason), ("gone", "agreed"))
        long_ago = fields.Datetime.now() - timedelta(days=100)
        (finding | others).write({"gone_at": long_ago, "state": "gone"})
        self.env["fusion.billing.audit"]._prune()
        self.assertEqual((finding | others).exists(), finding)
