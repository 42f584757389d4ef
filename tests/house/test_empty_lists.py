from lxml import etree

from odoo.tests import TransactionCase, tagged

ADDON = "fusion_centralized_billing"
SHOWN = ("list", "kanban", "pivot", "graph")


@tagged("post_install", "-at_install")
class TestEmptyLists(TransactionCase):
    """Before the first usage arrives a list shows what it will look like, and why."""

    def _menu_actions(self):
        """The actions of the addon's own models in its menus."""
        root = self.env.ref(f"{ADDON}.fusion_billing_menu_root")
        menus = self.env["ir.ui.menu"].search([("id", "child_of", root.id)])
        for action in menus.mapped("action"):
            if action and action._name == "ir.actions.act_window":
                if action.res_model.startswith("fusion.billing."):
                    yield action

    def _views(self, action):
        """{type: root of the view} of those that the action names."""
        views = [(view, kind) for view, kind in action.views if kind in SHOWN]
        found = self.env[action.res_model].get_views(views)["views"]
        return {kind: etree.fromstring(found[kind]["arch"]) for _view, kind in views}

    def test_lists_of_the_menus_show_sample_data_and_help(self):
        seen = set()
        for action in self._menu_actions():
            for kind, root in self._views(action).items():
                with self.subTest(action=action.xml_id, view=kind):
                    self.assertEqual(root.get("sample"), "1")
                    self.assertIn("o_view_nocontent", action.help or "")
                    seen.add((action.res_model, kind))
        self.assertGreaterEqual(len(seen), 40)
        for name in ("usage", "rating", "control", "hold", "audit", "usage.import"):
            self.assertIn((f"fusion.billing.{name}", "kanban"), seen)

    def test_lists_behind_one_record_show_none(self):
        """There an empty list is the answer: nothing stands behind the figure."""
        for name in (
            "usage_action_behind",
            "control_line_action",
            "price_draft_result_action",
            "accrual_line_action",
            "overview_order_action",
        ):
            views = self._views(self.env.ref(f"{ADDON}.{name}"))
            self.assertTrue(views)
            for kind, root in views.items():
                with self.subTest(action=name, view=kind):
                    self.assertFalse(root.get("sample"))

    def test_what_finance_looks_at_has_cards_for_phones(self):
        """With its amount or counts, and its status."""
        for name, figure in (
            ("control_action", "journal_balance"),
            ("control_line_action", "rated_amount"),
            ("hold_action", "amount_total"),
            ("audit_action", "open_count"),
            ("usage_import_action", "refused_count"),
        ):
            card = self._views(self.env.ref(f"{ADDON}.{name}"))["kanban"]
            shown = {field.get("name") for field in card.iter("field")}
            with self.subTest(action=name):
                self.assertLessEqual({figure, "state"}, shown)
        card = self._views(self.env.ref(f"{ADDON}.price_draft_result_action"))["kanban"]
        shown = {field.get("name") for field in card.iter("field")}
        self.assertLessEqual({"partner_id", "difference", "amount_draft"}, shown)
