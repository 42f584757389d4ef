import json
import re

from odoo.tests import tagged

from odoo.addons.spreadsheet.utils import validate_data

from .common import DashboardCase

PIVOT_VALUE = re.compile(r'PIVOT\.VALUE\((\d+),"(\w+)"\)')
KNOWN_FUNCTIONS = {"PIVOT", "PIVOT.VALUE", "IFERROR", "FORMAT.LARGE.NUMBER", "_t"}


@tagged("post_install", "-at_install")
class TestDashboard(DashboardCase):
    """Each formula, field, menu and filter of the file exists, and may be read."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.data = json.loads(cls.dashboard.spreadsheet_data)
        [cls.sheet] = [s for s in cls.data["sheets"] if s["id"] == "data"]
        cls.charts = validate_data.odoo_charts(cls.data)

    def _model(self, name):
        return self.env[name].with_user(self.manager)

    def _pivot_groups(self, pivot_id):
        pivot = self.data["pivots"][pivot_id]
        model = self._model(pivot["model"])
        measures = [
            f"{measure['fieldName']}:{model._fields[measure['fieldName']].aggregator}"
            for measure in pivot["measures"]
        ]
        rows = [row["fieldName"] for row in pivot["rows"]]
        return model._read_group(pivot["domain"], rows, measures)

    # === WHAT THE FILE NAMES ===

    def test_fields_exist_and_a_sales_manager_reads_them(self):
        used = validate_data.fields_in_spreadsheet(self.data)
        self.assertEqual(set(used), {"sale.subscription.report", "sale.order.log"})
        for name, field_names in used.items():
            model = self._model(name)
            model.check_access("read")
            for field in field_names:
                with self.subTest(model=name, field=field):
                    self._check_path(model, field.partition(":")[0])

    def _check_path(self, model, path):
        for step in path.split("."):
            self.assertIn(step, model._fields)
            model.check_access("read")
            model._check_field_access(model._fields[step], "read")
            if model._fields[step].relational:
                model = self._model(model._fields[step].comodel_name)

    def test_filters_lead_to_a_field_of_their_model(self):
        filters = {f["id"]: f["modelName"] for f in self.data["globalFilters"]}
        sources = [(p["model"], p) for p in self.data["pivots"].values()]
        sources += [(c["metaData"]["resModel"], c) for c in self.charts]
        for model_name, source in sources:
            self.assertEqual(set(source["fieldMatching"]), set(filters))
            for filter_id, match in source["fieldMatching"].items():
                model = self._model(model_name)
                self._check_path(model, match["chain"])
                *way, last = match["chain"].split(".")
                for step in way:
                    model = self._model(model._fields[step].comodel_name)
                self.assertEqual(model._fields[last].comodel_name, filters[filter_id])

    def test_menus_and_actions_exist_and_a_sales_manager_sees_them(self):
        menus = self.env["ir.ui.menu"].with_user(self.manager)._visible_menu_ids()
        for xmlid in validate_data.menus_xml_ids_in_spreadsheet(self.data):
            self.assertIn(self.env.ref(xmlid).id, menus)
        for chart in self.charts:
            action = self.env.ref(chart["actionXmlId"])
            self.assertEqual(action.res_model, chart["metaData"]["resModel"])

    def test_formulas_use_what_there_is(self):
        """Functions, cells that are filled, and measures of the pivots they name."""
        cells = self.sheet["cells"]
        for name, content in cells.items():
            with self.subTest(cell=name, content=content):
                self.assertTrue(content.startswith("="))
                code = re.sub(r'"[^"]*"', "", content)
                called = set(re.findall(r"([A-Za-z_.]+)\(", code))
                self.assertLessEqual(called, KNOWN_FUNCTIONS)
                self.assertLessEqual(set(re.findall(r"\b[A-Z]\d+\b", code)), set(cells))
                for pivot_id, measure in PIVOT_VALUE.findall(content):
                    measures = self.data["pivots"][pivot_id]["measures"]
                    self.assertIn(measure, [m["fieldName"] for m in measures])
                for pivot_id in re.findall(r"PIVOT\((\d+),", content):
                    self.assertIn(pivot_id, self.data["pivots"])

    def test_figures_show_cells_that_are_filled(self):
        for figure in self.data["sheets"][0]["figures"]:
            shown = figure["data"]
            if shown["type"] == "scorecard":
                for key in ("keyValue", "baseline"):
                    cell = shown[key].removeprefix("Data!")
                    self.assertIn(cell, self.sheet["cells"])

    # === WHAT THE DATABASE ANSWERS ===

    def test_measures_of_now_and_of_both_months(self):
        self.assertEqual(self._pivot_groups("1"), [(210, 3)])
        # Closing, opening, new, churned.
        self.assertEqual(self._pivot_groups("2"), [(210, 210, 30, -50)])
        self.assertEqual(self._pivot_groups("3"), [(210, 0, 210, 0, 3)])

    def test_customers(self):
        """The one who was lost is not among them."""
        groups = self._pivot_groups("4")
        found = {partner.name: mrr for partner, mrr in groups}
        self.assertEqual(found, {"Kept": 120, "Grown": 60, "Won": 30})

    def test_charts(self):
        by_month, by_plan = (
            self._model(chart["metaData"]["resModel"])._read_group(
                chart["searchParams"]["domain"],
                chart["metaData"]["groupBy"],
                ["closing_mrr:sum"],
            )
            for chart in self.charts
        )
        self.assertEqual(by_month, [(self.last_month, 210), (self.this_month, 210)])
        self.assertEqual(dict(by_plan), {self.plan: 150, self.other_plan: 60})

    def test_only_sales_managers_see_it(self):
        dashboards = self.env["spreadsheet.dashboard"]
        self.assertIn(self.dashboard, dashboards.with_user(self.manager).search([]))
        self.manager.group_ids = self.env.ref("sales_team.group_sale_salesman")
        self.assertNotIn(self.dashboard, dashboards.with_user(self.manager).search([]))
