from odoo.tests import tagged

from .lives_case import LivesCase

TOKYO = "Asia/Tokyo"
TORONTO = "America/Toronto"


@tagged("post_install", "-at_install")
class TestCleanLives(LivesCase):
    """Whatever regular work does, the audit has nothing to say."""

    # -- nothing unusual -------------------------------------------------------

    def test_late_usage_voids_and_usage_of_no_window(self):
        self._billed(200)
        self.at("2026-02-03 12:00:00")
        self.use(30, "2026-01-20")
        self.use(7, "2025-12-01")  # before the start: unallocated
        self.use(104, "2026-02-03", key="wrong")
        self._assert_clean()  # all of it waits to be rated
        self.rate()
        self._assert_clean()
        self._go_on("2026-03-01")
        self.void("wrong")
        self.void("most")
        self._assert_clean()
        self._go_on("2026-03-02", "2026-04-01")

    def test_within_the_quota(self):
        """Settled at 0, and without any usage."""
        self._billed(50)
        self._go_on("2026-03-01", "2026-04-01")

    def test_the_first_invoice_is_a_draft(self):
        self.plan.invoice_posting = "draft"
        self._used()
        self._go_on("2026-02-01", "2026-02-02")
        self.post_drafts()
        self._assert_clean()
        self._go_on("2026-02-03", "2026-03-01")

    def test_invoices_that_were_missed_for_two_months(self):
        self._used()
        self.at("2026-03-15 09:00:00")
        self.use(120, "2026-02-10")
        self.rate()
        self._assert_clean()
        self._go_on("2026-03-16", "2026-03-17", "2026-04-01")

    def test_every_aggregation(self):
        self.order = self.subscribe()
        self.at("2026-01-14 12:00:00")
        for aggregation in ("count", "max", "last", "unique"):
            metric = self._create_metric(code=aggregation, aggregation=aggregation)
            self._create_charge(metric_id=metric.id, included_quota=0)
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
        self._go_on("2026-01-15", "2026-02-01")

    # -- documents -------------------------------------------------------------

    def test_credited_taken_back_and_credited_again(self):
        invoice = self._billed()
        credit = self.credit(invoice)
        self._assert_clean()
        self._go_on("2026-02-02")
        self.take_back(credit)
        self._go_on("2026-02-03")
        self.credit(invoice)
        self._go_on("2026-02-04", "2026-03-01", "2026-04-01")

    def test_credited_and_billed_again_as_it_was(self):
        """The price was changed meanwhile: what was agreed stays."""
        invoice = self._billed()
        wizard = self.env["account.move.reversal"].with_context(
            active_model="account.move", active_ids=invoice.ids
        )
        wizard.create(
            {"journal_id": invoice.journal_id.id, "fc_usage_choice": "again_billed"}
        ).refund_moves()
        invoice.reversal_move_ids.action_post()
        self.charge.price_per_unit = 0.25
        self._assert_clean()
        self._go_on("2026-02-02", "2026-03-01", "2026-04-01")

    def test_a_corrected_invoice(self):
        invoice = self._billed()
        wizard = self.env["account.move.reversal"].with_context(
            active_model="account.move", active_ids=invoice.ids
        )
        wizard.create({"journal_id": invoice.journal_id.id}).modify_moves()
        self._assert_clean()
        self.post_drafts()
        self._go_on("2026-02-02", "2026-03-01")

    def test_cancelled_deleted_and_posted_after_all(self):
        self.plan.invoice_posting = "draft"
        self._used(200)
        self._go_on("2026-02-01")
        self.documents("draft").filtered("fc_rating_ids").unlink()
        self._go_on("2026-02-02")
        self.post_drafts()
        invoice = self.order._create_invoices(final=True)
        invoice.action_post()
        self._go_on("2026-02-03")
        self.take_back(invoice)
        self._go_on("2026-02-04")
        invoice.button_draft()
        invoice.action_post()
        self._go_on("2026-02-05", "2026-03-01")

    def _reversed_in_part(self, invoice, **values):
        """A credit note over the usage, with other values on its line."""
        before = invoice.reversal_move_ids
        wizard = self.env["account.move.reversal"].with_context(
            active_model="account.move", active_ids=invoice.ids
        )
        wizard.create(
            {"journal_id": invoice.journal_id.id, "fc_usage_choice": "again_today"}
        ).refund_moves()
        credit = invoice.reversal_move_ids - before
        line = credit.invoice_line_ids.filtered(
            lambda x: x.product_id == self.usage_product
        )
        (credit.invoice_line_ids - line).unlink()
        line.write(values)
        return credit

    def test_forgiven_in_part_then_all_is_voided(self):
        invoice = self._billed(200)
        credit = self._reversed_in_part(invoice, price_unit=20.0)
        credit.fc_bill_again = False
        credit.action_post()
        self._go_on("2026-02-02")
        again = self._reversed_in_part(invoice, price_unit=30.0)
        again.action_post()
        self._go_on("2026-02-03")
        self.void("most")
        self._go_on("2026-02-04", "2026-03-01", "2026-04-01")

    def test_forgiven_in_full(self):
        credit = self._reversed_in_part(self._billed())
        credit.fc_bill_again = False
        credit.action_post()
        self._go_on("2026-02-02")
        self.use(10, "2026-01-30")
        self._go_on("2026-02-03", "2026-03-01", "2026-04-01")

    def test_a_draft_that_was_edited(self):
        """Lowered, then with a discount, then raised; late usage and a void after."""
        self.plan.invoice_posting = "draft"
        self._used(200)
        for month, values in (
            ("02", {"price_unit": 40.0}),
            ("03", {"discount": 10.0}),
            ("04", {"price_unit": 70.0}),
        ):
            self.day(f"2026-{month}-01 09:00:00")
            lines = self.usage_lines(self.documents("draft"))
            lines.write(values)
            self.post_drafts()
            self._assert_clean()
            self.use(10, "2026-01-30")
            self.use(150, f"2026-{month}-01")
            self._go_on(f"2026-{month}-02")
        self.void("most")
        self._go_on("2026-05-01")

    def test_an_invoice_below_zero(self):
        self._billed(200)
        self.void("most")
        self.at("2026-02-20 12:00:00")
        self.order.set_close()
        self._go_on("2026-02-20", "2026-02-21")

    # -- time zones ------------------------------------------------------------

    def test_east_of_greenwich(self):
        """The last day of a window was one that had not begun; it crashed."""
        self.company.fc_billing_tz = TOKYO
        self._billed()
        self.use(5, "2026-01-31T14:59:59")
        self.use(5, "2025-12-31T15:00:00")
        self._go_on("2026-02-02", "2026-03-01")
        self._sql("UPDATE fusion_billing_usage SET quantity = quantity + 1")
        finding = self._findings("quantity").sorted("window_start")[0]
        self.assertIn("2026-01-01 to 2026-01-31", finding.message)

    def test_time_zones_that_change(self):
        self._billed()
        for tz, days in (
            (TOKYO, ("2026-02-02", "2026-03-01")),
            (TORONTO, ("2026-03-02", "2026-04-01")),
            ("UTC", ("2026-04-02", "2026-05-01")),
        ):
            self.company.fc_billing_tz = tz
            self.use(120, f"{days[0]}")
            self._go_on(*days)
        self.order.end_date = "2026-05-20"
        self._go_on("2026-05-20", "2026-05-21")
