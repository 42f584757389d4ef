from freezegun import freeze_time

from odoo.tests import tagged

from odoo.addons.sale_subscription.tests.common import SubscriptionCase


@tagged("post_install", "-at_install")
class TestPatient(SubscriptionCase):
    def test_closes_only_when_switched_off(self):
        self.plan.auto_close_limit = 5
        unpaid = self._create_subscription()
        expired = self._create_subscription(end_date="2026-02-01")
        self._run_cron("2026-01-01")
        set_param = self.env["ir.config_parameter"].set_param
        for value, state in (("True", "3_progress"), ("False", "6_churn")):
            set_param("subscription_patient.unpaid", value)
            set_param("subscription_patient.expired", value)
            with freeze_time("2026-02-01"):
                self.env["sale.order"]._cron_subscription_expiration()
            self.assertEqual(unpaid.subscription_state, state)
            self.assertEqual(expired.subscription_state, state)
