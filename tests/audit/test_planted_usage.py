from odoo.tests import tagged

from .case import PlantedCase

USAGE = "UPDATE fusion_billing_usage SET"


@tagged("post_install", "-at_install")
class TestPlantedInUsage(PlantedCase):
    """Events that were changed, lost, doubled or moved; the audit names each."""

    def test_events(self):
        one, february = self._stored("one"), self._stored("of-february")
        fingerprint = (
            "left(encode(sha256(convert_to('2|2026-01-20T00:00:00"
            "|2026-01-20T00:00:00|', 'UTF8')), 'hex'), 32)"
        )
        self._assert_each_named(
            [
                (
                    "a quantity, of a settled window",
                    f"{USAGE} quantity = 2 WHERE id = {one.id}",
                    "I4 event_changed",
                    "I4 events_of_settled",
                    "I2 quantity",
                    "oracle",
                ),
                (
                    "a quantity, with its fingerprint",
                    f"{USAGE} quantity = 2, fingerprint = {fingerprint}"
                    f" WHERE id = {one.id}",
                    "I4 events_of_settled",
                    "I2 quantity",
                    "oracle",
                ),
                (
                    "a day within its window",
                    f"{USAGE} period_start = '2026-01-21', period_end = '2026-01-21',"
                    f" fingerprint = 'x' WHERE id = {one.id}",
                    "I4 event_changed",
                    "I4 events_of_settled",
                ),
                (
                    "the end of a period",
                    f"{USAGE} period_end = period_end + interval '1 hour'"
                    f" WHERE id = {february.id}",
                    "I4 event_changed",
                ),
                (
                    "an event of a settled window deleted",
                    f"DELETE FROM fusion_billing_usage WHERE id = {one.id}",
                    "I4 events_of_settled",
                    "I2 quantity",
                    "oracle",
                ),
                (
                    "an event of the open window deleted",
                    f"DELETE FROM fusion_billing_usage WHERE id = {february.id}",
                    "I2 quantity",
                    "oracle",
                ),
                (
                    "an event stored twice",
                    self._copy_row(
                        "fusion_billing_usage", february, idempotency_key="'again'"
                    ),
                    "I2 quantity",
                    "oracle",
                ),
                (
                    "an event without a key",
                    f"{USAGE} idempotency_key = NULL WHERE id = {february.id}",
                    "I1 event_nameless",
                ),
            ]
        )

    def test_flags_of_events(self):
        one, february = self._stored("one"), self._stored("of-february")
        early = self._stored("before-the-start")
        self._assert_each_named(
            [
                (
                    "marked as unallocated, and billed",
                    f"{USAGE} unallocated = true WHERE id = {one.id}",
                    "I2 flagged_but_billed",
                    "oracle",
                ),
                (
                    "marked as unallocated, in the open window",
                    f"{USAGE} unallocated = true WHERE id = {february.id}",
                    "I2 flagged_but_billed",
                    "oracle",
                ),
                (
                    "not marked as unallocated, before the start",
                    f"{USAGE} unallocated = false WHERE id = {early.id}",
                    "I2 in_no_window",
                    "oracle",
                ),
                (
                    "voided, without a word",
                    f"{USAGE} voided_at = '2026-02-11' WHERE id = {one.id}",
                    "I4 void_unexplained",
                    "I2 quantity",
                    "oracle",
                ),
                (
                    "voided without a reason, of nobody's bill",
                    f"{USAGE} voided_at = '2026-02-11', void_uid = 1"
                    f" WHERE id = {early.id}",
                    "I4 void_unexplained",
                ),
                (
                    "of another company's app",
                    f"{USAGE} service_id = {self._foreign_service().id}"
                    f" WHERE id = {february.id}",
                    "I9 usage_of_other_company",
                ),
            ]
        )

    def _foreign_service(self):
        company = self.env["res.company"].create({"name": "Another Company"})
        return self._create_service(code="other-app", company_id=company.id)

    def test_an_event_moved_to_another_subscription(self):
        other = self.subscribe("2026-02-01")
        self.day("2026-02-12 10:00:00")
        self._assert_each_named(
            [
                (
                    "from a settled window",
                    f"{USAGE} subscription_id = {other.id}"
                    f" WHERE id = {self._stored('one').id}",
                    "I4 events_of_settled",
                    "I2 quantity",
                    "I2 in_no_window",
                    "oracle",
                ),
                (
                    "from an open window to an open one",
                    f"{USAGE} subscription_id = {other.id}"
                    f" WHERE id = {self._stored('of-february').id}",
                    "I2 quantity",
                    "I2 not_rated",
                    "oracle",
                ),
            ]
        )

    def test_a_void_that_was_undone(self):
        self.void("of-february")
        self.rate()
        self._assert_each_named(
            [
                (
                    "its time is gone, its reason stays",
                    f"{USAGE} voided_at = NULL"
                    f" WHERE id = {self._stored('of-february').id}",
                    "I4 void_unexplained",
                    "I2 quantity",
                    "oracle",
                )
            ]
        )

    def test_the_same_key_twice(self):
        self._sql(
            "ALTER TABLE fusion_billing_usage DROP CONSTRAINT"
            " fusion_billing_usage_idempotency"
        )
        self._assert_each_named(
            [
                (
                    "stored twice",
                    self._copy_row("fusion_billing_usage", self._stored("of-february")),
                    "I1 event_twice",
                    "I2 quantity",
                    "oracle",
                )
            ]
        )

    def test_quantities_that_are_never_accepted(self):
        self._sql(
            "ALTER TABLE fusion_billing_usage DROP CONSTRAINT"
            " fusion_billing_usage_quantity_valid"
        )
        self._assert_each_named(
            [
                (
                    "below zero",
                    f"{USAGE} quantity = -1"
                    f" WHERE id = {self._stored('of-february').id}",
                    "I1 event_invalid",
                    "oracle",
                )
            ]
        )

    def test_events_that_were_acknowledged_and_lost(self):
        self._assert_each_named(
            [
                (
                    "three were accepted on a day",
                    "INSERT INTO fusion_billing_api_log (service_id, called_at, method,"
                    f" route, status, duration_ms, accepted) VALUES ({self.service.id},"
                    " '2026-02-11 10:00:00', 'POST', '/usage', 200, 20, 3)",
                    "I1 event_lost",
                )
            ]
        )

    def test_an_event_on_a_renewal_too(self):
        self.day("2026-02-15 09:00:00")
        renewal = self.renew()
        self.day("2026-03-02 09:00:00")
        self._assert_each_named(
            [
                (
                    "a copy on the renewal",
                    self._copy_row(
                        "fusion_billing_usage",
                        self._stored("of-february"),
                        subscription_id=str(renewal.id),
                    ),
                    "I1 event_on_renewal_too",
                    "I2 in_no_window",
                    "oracle",
                )
            ]
        )

    def test_what_waits_to_be_rated_is_left_out_and_counted(self):
        self.use(3, "2026-01-31")
        audit = self._audit()
        self.assertEqual((audit.state, audit.waiting_count), ("partial", 1))
        self._assert_named_now("DELETE FROM fusion_billing_rating_queue", "-3")

    def test_usage_before_what_waits_is_not_left_out(self):
        self.use(3, "2026-02-11")
        self._assert_named_now(
            f"{USAGE} quantity = 2 WHERE id = {self._stored('one').id}", "-1"
        )

    def _assert_named_now(self, query, difference):
        self._sql(query)
        finding = self._findings("quantity")
        self.assertEqual(finding.mapped("difference"), [difference])
        self.assertEqual(finding.subscription_id, self.order)
        self.assertIn("2026-01-01 to 2026-01-31", finding.message)
