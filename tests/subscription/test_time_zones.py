from datetime import date, datetime

from odoo.tests import tagged

from ..common import BillingCase


@tagged("post_install", "-at_install")
class TestTimeZones(BillingCase):
    """Months of 743 and 745 hours: one call each hour, none included, 0.50 each."""

    def setUp(self):
        super().setUp()
        self.company.fc_billing_tz = "Europe/Brussels"
        self.charge.included_quota = 0

    def _use_every_hour(self, first, last):
        """Record one call at the beginning of each hour from first up to last (UTC)."""
        self.env.cr.execute(
            """
            INSERT INTO fusion_billing_usage
                   (subscription_id, metric_id, quantity, period_start, period_end,
                    idempotency_key, fingerprint, unallocated, received_at)
            SELECT %s, %s, 1, hour, hour, hour::text, hour::text, false, now()
              FROM generate_series(%s::timestamp, %s::timestamp, interval '1 hour') hour
            """,
            [self.order.id, self.metric.id, first, last],
        )

    def _rated(self, first_day, day_after):
        self._set_window(self.order, first_day, day_after)
        return self.order._fc_rate_usage().sorted("window_start")[0]

    def test_a_month_with_a_day_of_23_hours(self):
        # 31 x 24 - 1 = 743 hours, from 28 February 23:00 to 31 March 22:00 UTC
        self._use_every_hour("2026-02-20 00:00:00", "2026-04-10 00:00:00")
        rating = self._rated(date(2026, 3, 1), date(2026, 4, 1))
        self.assertEqual(rating.window_start, datetime(2026, 2, 28, 23))
        self.assertEqual(rating.window_end, datetime(2026, 3, 31, 22))
        self.assertEqual((rating.quantity, rating.amount), (743, 371.5))
        self.assertIn("03/01/2026 to 03/31/2026", self._usage_line().name)

    def test_a_month_with_a_day_of_25_hours(self):
        # 31 x 24 + 1 = 745 hours, from 30 September 22:00 to 31 October 23:00 UTC
        self._use_every_hour("2026-09-20 00:00:00", "2026-11-10 00:00:00")
        rating = self._rated(date(2026, 10, 1), date(2026, 11, 1))
        self.assertEqual(rating.window_start, datetime(2026, 9, 30, 22))
        self.assertEqual(rating.window_end, datetime(2026, 10, 31, 23))
        self.assertEqual((rating.quantity, rating.amount), (745, 372.5))

    def test_one_day_each(self):
        self._use_every_hour("2026-03-20 00:00:00", "2026-10-30 00:00:00")
        self.assertEqual(self._rated(date(2026, 3, 29), date(2026, 3, 30)).quantity, 23)
        other = self._create_subscription()
        self.env.cr.execute(
            "UPDATE fusion_billing_usage SET subscription_id = %s"
            " WHERE subscription_id = %s",
            [other.id, self.order.id],
        )
        self.order = other
        self.assertEqual(
            self._rated(date(2026, 10, 25), date(2026, 10, 26)).quantity, 25
        )
