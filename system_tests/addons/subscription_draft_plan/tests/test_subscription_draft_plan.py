from odoo.tests import tagged

from odoo.addons.sale_subscription.tests.common import SubscriptionCase


@tagged("post_install", "-at_install")
class TestDraftPlan(SubscriptionCase):
    def test_one_plan_posts_the_other_does_not(self):
        later = self._create_plan(draft_invoicing=True)
        orders = self._create_subscription() | self._create_subscription(
            plan_id=later.id
        )
        self._run_cron("2026-01-01")
        states = [order.invoice_ids.state for order in orders]
        self.assertEqual(states, ["posted", "draft"])
        self.assertDates(orders[1], None, "2026-01-01")
