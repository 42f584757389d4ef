from odoo.tests import tagged

from .life import LifeCase


class FollowCase(LifeCase):
    """Each window begins where the last one ended, whatever plan and dates say.

    None is ever cut from time that was settled: neither twice, nor taken back.
    """

    def _months(self, *months):
        """120 calls in each of these months: 20 above the quota x 0.50 = 10.00."""
        for month in months:
            self.day(f"2026-{month}-01 09:00:00")
            self.at(f"2026-{month}-10 12:00:00")
            self.use(120, f"2026-{month}-10")

    def _close_on_the_20th(self, quantity, start="2026-01-01"):
        """Used on 18 January and closed on the 20th, billed at once."""
        self.order = self.subscribe(start)
        self.at("2026-01-18 12:00:00")
        self.use(quantity, "2026-01-18")
        self.at("2026-01-20 12:00:00")
        self.order.set_close()
        self.day("2026-01-20 13:00:00")

    def _pause_on_the_20th(self, quantity, start="2026-01-01"):
        """Used on 18 January and paused on the 20th."""
        self.order = self.subscribe(start)
        self.at("2026-01-18 12:00:00")
        self.use(quantity, "2026-01-18")
        self.at("2026-01-20 12:00:00")
        self.order.pause_subscription()
        self.day("2026-01-20 13:00:00")

    def _plan_at_the_same_price(self, **values):
        plan = self._create_plan(**values)
        self._create_charge(plan_id=plan.id)
        return plan

    def _days(self, *days):
        for day in days:
            self.day(f"{day} 09:00:00")


@tagged("post_install", "-at_install")
class TestReopenedOrResumed(FollowCase):
    """What was closed or paused goes on: after what was settled, beside nothing."""

    def _to_a_plan_without_quota(self, **price):
        """From 25 January on; 20 calls on the 26th."""
        self.at("2026-01-25 12:00:00")
        plan = self._create_plan(name="Without quota")
        self._create_charge(plan_id=plan.id, included_quota=0, **price)
        self.order.change_plan(plan, "now")
        self.day("2026-01-25 13:00:00")
        self.at("2026-01-26 12:00:00")
        self.use(20, "2026-01-26")
        self._days("2026-02-25", "2026-03-25")

    def test_closed_reopened_and_the_plan_changed_today(self):
        """The window goes on on the 22nd, and the change of the 25th cuts it there.

        What closing had billed of it was taken back, as if nobody had used it.
        """
        self._close_on_the_20th(150)
        self.assertEqual(self.net(), 25.0)  # 50 x 0.50
        self.at("2026-01-22 12:00:00")
        self.order.set_open()
        self._to_a_plan_without_quota()
        self.assertEqual(self.net(), 35.0)  # 25.00 + 20 x 0.50

    def test_closed_reopened_and_changed_today_to_packages(self):
        self._close_on_the_20th(150)
        self.at("2026-01-22 12:00:00")
        self.order.set_open()
        self._to_a_plan_without_quota(
            charge_model="package", unit_batch=8, price_per_unit=2.0
        )
        self.assertEqual(self.net(), 31.0)  # 25.00 + 3 packages of 8 x 2.00

    def test_closed_reopened_used_and_the_plan_changed_today(self):
        """The calls of the 22nd belong to the window that went on."""
        self._close_on_the_20th(150)
        self.at("2026-01-22 12:00:00")
        self.order.set_open()
        self.use(20, "2026-01-22")
        self.at("2026-01-25 12:00:00")
        self.order.change_plan(self._plan_at_the_same_price(name="Like it"), "now")
        self.day("2026-01-25 13:00:00")
        self._days("2026-02-25")
        self.assertEqual(self.net(), 35.0)  # 70 x 0.50

    def test_closed_the_plan_set_to_align_and_reopened(self):
        """It began on the 15th; reopened, its months are to begin on the 1st.

        The one of 1 February, by the calendar, would lie in what closing has billed.
        """
        self._close_on_the_20th(200, "2026-01-15")
        self.assertEqual(self.net(), 50.0)  # 100 x 0.50
        self.plan.billing_first_day = True
        self.at("2026-02-20 12:00:00")
        self.order.set_open()
        self.day("2026-02-20 13:00:00")
        self._days("2026-03-01", "2026-04-01")
        self.assertEqual(self.net(), 50.0)

    def test_paused_the_plan_set_to_align_and_resumed(self):
        self._pause_on_the_20th(200, "2026-01-15")
        self.plan.billing_first_day = True
        self._days("2026-02-16")
        self.at("2026-02-20 12:00:00")
        self.order.resume_subscription()
        self.day("2026-02-20 13:00:00")
        self._days("2026-03-01", "2026-04-01")
        self.assertEqual(self.net(), 50.0)  # 100 x 0.50

    def test_closed_reopened_aligned_and_used_again(self):
        """From the day it is reopened on, a window of its own, with its own quota."""
        self._close_on_the_20th(200, "2026-01-15")
        self.plan.billing_first_day = True
        self.at("2026-02-20 12:00:00")
        self.order.set_open()
        self.day("2026-02-20 13:00:00")
        self.at("2026-02-22 12:00:00")
        self.use(110, "2026-02-22")
        self._days("2026-03-01", "2026-04-01")
        self.assertEqual(self.net(), 55.0)  # 50.00 + 10 x 0.50


@tagged("post_install", "-at_install")
class TestMonthsThenYears(FollowCase):
    """Three months at 10.00 each, then a plan of calendar years at the same price.

    The year by the calendar, with its 360 calls, is not billed once more: 260 x 0.50.
    """

    def _to_calendar_years(self):
        return self._plan_at_the_same_price(
            name="Calendar years", billing_period_unit="year", billing_first_day=True
        )

    def test_closed_and_reopened(self):
        self.order = self.subscribe()
        self._months("01", "02", "03")
        self._days("2026-04-01")
        self.assertEqual(self.net(), 30.0)
        self.order.plan_id = self._to_calendar_years()
        self.at("2026-04-10 12:00:00")
        self.order.set_close()
        self.at("2026-05-10 12:00:00")
        self.order.set_open()
        self.day("2026-05-10 13:00:00")
        self._days("2027-01-01")
        self.assertEqual(self.net(), 30.0)

    def test_paused_and_resumed(self):
        self.order = self.subscribe()
        self._months("01", "02", "03")
        self.at("2026-03-20 12:00:00")
        self.order.pause_subscription()
        self._days("2026-04-01")
        self.order.change_plan(self._to_calendar_years())
        self.at("2026-04-10 12:00:00")
        self.order.resume_subscription()
        self.day("2026-04-10 13:00:00")
        self._days("2027-01-01")
        self.assertEqual(self.net(), 30.0)

    def test_used_in_the_rest_of_the_year(self):
        """It is one window, from the day it was reopened on, with one quota."""
        self.order = self.subscribe()
        self._months("01", "02", "03")
        self._days("2026-04-01")
        self.order.plan_id = self._to_calendar_years()
        self.at("2026-04-10 12:00:00")
        self.order.set_close()
        self.at("2026-05-10 12:00:00")
        self.order.set_open()
        self.day("2026-05-10 13:00:00")
        self.at("2026-06-10 12:00:00")
        self.use(110, "2026-06-10")
        self._days("2027-01-01")
        self.assertEqual(self.net(), 35.0)  # 30.00 + 10 x 0.50


@tagged("post_install", "-at_install")
class TestDatesMovedByHand(FollowCase):
    """The end of the running window moves with the next date; settled ones do not."""

    def _two_months(self):
        """January has 150 calls, February 100 on the 10th and 100 on the 20th."""
        self.order = self.subscribe()
        self.at("2026-01-10 12:00:00")
        self.use(150, "2026-01-10")
        self._days("2026-02-01")
        self.at("2026-02-22 12:00:00")
        self.use(100, "2026-02-10")
        self.use(100, "2026-02-20")
        self._days("2026-03-01")
        self.assertEqual(self.net(), 75.0)  # 50 x 0.50 + 100 x 0.50
        self.at("2026-03-05 12:00:00")

    def _to_the_end(self):
        self.day("2026-03-05 13:00:00")
        self._days("2026-04-05", "2026-05-05", "2026-06-05")

    def test_the_start_is_moved_after_the_plan_of_the_next_period_was_chosen(self):
        """January began with 0.50 a call above 100; February will cost 2.00 a call.

        120 calls of January are 10.00, also when it is found to begin a day earlier.
        """
        self.order = self.subscribe()
        self.at("2026-01-10 12:00:00")
        self.use(120, "2026-01-10")
        plan = self._create_plan(name="Two each")
        self._create_charge(plan_id=plan.id, included_quota=0, price_per_unit=2.0)
        self.order.change_plan(plan, "next_period")
        self.at("2026-01-12 12:00:00")
        self.order.start_date = "2025-12-31"
        self._days("2026-02-01")
        self.post_drafts()
        self.assertEqual(self.net(), 10.0)

    def test_credited_and_both_dates_moved_into_an_old_window(self):
        """February's bill is credited, and its month is made to end on the 15th."""
        self._two_months()
        self.credit(self.documents()[-1])
        self.assertEqual(self.net(), 25.0)
        self.order.write(
            {"last_invoice_date": "2026-02-01", "next_invoice_date": "2026-02-15"}
        )
        self._to_the_end()
        self.assertEqual(self.net(), 75.0)  # February is billed again as it was cut

    def test_credited_and_the_next_date_moved_into_an_old_window(self):
        self._two_months()
        for move in self.documents()[-2:]:
            self.credit(move)
        self.assertEqual(self.net(), 0.0)
        self.order.next_invoice_date = "2026-02-15"
        self._to_the_end()
        self.assertEqual(self.net(), 75.0)

    def test_all_credited_and_the_next_date_moved_into_the_first_window(self):
        self._two_months()
        for move in self.documents():
            self.credit(move)
        self.assertEqual(self.net(), 0.0)
        self.order.next_invoice_date = "2026-01-15"
        self._to_the_end()
        self.assertEqual(self.net(), 75.0)

    def _billed_early_and_made_longer(self):
        """Closed on the 20th, which bills 25.00; reopened, and longer by ten days."""
        self._close_on_the_20th(150)
        self.assertEqual(self.net(), 25.0)  # 50 x 0.50
        self.at("2026-01-22 12:00:00")
        self.order.set_open()
        self.order.next_invoice_date = "2026-02-11"

    def test_billed_early_made_longer_then_late_calls_of_the_time_added(self):
        """The ten days are a window of their own; their calls come after its end."""
        self._billed_early_and_made_longer()
        self._days("2026-02-11")
        self.use(110, "2026-02-05")
        self._days("2026-03-11", "2026-04-11")
        self.assertEqual(self.net(), 30.0)  # 25.00 + 10 x 0.50

    def test_billed_early_made_longer_then_calls_in_the_time_added(self):
        """In time, they have the quota of their own window all the same."""
        self._billed_early_and_made_longer()
        self.at("2026-02-05 12:00:00")
        self.use(110, "2026-02-05")
        self._days("2026-02-11", "2026-03-11")
        self.assertEqual(self.net(), 30.0)  # 25.00 + 10 x 0.50

    def test_billed_early_made_longer_then_late_calls_of_what_was_billed(self):
        self._billed_early_and_made_longer()
        self._days("2026-02-11")
        self.use(10, "2026-01-15")
        self._days("2026-03-11")
        self.assertEqual(self.net(), 30.0)  # 60 x 0.50
