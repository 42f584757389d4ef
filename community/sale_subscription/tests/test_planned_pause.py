from datetime import date

from freezegun import freeze_time

from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged

from .common import SubscriptionCase


@tagged("post_install", "-at_install")
class TestPlannedPause(SubscriptionCase):
    """A fee of 10.00 a month from 1 January 2026, to be paused from the 20th on."""

    def setUp(self):
        super().setUp()
        self.order = self._create_subscription()
        self._run_cron("2026-01-01")

    @freeze_time("2026-01-10")
    def _plan(self, until=None, day="2026-01-20"):
        until = until and date.fromisoformat(until)
        wizard = self.env["sale.subscription.pause"].create(
            {
                "subscription_ids": self.order.ids,
                "pause_date": date.fromisoformat(day),
                "resume_date": until,
            }
        )
        wizard.action_pause()

    def _day(self, day):
        with freeze_time(day):
            self.env["sale.order"]._cron_subscription_expiration()
        return self._run_cron(day)

    def test_paused_and_resumed_on_these_days(self):
        """14 of February's 28 days are charged: 5.00."""
        self._plan("2026-02-15")
        self.assertEqual(self.order.subscription_state, "3_progress")
        self._day("2026-01-19")
        self.assertEqual(self.order.subscription_state, "3_progress")
        self._day("2026-01-20")
        self.assertEqual(self.order.subscription_state, "4_paused")
        self.assertFalse(self.order.pause_date)
        self.assertFalse(self._day("2026-02-01"))
        self.assertEqual(self._day("2026-02-15").amount_untaxed, 5.0)
        self.assertFalse(self.order.resume_date)
        self.assertEqual(self._day("2026-03-01").amount_untaxed, 10.0)

    def test_the_job_runs_when_the_pause_is_over(self):
        self._plan("2026-02-15")
        self.assertEqual(self._day("2026-02-20").amount_untaxed, 5.0)
        self.assertEqual(self.order.subscription_state, "3_progress")

    def test_a_period_that_begins_with_the_pause_is_not_invoiced(self):
        """Whichever job is first that day."""
        self._plan(day="2026-02-01")
        self.assertFalse(self._run_cron("2026-02-01"))
        self._day("2026-02-01")
        self.assertEqual(self.order.subscription_state, "4_paused")
        self.assertDates(self.order, "2026-01-01", "2026-02-01")

    def test_a_period_before_the_pause_is_invoiced(self):
        self._plan(day="2026-02-02")
        self.assertEqual(self._day("2026-02-01").amount_untaxed, 10.0)

    def test_it_is_taken_back(self):
        self._plan("2026-02-15")
        self.order.resume_subscription()
        self.assertFalse(self.order.pause_date or self.order.resume_date)
        self._day("2026-01-20")
        self.assertEqual(self.order.subscription_state, "3_progress")

    def test_what_is_closed_before_is_not_paused(self):
        self._plan()
        with freeze_time("2026-01-15"):
            self.order.set_close()
        self.assertFalse(self.order.pause_date)
        with freeze_time("2026-01-16"):
            self.order.set_open()
        self._day("2026-01-20")
        self.assertEqual(self.order.subscription_state, "3_progress")

    def test_days_that_are_refused(self):
        self.order.end_date = "2026-01-30"
        for day, until in (("2026-01-30", None), ("2026-01-20", "2026-01-20")):
            with self.subTest(day=day), self.assertRaises(UserError):
                self._plan(until, day)
        with self.assertRaises(ValidationError):
            self._plan("2026-01-10")
        with freeze_time("2026-01-10"):
            self.order.pause_subscription()
        with self.assertRaises(UserError):
            self._plan()

    def test_what_it_is_on_the_form_people_do_not_write(self):
        """A resume date belongs to a pause."""
        with self.assertRaises(UserError):
            self.order.resume_date = "2026-02-15"

    def test_customers_see_no_invoice_that_will_not_be(self):
        self._plan(day="2026-02-01")
        self.assertFalse(self.order._get_portal_dates()["next_invoice"])
        [row, *_later] = self.env["sale.subscription.schedule"]._get_rows(self.order)
        self.assertEqual(row["total"], 0.0)
