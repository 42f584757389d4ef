from datetime import timedelta

from freezegun import freeze_time

from odoo.tests import tagged

from .portal_common import PortalCase


@tagged("post_install", "-at_install")
class TestPortalPause(PortalCase):
    """10 a week; four of the seven days are left. At most 90 days."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plan.user_pause = True
        cls.line = cls.order.order_line
        cls.until = cls.today + timedelta(days=30)

    def setUp(self):
        super().setUp()
        self._sign_in(self.ann)

    def _pause(self, day=None, order=None, **data):
        return self._post("pause", {"resume_date": day or self.until, **data}, order)

    def _resume(self, order=None, seen=None, **data):
        if seen is None:
            seen = (order or self.order)._get_resume_terms()["seen"]
        return self._post("resume", {"seen": seen, **data}, order)

    def _create_paused(self, weeks):
        """One that the customer paused in its first week, some weeks ago."""
        start = self.today - timedelta(days=7 * weeks + 2)
        order = self._create_subscription(start=str(start))
        with freeze_time(start):
            order._create_recurring_invoice()
        with freeze_time(start + timedelta(days=1)):
            order._pause_by_customer(
                self.until - timedelta(days=7), self.ann.partner_id
            )
        return order

    def assertMessage(self, response, word):
        self.assertIn(f"message={word}", response.headers["Location"])

    def assertRuns(self, order=None):
        self.assertEqual((order or self.order).subscription_state, "3_progress")

    def test_customer_pauses(self):
        response = self._pause()
        self.assertMessage(response, "paused")
        self.assertEqual(self.order.subscription_state, "4_paused")
        self.assertEqual(self.order.resume_date, self.until)
        page = self._page(message="paused")
        self.assertIn("message_paused", page)
        self.assertNotIn("pause", page)
        self.assertIn("resume", page)
        self.assertLog(self.order, ("new", 43.48), ("pause", -43.48))

    def test_page_says_what_it_costs(self):
        [text] = self._page()["pause_costs"]
        last_day = self.next_date - timedelta(days=1)
        self.assertIn(
            f"What you have paid up to {self._show(last_day)} is not refunded", text
        )
        self.assertIn("you pay pro rata up to the start of your next regular", text)
        self.assertIn("and $ 10.00 per week from there on, as before", text)

    def test_chatter_says_who_paused_it(self):
        self._pause()
        shown = self._show(self.until)
        self.assertIn(
            f"The customer paused the subscription until {shown}.", self._notes()
        )
        self.assertIn("Done on the portal by Ann", self._notes())

    def test_runs_again_by_itself(self):
        """On the 30th day: 30 = 4 + 3 x 7 + 5, so 2 of 7 days are left: 2.86."""
        self._pause()
        self.assertFalse(self._run_cron(self.next_date) & self.order.invoice_ids)
        with freeze_time(self.until):
            self.env["sale.order"]._cron_subscription_expiration()
        self.assertRuns()
        invoice = self._run_cron(self.until) & self.order.invoice_ids
        self.assertEqual(invoice.amount_total, 2.86)

    def test_days_that_cannot_be_chosen(self):
        day = timedelta(days=1)
        latest = self.today + 90 * day
        for chosen in (
            self.today,
            self.today - day,
            latest + day,
            "",
            "x",
            "9999-12-31",
            "2026-02-30",
            "0000-00-00",
        ):
            with self.subTest(chosen=chosen):
                response = self._post("pause", {"resume_date": chosen})
                self.assertMessage(response, "invalid_date")
                self.assertRuns()
        self.assertIn("message_invalid_date", self._page(message="invalid_date"))
        self.assertMessage(self._pause(latest), "paused")

    def test_limit_of_the_plan(self):
        self.plan.pause_max_days = 10
        day = self.today + timedelta(days=10)
        self.assertMessage(self._pause(day + timedelta(days=1)), "invalid_date")
        self.assertMessage(self._pause(day), "paused")

    def test_not_past_its_end(self):
        """It would end, and never run again."""
        self.order.end_date = self.today + timedelta(days=20)
        self.assertMessage(self._pause(self.order.end_date), "invalid_date")
        self.assertRuns()
        last = self.order.end_date - timedelta(days=1)
        self.assertMessage(self._pause(last), "paused")

    def test_pressed_twice(self):
        self._pause()
        notes = self.order.message_ids
        self.assertMessage(self._pause(), "paused")
        self.assertMessage(self._pause(self.until + timedelta(days=9)), "paused")
        self.assertEqual(self.order.resume_date, self.until)
        self.assertEqual(self.order.message_ids, notes)
        self._resume()
        notes = self.order.message_ids
        self.assertMessage(self._resume(seen=""), "resumed")
        self.assertEqual(self.order.message_ids, notes)

    def test_not_unless_the_plan_allows_it(self):
        self.plan.user_pause = False
        self.assertNotIn("pause", self._page())
        self.assertMessage(self._pause(), "refused")
        self.assertRuns()

    def test_no_way_out_of_being_closed_unpaid(self):
        """Paused, it would not be closed for the invoice that is overdue."""
        self.plan.auto_close_limit = 14
        self.invoice.invoice_date_due = self.today - timedelta(days=1)
        self.assertNotIn("pause", self._page())
        self.assertMessage(self._pause(), "pay_first")
        self.assertRuns()
        self.assertIn("message_pay_first", self._page(message="pay_first"))
        self.invoice.invoice_date_due = self.today
        self.assertMessage(self._pause(), "paused")

    def test_not_with_a_draft_of_the_next_period(self):
        self.plan.invoice_posting = "draft"
        with freeze_time(self.next_date):
            self.order._create_recurring_invoice()
        self.assertNotIn("pause", self._page())
        self.assertMessage(self._pause(), "refused")
        self.assertRuns()

    def test_not_while_a_period_is_owed(self):
        week_ago = self.today - timedelta(days=7)
        due = self._create_subscription(start=str(week_ago))
        with freeze_time(week_ago):
            due._create_recurring_invoice()
        fresh = self._create_subscription(start=str(self.today))
        for order in (due, fresh):
            self.assertNotIn("pause", self._page(order))
            self.assertMessage(self._pause(order=order), "refused")
            self.assertRuns(order)

    def test_customer_resumes_in_the_week_that_is_paid(self):
        self._pause()
        [text] = self._page()["resume_costs"]
        self.assertEqual(
            text,
            f"It resumes today. From {self._show(self.next_date)} on it costs"
            " $ 10.00 per week.",
        )
        self.assertMessage(self._resume(), "resumed")
        self.assertRuns()
        self.assertIn("The customer resumed the subscription.", self._notes())
        self.assertEqual(self.order.next_invoice_date, self.next_date)
        self.assertFalse(self._run_cron(self.today) & self.order.invoice_ids)
        invoice = self._run_cron(self.next_date) & self.order.invoice_ids
        self.assertEqual(invoice.amount_total, 10)

    def test_customer_resumes_in_a_week_that_is_not_paid(self):
        """Three weeks and two days after the start: 5 of 7 days, 7.14."""
        order = self._create_paused(weeks=3)
        next_date = self.today + timedelta(days=5)
        [text] = self._page(order)["resume_costs"]
        self.assertEqual(
            text,
            "It resumes today. The 5 of 7 days up to your next regular period"
            f" cost $ 7.14. From {self._show(next_date)} on it costs $ 10.00 per week.",
        )
        self._resume(order)
        self.assertRuns(order)
        invoice = self._run_cron(self.today) & order.invoice_ids
        self.assertEqual(invoice.amount_total, 7.14)
        self.assertEqual(order.next_invoice_date, next_date)

    def test_page_from_the_day_before(self):
        order = self._create_paused(weeks=3)
        with freeze_time(self.today - timedelta(days=1)):
            seen = order._get_resume_terms()["seen"]
        self.assertMessage(self._resume(order, seen), "outdated")
        self.assertEqual(order.subscription_state, "4_paused")

    def test_days_that_are_owed_are_not_put_off_by_another_pause(self):
        order = self._create_paused(weeks=3)
        self._resume(order)
        self.assertMessage(self._pause(order=order), "refused")
        self._run_cron(self.today)
        self.assertMessage(self._pause(order=order), "paused")

    def test_what_the_staff_paused_stays_paused(self):
        self._pause()
        self._resume()
        self.order.pause_subscription()
        self.assertNotIn("resume", self._page())
        self.assertMessage(self._resume(seen=""), "refused")
        self.assertEqual(self.order.subscription_state, "4_paused")

    def test_draft_in_the_way_of_resuming_is_a_message(self):
        order = self._create_paused(weeks=3)
        self.env["sale.subscription.period"].create(
            {
                "subscription_id": order.id,
                "period_start": order.next_invoice_date,
                "period_end": order.next_invoice_date + timedelta(days=7),
                "move_id": order.invoice_ids.copy().id,
            }
        )
        self.assertMessage(self._resume(order), "refused")
        self.assertEqual(order.subscription_state, "4_paused")

    def test_closed_ones_are_not_resumed(self):
        self._pause()
        self.order.set_close()
        self.assertMessage(self._resume(seen=""), "refused")
        self.assertEqual(self.order.subscription_state, "6_churn")

    def test_holder_of_the_token_and_nobody_else(self):
        for user, token in ((self.bob, None), (None, None), (None, "wrong")):
            self._sign_in(user)
            data = {"access_token": token} if token else {}
            self.assertLeadsTo(self._pause(**data), "/my")
            self.assertRuns()
        self._pause(access_token=self.token)
        self.assertEqual(self.order.subscription_state, "4_paused")
        self.assertIn("without signing in", self._notes())
        self._sign_in(self.bob)
        self.assertLeadsTo(self._resume(), "/my")
        self.assertEqual(self.order.subscription_state, "4_paused")

    def test_staff_who_may_not_write_orders(self):
        group = self.env.ref("base.group_user")
        self.ann.group_ids = group
        self.assertLeadsTo(self._pause(), "/my")
        self.assertRuns()

    def test_looking_changes_nothing(self):
        for action in ("pause", "resume"):
            response = self._get(f"{self.url}/{action}", resume_date=self.until)
            self.assertEqual(response.status_code, 405)
        self.assertRuns()
