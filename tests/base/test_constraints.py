"""Rules the database itself keeps, whatever code or SQL writes."""

from decimal import Decimal

from psycopg2.errors import (
    CheckViolation,
    ExclusionViolation,
    NotNullViolation,
    UniqueViolation,
)

from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..common import BillingCase


@tagged("post_install", "-at_install")
class TestConstraints(BillingCase):
    def _assert_refused(self, error, query, *params):
        self.env.flush_all()
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(error),
            self.env.cr.savepoint(flush=False),
        ):
            self.env.cr.execute(query, params)

    def _assert_charge_refused(self, error, assignment):
        self._assert_refused(
            error,
            f"UPDATE fusion_billing_charge SET {assignment} WHERE id = %s",
            self.charge.id,
        )

    def test_a_price_is_zero_or_more(self):
        for price in ("-0.0000000001", "'NaN'", "'Infinity'"):
            with self.subTest(price=price):
                self._assert_charge_refused(CheckViolation, f"price_per_unit = {price}")

    def test_a_batch_is_above_zero(self):
        for batch in ("0", "-1", "'NaN'"):
            with self.subTest(batch=batch):
                self._assert_charge_refused(CheckViolation, f"unit_batch = {batch}")

    def test_numbers_are_stored_as_they_were_entered(self):
        """A quota of 1,000,000 was stored as 1000000.0000000024."""
        self.charge.write(
            {
                "included_quota": 1_000_000,
                "price_per_unit": 133875.25,
                "unit_batch": 0.1,
            }
        )
        terms = self.charge._price_terms()[self.charge.id]
        self.assertEqual(
            (terms.included, terms.unit_price, terms.unit_batch),
            (Decimal("1000000"), Decimal("133875.25"), Decimal("0.1")),
        )

    def test_a_quota_is_zero_or_more(self):
        self._assert_charge_refused(CheckViolation, "included_quota = -1")

    def test_a_charge_has_a_currency(self):
        self._assert_charge_refused(NotNullViolation, "currency_id = NULL")

    def test_a_reconciliation_has_a_currency(self):
        record = self.env["fusion.billing.reconciliation"].create(
            {
                "service_id": self.service.id,
                "subscription_id": self.order.id,
                "metric_id": self.metric.id,
                "window_start": "2026-01-01",
                "window_end": "2026-02-01",
            }
        )
        self._assert_refused(
            NotNullViolation,
            "UPDATE fusion_billing_reconciliation SET currency_id = NULL WHERE id = %s",
            record.id,
        )

    def test_a_rating_has_a_currency(self):
        self._record(101)
        rating = self.order._fc_rate_usage()
        self._assert_refused(
            NotNullViolation,
            "UPDATE fusion_billing_rating SET currency_id = NULL WHERE id = %s",
            rating.id,
        )

    def test_a_quantity_is_a_finite_number_from_zero(self):
        event = self._record(1)
        for quantity in ("-1", "'NaN'", "'Infinity'", "1e16"):
            with self.subTest(quantity=quantity):
                self._assert_refused(
                    CheckViolation,
                    f"UPDATE fusion_billing_usage SET quantity = {quantity}"
                    " WHERE id = %s",
                    event.id,
                )

    def test_codes_and_links_are_unique(self):
        for error, query, params in (
            (
                UniqueViolation,
                "INSERT INTO fusion_billing_service"
                " (name, code, company_id, rate_limit, webhook_endpoint_id)"
                " VALUES ('x', %s, %s, 0, %s)",
                (
                    self.service.code,
                    self.company.id,
                    self.service.webhook_endpoint_id.id,
                ),
            ),
            (
                UniqueViolation,
                "INSERT INTO fusion_billing_account_link"
                " (service_id, external_id, partner_id) VALUES (%s, %s, %s)",
                (self.service.id, self.link.external_id, self.partner.id),
            ),
            (
                ExclusionViolation,
                "INSERT INTO fusion_billing_metric (name, code, aggregation)"
                " VALUES ('{\"en_US\": \"x\"}', %s, 'sum')",
                (self.metric.code,),
            ),
        ):
            with self.subTest(query=query):
                self._assert_refused(error, query, *params)

    def test_charges_of_the_same_days_are_refused(self):
        """Two prices for one thing on one day would make an amount a guess."""
        self.charge.date_end = "2026-06-30"
        for start, end in (
            ("2026-06-30", False),
            (False, "2026-01-01"),
            (False, False),
        ):
            with self.subTest(start=start, end=end), self.assertRaises(ValidationError):
                self._create_charge(date_start=start, date_end=end)
        following = self._create_charge(date_start="2026-07-01")
        self.assertTrue(following)

    def test_a_charge_takes_a_product_that_is_invoiced_each_period(self):
        for values in (
            {"recurring_invoice": False},
            {"invoice_policy": "delivery"},
            {"type": "consu"},
        ):
            product = self._create_product(**values)
            with self.subTest(values=values), self.assertRaises(ValidationError):
                self.charge.product_id = product

    def test_an_invoiced_charge_keeps_what_it_prices(self):
        self._record(200)
        self.order._create_invoices()
        for field, value in (
            ("metric_id", self._create_metric(code="storage").id),
            ("plan_id", self._create_plan(name="Other plan").id),
        ):
            with self.subTest(field=field), self.assertRaises(ValidationError):
                self.charge.write({field: value})
        self.charge.write({"metric_id": self.metric.id, "price_per_unit": 2.0})

    def test_a_charge_is_found_by_plan_and_metric(self):
        for text in ("Monthly", "API calls", "api_calls"):
            with self.subTest(text=text):
                found = self.env["fusion.billing.charge"].name_search(text)
                self.assertIn(self.charge.id, [charge_id for charge_id, _name in found])

    def test_an_archived_charge_is_in_nobodys_way(self):
        self.charge.active = False
        self.assertTrue(self._create_charge())

    def test_an_accepted_event_does_not_change(self):
        event = self._record(1)
        for field, value in (
            ("quantity", 2),
            ("period_start", "2026-01-11"),
            ("period_end", "2026-01-11"),
            ("idempotency_key", "other"),
        ):
            with self.subTest(field=field), self.assertRaises(UserError):
                event.write({field: value})
        with self.assertRaises(UserError):
            event.unlink()

    def test_a_rated_metric_keeps_its_aggregation(self):
        self._record(101)
        self.order._fc_rate_usage()
        with self.assertRaises(ValidationError):
            self.metric.aggregation = "max"
