"""Several processes invoice the same subscriptions at once."""

from collections import Counter
from datetime import datetime

from .common import INVOICE_JOB, SystemCase

COUNT = 120  # more than two batches: each process takes one
STARTED = datetime(2026, 1, 15, 8)
# three periods are due by now: from 15 January, February and March
NOW = datetime(2026, 3, 20, 8)
PERIODS = (
    ("2026-01-15", "2026-02-15"),
    ("2026-02-15", "2026-03-15"),
    ("2026-03-15", "2026-04-15"),
)


class TestRace(SystemCase):
    """Odoo lets one scheduled action run once at a time, but nothing keeps two with the
    same code, or a person's click, from running beside it."""

    seconds = 60

    def test_three_processes_at_once(self):
        database = self.copy_database("three")
        self.script(database, "make_subscriptions.py", {"count": COUNT}, at=STARTED)
        self.race(database, INVOICE_JOB, 3, at=NOW)
        shares = self.rows(
            database,
            "SELECT create_uid, count(*) FROM account_move GROUP BY 1 ORDER BY 1",
        )
        self.assertEqual(len(shares), 3, f"they did not run at once: {shares}")
        # whatever was put off
        self.run_jobs(database, INVOICE_JOB, at=NOW)
        self.check_invoices(database)

    def check_invoices(self, database):
        expected = Counter(
            (
                f"Customer {number}",
                start,
                end,
                "posted",
                "2026-03-20",
                f"{10 + number}.00",
            )
            for number in range(COUNT)
            for start, end in PERIODS
        )
        found = self.rows(
            database,
            """
            SELECT partner.name, period.period_start, period.period_end, move.state,
                   move.invoice_date, move.amount_total
              FROM sale_subscription_period period
              JOIN sale_order o ON o.id = period.subscription_id
              JOIN res_partner partner ON partner.id = o.partner_id
              JOIN account_move move ON move.id = period.move_id
            """,
        )
        self.assertEqual(Counter(found), expected)
        self.assertEqual(
            self.value(database, "SELECT count(*) FROM account_move"), str(3 * COUNT)
        )
        self.assertEqual(
            self.rows(
                database,
                """
                SELECT last_invoice_date, next_invoice_date, subscription_error,
                       count(*)
                  FROM sale_order GROUP BY 1, 2, 3
                """,
            ),
            [("2026-03-15", "2026-04-15", "", str(COUNT))],
        )
