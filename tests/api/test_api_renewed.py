from datetime import date

from freezegun import freeze_time

from odoo.tests import tagged

from ..common import BillingCase


@tagged("post_install", "-at_install")
class TestApiOfRenewed(BillingCase):
    """Renewed on 20 January, from 1 February on. The app goes on naming "sub-1"; each
    of these requests once stopped at the old subscription.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order.write({"fc_service_id": cls.service.id, "fc_external_id": "sub-1"})
        cls.renewal = cls._create_order(
            subscription_id=cls.order.id,
            subscription_state="2_renewal",
            start_date=date(2026, 2, 1),
        )
        with freeze_time("2026-01-20"):
            cls.renewal.action_confirm()
        cls._set_window(cls.renewal, date(2026, 2, 1), date(2026, 3, 1))

    @freeze_time("2026-02-10")
    def _post_both(self):
        for day in ("2026-01-30", "2026-02-03"):
            self._post_usage(
                self._event(
                    subscription_external_id="sub-1",
                    period_start=day,
                    period_end=day,
                    quantity=7,
                )
            )

    @freeze_time("2026-02-10")
    def test_cancel_ends_the_renewal(self):
        """It answered "ok", and the customer was billed on and on."""
        for _time in range(2):
            answer = self.service._api_cancel_subscription("sub-1", {})
            self.assertEqual(answer["subscription_id"], self.renewal.id)
            self.assertEqual(answer["end_date"], "2026-03-01")
        self.assertEqual(self.renewal.end_date, date(2026, 3, 1))
        answer = self.service._api_cancel_subscription("sub-1", {"when": "now"})
        self.assertEqual(answer["subscription_state"], "6_churn")
        self.assertEqual(self.renewal.subscription_state, "6_churn")

    def test_totals_are_held_against_the_renewal(self):
        """Its usage was missing: a mismatch that was none."""
        self._post_both()
        for start, end, order in (
            ("2026-01-01", "2026-02-01", self.order),
            ("2026-02-01", "2026-03-01", self.renewal),
        ):
            with self.subTest(start), freeze_time("2026-02-10"):
                answer = self.service._api_reconcile(
                    {
                        "subscription_external_id": "sub-1",
                        "metric_code": "api_calls",
                        "window_start": start,
                        "window_end": end,
                        "declared_quantity": 7,
                        "complete": True,
                    }
                )
                self.assertEqual(answer["state"], "matched")
                record = self.env["fusion.billing.reconciliation"].browse(
                    answer["reconciliation_id"]
                )
                self.assertEqual(record.subscription_id, order)

    def test_its_usage_is_listed(self):
        self._post_both()
        events = self.service._api_usage({"subscription": "sub-1"})["events"]
        self.assertEqual(
            [event["subscription_id"] for event in events],
            [self.order.id, self.renewal.id],
        )
        only = self.service._api_usage({"subscription": f"id:{self.renewal.id}"})
        self.assertEqual(only["events"], events[1:])

    def test_its_invoices_are_listed(self):
        with freeze_time("2026-03-01"):
            self.renewal._create_invoices().action_post()
        [invoice] = self.service._api_invoices({"subscription": "sub-1"})["invoices"]
        self.assertEqual(invoice["subscription_ids"], [self.renewal.id])

    def test_not_that_of_somebody_else(self):
        """The renewal stands on a customer this app is not linked to."""
        self.renewal.partner_id = self.env["res.partner"].create({"name": "Other"})
        answer = self.service._api_cancel_subscription("sub-1", {"when": "now"})
        self.assertEqual(answer["subscription_state"], "5_renewed")
        self.assertEqual(self.renewal.subscription_state, "3_progress")
