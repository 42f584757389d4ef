"""The module leaves a database that is in use, and comes back."""

from datetime import datetime

from .common import INVOICE_JOB, MODULE, SystemCase
from .fingerprint import structure

JANUARY = datetime(2026, 1, 15, 8)
MARCH = datetime(2026, 3, 20, 8)
ORDERS = (
    "SELECT id, name, state, amount_total, client_order_ref FROM sale_order ORDER BY 1"
)
LINES = """
    SELECT id, product_id, name, product_uom_qty, price_unit, qty_invoiced
      FROM sale_order_line ORDER BY 1
"""
MOVES = """
    SELECT id, name, state, invoice_date, amount_total, payment_state FROM account_move
     ORDER BY 1
"""
MOVE_LINES = """
    SELECT id, name, quantity, price_unit, debit, credit FROM account_move_line
     ORDER BY 1
"""


class TestUninstall(SystemCase):
    """Uninstalled while subscriptions run, are paused, and are due."""

    seconds = 45

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        before = cls.workspace.template([MODULE])
        cls.built = structure(cls, before)
        cls.database = cls.copy_database("world")
        cls.script(cls.database, "make_world.py", at=JANUARY)
        cls.held = [
            cls.rows(cls.database, query)
            for query in (ORDERS, LINES, MOVES, MOVE_LINES)
        ]
        cls.script(cls.database, "uninstall.py", {"module": MODULE})

    def test_1_data_stays(self):
        for query, held in zip(
            (ORDERS, LINES, MOVES, MOVE_LINES), self.held, strict=True
        ):
            with self.subTest(query):
                self.assertTrue(held)
                self.assertEqual(self.rows(self.database, query), held)

    def test_2_nothing_of_the_module_stays(self):
        built = structure(self, self.database)
        # Those beside other apps are in the list of modules since, and not installed.
        listed = {name for name in built if " base.module_" in name}
        self.assertEqual(sorted(built - self.built - listed), [], "left behind")
        self.assertEqual(sorted(self.built - built), [], "taken along")

    def test_3_the_terms_of_what_ran_stay_in_a_note(self):
        notes = self.rows(
            self.database,
            """
            SELECT partner.name FROM mail_message message
              JOIN sale_order o ON o.id = message.res_id
              JOIN res_partner partner ON partner.id = o.partner_id
             WHERE message.model = 'sale.order'
               AND message.body LIKE '%Subscriptions was uninstalled%' ORDER BY 1
            """,
        )
        expected = ["drafted", "paused", "renewed", "running", "upsold"]
        self.assertEqual([name for (name,) in notes], expected)

    def test_4_no_recurring_price_becomes_an_ordinary_one(self):
        self.assertEqual(
            self.value(self.database, "SELECT count(*) FROM product_pricelist_item"),
            "0",
        )

    def test_5_sales_go_on(self):
        sold = self.script(self.database, "sell.py")
        self.assertEqual(sold, ["posted", 70.0, "invoiced"])

    def test_6_the_server_starts(self):
        name = f"system-{type(self).__name__}-http"
        with self.workspace.start_server(self.database, name=name) as server:
            self.assertTrue(server.alive())
        self.check_log(server.log)

    def test_7_it_can_be_installed_again(self):
        self.odoo(self.database, "-i", MODULE)
        (order,) = self.script(
            self.database, "make_subscriptions.py", {"count": 1}, at=JANUARY
        )
        self.run_jobs(self.database, INVOICE_JOB, at=MARCH)
        self.assertEqual(
            self.rows(
                self.database,
                f"""
                SELECT o.last_invoice_date, o.next_invoice_date, count(move.id),
                       sum(move.amount_total)
                  FROM sale_order o
                  JOIN sale_subscription_period period ON period.subscription_id = o.id
                  JOIN account_move move ON move.id = period.move_id
                 WHERE o.id = {order} AND move.state = 'posted' GROUP BY o.id
                """,
            ),
            [("2026-03-15", "2026-04-15", "3", "30.00")],
        )
