import runpy

from odoo.tests import tagged
from odoo.tools import file_path

from .ledger_case import LedgerCase

NEAR = [("state", "=", "open"), ("quota_share", ">", 80)]
OVER = [("state", "=", "open"), ("quota_share", ">", 100)]


@tagged("post_install", "-at_install")
class TestQuotaShare(LedgerCase):
    """Of 100 calls: who is near the quota, who is over it."""

    def _rated(self, quantity):
        self._record(quantity)
        return self.order._fc_rate_usage()

    def _found(self, domain):
        mine = [("subscription_id", "=", self.order.id)]
        return self.env["fusion.billing.rating"].search(domain + mine)

    def test_who_is_near_or_over_is_found(self):
        rating = self._rated(80)
        self.assertEqual(rating.quota_share, 80)
        self.assertFalse(self._found(NEAR))
        self.assertEqual(self._rated("0.001").quota_share, 80.01)
        self.assertEqual(self._found(NEAR), rating)
        self.assertEqual(self._rated("19.999").quota_share, 100)
        self.assertFalse(self._found(OVER))
        self.assertEqual(self._rated("0.002").quota_share, 100.01)
        self.assertEqual(self._found(OVER), rating)

    def test_what_is_invoiced_is_not_near_any_more(self):
        rating = self._rated(250)
        self.order._create_invoices()
        self.assertEqual((rating.state, rating.quota_share), ("invoiced", 250))
        self.assertFalse(self._found(NEAR))

    def test_without_a_quota_there_is_no_share(self):
        self.charge.included_quota = 0
        self.assertFalse(self._rated(250).quota_share)
        self.assertFalse(self._found(NEAR))

    def test_an_update_fills_it_in(self):
        rating = self._rated("33.333")
        self.env.cr.execute("UPDATE fusion_billing_rating SET quota_share = NULL")
        path = "fusion_centralized_billing/migrations/19.0.1.7.0/post-quota_share.py"
        runpy.run_path(file_path(path))["migrate"](self.env.cr, "19.0.1.6.0")
        rating.invalidate_recordset()
        self.assertEqual(rating.quota_share, 33.34)
