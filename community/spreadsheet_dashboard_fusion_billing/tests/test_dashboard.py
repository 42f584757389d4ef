import json
import re

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from odoo.addons.spreadsheet.utils import validate_data

from .common import DashboardCase

REPORT = "fusion.billing.usage.report"
PIVOT_VALUE = re.compile(r'PIVOT\.VALUE\((\d+),"([\w:]+)"\)')
KNOWN_FUNCTIONS = {
    *("PIVOT", "PIVOT.VALUE", "IF", "IFERROR", "ISERROR", "TEXT", "TEXTJOIN", "_t"),
}


@tagged("post_install", "-at_install")
class TestDashboard(DashboardCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.data = json.loads(cls.dashboard.spreadsheet_data)
        [cls.sheet] = [s for s in cls.data["sheets"] if s["id"] == "data"]
        cls.charts = {
            chart["id"]: chart for chart in validate_data.odoo_charts(cls.data)
        }

    def _pivot(self, name, reader="billing"):
        """What a pivot shows: {its groups: the measure}."""
        [pivot] = [p for p in self.data["pivots"].values() if p["name"] == name]
        groups = [g["fieldName"] for g in pivot["rows"] + pivot["columns"]]
        return self._groups(pivot["domain"], groups, pivot["measures"][0]["id"], reader)

    def _chart(self, name, reader="billing"):
        chart = self.charts[name]
        groups = chart["metaData"]["groupBy"]
        domain = chart["searchParams"]["domain"]
        return self._groups(domain, groups, "amount", reader)

    def _groups(self, domain, groups, measure, reader):
        measure = "amount:sum" if measure == "amount" else measure
        model = self.env[REPORT].with_user(self.readers[reader])
        rows = model._read_group(domain, groups, [measure])
        return {tuple(row[:-1]): row[-1] for row in rows}

    # === WHAT THE DATABASE ANSWERS ===

    def test_billed_is_the_journal_in_the_currency_of_the_company(self):
        """100.00 and 5.00: the base fees are no usage, and what was credited is 0."""
        ours = self.currency
        for reader in self.readers:
            with self.subTest(reader=reader):
                self.assertEqual(self._pivot("Billed", reader), {(ours,): 105})
                self.assertEqual(
                    self._chart("apps", reader),
                    {
                        (self.service, ours): 100,
                        (self.second_app, ours): 5,
                        (self.env["fusion.billing.service"], ours): 0,
                    },
                )
                month = self.today.replace(day=1)
                self.assertEqual(self._chart("months", reader), {(month, ours): 105})

    def test_billed_is_what_the_ledger_says(self):
        """The same figure by Odoo's own means: the account of the usage product."""
        items = self.env["account.move.line"].search(
            [
                ("product_id", "=", self.usage_product.id),
                ("parent_state", "=", "posted"),
                ("display_type", "=", "product"),
            ]
        )
        self.assertEqual(len(items), 4)
        self.assertEqual(-sum(items.mapped("balance")), 105)

    def test_no_amount_is_added_to_one_of_another_currency(self):
        for reader in self.readers:
            with self.subTest(reader=reader):
                self.assertEqual(
                    self._pivot("Unbilled", reader),
                    {(self.currency,): 10, (self.crown,): 7},
                )
                self.assertEqual(
                    self._chart("unbilled_apps", reader),
                    {
                        (self.env["fusion.billing.service"], self.currency): 10,
                        (self.second_app, self.crown): 7,
                    },
                )
        sources = [p["rows"] + p["columns"] for p in self.data["pivots"].values()]
        amounts = [p["measures"][0]["id"] for p in self.data["pivots"].values()]
        for groups, measure in zip(sources, amounts, strict=True):
            if measure == "amount":
                self.assertIn("currency_id", [group["fieldName"] for group in groups])
        for chart in self.charts.values():
            self.assertIn("currency_id", chart["metaData"]["groupBy"])

    def test_customers_and_metrics(self):
        ours = self.currency
        self.assertEqual(
            self._pivot("Top customers"),
            {
                (self.partner, ours): 100,
                (self.two.partner_id, ours): 0,
                (self.three.partner_id, ours): 5,
            },
        )
        self.assertEqual(self._pivot("Top metrics"), {(self.metric, ours): 105})

    def test_what_waits(self):
        """Four and Five have unbilled usage, Six is near its quota of this month."""
        for reader in self.readers:
            with self.subTest(reader=reader):
                for name, count in (
                    ("Customers with unbilled usage", 2),
                    ("Near or over quota", 1),
                    ("Refused", 1),
                    ("Unallocated", 1),
                ):
                    self.assertEqual(self._pivot(name, reader), {(): count}, name)

    def test_unbilled_and_near_quota_are_those_of_the_overview(self):
        page = self.env["fusion.billing.overview"].browse(1)
        page = page.with_user(self.readers["billing"])
        self.assertEqual((page.near_quota_count, page.unallocated_count), (1, 1))
        self.assertEqual(page.customer_count, 2)

    def test_a_draft_is_not_billed_and_a_dismissed_row_not_refused(self):
        self.credit.button_draft()
        self.env["fusion.billing.usage.refused"].search([]).action_dismiss()
        self.assertEqual(self._pivot("Billed"), {(self.currency,): 110})
        self.assertEqual(self._pivot("Refused"), {(): 0})

    # === WHO SEES IT ===

    def test_another_company_sees_nothing_of_it(self):
        company = self.env["res.company"].create({"name": "Far Company"})
        reader = new_test_user(
            self.env,
            "dashboard_far",
            "fusion_centralized_billing.group_user,account.group_account_invoice",
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )
        self.assertFalse(self.env[REPORT].with_user(reader).search([]))
        self.assertTrue(self.env[REPORT].search([]))

    def test_whoever_is_neither_sees_nothing(self):
        seller = new_test_user(
            self.env, "dashboard_seller", "sales_team.group_sale_manager"
        )
        with self.assertRaises(AccessError):
            self.env[REPORT].with_user(seller).search([])
        dashboards = self.env["spreadsheet.dashboard"]
        self.assertNotIn(self.dashboard, dashboards.with_user(seller).search([]))
        for name, reader in self.readers.items():
            with self.subTest(reader=name):
                self.assertIn(self.dashboard, dashboards.with_user(reader).search([]))

    def test_a_row_opens_what_it_was_read_from(self):
        """For those who may read that: the report shows an amount, not the invoice."""
        rows = self.env[REPORT].search([("subscription_id", "=", self.order.id)])
        opened = {row.kind: row.action_open_source() for row in rows}
        self.assertEqual(
            (opened["billed"]["res_model"], opened["billed"]["res_id"]),
            ("account.move", self.order.invoice_ids.id),
        )
        unallocated = self.env["fusion.billing.usage"].search(
            [("subscription_id", "=", self.order.id), ("unallocated", "=", True)]
        )
        self.assertEqual(opened["unallocated"]["res_id"], unallocated.id)
        [billed] = rows.filtered(lambda row: row.kind == "billed")
        with self.assertRaises(AccessError):
            billed.with_user(self.readers["billing"]).action_open_source()
        [refused] = self.env[REPORT].search([("kind", "=", "refused")])
        with self.assertRaises(AccessError):
            refused.with_user(self.readers["reading"]).action_open_source()

    # === WHAT THE FILE NAMES ===

    def test_fields_exist(self):
        used = validate_data.fields_in_spreadsheet(self.data)
        self.assertEqual(set(used), {REPORT})
        names = {name.partition(":")[0] for name in used[REPORT]}
        self.assertLessEqual(names - {"__count"}, set(self.env[REPORT]._fields))

    def test_filters(self):
        """The app filters all; the period what has been billed, and not what waits."""
        sources = [(p["domain"], p) for p in self.data["pivots"].values()]
        sources += [
            (chart["searchParams"]["domain"], chart) for chart in self.charts.values()
        ]
        for domain, source in sources:
            if source.get("name") == "Apps":  # the choice that the filter offers
                continue
            billed = domain == [["kind", "=", "billed"]]
            chains = {k: m["chain"] for k, m in source["fieldMatching"].items()}
            expected = {"app": "app_name"} | ({"period": "date"} if billed else {})
            self.assertEqual(chains, expected)
        self.assertEqual(self._pivot("Apps"), {("Sample App",): 3, ("Second App",): 2})

    def test_menus_and_actions_exist(self):
        menus = self.env["ir.ui.menu"].with_user(self.readers["billing"])
        visible = menus._visible_menu_ids()
        for xmlid in validate_data.menus_xml_ids_in_spreadsheet(self.data):
            self.assertIn(self.env.ref(xmlid).id, visible)
        for chart in self.charts.values():
            action = self.env.ref(chart["actionXmlId"])
            self.assertEqual(action.res_model, chart["metaData"]["resModel"])

    def test_formulas_use_what_there_is(self):
        for name, content in self.sheet["cells"].items():
            with self.subTest(cell=name, content=content):
                self.assertTrue(content.startswith("="))
                code = re.sub(r'"[^"]*"', "", content)
                called = set(re.findall(r"([A-Za-z_.]+)\(", code))
                self.assertLessEqual(called, KNOWN_FUNCTIONS)
                for pivot_id, measure in PIVOT_VALUE.findall(content):
                    measures = self.data["pivots"][pivot_id]["measures"]
                    self.assertIn(measure, [m["id"] for m in measures])
                for pivot_id in re.findall(r"PIVOT\((\d+),", content):
                    self.assertIn(pivot_id, self.data["pivots"])

    def test_figures_show_cells_that_are_filled(self):
        for figure in self.data["sheets"][0]["figures"]:
            if figure["data"]["type"] == "scorecard":
                cell = figure["data"]["keyValue"].removeprefix("Data!")
                self.assertIn(cell, self.sheet["cells"])
