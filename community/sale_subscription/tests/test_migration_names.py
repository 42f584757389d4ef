import importlib.util

from odoo.tests import tagged
from odoo.tools.misc import file_path

from .common import SubscriptionCase

SCRIPT = "sale_subscription/migrations/19.0.1.3.0/pre-public_names.py"


@tagged("post_install", "-at_install")
class TestMigrationOfNames(SubscriptionCase):
    """Put a database back to what it was before the names changed, and update it."""

    def migrate(self):
        spec = importlib.util.spec_from_file_location("pre", file_path(SCRIPT))
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        module.migrate(self.env.cr, "19.0.1.2.0")

    def test_durations_of_plans_are_kept(self):
        """Two years, and none: the default of a plan was 0 months."""
        endless = self._create_plan()
        lasting = self._create_plan(contract_length=2, contract_unit="year")
        self.env.flush_all()
        self.env.cr.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for old, new in (
            ("duration_value", "contract_length"),
            ("duration_unit", "contract_unit"),
        ):
            self.env.cr.execute(
                f"ALTER TABLE sale_subscription_plan RENAME COLUMN {new} TO {old}"
            )
        self.env.invalidate_all()
        self.migrate()
        self.assertEqual((endless.contract_length, endless.contract_unit), (0, "month"))
        self.assertEqual((lasting.contract_length, lasting.contract_unit), (2, "year"))
        # A module that declares the old ones goes on with what they hold.
        self.env.cr.execute(
            "SELECT duration_value, duration_unit FROM sale_subscription_plan"
            " WHERE id = %s",
            [lasting.id],
        )
        self.assertEqual(self.env.cr.fetchone(), (2, "year"))

    def test_views_that_extend_renamed_ones_stay(self):
        view = self.env.ref("sale_subscription.sale_subscription_plan_view_tree")
        name = self.env["ir.model.data"].search(
            [
                ("module", "=", "sale_subscription"),
                ("name", "=", "sale_subscription_plan_view_tree"),
            ]
        )
        name.name = "sale_subscription_plan_view_list"
        self.env.flush_all()
        self.env.cr.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for column in ("contract_length", "contract_unit"):
            self.env.cr.execute(
                f"ALTER TABLE sale_subscription_plan RENAME COLUMN {column}"
                f" TO duration_{'value' if column.endswith('length') else 'unit'}"
            )
        self.migrate()
        self.env.invalidate_all()
        self.env.registry.clear_cache()
        self.assertEqual(
            self.env.ref("sale_subscription.sale_subscription_plan_view_tree"), view
        )
