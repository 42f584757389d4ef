"""The scheduled action is killed in the middle, more than once, and run again."""

from datetime import datetime

from .common import INVOICE_JOB, SystemCase

COUNT = 16
STARTED = datetime(2026, 1, 15, 8)
NOW = datetime(2026, 3, 20, 8)  # three periods are due
# Killed so many seconds after so many invoices were seen: at once, while the next is
# being made, while it is being posted.
KILLS = ((1, 0.0), (15, 0.05), (31, 0.1))
INVOICES = """
    SELECT move.name, move.state, move.invoice_date, move.amount_total,
           partner.name, period.period_start, period.period_end
      FROM account_move move
      LEFT JOIN sale_subscription_period period ON period.move_id = move.id
      LEFT JOIN sale_order o ON o.id = period.subscription_id
      LEFT JOIN res_partner partner ON partner.id = o.partner_id
     ORDER BY 1, 5, 6
"""
ORDERS = """
    SELECT name, subscription_state, start_date, last_invoice_date, next_invoice_date,
           subscription_error, invoice_status
      FROM sale_order ORDER BY 1
"""
LINES = """
    SELECT move.name, line.name, line.quantity, line.price_unit, line.debit, line.credit
      FROM account_move_line line JOIN account_move move ON move.id = line.move_id
     ORDER BY 1, 2, 5, 6
"""
MESSAGES = """
    SELECT model, body, count(*) FROM mail_message
     WHERE model IN ('sale.order', 'account.move') GROUP BY 1, 2 ORDER BY 1, 2
"""


class TestCrash(SystemCase):
    seconds = 60

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.undisturbed = cls.copy_database("undisturbed")
        cls.script(
            cls.undisturbed, "make_subscriptions.py", {"count": COUNT}, at=STARTED
        )
        cls.killed = cls.copy_database("killed", cls.undisturbed)

    def posted(self):
        return int(
            self.value(
                self.killed, "SELECT count(*) FROM account_move WHERE state = 'posted'"
            )
        )

    def test_killed_is_as_if_undisturbed(self):
        for invoices, delay in KILLS:
            self.kill_when(
                lambda invoices=invoices: self.posted() >= invoices,
                self.killed,
                INVOICE_JOB,
                delay=delay,
                at=NOW,
            )
        self.assertLess(self.posted(), 3 * COUNT, "there was nothing left to do")
        self.run_jobs(self.undisturbed, INVOICE_JOB, at=NOW)
        self.run_jobs(self.killed, INVOICE_JOB, at=NOW)
        for query in (INVOICES, ORDERS, LINES, MESSAGES):
            with self.subTest(query.split()[1]):
                expected = self.rows(self.undisturbed, query)
                self.assertTrue(expected)
                self.assertEqual(self.rows(self.killed, query), expected)
        self.assertEqual(self.posted(), 3 * COUNT)
