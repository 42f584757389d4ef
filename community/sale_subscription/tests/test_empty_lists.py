from lxml import etree

from odoo.tests import TransactionCase, tagged


@tagged("post_install", "-at_install")
class TestEmptyLists(TransactionCase):
    """Before the first subscription a list shows what it will look like, and why."""

    def test_lists_of_the_menus_show_sample_data_and_help(self):
        for name, count in (
            ("sale_subscription_action", 4),
            ("sale_subscription_action_quotations", 4),
            ("sale_subscription_action_to_renew", 4),
            ("sale_subscription_action_analysis", 3),
            ("sale_subscription_period_action", 1),
            ("sale_subscription_report_action", 3),
            ("sale_subscription_cohort_action", 3),
            ("sale_order_log_action", 3),
            ("sale_subscription_plan_action", 1),
        ):
            action = self.env.ref(f"sale_subscription.{name}")
            self.assertIn("o_view_nocontent", action.help or "", name)
            shown = [v for v in action.views if v[1] not in ("form", "activity")]
            self.assertEqual(len(shown), count, name)
            views = self.env[action.res_model].get_views(shown)["views"]
            for kind, view in views.items():
                with self.subTest(action=name, view=kind):
                    root = etree.fromstring(view["arch"])
                    self.assertEqual(root.get("sample"), "1")
