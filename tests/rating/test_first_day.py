from odoo.tests import tagged

from .life_documents import DocumentCase


@tagged("post_install", "-at_install")
class TestFirstDay(DocumentCase):
    """A subscription has its first window from the minute it is confirmed.

    Confirmed on 1 January at 8:00; the daily job, which makes its first invoice, comes
    at 9:00. 500 calls are 400 above the quota: 200.00.
    """

    def setUp(self):
        super().setUp()
        self.partner = self.env["res.partner"].create({"name": "Sample New"})
        self._create_link(external_id="acc-new", partner_id=self.partner.id)
        self.order = self._create_subscription(job=False, partner_id=self.partner.id)

    def _use_at_once(self):
        return self.use(500, "2026-01-01 08:10:00", "a")

    def test_its_usage_is_not_unallocated(self):
        self.assertEqual(self._use_at_once(), {"status": "accepted"})
        self.assertEqual(self.unallocated(), 0)

    def test_the_app_is_told_of_its_current_usage(self):
        self._use_at_once()
        current = self.app_usage("2026-01-01 08:20:00")["current"]
        self.assertTrue(current)
        self.assertEqual(current["window_start"], "2026-01-01T00:00:00Z")
        self.assertEqual(current["window_end"], "2026-02-01T00:00:00Z")
        [charge] = current["charges"]
        self.assertEqual((charge["quantity"], charge["amount"]), ("500", "200.00"))

    def test_the_subscription_shows_its_window(self):
        answer = self.at(
            "2026-01-01 08:20:00",
            lambda: self.service._api_subscription(str(self.order.id)),
        )
        self.assertEqual(
            answer["window"],
            {"start": "2026-01-01T00:00:00Z", "end": "2026-02-01T00:00:00Z"},
        )

    def test_the_rating_job_rates_it(self):
        self._use_at_once()
        self.rate("2026-01-01 08:20:00")
        self.assertEqual(self.order.fc_rating_ids.mapped("amount"), [200.0])
        self.assertEqual(self.order.fc_rating_ids.state, "open")

    def test_thresholds_are_told(self):
        """500 of 100 included: 80 and 100 percent were reached."""
        self._use_at_once()
        self.rate("2026-01-01 08:20:00")
        told = self.told("usage.threshold_reached")
        self.assertEqual([data["threshold_percent"] for data in told], [80, 100])
        self.day("2026-01-01 09:00:00")
        self.assertEqual(len(self.told("usage.threshold_reached")), 2)

    def test_cancelled_now_bills_it(self):
        self._use_at_once()
        self.cancel("2026-01-01 08:30:00")
        self.assertEqual(self.net(), 200.0)
        self.assertEqual(self.unallocated(), 0)

    def test_closed_by_people_bills_it(self):
        self._use_at_once()
        self.at("2026-01-01 08:30:00", self.order.set_close)
        self.assertEqual(self.net(), 200.0)
        self.assertEqual(self.unallocated(), 0)

    def test_late_usage_after_it_was_cancelled(self):
        """The window is known: what comes for it later is billed by the rating job."""
        self._use_at_once()
        self.cancel("2026-01-01 08:30:00")
        answer = self.use(10, "2026-01-01 08:15:00", "b", now="2026-01-02 08:00:00")
        self.assertEqual(answer, {"status": "accepted"})
        self.day("2026-01-03 09:00:00")
        self.assertEqual(self.net(), 205.0)  # 410 x 0.50

    def test_its_usage_is_billed_once_when_it_goes_on(self):
        self._use_at_once()
        self.days("2026-01-01 09:00:00", "2026-02-01 09:00:00")
        self.assertEqual(self.net(), 200.0)
        self.assertEqual(self.net_total(), 220.0)

    def test_a_plan_of_weeks(self):
        weekly = self._create_plan(name="Weekly", billing_period_unit="week")
        self._create_charge(plan_id=weekly.id)
        self.order = self._create_subscription(
            job=False, partner_id=self.partner.id, plan_id=weekly.id
        )
        self._use_at_once()
        current = self.app_usage("2026-01-01 08:20:00")["current"]
        self.assertTrue(current)
        self.assertEqual(current["window_end"], "2026-01-08T00:00:00Z")

    def test_made_by_the_app(self):
        answer = self.at(
            "2026-01-01 08:00:00",
            lambda: self.service._api_create_subscription(
                {
                    "external_id": "sub-1",
                    "external_customer_id": "acc-new",
                    "plan_id": self.plan.id,
                    "start_date": "2026-01-01",
                    "lines": [{"product_id": self.base_product.id, "quantity": "1"}],
                }
            ),
        )
        self.order = self.env["sale.order"].browse(answer["subscription_id"])
        self._use_at_once()
        self.cancel("2026-01-01 08:30:00")
        self.assertEqual(self.net(), 200.0)

    def test_before_it_begins_there_is_no_window(self):
        """Confirmed on 1 January for the 5th: a call of the 2nd is nobody's."""
        self.order = self._create_order(
            partner_id=self.partner.id, start_date="2026-01-05"
        )
        self.at("2026-01-01 10:00:00", self.order.action_confirm)
        answer = self.use(500, "2026-01-02", "early")
        self.assertEqual(answer, {"status": "accepted", "unallocated": True})
        answer = self.use(104, "2026-01-05 00:00:00", "first")
        self.assertEqual(answer, {"status": "accepted"})
        self.days("2026-01-05 09:00:00", "2026-02-05 09:00:00")
        self.assertEqual(self.net(), 2.0)  # 4 x 0.50
