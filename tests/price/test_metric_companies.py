from psycopg2.errors import ExclusionViolation

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ..common import BillingCase


@tagged("post_install", "-at_install")
class TestMetricCompanies(BillingCase):
    """A metric is of one company, or shared: then it is everybody's to keep."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.elsewhere = cls.env["res.company"].create({"name": "Elsewhere"})
        cls.here_only = cls._create_manager("metric-here", cls.company)
        everything = cls.env["res.company"].search([])
        cls.everywhere = cls._create_manager("metric-all", *everything)
        cls.own = cls._create_metric(code="own", company_id=cls.company.id)

    @classmethod
    def _create_manager(cls, login, *companies):
        return new_test_user(
            cls.env,
            login,
            "fusion_centralized_billing.group_manager",
            company_id=companies[0].id,
            company_ids=[Command.set([company.id for company in companies])],
        )

    def test_who_has_all_companies_changes_what_they_share(self):
        shared = self.metric.with_user(self.everywhere)
        self.assertFalse(shared.company_id)
        shared.name = "Calls"
        shared.active = False
        self.assertTrue(shared.has_access("unlink"))

    def test_who_has_one_company_reads_it_alone(self):
        """Renaming a metric renamed it for the other company, too."""
        shared = self.metric.with_user(self.here_only)
        self.assertEqual(shared.name, "API calls")
        ways = (
            lambda: shared.write({"name": "x"}),
            lambda: shared.write({"active": False}),
            lambda: shared.web_save({"name": "x"}, {"id": {}}),
            shared.action_archive,
            shared.unlink,
            lambda: shared.update_field_translations("name", {"en_US": "x"}),
            lambda: shared.browse().create(
                {"name": "x", "code": "x", "company_id": False}
            ),
        )
        for number, way in enumerate(ways):
            with (
                self.subTest(way=number),
                mute_logger("odoo.models"),
                self.assertRaises(AccessError),
                self.env.cr.savepoint(),
            ):
                way()
        for operation in ("write", "unlink"):
            self.assertFalse(shared.has_access(operation))
        self.assertTrue(shared.has_access("read"))
        result = shared.browse().load(
            [".id", "name"], [[str(self.metric.id), "imported"]]
        )
        self.assertTrue(result["messages"])
        self.env.invalidate_all()
        self.assertEqual(self.metric.name, "API calls")

    def test_a_new_metric_is_of_the_company_of_who_has_that_alone(self):
        values = {"name": "New", "code": "new"}
        Metric = self.env["fusion.billing.metric"]
        metric = Metric.with_user(self.here_only).create(values)
        self.assertEqual(metric.company_id, self.company)
        metric.name = "Newer"
        metric.unlink()
        metric = Metric.with_user(self.everywhere).create(values)
        self.assertFalse(metric.company_id)

    def test_a_code_is_used_once_in_a_company_and_among_what_is_shared(self):
        """Else nobody knew which of the two an app means."""
        again = self._create_metric(code="own", company_id=self.elsewhere.id)
        self.assertNotEqual(again, self.own)
        for code, company in (
            ("own", self.company),
            ("own", self.env["res.company"]),
            (self.metric.code, self.company),
            (self.metric.code, self.env["res.company"]),
        ):
            with (
                self.subTest(code=code, company=company),
                mute_logger("odoo.sql_db"),
                self.assertRaises(ExclusionViolation),
                self.env.cr.savepoint(),
            ):
                self._create_metric(code=code, company_id=company.id)

    def test_an_app_sends_what_its_company_measures(self):
        there = self._create_metric(
            name="Theirs", code="own", company_id=self.elsewhere.id
        )
        hidden = self._create_metric(code="hidden", company_id=self.elsewhere.id)
        answer = self._post_usage(
            self._event(metric_code="own"),
            self._event(metric_code=self.metric.code),
            self._event(metric_code="hidden"),
        )
        codes = [result.get("code") for result in answer["results"]]
        self.assertEqual(codes, [None, None, "unknown_metric"])
        usage = self.env["fusion.billing.usage"].search(
            [("subscription_id", "=", self.order.id)]
        )
        self.assertEqual(usage.metric_id, self.own | self.metric)
        catalog = self.service._api_catalog()["metrics"]
        named = [(item["code"], item["name"]) for item in catalog]
        self.assertIn(("own", self.own.name), named)
        self.assertNotIn(("own", there.name), named)
        self.assertNotIn(hidden.code, [code for code, _name in named])

    def test_an_app_voids_and_reconciles_what_its_company_measures(self):
        self._create_metric(code="own", company_id=self.elsewhere.id)
        # Of what has no price nothing is billed, and so the totals would differ.
        self._create_charge(metric_id=self.own.id)
        self._post_usage(self._event(metric_code="own", idempotency_key="k"))
        window = {
            "subscription_external_id": str(self.order.id),
            "metric_code": "own",
            "window_start": "2026-01-01T00:00:00Z",
            "window_end": "2026-02-01T00:00:00Z",
            "declared_quantity": 1,
        }
        self.assertEqual(self.service._api_reconcile(window)["state"], "matched")
        self.service._api_void_usage(
            {
                "events": [
                    {
                        "subscription_external_id": str(self.order.id),
                        "metric_code": "own",
                        "idempotency_key": "k",
                    }
                ],
                "reason": "test",
            }
        )
        usage = self.env["fusion.billing.usage"].search(
            [("metric_id", "=", self.own.id)]
        )
        self.assertEqual(usage.state, "voided")

    def test_a_price_is_of_a_metric_of_its_company(self):
        there = self._create_metric(code="theirs", company_id=self.elsewhere.id)
        with self.assertRaises(UserError) as refused, self.env.cr.savepoint():
            self._create_charge(metric_id=there.id)
        self.assertNotIn(there.name, str(refused.exception))
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self.charge.metric_id = there
