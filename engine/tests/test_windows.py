import unittest
from datetime import date, datetime

from ..billing.calendar import Calendar, aligned_from, calendar_of
from ..billing.windows import (
    BILLING,
    GAP,
    Span,
    SubscriptionDates,
    cut_at,
    end_at,
    follow,
    gap_until,
    replace,
    without_end,
)

JAN, FEB, MAR, APR, MAY = (date(2026, month, 1) for month in range(1, 6))
OLD, NEW = 1, 2  # ids of plans


def midnight(day):
    return datetime(day.year, day.month, day.day)


def span(first, after, **values):
    return Span(midnight(first), midnight(after), first, after, "UTC", OLD, **values)


def dates(first, next_day, period=None, end=None, aligned=False, **values):
    values = {"tz": "UTC", "plan": OLD} | values
    return SubscriptionDates(
        first_day=first,
        period_day=period,
        next_day=next_day,
        end_day=end,
        calendar=calendar_of("month", 1, [first], next_day),
        is_aligned=aligned,
        **values,
    )


def days(spans):
    return [(span.first_day, span.end_day, span.kind) for span in spans]


class TestCalendar(unittest.TestCase):
    def test_the_31st(self):
        months = Calendar("month", 1, date(2026, 1, 31))
        self.assertEqual(months.boundary_after(date(2026, 1, 31)), date(2026, 2, 28))
        self.assertEqual(months.boundary_after(date(2026, 2, 28)), date(2026, 3, 31))
        self.assertEqual(months.boundary_before(date(2026, 3, 31)), date(2026, 2, 28))
        self.assertTrue(months.has(date(2026, 4, 30)))
        self.assertFalse(months.has(date(2026, 3, 30)))

    def test_weeks_and_years(self):
        weeks = Calendar("week", 2, date(2026, 1, 7))
        self.assertEqual(weeks.boundary_after(date(2026, 1, 20)), date(2026, 1, 21))
        self.assertEqual(weeks.boundary_after(date(2025, 12, 1)), date(2025, 12, 10))
        years = Calendar("year", 1, date(2024, 2, 29))
        self.assertEqual(years.boundary_after(date(2026, 1, 1)), date(2026, 2, 28))

    def test_the_day_that_somebody_has_chosen(self):
        start = date(2026, 1, 31)
        found = calendar_of("month", 1, [start], date(2026, 2, 28))
        self.assertEqual(found.anchor, start)
        chosen = calendar_of("month", 1, [start], date(2026, 2, 10))
        self.assertEqual(chosen.anchor, date(2026, 2, 10))

    def test_periods_of_the_calendar(self):
        for unit, value, day, expected in (
            ("week", 1, date(2026, 1, 1), date(2026, 1, 5)),  # a Thursday, a Monday
            ("month", 1, date(2026, 1, 15), FEB),
            ("month", 3, date(2026, 1, 15), APR),
            ("month", 5, date(2026, 1, 15), FEB),
            ("year", 1, date(2026, 1, 1), JAN),
        ):
            with self.subTest(unit=unit, value=value):
                self.assertEqual(aligned_from(unit, value, day), expected)


class TestFollow(unittest.TestCase):
    def follow(self, spans, of, now, restart=False):
        return days(follow(spans, of, now, restart))

    def test_the_first_one_before_the_first_invoice(self):
        found = self.follow((), dates(JAN, JAN), datetime(2026, 1, 1, 8))
        self.assertEqual(found, [(JAN, FEB, BILLING)])

    def test_an_aligned_plan_bought_on_the_15th(self):
        day = date(2026, 1, 15)
        found = self.follow((), dates(day, day, aligned=True), datetime(2026, 1, 15, 8))
        self.assertEqual(found, [(day, FEB, BILLING)])

    def test_an_aligned_plan_of_two_weeks(self):
        """Monday 19 January is a boundary; 26 January lies inside the period."""
        day, after = date(2026, 1, 19), date(2026, 2, 2)
        of = SubscriptionDates(
            day, None, day, None, Calendar("week", 2, day), True, "UTC", OLD
        )
        found = self.follow((), of, datetime(2026, 2, 1))
        self.assertEqual(found, [(day, after, BILLING)])

    def test_a_day_that_was_chosen_and_taken_back(self):
        day = date(2026, 1, 5)
        known = span(JAN, day, key=7), span(day, date(2026, 2, 5), key=8)
        found = self.follow(known, dates(JAN, FEB, forgotten=day), datetime(2026, 1, 9))
        self.assertEqual(found, [(JAN, FEB, BILLING)])

    def test_a_day_on_which_another_plan_began_is_not_taken_back(self):
        day, after = date(2026, 1, 5), date(2026, 2, 5)
        known = span(JAN, day, key=7), replace(span(day, after, key=8), plan=NEW)
        of = dates(JAN, date(2026, 1, 25), forgotten=day, plan=NEW)
        found = follow(known, of, datetime(2026, 1, 9), False)
        self.assertEqual(
            [(s.first_day, s.end_day, s.plan) for s in found],
            [(JAN, day, OLD), (day, date(2026, 1, 25), NEW)],
        )

    def test_the_first_invoice_is_preset(self):
        day = date(2026, 1, 15)
        found = self.follow((), dates(JAN, day), datetime(2026, 1, 1, 8))
        self.assertEqual(found, [(JAN, day, BILLING)])

    def test_a_start_in_the_future(self):
        found = self.follow((), dates(MAR, MAR), datetime(2026, 1, 1, 8))
        self.assertEqual(found, [(MAR, APR, BILLING)])

    def test_missed_invoices_leave_a_window_for_each_period(self):
        found = self.follow((), dates(JAN, FEB), datetime(2026, 3, 2))
        self.assertEqual(
            found, [(JAN, FEB, BILLING), (FEB, MAR, BILLING), (MAR, APR, BILLING)]
        )

    def test_what_is_settled_stays_whatever_the_dates_say(self):
        """The plan is one of calendar years now: its period begins in the past."""
        settled = span(JAN, FEB, is_fixed=True, key=7)
        of = dates(JAN, date(2027, 1, 1))
        found = follow((settled,), of, datetime(2026, 2, 2), False)
        self.assertEqual(found[0], settled)
        self.assertEqual(days(found[1:]), [(FEB, date(2027, 1, 1), BILLING)])

    def test_the_next_date_is_moved_by_hand(self):
        running = span(JAN, FEB, key=7)
        for day in (date(2026, 1, 25), date(2026, 2, 10)):
            with self.subTest(day=day):
                of, now = dates(JAN, day), datetime(2026, 1, 20)
                found = follow((running,), of, now, False)
                self.assertEqual(days(found), [(JAN, day, BILLING)])
                self.assertEqual(found[0].key, 7)

    def test_the_present_period_is_moved_by_hand(self):
        """Both dates: what was lived through is billed, and the new one with it."""
        day, after = date(2026, 2, 15), date(2026, 3, 15)
        of, now = dates(JAN, after, day), datetime(2026, 2, 20)
        found = self.follow((span(JAN, FEB, key=7),), of, now)
        self.assertEqual([end for _first, end, _kind in found], [FEB, day, after])

    def test_never_into_what_is_settled(self):
        settled = span(JAN, FEB, is_fixed=True)
        of = dates(JAN, date(2026, 1, 15))
        found = self.follow((settled,), of, datetime(2026, 2, 2))
        self.assertEqual(
            found, [(JAN, FEB, BILLING), (FEB, date(2026, 2, 15), BILLING)]
        )

    def test_time_added_to_what_was_billed_early_is_a_window_of_its_own(self):
        settled, day = span(JAN, FEB, is_fixed=True), date(2026, 2, 11)
        found = self.follow((settled,), dates(JAN, day), datetime(2026, 1, 25))
        self.assertEqual(found, [(JAN, FEB, BILLING), (FEB, day, BILLING)])

    def test_the_start_is_moved(self):
        day = date(2026, 1, 5)
        found = self.follow(
            (span(JAN, FEB, key=7),), dates(day, FEB), datetime(2026, 1, 20), True
        )
        self.assertEqual(found, [(day, FEB, BILLING)])

    def test_another_time_zone(self):
        """What has ended stays; what runs ends at midnight over there."""
        known = span(JAN, FEB, key=7), span(FEB, MAR, key=8)
        of = dates(JAN, MAR, period=FEB, tz="Asia/Tokyo")
        ended, running = follow(known, of, datetime(2026, 2, 10), False)
        self.assertEqual(ended, known[0])
        self.assertEqual(running.start, datetime(2026, 2, 1))
        self.assertEqual(running.end, datetime(2026, 2, 28, 15))

    def test_a_window_keeps_the_plan_it_began_with(self):
        known = (span(JAN, FEB, key=7),)
        found = follow(known, dates(JAN, FEB, plan=NEW), datetime(2026, 2, 3), False)
        self.assertEqual([(s.key, s.plan) for s in found], [(7, OLD), (None, NEW)])

    def test_it_ends(self):
        day = date(2026, 1, 20)
        found = self.follow((), dates(JAN, FEB, end=day), datetime(2026, 3, 2))
        self.assertEqual(found, [(JAN, day, BILLING)])


class TestCuts(unittest.TestCase):
    def test_a_gap_until_it_goes_on(self):
        day = date(2026, 2, 10)
        found = gap_until((span(JAN, FEB),), day, "UTC")
        self.assertEqual(days(found), [(JAN, FEB, BILLING), (FEB, day, GAP)])
        inside = gap_until((span(JAN, FEB),), date(2026, 1, 20), "UTC")
        self.assertEqual(days(inside), [(JAN, FEB, BILLING)])

    def test_after_the_gap_it_goes_on_to_the_next_boundary(self):
        day = date(2026, 2, 10)
        spans = gap_until((span(JAN, FEB, is_fixed=True),), day, "UTC")
        found = follow(spans, dates(JAN, MAR, period=FEB), datetime(2026, 2, 10), False)
        self.assertEqual(
            days(found), [(JAN, FEB, BILLING), (FEB, day, GAP), (day, MAR, BILLING)]
        )

    def test_a_plan_of_today_cuts_what_is_settled_too(self):
        day = date(2026, 1, 25)
        for fixed in (True, False):
            with self.subTest(fixed=fixed):
                found = cut_at((span(JAN, FEB, is_fixed=fixed),), day, "UTC")
                self.assertEqual(days(found), [(JAN, day, BILLING)])

    def test_an_end_date_in_time(self):
        day = date(2026, 1, 20)
        found = end_at((span(JAN, FEB),), day, "UTC", None)
        self.assertEqual(days(found), [(JAN, day, BILLING)])

    def test_an_end_date_that_comes_late_and_is_taken_back(self):
        """What was billed after it is taken back, and then it is not."""
        day = date(2026, 1, 20)
        spans = span(JAN, FEB, is_fixed=True), span(FEB, MAR, is_fixed=True)
        ended = end_at(spans, day, "UTC", None)
        self.assertEqual(
            days(ended), [(JAN, day, BILLING), (day, FEB, GAP), (FEB, MAR, GAP)]
        )
        self.assertEqual(
            days(without_end(ended, day)), [(JAN, FEB, BILLING), (FEB, MAR, BILLING)]
        )

    def test_what_was_settled_and_cut_is_whole_again(self):
        settled = span(JAN, FEB, is_fixed=True)
        ended = end_at((settled,), date(2026, 1, 20), "UTC", None)
        self.assertEqual(without_end(ended, date(2026, 1, 20)), (settled,))

    def test_a_pause_stays_a_gap_when_the_end_is_moved(self):
        pause = span(FEB, MAR, kind=GAP)
        spans = span(JAN, FEB), pause, span(MAR, APR)
        found = end_at(spans, APR, "UTC", MAY)
        self.assertEqual(found, (spans[0], pause, spans[2]))

    def test_spans_are_values(self):
        self.assertEqual(replace(span(JAN, FEB), end_day=FEB), span(JAN, FEB))
