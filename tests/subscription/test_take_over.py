from datetime import date

from freezegun import freeze_time

from odoo.tests import tagged

from ..common import BillingCase


@tagged("post_install", "-at_install")
@freeze_time("2026-03-10 09:00:00")
class TestTakeOver(BillingCase):
    """Contracts that another system has billed so far. Taking one over of April 2024
    billed 24 months again.
    """

    def _subscribe(self, **values):
        return self.service._api_create_subscription(
            {
                "external_customer_id": "acc-1",
                "plan_id": self.plan.id,
                "lines": [{"product_id": self.base_product.id, "quantity": 1}],
            }
            | values
        )

    def _order(self, answer):
        self.assertEqual(answer["status"], "ok", answer)
        return self.env["sale.order"].browse(answer["subscription_id"])

    def _assert_refused(self, answer, code, *said):
        self.assertEqual((answer["code"], answer["field"]), (code, "billed_until"))
        for text in said:
            self.assertIn(text, answer["error"])

    def _bill(self, order):
        """What the invoicing job bills: first day and amount of each period."""
        moves = order._create_recurring_invoice(automatic=True)
        return sorted(
            (str(period.period_start), period.move_id.amount_untaxed)
            for period in order.subscription_period_ids
            if period.move_id in moves
        )

    def test_until_when_must_be_said(self):
        before = self.env["sale.order"].search_count([])
        for start in ("2024-04-01", "2026-02-10"):
            for nothing in ({}, {"billed_until": None}):
                with self.subTest(start=start, nothing=nothing):
                    answer = self._subscribe(start_date=start, **nothing)
                    self._assert_refused(
                        answer,
                        "missing_field",
                        "billed_until required",
                        "start_date itself",
                    )
        self.assertEqual(self.env["sale.order"].search_count([]), before)

    def test_fees_begin_there(self):
        answer = self._subscribe(
            external_id="sub-1", start_date="2024-04-01", billed_until="2026-03-01"
        )
        self.assertEqual(answer["invoices_due"], 1)
        order = self._order(answer)
        self.assertEqual(
            (order.start_date, order.next_invoice_date, order.fc_billed_until),
            (date(2024, 4, 1), date(2026, 3, 1), date(2026, 3, 1)),
        )
        self.assertEqual(self._bill(order), [("2026-03-01", 10.0)])
        self.assertEqual(order.next_invoice_date, date(2026, 4, 1))

    def test_how_many_invoices_follow(self):
        """From 1 January: January, February, and March, which has begun."""
        answer = self._subscribe(start_date="2024-04-01", billed_until="2026-01-01")
        self.assertEqual(answer["invoices_due"], 3)
        self.assertEqual(
            self._bill(self._order(answer)),
            [("2026-01-01", 10.0), ("2026-02-01", 10.0), ("2026-03-01", 10.0)],
        )

    def test_all_of_it_is_billed_where_the_request_says_so(self):
        answer = self._subscribe(start_date="2026-01-31", billed_until="2026-01-31")
        self.assertEqual(answer["invoices_due"], 2)
        self.assertEqual(
            self._bill(self._order(answer)),
            [("2026-01-31", 10.0), ("2026-02-28", 10.0)],
        )

    def test_paid_in_advance_up_to_the_next_period(self):
        answer = self._subscribe(start_date="2024-04-15", billed_until="2026-03-15")
        self.assertEqual(answer["invoices_due"], 0)
        order = self._order(answer)
        self.assertEqual(self._bill(order), [])
        with freeze_time("2026-03-15 09:00:00"):
            self.assertEqual(self._bill(order), [("2026-03-15", 10.0)])

    def test_the_31st_stays_the_31st(self):
        """Its February begins on the 28th, and the period after it on 31 March."""
        answer = self._subscribe(start_date="2025-10-31", billed_until="2026-02-28")
        order = self._order(answer)
        self.assertEqual(self._bill(order), [("2026-02-28", 10.0)])
        self.assertEqual(order.next_invoice_date, date(2026, 3, 31))

    def test_months_of_the_calendar(self):
        """An aligned plan: 15 to 31 January, then February. From February on."""
        self.plan.billing_first_day = True
        answer = self._subscribe(start_date="2026-01-15", billed_until="2026-02-01")
        self.assertEqual(answer["invoices_due"], 2)
        self.assertEqual(
            self._bill(self._order(answer)),
            [("2026-02-01", 10.0), ("2026-03-01", 10.0)],
        )

    def test_what_begins_now_needs_no_word(self):
        for start, due in (
            (None, 1),
            ("2026-03-10", 1),
            ("2026-02-11", 1),  # its first month is not over
            ("2026-03-11", 0),
            ("2027-01-01", 0),
        ):
            with self.subTest(start=start):
                answer = self._subscribe(start_date=start)
                self.assertEqual(answer["invoices_due"], due)
                self.assertFalse(self._order(answer).fc_billed_until)

    def test_days_that_are_refused(self):
        for until, said in (
            ("2024-03-31", "before start_date"),
            ("2026-02-28", "as 2026-03-01 is"),
            ("2026-03-10", "as 2026-04-01 is"),
            ("2026-05-01", "the latest is 2026-04-01"),
            ("9999-12-31", "the latest is 2026-04-01"),
            ("20260301", "invalid billed_until"),
            ("2026-02-30", "invalid billed_until"),
            ("", "invalid billed_until"),
            (5, "invalid billed_until"),
            (True, "invalid billed_until"),
            (["2026-03-01"], "invalid billed_until"),
        ):
            with self.subTest(until=until):
                answer = self._subscribe(start_date="2024-04-01", billed_until=until)
                self._assert_refused(answer, "invalid_billed_until", said)
        # without start_date it begins today
        answer = self._subscribe(billed_until="2026-03-01")
        self._assert_refused(answer, "invalid_billed_until", "before start_date")
        answer = self._subscribe(start_date="2026-06-01", billed_until="2026-07-01")
        self._assert_refused(answer, "invalid_billed_until", "latest is 2026-06-01")

    def test_a_request_repeated_later_is_answered_as_at_first(self):
        """Its answer was lost; a month later a whole period since its start is over."""
        values = {"external_id": "sub-1", "start_date": "2026-03-05"}
        first = self._subscribe(**values)
        self.assertEqual(first["invoices_due"], 1)
        with freeze_time("2026-04-20 09:00:00"):
            again = self._subscribe(**values)
            self.assertEqual(again["subscription_id"], first["subscription_id"])
            self.assertEqual(again["invoices_due"], 2)
            self._bill(self._order(again))
            self.assertEqual(self._subscribe(**values)["invoices_due"], 0)

    def test_a_copy_was_billed_nowhere(self):
        answer = self._subscribe(start_date="2024-04-01", billed_until="2026-03-01")
        self.assertFalse(self._order(answer).copy().fc_billed_until)
