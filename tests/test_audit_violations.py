import json

from odoo.tests import tagged

from .test_audit import AuditCase
from .test_ledger import FEBRUARY


@tagged("post_install", "-at_install")
class TestAuditViolations(AuditCase):
    """Each violation is planted in the database; the audit names it."""

    def setUp(self):
        super().setUp()
        self._record(150)
        self.invoice = self._invoice(FEBRUARY)  # 50 x 0.50
        self.event = self._record(140, "2026-02-10 00:00:00")
        self.order._fc_rate_usage()
        self.january, self.february = self.order.fc_rating_ids.sorted("window_start")
        self.assertFalse(self._findings())

    def _copy_row(self, table, row_id, **values):
        """Insert a copy of a row, with these values instead of its own."""
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s",
            [table],
        )
        columns = [name for [name] in self.env.cr.fetchall() if name != "id"]
        chosen = ", ".join("%s" if name in values else name for name in columns)
        self._sql(
            f"INSERT INTO {table} ({', '.join(columns)})"
            f" SELECT {chosen} FROM {table} WHERE id = %s",
            *(values[name] for name in columns if name in values),
            row_id,
        )

    # -- I1 --------------------------------------------------------------------

    def test_an_event_stored_twice(self):
        self._sql(
            "ALTER TABLE fusion_billing_usage DROP CONSTRAINT"
            " fusion_billing_usage_idempotency"
        )
        self._copy_row("fusion_billing_usage", self.event.id)
        self._assert_named("event_twice", "I1", "+1")
        # and what it does to the quantity: 280 instead of 140
        self._assert_named("quantity", "I2", "-140")

    def test_an_event_below_zero(self):
        self._sql(
            "ALTER TABLE fusion_billing_usage DROP CONSTRAINT"
            " fusion_billing_usage_quantity_valid"
        )
        self._sql(
            "UPDATE fusion_billing_usage SET quantity = -1 WHERE id = %s", self.event.id
        )
        self.assertIn("-1", self._assert_named("event_invalid", "I1", "").message)

    def test_an_event_without_a_key(self):
        self._sql(
            "UPDATE fusion_billing_usage SET idempotency_key = NULL WHERE id = %s",
            self.event.id,
        )
        self._assert_named("event_nameless", "I1", "")

    def test_an_event_on_a_renewal_too(self):
        renewal = self._create_subscription(subscription_id=self.order.id)
        self._copy_row(
            "fusion_billing_usage", self.event.id, subscription_id=renewal.id
        )
        self._assert_named("event_on_renewal_too", "I1", "+1", renewal)

    def test_acknowledged_events_that_are_not_there(self):
        self._sql(
            "INSERT INTO fusion_billing_api_log (service_id, called_at, method, route,"
            " status, duration_ms, accepted)"
            " VALUES (%s, '2026-02-11 10:00:00', 'POST', '/usage', 200, 20, 3)",
            self.service.id,
        )
        self._sql(
            "UPDATE fusion_billing_usage SET received_at = '2026-02-11 10:00:00',"
            " service_id = %s WHERE id = %s",
            self.service.id,
            self.event.id,
        )
        finding = self._findings("event_lost")
        self.assertEqual((finding.invariant, finding.difference), ("I1", "-2"))
        self.assertEqual(finding.service_id, self.service)

    # -- I2 --------------------------------------------------------------------

    def test_usage_that_was_not_rated(self):
        self._sql("DELETE FROM fusion_billing_usage WHERE id = %s", self.event.id)
        finding = self._assert_named("quantity", "I2", "+140")
        self.assertIn("2026-02-01 to 2026-02-28", finding.message)
        self.assertEqual(finding.rating_id, self.february)

    def test_what_waits_to_be_rated_is_left_out_and_counted(self):
        self._record(3, "2026-01-31 00:00:00")
        audit = self._audit()
        self.assertEqual((audit.state, audit.waiting_count), ("clean", 1))
        self._sql("DELETE FROM fusion_billing_rating_queue")
        self._assert_named("quantity", "I2", "-3")

    def test_usage_before_what_waits_is_not_left_out(self):
        self._sql(
            "UPDATE fusion_billing_usage SET quantity = 151 WHERE subscription_id = %s"
            " AND period_start < '2026-02-01'",
            self.order.id,
        )
        self._record(3, "2026-02-20 00:00:00")
        self._assert_named("quantity", "I2", "-1")

    def test_a_flag_that_is_wrong(self):
        self._sql(
            "UPDATE fusion_billing_usage SET unallocated = true WHERE id = %s",
            self.event.id,
        )
        self._assert_named("flagged_but_billed", "I2", "+1")

    def test_a_flag_that_is_missing(self):
        early = self._record(5, "2025-06-01 00:00:00")
        self.order._fc_rate_usage()
        self._sql(
            "UPDATE fusion_billing_usage SET unallocated = false WHERE id = %s",
            early.id,
        )
        self._assert_named("in_no_window", "I2", "+1")

    def test_a_window_without_a_rating(self):
        self._sql("DELETE FROM fusion_billing_rating WHERE id = %s", self.february.id)
        self._assert_named("not_rated", "I2", "-1")

    # -- I3 --------------------------------------------------------------------

    def test_a_second_charge_for_the_same_usage(self):
        other = self._create_charge(plan_id=self._create_plan(name="Other").id)
        self._copy_row(
            "fusion_billing_rating",
            self.january.id,
            charge_id=other.id,
            closed_at=None,
            invoice_line_id=None,
            amount=7,
        )
        finding = self._assert_named("billed_by_two_charges", "I3", "+7.00")
        self.assertIn("2026-01-01 to 2026-01-31", finding.message)

    def test_a_posted_copy_of_an_invoice(self):
        copy = self.invoice.copy()
        line = self._usage_lines(self.invoice)
        self._sql(
            "UPDATE account_move_line SET fc_copied_from_id = %s"
            " WHERE move_id = %s AND product_id = %s",
            line.id,
            copy.id,
            self.usage_product.id,
        )
        copy.action_post()
        finding = self._assert_named("line_copied", "I3", "+25.00")
        self.assertEqual(finding.move_id, copy)

    def test_an_invoice_line_without_a_rating(self):
        self._sql(
            "UPDATE fusion_billing_rating SET invoice_line_id = NULL WHERE id = %s",
            self.january.id,
        )
        self._assert_named("line_without_rating", "I3", "+25.00")

    def test_a_posted_invoice_whose_usage_is_billed_again(self):
        self._sql(
            "UPDATE fusion_billing_rating SET state = 'released' WHERE id = %s",
            self.january.id,
        )
        self._assert_named("released_but_posted", "I3", "+25.00")
        self._assert_named("amount", "I6", "-25.00")

    # -- I4 --------------------------------------------------------------------

    def test_an_event_that_was_changed(self):
        self._sql(
            "UPDATE fusion_billing_usage"
            " SET period_end = period_end + interval '1 hour' WHERE id = %s",
            self.event.id,
        )
        finding = self._assert_named("event_changed", "I4", "")
        self.assertEqual(finding.usage_ref, self.event.id)

    def test_a_rating_that_was_changed(self):
        self._sql(
            "UPDATE fusion_billing_rating SET amount = 24 WHERE id = %s",
            self.january.id,
        )
        self._assert_named("rating_amount_changed", "I4", "-1.00")
        self._assert_named("line_amount", "I6", "+1.00")

    def test_a_quantity_that_was_changed(self):
        self._sql(
            "UPDATE fusion_billing_rating SET quantity = 149 WHERE id = %s",
            self.january.id,
        )
        self._assert_named("rating_quantity_changed", "I4", "-1")
        self._assert_named("quantity", "I2", "-1")

    def test_another_price_after_the_invoice(self):
        self._record(10, "2026-01-30 00:00:00")
        self.order._fc_rate_usage()
        late = self.order.fc_rating_ids.filtered("revision")
        self._sql(
            "UPDATE fusion_billing_rating SET explanation ="
            " jsonb_set(explanation, '{unit_price}', '\"0.6\"') WHERE id = %s",
            late.id,
        )
        finding = self._assert_named("terms_changed", "I4", "")
        self.assertEqual(finding.rating_id, late)

    # -- I5 --------------------------------------------------------------------

    def test_windows_that_overlap(self):
        self._sql(
            "UPDATE fusion_billing_rating SET window_end = '2026-02-15' WHERE id = %s",
            self.january.id,
        )
        # January 25.00, and February 40 x 0.50 = 20.00
        finding = self._assert_named("windows_overlap", "I5", "+20.00")
        self.assertIn("2026-02-01 to 2026-02-14", finding.message)

    def test_a_gap_with_usage(self):
        self._record(3, "2026-01-31 12:00:00")
        self.order._fc_rate_usage()
        self._sql(
            "UPDATE fusion_billing_rating SET window_end = '2026-01-31'"
            " WHERE subscription_id = %s AND window_start = '2026-01-01'",
            self.order.id,
        )
        finding = self._assert_named("in_a_gap", "I5", "+1")
        self.assertIn("2026-01-31", finding.message)

    # -- I6 --------------------------------------------------------------------

    def test_an_amount_that_is_not_the_price(self):
        explanation = dict(self.february.explanation, rounded="21")
        self._sql(
            "UPDATE fusion_billing_rating SET amount = 21, explanation = %s"
            " WHERE id = %s",
            json.dumps(explanation),
            self.february.id,
        )
        finding = self._assert_named("amount", "I6", "+1.00")
        self.assertEqual(finding.rating_id, self.february)

    def test_an_invoice_line_that_is_not_the_rating(self):
        line = self._usage_lines(self.invoice)
        self._sql("UPDATE account_move_line SET price_unit = 26 WHERE id = %s", line.id)
        finding = self._assert_named("line_amount", "I6", "+1.00")
        self.assertEqual(finding.move_id, self.invoice)

    def test_an_amount_on_no_invoice(self):
        self._sql(
            "UPDATE account_move SET state = 'cancel' WHERE id = %s", self.invoice.id
        )
        self._assert_named("billed_nowhere", "I6", "-25.00")

    # -- I7 --------------------------------------------------------------------

    def test_two_open_ratings(self):
        self._sql("DROP INDEX fusion_billing_rating_one_open")
        self._copy_row("fusion_billing_rating", self.february.id, revision=1)
        self._assert_named("two_open", "I7", "+1")

    def test_a_revision_that_is_missing(self):
        self._sql(
            "UPDATE fusion_billing_rating SET revision = 2 WHERE id = %s",
            self.january.id,
        )
        self._assert_named("revisions", "I7", "-2")

    def test_an_order_line_that_is_not_the_rating(self):
        self._sql(
            "UPDATE sale_order_line SET price_unit = 19 WHERE id = %s",
            self._usage_line().id,
        )
        self._assert_named("order_line", "I7", "-1.00")

    # -- I9 --------------------------------------------------------------------

    def test_another_company(self):
        other = self.env["res.company"].create({"name": "Another Company"})
        self._sql(
            "UPDATE fusion_billing_rating SET company_id = %s WHERE id = %s",
            other.id,
            self.january.id,
        )
        finding = self._assert_named("other_company", "I9", "")
        self.assertIn("Another Company", finding.message)

    def test_usage_of_an_app_of_another_company(self):
        other = self.env["res.company"].create({"name": "Another Company"})
        service = self._create_service(code="other-app", company_id=other.id)
        self._sql(
            "UPDATE fusion_billing_usage SET service_id = %s WHERE id = %s",
            service.id,
            self.event.id,
        )
        self._assert_named("usage_of_other_company", "I9", "")

    def test_another_currency(self):
        other = self.env["res.currency"].create({"name": "XTA", "symbol": "xta"})
        self._sql(
            "UPDATE fusion_billing_rating SET currency_id = %s WHERE id = %s",
            other.id,
            self.january.id,
        )
        self._assert_named("other_currency", "I9", "")

    def test_another_customer(self):
        other = self.env["res.partner"].create({"name": "Somebody Else"})
        self._sql(
            "UPDATE account_move SET commercial_partner_id = %s WHERE id = %s",
            other.id,
            self.invoice.id,
        )
        finding = self._assert_named("other_customer", "I9", "")
        self.assertIn("Somebody Else", finding.message)

    def test_a_line_of_another_invoice(self):
        other = self.invoice.copy()
        self._sql(
            "UPDATE fusion_billing_rating SET invoice_id = %s WHERE id = %s",
            other.id,
            self.january.id,
        )
        self._assert_named("other_invoice", "I9", "")

    def test_a_line_of_another_order(self):
        other = self._create_subscription()
        self._sql(
            "UPDATE sale_order_line_invoice_rel SET order_line_id = %s"
            " WHERE invoice_line_id = %s",
            other.order_line[0].id,
            self._usage_lines(self.invoice).id,
        )
        self._assert_named("other_order", "I9", "")

    # -- I10 -------------------------------------------------------------------

    def _outbox(self, event_type):
        """The latest outbox row of a type."""
        return self.env["fusion.billing.webhook"].search(
            [("event_type", "=", event_type)], limit=1
        )

    def test_a_rating_that_was_not_told(self):
        row = self._outbox("rating.closed")
        self._sql("DELETE FROM fusion_billing_webhook WHERE id = %s", row.id)
        finding = self._assert_named("rating_not_told", "I10", "-1")
        self.assertEqual(finding.service_id, self.service)

    def test_a_rating_that_was_told_twice(self):
        row = self._outbox("rating.closed")
        self._copy_row("fusion_billing_webhook", row.id, event_id="evt_copy")
        self._assert_named("rating_not_told", "I10", "+1")

    def test_an_invoice_that_was_not_told(self):
        row = self._outbox("invoice.posted")
        self._sql("DELETE FROM fusion_billing_webhook WHERE id = %s", row.id)
        finding = self._assert_named("invoice_not_told", "I10", "-1")
        self.assertEqual(finding.move_id, self.invoice)

    def test_a_state_that_was_not_told(self):
        self._sql(
            "UPDATE sale_order SET subscription_state = '6_churn' WHERE id = %s",
            self.order.id,
        )
        self._assert_named("subscription_not_told", "I10", "")

    def test_a_type_of_event_that_the_app_has_not_chosen(self):
        Type = self.env["fusion.billing.webhook.type"]
        for code in ("rating.closed", "invoice.posted"):
            self._outbox(code).sudo().unlink()
        chosen = Type.search([("code", "not in", ["rating.closed", "invoice.posted"])])
        self.service.webhook_type_ids = chosen
        self._sql("UPDATE fusion_billing_service SET webhook_types_since = NULL")
        self.assertFalse(self._findings())
        self.service.webhook_type_ids = False
        self._sql(
            "UPDATE fusion_billing_service SET webhook_types_since = '2100-01-01'"
        )
        self.assertFalse(self._findings())  # what happens from then on is told
        self._sql("UPDATE fusion_billing_service SET webhook_types_since = NULL")
        self.assertEqual(
            {*self._findings().mapped("kind")}, {"rating_not_told", "invoice_not_told"}
        )

    def test_what_was_deleted_after_its_time_is_no_violation(self):
        self._outbox("rating.closed").search([]).write(
            {"state": "sent", "sent_at": "2000-01-01 00:00:00"}
        )
        self.env.flush_all()
        self.env["fusion.billing.webhook"]._prune()
        self.assertFalse(self._outbox("rating.closed"))
        self.assertTrue(self._findings())  # they are younger than what may be deleted
        self.env["ir.config_parameter"].set_param(
            "fusion_centralized_billing.webhooks_kept_since", "2100-01-01 00:00:00"
        )
        self.assertFalse(self._findings())
