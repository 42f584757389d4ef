"""Both modules beside Odoo's other apps, as most companies run them.

The stories are Odoo tests that need these apps, so that they are run here alone:
tests/beside_apps/, and the tests of the glue modules below community/. One database,
one process: it takes longer to install the apps than to play all of it.
"""

from __future__ import annotations

import re

from .api import ADDON
from .common import SystemCase

APPS = (
    *("account_payment", "crm", "event_sale", "hr_expense", "project", "sale_expense"),
    *("sale_loyalty", "sale_mrp", "sale_project", "sale_purchase", "sale_stock"),
    *("purchase_stock", "sale_timesheet", "website_sale"),
)
# Installed by themselves.
GLUE = (
    *("sale_subscription_project", "sale_subscription_purchase"),
    "sale_subscription_stock",
)
TESTS = re.compile(r"(\d+) failed, (\d+) error\(s\) of (\d+) tests")
AT_LEAST = 75


class TestBesideApps(SystemCase):
    seconds = 200

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.database = cls.copy_database("world")

    def test_two_months_an_upsell_a_renewal_and_ordinary_orders(self):
        """And that the glue is there without having been asked for."""
        tags = ["beside_apps", *(f"/{module}" for module in GLUE)]
        output = self.odoo(
            self.database,
            *("-i", ",".join([ADDON, *APPS])),
            *("--test-tags", ",".join(tags)),
        )
        installed = self.rows(
            self.database, "SELECT name FROM ir_module_module WHERE state = 'installed'"
        )
        self.assertLessEqual({*APPS, *GLUE}, {name for (name,) in installed})
        [(failed, errors, count)] = TESTS.findall(output)
        self.assertEqual((failed, errors), ("0", "0"))
        self.assertGreaterEqual(int(count), AT_LEAST)
