from datetime import date

from psycopg2 import IntegrityError

from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import SubscriptionCase

# Boundaries of a monthly plan from 31 January 2026 on, read off a calendar.
# 2028 is a leap year.
LAST_DAY_2026 = [
    "2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31", "2026-06-30",
    "2026-07-31", "2026-08-31", "2026-09-30", "2026-10-31", "2026-11-30", "2026-12-31",
    "2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30", "2027-05-31", "2027-06-30",
    "2027-07-31", "2027-08-31", "2027-09-30", "2027-10-31", "2027-11-30", "2027-12-31",
    "2028-01-31", "2028-02-29", "2028-03-31", "2028-04-30", "2028-05-31", "2028-06-30",
    "2028-07-31", "2028-08-31", "2028-09-30", "2028-10-31", "2028-11-30", "2028-12-31",
    "2029-01-31", "2029-02-28", "2029-03-31", "2029-04-30", "2029-05-31", "2029-06-30",
    "2029-07-31", "2029-08-31", "2029-09-30", "2029-10-31", "2029-11-30", "2029-12-31",
    "2030-01-31",
]  # fmt: skip

# unit, value, anchor, boundaries 1, 2, ...
TABLE = [
    ("month", 1, "2026-01-30", ["2026-02-28", "2026-03-30", "2026-04-30"]),
    ("month", 1, "2027-12-30", ["2028-01-30", "2028-02-29", "2028-03-30"]),
    ("month", 1, "2026-12-15", ["2027-01-15", "2027-02-15"]),
    ("month", 3, "2025-11-30", ["2026-02-28", "2026-05-30", "2026-08-30"]),
    ("month", 6, "2025-08-31", ["2026-02-28", "2026-08-31", "2027-02-28"]),
    ("year", 1, "2024-02-29", ["2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]),
    ("year", 2, "2024-02-29", ["2026-02-28", "2028-02-29"]),
    ("week", 1, "2026-12-28", ["2027-01-04", "2027-01-11"]),
    ("week", 2, "2026-02-16", ["2026-03-02", "2026-03-16", "2026-03-30"]),
    ("week", 4, "2028-02-01", ["2028-02-29", "2028-03-28"]),
]


@tagged("post_install", "-at_install")
class TestPlanDates(SubscriptionCase):
    def test_last_day_of_month_for_four_years(self):
        boundaries = [
            str(self.plan._get_boundary(date(2026, 1, 31), index))
            for index in range(len(LAST_DAY_2026))
        ]
        self.assertEqual(boundaries, LAST_DAY_2026)

    def test_boundaries_of_units(self):
        for unit, value, anchor, expected in TABLE:
            plan = self._create_plan(
                billing_period_unit=unit, billing_period_value=value
            )
            with self.subTest(unit=unit, value=value, anchor=anchor):
                boundaries = [
                    str(plan._get_boundary(date.fromisoformat(anchor), index + 1))
                    for index in range(len(expected))
                ]
                self.assertEqual(boundaries, expected)

    def test_index_of_a_boundary(self):
        anchor = date(2026, 1, 31)
        for index, text in enumerate(LAST_DAY_2026):
            found = self.plan._get_boundary_index(anchor, date.fromisoformat(text))
            self.assertEqual(found, index, text)

    def test_other_days_are_no_boundary(self):
        anchor = date(2026, 1, 31)
        for day in ("2026-02-27", "2026-03-28", "2026-03-30", "2026-04-29"):
            found = self.plan._get_boundary_index(anchor, date.fromisoformat(day))
            self.assertIsNone(found, day)

    def test_weeks_are_counted_in_days(self):
        plan = self._create_plan(billing_period_unit="week", billing_period_value=2)
        anchor = date(2026, 2, 16)
        self.assertEqual(plan._get_boundary_index(anchor, date(2026, 3, 30)), 3)
        self.assertIsNone(plan._get_boundary_index(anchor, date(2026, 3, 23)))

    def test_first_boundary_from_a_day(self):
        anchor = date(2026, 1, 31)
        for day, expected in (
            ("2026-01-31", 0),
            ("2026-02-01", 1),
            ("2026-02-28", 1),
            ("2026-03-01", 2),
            ("2029-06-30", 41),
            ("2029-07-01", 42),
        ):
            found = self.plan._get_first_boundary_from(anchor, date.fromisoformat(day))
            self.assertEqual(found, expected, day)

    def test_first_boundary_from_a_day_years_later(self):
        plan = self._create_plan(billing_period_unit="year")
        found = plan._get_first_boundary_from(date(2024, 2, 29), date(2027, 3, 1))
        self.assertEqual(found, 4)

    def test_period_text(self):
        for unit, value, expected in (
            ("week", 1, "1 Week"),
            ("week", 2, "2 Weeks"),
            ("month", 1, "1 Month"),
            ("month", 6, "6 Months"),
            ("year", 1, "1 Year"),
            ("year", 3, "3 Years"),
        ):
            plan = self._create_plan(
                billing_period_unit=unit, billing_period_value=value
            )
            self.assertEqual(plan.billing_period_display, expected)

    def test_period_value_is_positive_in_the_database(self):
        for value in (0, -1):
            with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
                with self.env.cr.savepoint():
                    self._create_plan(billing_period_value=value)

    def test_billing_period_is_a_relativedelta(self):
        plan = self._create_plan(billing_period_unit="year", billing_period_value=2)
        self.assertEqual(date(2024, 2, 29) + plan.billing_period, date(2026, 2, 28))

    def test_data_plans(self):
        for xmlid, unit in (("month", "month"), ("year", "year")):
            plan = self.env.ref(f"sale_subscription.subscription_plan_{xmlid}")
            self.assertEqual(
                (plan.billing_period_value, plan.billing_period_unit), (1, unit)
            )
