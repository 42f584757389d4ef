import random
from datetime import datetime
from decimal import Decimal

from freezegun import freeze_time

from odoo.exceptions import ValidationError
from odoo.tests import tagged

from ...engine.billing import aggregation
from ..common import BillingCase


@tagged("post_install", "-at_install")
class TestUsageAuthorization(BillingCase):
    """An app posts to subscriptions of its own customers, and to no others."""

    def _assert_unknown(self, **values):
        before = self.env["fusion.billing.usage"].search_count([])
        answer = self._post_usage(self._event(**values))
        self.assertEqual(answer["status"], "error")
        self.assertEqual(answer["error"], "unknown subscription")
        self.assertEqual(answer["accepted"], 0)
        self.assertEqual(self.env["fusion.billing.usage"].search_count([]), before)

    def test_an_order_that_does_not_exist(self):
        self._assert_unknown(subscription_external_id=str(2**31 - 1))

    def test_an_order_that_is_no_subscription(self):
        order = self._create_order(plan_id=False)
        order.order_line.product_id = self._create_product(recurring_invoice=False)
        order.action_confirm()
        self._assert_unknown(subscription_external_id=str(order.id))

    def test_a_customer_linked_to_another_service_only(self):
        other = self._create_service(code="other-app")
        partner = self.env["res.partner"].create({"name": "Other Customer"})
        self._create_link(service_id=other.id, partner_id=partner.id)
        order = self._create_subscription(partner_id=partner.id)
        self._assert_unknown(subscription_external_id=str(order.id))
        answer = self._post_usage(
            self._event(subscription_external_id=str(order.id)), service=other
        )
        self.assertEqual(answer["accepted"], 1)

    def test_an_order_of_another_company(self):
        company = self.env["res.company"].create({"name": "Other Company"})
        other = self._create_service(code="other-app", company_id=company.id)
        self.partner.company_id = False
        self._create_link(service_id=other.id)
        answer = self._post_usage(self._event(), service=other)
        self.assertEqual(answer["error"], "unknown subscription")

    def test_an_order_on_a_contact_of_the_linked_company(self):
        contact = self.env["res.partner"].create(
            {"name": "Contact", "parent_id": self.partner.id}
        )
        order = self._create_subscription(partner_id=contact.id)
        answer = self._post_usage(self._event(subscription_external_id=order.id))
        self.assertEqual(answer["status"], "ok")

    def test_the_external_id_is_looked_up_within_the_service(self):
        self.order.write({"fc_service_id": self.service.id, "fc_external_id": "sub-1"})
        other = self._create_service(code="other-app")
        self._create_link(service_id=other.id)
        event = self._event(subscription_external_id="sub-1")
        self.assertEqual(self._post_usage(event)["accepted"], 1)
        answer = self._post_usage(event, service=other)
        self.assertEqual(answer["error"], "invalid subscription_external_id")


@tagged("post_install", "-at_install")
class TestUsageIdempotency(BillingCase):
    def _statuses(self, answer):
        return [result["status"] for result in answer["results"]]

    def test_the_same_key_and_content_again_is_a_duplicate(self):
        event = self._event(idempotency_key="k-1")
        self.assertEqual(self._post_usage(event)["accepted"], 1)
        again = self._post_usage(event)
        self.assertEqual(
            (again["status"], again["accepted"], again["duplicates"]), ("ok", 0, 1)
        )
        self.assertEqual(self._usage_count(), 1)

    def test_the_same_number_written_otherwise_is_the_same_content(self):
        self._post_usage(self._event(idempotency_key="k-1", quantity=5))
        for quantity in ("5", "5.0", Decimal("5.00"), 5.0):
            with self.subTest(quantity=quantity):
                again = self._post_usage(
                    self._event(idempotency_key="k-1", quantity=quantity)
                )
                self.assertEqual(self._statuses(again), ["duplicate"])

    def test_the_same_key_with_other_content_is_a_conflict(self):
        self._post_usage(self._event(idempotency_key="k-1", quantity=1))
        answer = self._post_usage(self._event(idempotency_key="k-1", quantity=2))
        self.assertEqual(self._statuses(answer), ["conflict"])
        self.assertEqual(answer["code"], "idempotency_conflict")
        self.assertEqual(self._usage_count(), 1)

    def test_a_batch_may_hold_the_same_event_twice(self):
        event = self._event(idempotency_key="k-1")
        answer = self._post_usage(event, event, event | {"quantity": 9})
        self.assertEqual(self._statuses(answer), ["accepted", "duplicate", "conflict"])
        self.assertEqual(self._usage_count(), 1)

    def test_a_key_is_scoped_by_subscription_and_metric(self):
        other_order = self._create_subscription()
        other_metric = self._create_metric(code="storage")
        answer = self._post_usage(
            self._event(idempotency_key="k-1"),
            self._event(idempotency_key="k-1", subscription_external_id=other_order.id),
            self._event(idempotency_key="k-1", metric_code=other_metric.code),
        )
        self.assertEqual(self._statuses(answer), ["accepted"] * 3)

    def test_an_event_without_a_key_is_known_by_its_content(self):
        """A client that times out and posts the same again must not bill twice."""
        event = self._event(quantity="3.5")
        self._post_usage(event)
        self.assertEqual(self._statuses(self._post_usage(event)), ["duplicate"])
        other = self._event(quantity="3.5", period_start="2026-01-10T00:00:01Z")
        self.assertEqual(self._statuses(self._post_usage(other)), ["accepted"])
        self.assertEqual(self._usage_count(), 2)

    def test_good_events_are_stored_although_others_are_refused(self):
        answer = self._post_usage(
            self._event(idempotency_key="k-1"),
            self._event(idempotency_key="k-2", quantity=-1),
            self._event(idempotency_key="k-3"),
        )
        self.assertEqual(answer["status"], "error")
        self.assertEqual(answer["accepted"], 2)
        self.assertEqual(
            answer["errors"],
            [
                {
                    "index": 1,
                    "field": "quantity",
                    "code": "invalid_quantity",
                    "error": "invalid quantity",
                }
            ],
        )
        self.assertEqual(self._usage_count(), 2)

    def test_an_atomic_batch_is_stored_whole_or_not_at_all(self):
        self._post_usage(self._event(idempotency_key="k-0"))
        good = self._event(idempotency_key="k-1")
        for bad in (
            self._event(quantity=-1),
            self._event(idempotency_key="k-0", quantity=2),  # known after inserting
        ):
            with self.subTest(bad=bad):
                answer = self._post_usage(good, bad, atomic=True)
                self.assertEqual(answer["status"], "error")
                self.assertEqual(answer["accepted"], 0)
                self.assertEqual(answer["results"][0]["status"], "not_stored")
                self.assertEqual(self._usage_count(), 1)
        answer = self._post_usage(good, atomic=True)
        self.assertEqual((answer["status"], answer["accepted"]), ("ok", 1))

    def test_recording_from_inside_odoo_follows_the_same_rules(self):
        Usage = self.env["fusion.billing.usage"]
        at = datetime(2026, 1, 10)
        event = Usage._record_usage(self.order, "api_calls", 5, at, at, idem="k-1")
        again = Usage._record_usage(self.order, "api_calls", "5.0", at, at, idem="k-1")
        self.assertEqual(event, again)
        for arguments in (
            (self.order, "api_calls", 6, at, at, "k-1"),
            (self.order, "api_calls", -1, at, at, None),
            (self.order, "no_such_metric", 1, at, at, None),
            (self.order, "api_calls", 1, at, datetime(2026, 1, 9), None),
        ):
            with self.subTest(arguments=arguments), self.assertRaises(ValueError):
                Usage._record_usage(*arguments)
        self.assertEqual(self._usage_count(), 1)


@tagged("post_install", "-at_install")
class TestUsageAggregation(BillingCase):
    START = datetime(2026, 1, 1)
    END = datetime(2026, 2, 1)

    def _aggregate(self, metric=None):
        return self.env["fusion.billing.usage"]._aggregate(
            self.order, metric or self.metric, self.START, self.END
        )

    def test_a_window_contains_its_start_and_not_its_end(self):
        self._record(1, "2025-12-31 23:59:59")
        self._record(20, "2026-01-01 00:00:00")
        self._record(300, "2026-01-31 23:59:59")
        self._record(4000, "2026-02-01 00:00:00")
        self.assertEqual(self._aggregate(), 320)

    def test_an_event_belongs_to_the_window_it_begins_in(self):
        self._post_usage(
            self._event(
                quantity=7,
                period_start="2026-01-31T23:00:00Z",
                period_end="2026-02-01T05:00:00Z",
            )
        )
        self.assertEqual(self._aggregate(), 7)

    def test_quantities_are_exact_decimals(self):
        """Ten times 0.1 is 1; nothing is lost above 2**53 or ten places down."""
        for second in range(10):
            self._record("0.1", f"2026-01-02 00:00:{second:02}")
        self.assertEqual(self._aggregate(), Decimal("1"))
        self._record(9007199254740993 // 100, "2026-01-03 00:00:00")
        self._record("0.0000000001", "2026-01-03 00:00:01")
        self.assertEqual(self._aggregate(), Decimal("90071992547410.0000000001"))

    def test_each_aggregation(self):
        for kind, expected in (
            ("sum", "12.5"),
            ("count", "3"),
            ("max", "7.5"),
            ("last", "2"),
            ("unique", "2"),
        ):
            metric = self._create_metric(code=kind, aggregation=kind)
            answer = self._post_usage(
                *(
                    self._event(
                        metric_code=kind,
                        quantity=quantity,
                        period_start=f"2026-01-0{day}",
                        period_end=f"2026-01-0{day}",
                        unique_key=user,
                    )
                    for day, quantity, user in (
                        (2, "3", "user-a"),
                        (9, "2", "user-b"),  # the last by its time, not by arrival
                        (5, "7.5", "user-a"),
                    )
                )
            )
            self.assertEqual(answer["accepted"], 3)
            with self.subTest(kind=kind):
                self.assertEqual(self._aggregate(metric), Decimal(expected))

    def test_last_of_one_instant_goes_by_the_order_in_the_request(self):
        """It went by the keys, which rows are sorted by: two batches must not deadlock.

        A batch of 300 would be copied, one of 3 is inserted; both, in either order of
        the keys, and where a part of it was recorded before.
        """
        metric = self._create_metric(code="level", aggregation="last")
        day = 0
        for size in (3, 300):
            for step in (1, -1):
                for known in (0, 1):
                    day += 1
                    batch = [
                        self._event(
                            metric_code="level",
                            quantity=position + 1,
                            period_start=f"2026-01-{day:02}",
                            period_end=f"2026-01-{day:02}",
                            idempotency_key=f"{day}-{key:03}",
                        )
                        for position, key in enumerate([*range(size)][::step])
                    ]
                    self._post_usage(*batch[:known])
                    answer = self._post_usage(*batch)
                    with self.subTest(size=size, step=step, known=known):
                        self.assertEqual(answer["accepted"], size - known)
                        self.assertEqual(self._aggregate(metric), size)

    def test_a_later_request_has_the_last_word(self):
        metric = self._create_metric(code="level", aggregation="last")
        for quantity in (5, 2):
            self._post_usage(
                self._event(
                    metric_code="level",
                    quantity=quantity,
                    idempotency_key=f"key-{9 - quantity}",
                )
            )
        self.assertEqual(self._aggregate(metric), 2)

    def test_the_database_aggregates_as_the_engine_says(self):
        """One rule, told twice: in SQL for the table, in Python for the reader."""
        randomness = random.Random(19)
        for kind in aggregation.AGGREGATIONS:
            metric = self._create_metric(code=f"as-{kind}", aggregation=kind)
            rows = [
                (
                    datetime(2026, 1, randomness.randint(1, 28)),
                    index,
                    Decimal(randomness.randint(0, 10**6)).scaleb(-3),
                    f"user-{randomness.randint(1, 9)}",
                )
                for index in range(40)
            ]
            answer = self._post_usage(
                *(
                    self._event(
                        metric_code=metric.code,
                        quantity=quantity,
                        period_start=start.isoformat(),
                        period_end=start.isoformat(),
                        unique_key=user,
                        # arrival, which decides between equal times, in this order
                        idempotency_key=f"{index:02}",
                    )
                    for start, index, quantity, user in rows
                )
            )
            self.assertEqual(answer["accepted"], len(rows))
            with self.subTest(kind=kind):
                self.assertEqual(
                    self._aggregate(metric), aggregation.aggregate(kind, rows)
                )

    def test_nothing_recorded_is_zero(self):
        self.assertEqual(self._aggregate(), 0)

    def test_a_voided_event_no_longer_counts(self):
        self._record(5, "2026-01-02 00:00:00")
        wrong = self._record(100, "2026-01-03 00:00:00")
        with self.assertRaises(ValidationError):
            wrong._void("  ")
        wrong._void("sent twice by the app")
        self.assertEqual(self._aggregate(), 5)
        self.assertEqual(wrong.void_uid, self.env.user)


@tagged("post_install", "-at_install")
class TestUsageAllocation(BillingCase):
    """Usage outside every window that is still to come is kept, flagged and told."""

    def _unallocated(self, start):
        answer = self._post_usage(self._event(period_start=start, period_end=start))
        self.assertEqual(answer["accepted"], 1)
        return answer["results"][0].get("unallocated", False)

    @freeze_time("2026-03-01")
    def test_before_between_and_after(self):
        self.order.end_date = "2026-02-15"
        for start, unallocated in (
            ("2025-12-31T23:59:59Z", True),
            ("2026-01-01T00:00:00Z", False),
            ("2026-02-14T23:59:59Z", False),
            ("2026-02-15T00:00:00Z", True),
        ):
            with self.subTest(start=start):
                self.assertEqual(self._unallocated(start), unallocated)
        flagged = self.env["fusion.billing.usage"].search(
            [("subscription_id", "=", self.order.id), ("unallocated", "=", True)]
        )
        self.assertEqual(len(flagged), 2)

    @freeze_time("2026-03-01")
    def test_the_day_begins_at_midnight_of_the_billing_time_zone(self):
        self.company.fc_billing_tz = "America/Toronto"  # UTC-5 in January
        self.order = self._create_subscription()
        self.assertTrue(self._unallocated("2026-01-01T04:59:59Z"))
        self.assertFalse(self._unallocated("2026-01-01T05:00:00Z"))

    @freeze_time("2026-01-10 12:00:00")
    def test_a_period_too_far_ahead_is_refused(self):
        self.assertFalse(self._unallocated("2026-01-11T12:00:00Z"))
        answer = self._post_usage(
            self._event(
                period_start="2026-01-11T12:00:01Z", period_end="2026-01-11T12:00:01Z"
            )
        )
        self.assertEqual(answer["code"], "period_in_future")
