from datetime import date, datetime
from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .test_ledger import APRIL, FEBRUARY, MARCH, LedgerCase


class AuditCase(LedgerCase):
    """The charge costs 0.50 a call above 100; windows are months of 2026."""

    def _audit(self):
        self.env.flush_all()
        self.env.invalidate_all()
        return self.env["fusion.billing.audit"]._run(self.company)

    def _findings(self, kind=None):
        findings = self._audit().finding_ids
        return findings.filtered(lambda f: kind in (None, f.kind))

    def _sql(self, query, *parameters):
        """Change the database behind Odoo's back."""
        self.env.flush_all()
        self.env.cr.execute(query, parameters)
        self.env.invalidate_all()

    def _assert_named(self, kind, invariant, difference, order=None):
        """The audit names this one violation, with its subscription and difference."""
        finding = self._findings(kind)
        self.assertEqual(len(finding), 1, finding.mapped("message"))
        self.assertEqual(finding.invariant, invariant)
        self.assertEqual(finding.subscription_id, order or self.order)
        self.assertEqual(finding.difference, difference)
        self.assertIn((order or self.order).name, finding.message)
        return finding


@tagged("post_install", "-at_install")
class TestAuditClean(AuditCase):
    """Whatever regular work does, the audit has nothing to say."""

    def _assert_clean(self):
        audit = self._audit()
        self.assertEqual(audit.finding_ids.mapped("message"), [])
        self.assertEqual(audit.result_ids.filtered("error").mapped("error"), [])
        self.assertEqual(audit.state, "clean")

    def test_usage_invoices_late_usage_and_voids(self):
        self._record(150)
        self.order._fc_rate_usage()
        self._assert_clean()
        self._invoice(FEBRUARY)
        self._assert_clean()
        self._record(30, "2026-01-20 00:00:00")  # late
        wrong = self._record(104, "2026-02-02 00:00:00")
        self._record(5, "2026-07-01 00:00:00")  # of a window to come
        self._record(7, "2025-12-01 00:00:00")  # before the start: unallocated
        self._assert_clean()  # all of it waits to be rated
        self.order._fc_rate_usage()
        self._assert_clean()
        self._invoice(MARCH)
        wrong._void("sent twice")
        self._assert_clean()
        self._invoice(APRIL)
        self._assert_clean()

    def test_credit_notes_and_corrected_invoices(self):
        self._record(200)
        invoice = self._invoice(FEBRUARY)
        credit, _none = self._reverse(invoice)
        self._assert_clean()
        self.order._fc_rate_usage()
        self._assert_clean()
        credit.button_draft()
        self.order._fc_rate_usage()
        self._assert_clean()
        credit.action_post()
        again = self._invoice(MARCH)
        self._assert_clean()
        _credit, corrected = self._reverse(again, modify=True)
        self._assert_clean()
        corrected.action_post()
        self._invoice(APRIL)
        self._assert_clean()

    def test_a_forgiven_invoice(self):
        self._record(200)
        invoice = self._invoice(FEBRUARY)
        wizard = self.env["account.move.reversal"].with_context(
            active_model="account.move", active_ids=invoice.ids
        )
        wizard.create({"journal_id": invoice.journal_id.id}).refund_moves()
        invoice.reversal_move_ids.fc_bill_again = False
        invoice.reversal_move_ids.action_post()
        self._invoice(MARCH)
        self._assert_clean()

    def test_a_price_of_nothing_after_a_credit_note(self):
        """What was given back comes to 0 now, without a rating that says so."""
        self.charge.minimum_amount = 12.0
        invoice = self._invoice(FEBRUARY)
        self._reverse(invoice)
        self.charge.minimum_amount = 0.0
        self.order._fc_rate_usage()
        self.assertEqual(self.order.fc_rating_ids.mapped("state"), ["released"])
        self._assert_clean()

    def test_cancelled_and_deleted_invoices(self):
        self._record(200)
        invoice = self._invoice(FEBRUARY)
        invoice.button_draft()
        self._assert_clean()
        invoice.button_cancel()
        self.order._fc_rate_usage()
        self._assert_clean()
        invoice.button_draft()
        invoice.action_post()
        self.order._fc_rate_usage()
        self._assert_clean()
        self._record(20, "2026-02-10 00:00:00")
        self._invoice(post=False).unlink()
        self._invoice(MARCH)
        self._assert_clean()

    def test_an_invoice_below_zero(self):
        wrong = self._record(200)
        self._invoice(FEBRUARY)
        wrong._void("sent by mistake")
        self.assertEqual(self._invoice(MARCH).move_type, "out_refund")
        self._assert_clean()

    def test_prices_and_plans_that_change(self):
        self._record(150)
        self.order._fc_rate_usage()
        self.charge.active = False
        charge = self._create_charge(price_per_unit=2.0)
        self.order._fc_rate_usage()
        self._assert_clean()
        self._invoice(FEBRUARY)
        self._record(150, "2026-02-10 00:00:00")
        charge.price_per_unit = 3.0
        self._record(10, "2026-01-30 00:00:00")
        self.order._fc_rate_usage()
        self._assert_clean()
        self.order.plan_id = self._create_plan(name="Other plan")
        self._create_charge(plan_id=self.order.plan_id.id, price_per_unit=9.0)
        self.order._fc_rate_usage()
        self._invoice(MARCH)
        self._record(110, "2026-03-02 00:00:00")
        self.order._fc_rate_usage()
        self._assert_clean()

    def test_dates_and_time_zones_that_change(self):
        self._record(150)
        self.order._fc_rate_usage()
        self.order.write({"last_invoice_date": False, "start_date": "2026-01-05"})
        self.order._fc_rate_usage()
        self._assert_clean()
        self._invoice(FEBRUARY)
        self.company.fc_billing_tz = "America/Toronto"
        self._record(150, "2026-02-10 00:00:00")
        self.order._fc_rate_usage()
        self._assert_clean()

    def test_a_pause(self):
        self._record(150)
        self._invoice(FEBRUARY)
        self._record(120, "2026-02-10 00:00:00")
        self.order.subscription_state = "4_paused"
        self._record(9, "2026-03-10 00:00:00")
        self._assert_clean()
        self._set_window(self.order, *APRIL)
        self.order.subscription_state = "3_progress"
        self._record(110, "2026-04-10 00:00:00")
        self.order._fc_rate_usage()
        self._assert_clean()
        self._invoice((date(2026, 5, 1), date(2026, 6, 1)))
        self._assert_clean()

    def test_a_renewal(self):
        self._record(150)
        with freeze_time("2026-01-20"):
            self.order.subscription_state = "5_renewed"
        renewal = self._create_subscription(subscription_id=self.order.id)
        self._set_window(renewal, *FEBRUARY)
        with freeze_time("2026-02-10"):
            self._record(7, "2026-01-25 00:00:00")
            self._record(120, "2026-02-03 00:00:00")
            self.order._fc_bill_last_usage()
            (self.order | renewal)._fc_rate_usage()
        self._assert_clean()

    def test_an_end(self):
        self._record(150)
        with freeze_time("2026-01-20"):
            self.order._fc_close()
        self._record(10, "2026-01-30 00:00:00")
        self._record(10, "2026-02-10 00:00:00")
        self.order._fc_rate_usage()
        self._assert_clean()
        self.order._fc_bill_last_usage()
        self._assert_clean()

    def test_every_aggregation(self):
        for aggregation, expected in (
            ("count", 3),
            ("max", 9),
            ("last", 2),
            ("unique", 2),
        ):
            metric = self._create_metric(code=aggregation, aggregation=aggregation)
            charge = self._create_charge(metric_id=metric.id, included_quota=0)
            answer = self._post_usage(
                *(
                    self._event(
                        metric_code=aggregation,
                        quantity=quantity,
                        unique_key=user,
                        period_start=f"2026-01-{day}T00:00:00.250Z",
                        period_end=f"2026-01-{day}T01:00:00Z",
                    )
                    for quantity, user, day in (
                        ("4.50", "ann", 11),
                        (9, "bob", 12),
                        (2, "ann", 13),
                    )
                )
            )
            self.assertEqual(answer["status"], "ok")
            self.order._fc_rate_usage()
            rating = self.order.fc_rating_ids.filtered(
                lambda r, c=charge: r.charge_id == c
            )
            self.assertEqual(rating.quantity, expected)
        self._assert_clean()

    def test_a_charge_in_another_currency(self):
        euro = self.env["res.currency"].create({"name": "XTE", "symbol": "x"})
        self.env["res.currency.rate"].create(
            {"currency_id": euro.id, "rate": 3.0, "name": "2026-01-01"}
        )
        self.charge.currency_id = euro
        self._record(201)  # 101 x 0.50 / 3 = 16.8333...
        self.order._fc_rate_usage()
        self.assertEqual(self._usage_line().price_unit, 16.83)
        self._invoice(FEBRUARY)
        self._assert_clean()


@tagged("post_install", "-at_install")
class TestAuditRun(AuditCase):
    """Who runs it, who is told, what is kept."""

    def setUp(self):
        super().setUp()
        self._record(150)
        self._invoice(FEBRUARY)

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
        self._break()
        self._sql("UPDATE fusion_billing_rating SET explanation = '{}'")
        with mute_logger("odoo.addons.fusion_centralized_billing.models.audit"):
            audit = self._audit()
        self.assertEqual(audit.state, "failed")
        self.assertEqual(audit.result_ids.filtered("error").mapped("invariant"), ["I6"])
        self.assertEqual(len(audit.result_ids), 10)

    def test_only_so_many_are_kept_and_all_are_counted(self):
        for _number in range(3):
            self._record(1, "2026-01-10 00:00:00", order=self._create_subscription())
        self._sql("UPDATE fusion_billing_usage SET fingerprint = 'x'")
        module = "odoo.addons.fusion_centralized_billing.models.audit_checks.KEPT"
        with patch(module, 2):
            audit = self._audit()
        self.assertEqual(audit.violation_count, 4)
        self.assertEqual(len(audit.finding_ids), 2)

    def test_another_company_is_left_out(self):
        self._break()
        other = self.env["res.company"].create({"name": "Another Company"})
        audit = self.env["fusion.billing.audit"]._run(other)
        self.assertEqual((audit.state, audit.company_id), ("clean", other))

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
        finding = self._findings("line_amount")
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
    """A company can refuse to post what the audit would find wrong."""

    def setUp(self):
        super().setUp()
        self._record(150)
        self.draft = self._invoice(post=False)
        self._sql(
            "UPDATE fusion_billing_rating SET quantity = 149"
            " WHERE subscription_id = %s",
            self.order.id,
        )

    def test_off_unless_asked_for(self):
        self.draft.action_post()
        self.assertEqual(self.draft.state, "posted")

    def test_a_wrong_quantity(self):
        self.company.fc_block_bad_invoices = True
        with self.assertRaisesRegex(UserError, "come to 150, but 149 is rated"):
            self.draft.action_post()

    def test_usage_that_came_since_is_no_reason(self):
        self._sql(
            "UPDATE fusion_billing_rating SET quantity = 150"
            " WHERE subscription_id = %s",
            self.order.id,
        )
        self._record(10, "2026-01-20 00:00:00")
        self.company.fc_block_bad_invoices = True
        self.draft.action_post()
        self.assertEqual(self.draft.state, "posted")

    def test_another_window_is_no_reason(self):
        self.company.fc_block_bad_invoices = True
        other = self._create_subscription()
        self._record(120, order=other)
        draft = other._create_invoices(final=True)
        draft.action_post()
        self.assertEqual(draft.state, "posted")
