from odoo.tests import tagged

from .case import PlantedCase

WINDOW = "UPDATE fusion_billing_window SET"


@tagged("post_install", "-at_install")
class TestPlantedInWindows(PlantedCase):
    """Windows that were moved, opened, changed hands or deleted."""

    def test_bounds_of_windows(self):
        settled = f"WHERE id = {self.january.window_id.id}"
        running = f"WHERE id = {self.february.window_id.id}"
        self._assert_each_named(
            [
                (
                    "the end of a settled window",
                    f"{WINDOW} \"end\" = '2026-01-31' {settled}",
                    "I5 windows_apart",
                    "I5 window_days",
                    "oracle",
                ),
                (
                    "the start of a settled window",
                    f"{WINDOW} start = '2026-01-15' {settled}",
                    "I5 window_rated",
                    "I5 window_days",
                    "I2 quantity",
                    "I4 events_of_settled",
                    "oracle",
                ),
                (
                    "the end of the running window, with its day",
                    f"{WINDOW} \"end\" = '2026-03-15', end_day = '2026-03-15'"
                    f" {running}",
                    "I5 window_rated",
                    "oracle",
                ),
                (
                    "the boundary between two windows",
                    f"{WINDOW} \"end\" = '2026-01-15', end_day = '2026-01-15'"
                    f" {settled}; {WINDOW} start = '2026-01-15',"
                    f" first_day = '2026-01-15' {running}",
                    "I5 window_rated",
                    "I4 events_of_settled",
                    "I2 quantity",
                    "oracle",
                ),
                (
                    "settled, no more",
                    f"{WINDOW} is_settled = false {settled}",
                    "I5 window_opened",
                    "oracle",
                ),
                (
                    "settled, before it is billed",
                    f"{WINDOW} is_settled = true {running}",
                    "I5 window_opened",
                    "I4 agreement_opened",
                    "oracle",
                ),
                (
                    "a billing window turned into a gap",
                    f"{WINDOW} kind = 'gap' {settled}",
                    "I2 quantity",
                    "I2 in_no_window",
                    "oracle",
                ),
            ]
        )

    def test_whose_windows(self):
        settled = f"WHERE id = {self.january.window_id.id}"
        running = f"WHERE id = {self.february.window_id.id}"
        partner = self.env["res.partner"].create({"name": "Somebody Else"})
        company = self.env["res.company"].create({"name": "Another Company"})
        currency = self.env["res.currency"].create({"name": "XTA", "symbol": "x"})
        other = self.subscribe("2026-02-01")
        self.day("2026-02-12 10:00:00")
        self._assert_each_named(
            [
                (
                    "of another customer",
                    f"{WINDOW} partner_id = {partner.id} {settled}",
                    "I9 window_customer",
                ),
                (
                    "of another company",
                    f"{WINDOW} company_id = {company.id} {settled}",
                    "I9 window_company",
                ),
                (
                    "one that was billed in another currency: perhaps of a life before,"
                    " but its rating is not",
                    f"{WINDOW} currency_id = {currency.id}"
                    f" WHERE id = {self.january.window_id.id}",
                    "I9 other_currency",
                ),
                (
                    "in another currency",
                    f"{WINDOW} currency_id = {currency.id} {running}",
                    "I9 window_currency",
                    "I9 other_currency",
                ),
                (
                    "of another subscription",
                    f"{WINDOW} subscription_id = {other.id}, root_id = {other.id}"
                    f" {settled}",
                    "I9 other_window",
                    "I2 in_no_window",
                    "oracle",
                ),
                (
                    "of another chain of renewals",
                    f"{WINDOW} root_id = {other.id} {settled}",
                    "I5 window_root",
                ),
                (
                    "its digest",
                    f"{WINDOW} digest = 'x' {settled}",
                    "I4 events_of_settled",
                ),
            ]
        )

    def test_an_overlap(self):
        self._sql(
            "ALTER TABLE fusion_billing_window DROP CONSTRAINT"
            " fusion_billing_window_no_overlap"
        )
        self._assert_each_named(
            [
                (
                    "the running window begins in the settled one",
                    f"{WINDOW} start = '2026-01-15', first_day = '2026-01-15'"
                    f" WHERE id = {self.february.window_id.id}",
                    "I5 windows_overlap",
                    "I5 window_rated",
                    "oracle",
                )
            ]
        )

    def test_a_window_that_is_gone(self):
        """Nothing was used in February, and it came to nothing."""
        quiet = self.subscribe("2026-02-01")
        self.at("2026-02-02 12:00:00")
        self.use(5, "2026-02-02", order=quiet)
        self.day("2026-03-01 09:00:00")
        self.day("2026-04-01 09:00:00")
        march = quiet.fc_window_ids.filtered(lambda w: str(w.first_day) == "2026-03-01")
        self.assertTrue(march.is_settled)
        self._assert_each_named(
            [
                (
                    "deleted",
                    f"DELETE FROM fusion_billing_rating WHERE window_id = {march.id};"
                    f" DELETE FROM fusion_billing_window WHERE id = {march.id}",
                    "I5 windows_apart",
                    "I10 told_of_nothing",
                    "oracle",
                )
            ]
        )

    def test_a_gap(self):
        """Paused on 20 February; goes on on 10 April, within the third period."""
        self.at("2026-02-20 12:00:00")
        self.order.subscription_state = "4_paused"
        self.day("2026-03-10 09:00:00")
        self.use(300, "2026-03-10")
        self.at("2026-04-10 12:00:00")
        self.order.write(
            {"subscription_state": "3_progress", "next_invoice_date": "2026-05-01"}
        )
        self.use(120, "2026-04-12")
        self.day("2026-04-13 09:00:00")
        gap = self.order.fc_window_ids.filtered(lambda w: w.kind == "gap")
        self.assertEqual(len(gap), 1)
        self._assert_each_named(
            [
                (
                    "the gap is billed",
                    f"{WINDOW} kind = 'billing' WHERE id = {gap.id}",
                    "I2 flagged_but_billed",
                    "oracle",
                )
            ]
        )

    def test_ten_months_that_nobody_billed(self):
        """The job that makes invoices was switched off; nothing else was wrong."""
        self.at("2026-12-01 09:00:00")
        self.use(101, "2026-11-30")
        self.rate()
        found = self._findings("forgotten")
        self.assertEqual({*found.mapped("invariant")}, {"I2"})
        self.assertEqual(found.subscription_id, self.order)
        days = sorted(f.window_start.date().isoformat() for f in found)
        self.assertEqual(days[0], "2026-02-01")
        self.assertEqual(len(days), 7)  # to August, which ended on 1 September

    def test_a_window_that_was_passed_over(self):
        self.day("2026-03-01 09:00:00")
        self.day("2026-04-01 09:00:00")
        self._assert_each_named(
            [
                (
                    "as if February had never been settled",
                    f"{WINDOW} is_settled = false, settled_at = NULL,"
                    f" invoice_id = NULL WHERE id = {self.february.window_id.id}",
                    "I5 window_skipped",
                    "I5 window_opened",
                    "oracle",
                )
            ]
        )
