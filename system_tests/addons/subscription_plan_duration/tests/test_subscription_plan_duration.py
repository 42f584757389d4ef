from freezegun import freeze_time

from odoo.tests import tagged

from odoo.addons.sale_subscription.tests.common import SubscriptionCase


@tagged("post_install", "-at_install")
class TestPlanDuration(SubscriptionCase):
    def test_both_durations(self):
        """Theirs counts the last day, two months from 1 January; ours the first day
        after it."""
        self.plan.write({"is_unlimited": False, "duration_value": 2})
        order = self._create_subscription()
        self.assertEqual(str(order.end_date), "2026-02-28")
        self.plan.write({"is_unlimited": True, "contract_length": 2})
        order = self._create_subscription()
        self.assertEqual(str(order.end_date), "2026-03-01")
        with freeze_time("2026-01-01"):
            arch = self.plan.get_view(view_type="form")["arch"]
        self.assertIn("duration_unit", arch)
        self.assertIn("contract_unit", arch)
