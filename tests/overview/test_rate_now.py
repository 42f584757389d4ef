from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .overview_case import OverviewCase


@tagged("post_install", "-at_install")
class TestRateNow(OverviewCase):
    """Amounts say how old they are, and can be brought up to date."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = new_test_user(
            cls.env,
            login="overview_manager",
            groups="fusion_centralized_billing.group_manager",
        )

    def _age(self, order):
        order.invalidate_recordset()
        return order.fc_is_waiting, order.fc_waiting_count

    def test_when_it_was_rated(self):
        self.assertEqual(str(self.order.fc_rated_at), "2026-01-15 12:00:00")
        self.assertEqual(self._age(self.order), (False, 0))

    def test_each_way_an_event_comes_in_or_goes(self):
        """Three by the API, one of them twice, 250 at once, one void: 3 + 250 + 1."""
        events = [self._event(idempotency_key=f"k{n}") for n in range(3)]
        self._post_usage(*events)
        self._post_usage(events[0])
        self.assertEqual(self._age(self.order), (True, 3))
        many = [self._event(idempotency_key=f"m{n}") for n in range(250)]
        self._post_usage(*many)
        self.assertEqual(self._age(self.order), (True, 253))
        usage = self.env["fusion.billing.usage"]
        usage.search([("idempotency_key", "=", "k1")])._void("sent twice")
        self.assertEqual(self._age(self.order), (True, 254))
        self.service._api_void_usage(
            {
                "reason": "wrong",
                "events": [
                    {
                        "subscription_external_id": str(self.order.id),
                        "metric_code": self.metric.code,
                        "idempotency_key": "k2",
                    }
                ],
            }
        )
        self.assertEqual(self._age(self.order), (True, 255))
        self.order._fc_rate_usage()
        self.assertEqual(self._age(self.order), (False, 0))
        [window] = self.order.fc_window_ids.filtered("event_count")
        self.assertEqual(window.event_count, 3 + 1 + 250)

    def test_a_price_that_has_changed_waits_without_events(self):
        self.order.fc_usage_discount = 10
        self.assertEqual(self._age(self.order), (True, 0))

    def test_rate_now(self):
        """350 events' worth: (350 - 100) at 0.50 are 125.00."""
        self._use(self.order, 50, "2026-01-12 00:00:00")
        self.order.with_user(self.manager).action_fc_rate_now()
        self.assertEqual(self._age(self.order), (False, 0))
        self.assertEqual(self.order.fc_rating_ids.amount, 125.0)
        self._use(self.order, 2, "2026-01-13 00:00:00")
        rating = self.order.fc_rating_ids.with_user(self.manager)
        self.env.invalidate_all()
        self.assertEqual(rating.waiting_count, 1)
        rating.action_rate_now()
        self.assertEqual(self.order.fc_rating_ids.amount, 126.0)

    def test_readers_may_not(self):
        for call in (
            self.order.with_user(self.reader).action_fc_rate_now,
            self.order.fc_rating_ids.with_user(self.reader).action_rate_now,
            self._overview().action_rate_now,
        ):
            with self.assertRaises(AccessError):
                call()

    def test_a_manager_of_another_company_may_not(self):
        manager = self.manager.with_context(allowed_company_ids=self.company.ids)
        with self.assertRaises(AccessError):
            self.far_order.with_user(manager).action_fc_rate_now()

    def test_all_in_the_background(self):
        before = self._triggers()
        answer = self._overview(self.manager).action_rate_now()
        self.assertEqual(answer["tag"], "display_notification")
        self.assertEqual(self._triggers(), before + 1)

    def _triggers(self):
        job = self.env.ref("fusion_centralized_billing.cron_rate_usage")
        return self.env["ir.cron.trigger"].search_count([("cron_id", "=", job.id)])
