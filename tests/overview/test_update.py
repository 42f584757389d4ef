from importlib.util import module_from_spec, spec_from_file_location

from odoo.tests import tagged
from odoo.tools import file_path

from .overview_case import OverviewCase

SCRIPT = "fusion_centralized_billing/migrations/19.0.1.7.0/post-windows_rated.py"


@tagged("post_install", "-at_install")
class TestUpdate(OverviewCase):
    """After an update windows say what they would, had they been rated since."""

    def test_windows_are_filled(self):
        """Three events in January, one of them voided; the one that waits counts."""
        usage = self.env["fusion.billing.usage"].search(
            [("subscription_id", "=", self.order.id)], limit=1
        )
        usage._void("sent twice")
        self._use(self.order, 1, "2026-01-12 00:00:00")
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE fusion_billing_window SET event_count = NULL, rated_at = NULL"
        )
        spec = spec_from_file_location("windows_rated", file_path(SCRIPT))
        script = module_from_spec(spec)
        spec.loader.exec_module(script)
        script.migrate(self.env.cr, "19.0.1.6.0")
        self.env.invalidate_all()
        window = self.order._fc_window()
        self.assertEqual(window.event_count, 3)
        self.assertEqual(window.rated_at, self.order.fc_rating_ids.write_date)
        self.order._fc_rate_usage()
        self.env.invalidate_all()
        self.assertEqual(window.event_count, 3)
