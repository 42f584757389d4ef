from freezegun import freeze_time

from odoo.tests import new_test_user, tagged

from ..http.http_case import HttpApiCase


@tagged("post_install", "-at_install")
class TestAttention(HttpApiCase):
    """Ten windows that differ were twenty e-mails to the responsible."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # As outside of tests: with e-mails, and notes of changes.
        cls.env = cls.env(context={})
        cls.service = cls.service.with_env(cls.env)
        cls.responsible = new_test_user(
            cls.env,
            "fcb-responsible",
            "fusion_centralized_billing.group_manager",
            email="responsible@example.com",
            notification_type="email",
        )
        cls.service.user_id = cls.responsible

    def _reconcile(self, hour, declared=1, service=None, key=None):
        """Declare the totals of an hour in which nothing was used."""
        response = self._request(
            "POST",
            "/reconciliations",
            {
                "subscription_id": self.order.id,
                "metric_code": "api_calls",
                "window_start": f"2026-01-10T{hour:02}:00:00Z",
                "window_end": f"2026-01-10T{hour:02}:30:00Z",
                "declared_quantity": declared,
            },
            key=key,
        )
        self.assertEqual(response.status_code, 200, response.text[:300])
        return self.env["fusion.billing.reconciliation"].browse(
            response.json()["reconciliation_id"]
        )

    def _activities(self):
        Activity = self.env["mail.activity"].with_context(active_test=False)
        return Activity.search([("user_id", "=", self.responsible.id)])

    def _emails(self):
        """How many e-mails the responsible has got."""
        self.env.flush_all()
        return self.env["mail.notification"].search_count(
            [
                ("res_partner_id", "=", self.responsible.partner_id.id),
                ("notification_type", "=", "email"),
            ]
        )

    def test_ten_differences_are_one_email(self):
        before = self._emails()
        records = [self._reconcile(hour) for hour in range(10)]
        self.assertEqual({record.state for record in records}, {"mismatch"})
        self.assertEqual(len(self._activities()), 1)
        self.assertEqual(records[0].activity_ids, self._activities())
        self.assertEqual(self._emails(), before + 1)
        told = self.service.webhook_ids.mapped("event_type")
        self.assertEqual(told.count("reconciliation.mismatch"), 10)

    def test_back_and_forth_is_one_email(self):
        before = self._emails()
        for _time in range(3):
            record = self._reconcile(1)
            self.assertEqual(len(self._activities()), 1)
            self._reconcile(1, declared=0)
            self.assertFalse(self._activities())
        record = self._reconcile(1)
        self.assertEqual(record.activity_ids, self._activities())
        self.assertEqual(self._emails(), before + 1)

    def test_the_next_day_is_another(self):
        with freeze_time("2026-01-10 23:59:59"):
            self._reconcile(1)
            self._reconcile(2)
        before = self._emails()
        with freeze_time("2026-01-11 00:00:00"):
            self._reconcile(3)
            self._reconcile(4)
        self.assertEqual(len(self._activities()), 2)
        self.assertEqual(self._emails(), before + 1)

    def test_each_app_has_its_own(self):
        other = self._create_service(code="other-app", user_id=self.responsible.id)
        self._create_link(service_id=other.id, external_id="acc-o")
        key = other.action_generate_api_key()
        for hour in range(3):
            self._reconcile(hour)
            self._reconcile(hour, key=key)
        self.assertEqual(len(self._activities()), 2)

    def test_what_is_done_leaves_its_activity_to_the_next(self):
        """Else nobody would look at the others of the day."""
        first, second, third = (self._reconcile(hour) for hour in range(3))
        self._reconcile(0, declared=0)
        self.assertFalse(first.activity_ids)
        [holder] = (second | third).filtered("activity_ids")
        holder.note = "Their clock was wrong."
        holder.with_user(self.responsible).action_explain()
        [last] = (second | third) - holder
        self.assertEqual(last.activity_ids, self._activities())
        last.note = "Likewise."
        last.with_user(self.responsible).action_explain()
        self.assertFalse(self._activities())

    def test_what_was_marked_done_is_asked_again_without_an_email(self):
        self._reconcile(1).activity_ids.action_done()
        before = self._emails()
        record = self._reconcile(2)
        self.assertTrue(record.activity_ids)
        self.assertEqual(self._emails(), before)

    def test_a_receiver_that_is_disabled_again_and_again(self):
        before = self._emails()
        for _time in range(5):
            self.service._webhook_disable("The receiver answered 410 Gone.")
            self.service.with_user(self.responsible).action_enable_webhooks()
        self.assertEqual(len(self._activities()), 1)
        self.assertEqual(self._emails(), before + 1)
        # It is another matter than totals that differ.
        self._reconcile(1)
        self.assertEqual(self._emails(), before + 2)

    def test_subscriptions_of_an_app_are_no_emails_to_the_salesperson(self):
        seller = new_test_user(
            self.env,
            "fcb-seller",
            "sales_team.group_sale_salesman",
            email="seller@example.com",
            notification_type="email",
        )
        self.partner.user_id = seller
        for number in range(3):
            response = self._request(
                "POST",
                "/subscriptions",
                {
                    "external_customer_id": "acc-1",
                    "external_id": f"sub-{number}",
                    "plan_id": self.plan.id,
                    "lines": [{"product_id": self.base_product.id}],
                },
            )
            order = self.env["sale.order"].browse(response.json()["subscription_id"])
            self.assertEqual(order.user_id, seller)
        self.assertFalse(
            self.env["mail.notification"].search(
                [("res_partner_id", "=", seller.partner_id.id)]
            )
        )
