from datetime import date

from odoo.fields import Command
from odoo.tests import tagged

from .case import JANUARY_END, AccrualCase, tier


@tagged("post_install", "-at_install")
class TestValueAtCutoff(AccrualCase):
    """What was used by the cut-off, at the price of the whole window."""

    def test_usage_up_to_the_cutoff_counts_and_no_more(self):
        self._record(150, "2026-01-10 00:00:00")
        self._record(100, "2026-01-20 00:00:00")
        # Until the 15th: 150 - 100 = 50 x 0.50; until the 31st: 150 x 0.50.
        self.assertEqual(self.amount(date(2026, 1, 15)), 25.0)
        self.assertEqual(self.amount(), 75.0)

    def test_the_cutoff_is_the_end_of_the_day(self):
        self._record(101, "2026-01-31 23:59:59")
        self._record(10, "2026-02-01 00:00:00")
        self.assertEqual(self.amount(), 0.5)

    def test_days_end_in_the_time_zone_of_the_company(self):
        """The 15th ends at 23:00 UTC in Berlin."""
        self.company.fc_billing_tz = "Europe/Berlin"
        self._record(101, "2026-01-15 22:59:59")
        self._record(10, "2026-01-15 23:00:00")
        self.assertEqual(self.amount(date(2026, 1, 15)), 0.5)
        accrual = self.preview(date(2026, 1, 15))
        self.assertEqual(str(accrual.cutoff), "2026-01-15 23:00:00")

    def test_within_the_quota_is_left_out_and_says_so(self):
        self._record(100)
        line = self.line(self.preview())
        self.assertEqual((line.amount, line.quantity), (0.0, 100.0))
        self.assertEqual(line.reason, "nothing")

    def test_tiers_of_the_whole_window(self):
        self.charge.write(
            {
                "charge_model": "graduated",
                "included_quota": 100,
                "tier_ids": [tier(100, 1, 5), tier(1000, 0.5), tier(0, 0.1, 20)],
            }
        )
        self._record(250, "2026-01-10 00:00:00")
        self._record(1850, "2026-01-20 00:00:00")
        # 150 billable: 100 x 1.00 + 5.00 + 50 x 0.50
        self.assertEqual(self.amount(date(2026, 1, 15)), 130.0)
        # 2000 billable: 105.00 + 900 x 0.50 + 1000 x 0.10 + 20.00
        self.assertEqual(self.amount(), 675.0)

    def test_whole_batches(self):
        self.charge.write(
            {"charge_model": "package", "unit_batch": 50, "price_per_unit": 2}
        )
        self._record(151)
        self.assertEqual(self.amount(), 4.0)  # 51 above 100: two batches begun

    def test_a_minimum_is_owed_from_the_first_instant(self):
        """It is what the window costs at least, and is never prorated."""
        self.charge.minimum_amount = 30.0
        self.assertEqual(self.amount(date(2026, 1, 15)), 30.0)
        self._record(161)  # 61 x 0.50
        self.assertEqual(self.amount(), 30.5)

    def test_a_discount_is_a_stage_of_the_price(self):
        self.order.fc_usage_discount = 10
        self._record(300)
        self.assertEqual(self.amount(), 90.0)

    def test_taxes_in_the_price_are_no_revenue(self):
        tax = self.env["account.tax"].create(
            {
                "name": "20 % included",
                "amount": 20,
                "price_include_override": "tax_included",
            }
        )
        self.usage_product.taxes_id = [Command.set(tax.ids)]
        self.charge.price_per_unit = 0.12
        self._record(200)
        line = self.line(self.preview())
        self.assertEqual((line.amount_used, line.amount), (12.0, 10.0))

    def test_what_cannot_be_rated_is_named(self):
        self.charge.price_per_unit = 1e12
        self._record(900_000_000)
        line = self.line(self.preview())
        self.assertEqual((line.reason, line.amount), ("failed", 0.0))
        self.assertIn("more than an invoice", line.detail)

    def test_usage_that_no_window_bills_is_named(self):
        self._record(7, "2025-12-30 00:00:00")
        line = self.line(self.preview())
        self.assertEqual((line.reason, line.detail), ("unallocated", "1 events"))
        action = line.action_view_usage()
        events = self.env["fusion.billing.usage"].search(action["domain"])
        self.assertEqual(events.mapped("quantity"), [7.0])

    def test_a_figure_leads_to_its_events(self):
        self._record(150, "2026-01-10 00:00:00")
        self._record(100, "2026-01-20 00:00:00")
        line = self.line(self.preview(date(2026, 1, 15)))
        action = line.action_view_usage()
        events = self.env[action["res_model"]].search(action["domain"])
        self.assertEqual(events.mapped("quantity"), [150.0])
        self.assertIn("150 used, 100 included, 50 billable", line.explanation_text)
        self.assertIn("50 x 0.5 = 25", line.explanation_text)


@tagged("post_install", "-at_install")
class TestWhatTheBooksHave(AccrualCase):
    """Less what documents of the period have charged; 200 calls of January: 50.00."""

    def setUp(self):
        super().setUp()
        self._record(200)

    def reason(self, day=JANUARY_END):
        return self.line(self.preview(day)).filtered("amount").mapped("reason")

    def test_an_invoice_of_the_period_is_in_the_books(self):
        self.invoice("2026-01-31")
        self.assertEqual(self.amount(), 0.0)

    def test_a_draft_is_not(self):
        self.invoice()
        self.assertEqual(self.amount(), 50.0)
        self.assertEqual(self.reason(), ["draft"])

    def test_nor_is_an_invoice_of_the_next_period(self):
        self.invoice("2026-02-01")
        self.assertEqual(self.amount(), 50.0)
        self.assertEqual(self.reason(), ["later"])
        self.assertEqual(self.amount(date(2026, 2, 1)), 0.0)

    def test_a_draft_that_was_lowered_by_hand_is_worth_that(self):
        move = self.invoice()
        self.usage_lines(move).price_unit = 30.0
        self.assertEqual(self.amount(), 30.0)

    def test_an_invoice_that_was_cancelled_is_not_in_the_books(self):
        move = self.invoice("2026-01-31")
        move.button_draft()
        move.button_cancel()
        self.assertEqual(self.amount(), 50.0)

    def test_late_usage_after_the_invoice(self):
        self.invoice("2026-01-31")
        self._record(10, "2026-01-30 00:00:00")
        self.assertEqual(self.amount(), 5.0)
        self.assertEqual(self.reason(), ["late"])

    def test_a_void_after_the_invoice_is_given_back(self):
        event = self._record(20, "2026-01-30 00:00:00")
        self.invoice("2026-01-31")  # 220: 60.00
        event._void("sent by mistake")
        self.assertEqual(self.amount(), -10.0)

    def credit(self, move, day, choice):
        wizard = (
            self.env["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=move.ids)
            .create(
                {
                    "journal_id": move.journal_id.id,
                    "date": day,
                    "fc_usage_choice": choice,
                }
            )
        )
        wizard.refund_moves()
        note = move.reversal_move_ids
        if note.state == "draft":
            note.action_post()
        return note

    def test_credit_notes_count_in_the_period_they_are_of(self):
        for choice, in_period, in_next in (
            ("forgive", 0.0, 0.0),
            ("again_today", 50.0, 0.0),
        ):
            for day, expected in (
                ("2026-01-31", in_period),
                ("2026-02-10", in_next),
            ):
                with self.subTest(choice=choice, day=day):
                    savepoint = self.env.cr.savepoint()
                    move = self.invoice("2026-01-31")
                    self.credit(move, day, choice)
                    self.assertEqual(self.amount(), expected)
                    savepoint.close(rollback=True)
                    self.env.invalidate_all()
                    self.env.transaction.clear()

    def test_a_credit_to_be_billed_again_is_accrued_from_its_own_day_on(self):
        move = self.invoice("2026-01-31")
        self.credit(move, "2026-02-10", "again_today")
        self.assertEqual(self.amount(date(2026, 2, 9)), 0.0)
        self.assertEqual(self.amount(date(2026, 2, 10)), 50.0)

    def test_several_windows_each_have_their_own_quota(self):
        self.invoice()
        self._record(104, "2026-02-05 00:00:00")
        lines = self.line(self.preview(date(2026, 2, 28))).filtered("amount")
        self.assertEqual(sorted(lines.mapped("amount")), [2.0, 50.0])


@tagged("post_install", "-at_install")
class TestCurrencies(AccrualCase):
    """Company: dollars. 0.80 euros are a dollar at the cut-off, 0.50 the day after."""

    @classmethod
    def _create_subscription(cls, **values):
        cls.eur = cls.env.ref("base.EUR")
        cls.eur.active = True
        cls.eur.rate_ids.unlink()
        cls.env["res.currency.rate"].create(
            [
                {"currency_id": cls.eur.id, "name": day, "rate": rate}
                for day, rate in (
                    ("2026-01-01", 1.0),
                    ("2026-01-31", 0.8),
                    ("2026-02-01", 0.5),
                )
            ]
        )
        pricelist = cls.env["product.pricelist"].create(
            {"name": "Euros", "currency_id": cls.eur.id}
        )
        return super()._create_subscription(pricelist_id=pricelist.id, **values)

    def test_at_the_rate_of_the_cutoff(self):
        self.charge.currency_id = self.eur
        self._record(180)  # 80 x 0.50 = 40.00 EUR
        accrual = self.accrue()
        line = self.line(accrual)
        self.assertEqual((line.amount, line.balance), (40.0, 50.0))
        income = line.account_id
        self.assertEqual(
            self.items(accrual.move_id),
            [
                (income, self.partner, -40.0, -50.0),
                (self.account, self.partner, 40.0, 50.0),
            ],
        )
        self.assertEqual(accrual.move_id.line_ids.currency_id, self.eur)

    def test_a_price_in_another_currency_than_the_invoice(self):
        """40.00 dollars, converted as a window that ends with the cut-off converts."""
        self._record(180)
        line = self.line(self.preview(date(2026, 1, 15)))
        # One euro is a dollar on 16 January.
        self.assertEqual((line.amount, line.balance), (40.0, 40.0))
