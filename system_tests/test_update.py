"""The module is updated in a database that is in use."""

from datetime import datetime

from .common import INVOICE_JOB, MODULE, SystemCase
from .fingerprint import BUSINESS, fingerprint

JANUARY = datetime(2026, 1, 15, 8)
MARCH = datetime(2026, 3, 20, 8)


class TestUpdate(SystemCase):
    seconds = 80

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.world = cls.copy_database("world")
        cls.script(cls.world, "make_world.py", at=JANUARY)

    def check_data_after(self, name, *args, tables=("",)):
        """Update with ``args``; the data must be what it was.

        :param tables: only those whose names begin so
        :return: the updated database
        """
        database = self.copy_database(name, self.world)
        before = fingerprint(self, database, tables)
        self.assertLess({"sale_order", "sale_order_log", "account_move"}, {*before})
        self.odoo(database, *args)
        after = fingerprint(self, database, tables)
        changed = [table for table in before if before[table] != after.get(table)]
        self.assertEqual(changed, [], "tables with other rows than before")
        return database

    def test_update(self):
        self.check_data_after("itself", "-u", MODULE)

    def test_update_of_everything(self):
        """Base has a record that calls the name an app of Enterprise, to be bought. An
        update of base writes it again."""
        database = self.check_data_after("base", "-u", "base", tables=BUSINESS)
        self.assertEqual(
            self.rows(
                database,
                "SELECT state, license, to_buy FROM ir_module_module"
                f" WHERE name = '{MODULE}'",
            ),
            [("installed", "LGPL-3", "f")],
        )
        self.run_jobs(database, INVOICE_JOB, at=MARCH)
        self.assertEqual(
            self.rows(
                database,
                """
                SELECT partner.name, o.last_invoice_date, o.next_invoice_date
                  FROM sale_order o JOIN res_partner partner ON partner.id = partner_id
                 WHERE o.subscription_state = '3_progress'
                   AND partner.name IN ('running', 'renewed') ORDER BY 1
                """,
            ),
            [
                ("renewed", "2026-03-15", "2026-04-15"),
                ("running", "2026-03-15", "2026-04-15"),
            ],
        )
