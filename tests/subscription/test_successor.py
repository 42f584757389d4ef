from datetime import date

from freezegun import freeze_time

from odoo.tests import tagged

from ..common import BillingCase

OLD_KEY = {"idempotency_key": "call-1"}


@tagged("post_install", "-at_install")
class TestUsageOfRenewals(BillingCase):
    """Renewed on 20 January: the old subscription ends with January, the new one
    begins with February. The app goes on naming the one it knows.
    """

    def setUp(self):
        super().setUp()
        self.order.write({"fc_service_id": self.service.id, "fc_external_id": "sub-1"})

    def _renew(self, order=None, start=date(2026, 2, 1)):
        order = order or self.order
        renewal = self._create_order(
            subscription_id=order.id, subscription_state="2_renewal", start_date=start
        )
        with freeze_time("2026-01-20"):
            renewal.action_confirm()
        self.assertEqual(order.subscription_state, "5_renewed")
        self.assertEqual(renewal.subscription_state, "3_progress")
        return renewal

    def _post(self, day, reference="sub-1", **values):
        is_id = isinstance(reference, int)
        values["subscription_id" if is_id else "subscription_external_id"] = reference
        with freeze_time("2026-02-10"):
            answer = self._post_usage(
                self._event(
                    period_start=f"{day}T00:00:00Z",
                    period_end=f"{day}T00:00:00Z",
                    **values,
                )
            )
        return answer["results"][0]

    def _hand_over(self):
        self.env["fusion.billing.succession"]._hand_over(self.order)

    def _usage(self, order):
        return self.env["fusion.billing.usage"].search(
            [("subscription_id", "=", order.id)]
        )

    def test_each_event_goes_where_its_period_is(self):
        renewal = self._renew()
        for reference in ("sub-1", self.order.id):
            with self.subTest(reference=reference):
                for day in ("2026-01-31", "2026-02-01"):
                    key = f"{day} {reference} {type(reference).__name__}"
                    self.assertEqual(
                        self._post(day, reference, idempotency_key=key),
                        {"status": "accepted"},
                    )
        self.assertEqual(len(self._usage(self.order)), 2)
        self.assertEqual(len(self._usage(renewal)), 2)
        days = {usage.period_start.date() for usage in self._usage(renewal)}
        self.assertEqual(days, {date(2026, 2, 1)})

    def test_one_key_on_both_sides_of_the_renewal_is_a_conflict(self):
        """The app knows one subscription; there, a key stands for one event."""
        self._renew()
        self._post("2026-01-31", **OLD_KEY)
        result = self._post("2026-02-01", **OLD_KEY)
        self.assertEqual(result["code"], "idempotency_conflict")

    def test_two_renewals_in_a_row(self):
        first = self._renew()
        self._set_window(first, date(2026, 2, 1), date(2026, 2, 5))
        second = self._renew(first, start=date(2026, 2, 5))
        self._post("2026-02-04")
        self._post("2026-02-05")
        self.assertEqual(len(self._usage(first)), 1)
        self.assertEqual(len(self._usage(second)), 1)

    def test_recorded_ahead_it_is_handed_over(self):
        """Posted on 20 January, before the renewal, for 1 February; and retried."""
        with freeze_time("2026-01-31 12:00:00"):
            self._post_usage(
                self._event(
                    subscription_external_id="sub-1",
                    period_start="2026-02-01T00:00:00Z",
                    period_end="2026-02-01T00:00:00Z",
                    **OLD_KEY,
                )
            )
        renewal = self._renew()
        [event] = self._usage(renewal)
        self.assertFalse(event.unallocated)
        self.assertFalse(self._usage(self.order))
        self.assertEqual(self._post("2026-02-01", **OLD_KEY), {"status": "duplicate"})
        self.assertEqual(
            self._post("2026-02-01", quantity=2, **OLD_KEY)["status"], "conflict"
        )
        self.assertEqual(len(self._usage(renewal)), 1)

    def test_not_handed_over_yet_a_retry_is_still_a_duplicate(self):
        """A request that ran beside the renewal has recorded it on the old order."""
        renewal = self._renew()
        event = self._record(1, "2026-02-01 00:00:00")
        self.assertEqual(event.subscription_id, self.order)
        self.assertEqual(self._post("2026-02-01"), {"status": "duplicate"})
        self.assertFalse(self._usage(renewal))
        self._hand_over()
        self.assertEqual(self._usage(renewal), event)
        self.assertEqual(self._post("2026-02-01"), {"status": "duplicate"})

    def test_sent_twice_it_counts_once(self):
        """Both orders have the same event: the old one's is voided, and says why."""
        renewal = self._renew()
        kept = self._record(1, "2026-02-01 00:00:00", order=renewal)
        twice = self._record(1, "2026-02-01 00:00:00")
        self._hand_over()
        self.assertEqual(twice.subscription_id, self.order)
        self.assertTrue(twice.voided_at)
        self.assertIn(renewal.name, twice.void_reason)
        self.assertFalse(kept.voided_at)
        self._hand_over()
        self.assertEqual(len(self._usage(renewal)), 1)

    def test_one_key_with_two_contents_is_left_to_finance(self):
        renewal = self._renew()
        self._record_with_key(renewal, 1)
        odd = self._record_with_key(self.order, 2)
        self._hand_over()
        self.assertEqual(odd.subscription_id, self.order)
        self.assertTrue(odd.unallocated)
        self.assertFalse(odd.voided_at)

    def _record_with_key(self, order, quantity):
        return self.env["fusion.billing.usage"]._record_usage(
            order,
            self.metric.code,
            quantity,
            "2026-02-01",
            "2026-02-01",
            idem="same",
        )

    def test_renewal_that_was_cancelled_takes_nothing(self):
        renewal = self._renew()
        with freeze_time("2026-01-21"):
            renewal._action_cancel()
        self._hand_over()
        self._post("2026-02-03")
        self.assertFalse(self._usage(renewal))

    def test_usage_of_another_customer_is_not_reached(self):
        """The renewal stands on somebody this app is not linked to."""
        renewal = self._renew()
        stranger = self.env["res.partner"].create({"name": "Other Customer"})
        renewal.partner_id = stranger
        self._post("2026-02-01")
        self.assertFalse(self._usage(renewal))
        [event] = self._usage(self.order)
        self.assertTrue(event.unallocated)

    def test_the_renewal_belongs_to_the_same_app(self):
        self.assertEqual(self._renew().fc_service_id, self.service)

    def test_the_renewal_bills_it(self):
        """150 calls in February, 100 included: 50 x 0.50."""
        renewal = self._renew()
        self._set_window(renewal, date(2026, 2, 1), date(2026, 3, 1))
        self._post("2026-02-03", quantity=150)
        with freeze_time("2026-02-20"):
            renewal._fc_rate_usage()
        self.assertEqual(self._usage_line(renewal).price_subtotal, 25.0)
        self.order._fc_rate_usage()
        self.assertFalse(self._usage_line(self.order).price_subtotal)
