"""The ledger of 19.0.1.3.0 becomes windows, agreements and adjustments."""

from datetime import datetime

from .api import ADDON
from .common import SystemCase

MARCH = datetime(2026, 3, 1, 8)
LATER = datetime(2026, 3, 10, 8)
RATE = "fusion_centralized_billing.cron_rate_usage"
WINDOWS = """
    SELECT kind, date(start), date("end"), first_day, end_day, is_settled IS TRUE
      FROM fusion_billing_window WHERE subscription_id = {} ORDER BY start
"""
# revision, quantity, what the window comes to, amount, what it counts; and of finance
RATINGS = """
    SELECT date(w.start), r.revision, r.quantity::float, r.window_amount::float,
           r.amount::float, r.counted, r.state, a.state,
           (SELECT string_agg(x.forgiven::float::text, ' ' ORDER BY x.id)
              FROM fusion_billing_adjustment x WHERE x.rating_id = r.id)
      FROM fusion_billing_rating r
      JOIN fusion_billing_window w ON w.id = r.window_id
      JOIN fusion_billing_window_charge a ON a.id = r.agreement_id
     WHERE r.subscription_id = {} ORDER BY w.start, r.revision
"""
OLD_COLUMNS = """
    SELECT count(*) FROM information_schema.columns
     WHERE table_name = 'sale_order'
       AND (column_name LIKE 'fc_settled%' OR column_name LIKE 'fc_window_plan%')
"""
JAN, FEB, MAR, APR = "2026-01-01", "2026-02-01", "2026-03-01", "2026-04-01"


def month(start, end, is_settled="t", kind="billing"):
    return kind, start, end, start, end, is_settled


class TestLedgerUpdate(SystemCase):
    """0.50 a call above a quota of 100; everything was made by hand."""

    seconds = 60

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.database = cls.copy_database("old")
        cls.odoo(cls.database, "-i", ADDON)
        cls.orders = cls.script(cls.database, "make_old_ledger.py", at=MARCH)
        cls.odoo(cls.database, "-u", ADDON)

    def windows(self, name):
        return self.rows(self.database, WINDOWS.format(self.orders[name]))

    def ratings(self, name):
        return self.rows(self.database, RATINGS.format(self.orders[name]))

    def everything(self):
        return {name: self.ratings(name) for name in self.orders}

    def test_0_webhook_endpoints(self):
        """What stood on the service is in a row of its own, which the service shows."""
        shown = self.script(self.database, "show_endpoint.py")
        self.assertEqual(
            shown,
            {
                "url": "https://hooks.example.com/old",
                "secret": "a secret",
                "failures": 3,
                "health": "disabled",
                "reason": "The receiver answered 410 Gone.",
                "types": ["invoice.posted", "rating.closed"],
            },
        )
        old = (
            "SELECT count(*) FROM information_schema.columns"
            " WHERE table_name = 'fusion_billing_service'"
            " AND column_name LIKE 'webhook%'"
        )
        self.assertEqual(self.value(self.database, old), "1")  # the endpoint

    def test_1_windows(self):
        self.assertEqual(self.value(self.database, OLD_COLUMNS), "0")
        self.assertEqual(
            self.windows("plain"),
            [month(JAN, FEB), month(FEB, MAR), month(MAR, APR, "f")],
        )
        self.assertEqual(
            self.windows("overlap"),
            [
                month(JAN, FEB),
                month(FEB, "2026-02-15"),
                month("2026-02-15", "2026-03-15", "f"),
            ],
        )
        self.assertEqual(
            self.windows("gap"),
            [
                month(JAN, FEB),
                month(FEB, MAR, "f", "gap"),
                month(MAR, APR, "f"),
            ],
        )

    def test_2_ratings(self):
        self.assertEqual(
            self.ratings("plain"),
            [
                (JAN, "0", "150", "25", "25", "[]", "invoiced", "settled", ""),
                (FEB, "0", "170", "35", "35", "[]", "invoiced", "settled", "10"),
                (MAR, "0", "120", "10", "10", "[]", "open", "open", ""),
            ],
        )

    def test_3_several_charges_are_one_agreement(self):
        """25 was taken back when 300 took its place: what comes late costs 2 each."""
        self.assertEqual(
            self.ratings("replaced"),
            [
                (JAN, "0", "150", "25", "25", "[]", "invoiced", "settled", ""),
                (JAN, "1", "0", "0", "-25", "[0]", "invoiced", "settled", ""),
                (JAN, "2", "150", "300", "300", "[0, 1]", "invoiced", "settled", ""),
            ],
        )

    def test_4_an_overlap_charges_nothing(self):
        """280 calls lie in January now: 90 for 25. None lie after it: 0 for 15."""
        self.assertEqual(
            self.ratings("overlap"),
            [
                (JAN, "0", "150", "25", "25", "[]", "invoiced", "settled", ""),
                (JAN, "1", "280", "90", "0", "[0]", "invoiced", "settled", "65 -65"),
                (FEB, "0", "130", "15", "15", "[]", "invoiced", "settled", ""),
                (FEB, "1", "0", "0", "0", "[0]", "invoiced", "settled", "-15 15"),
            ],
        )

    def test_5_rating_finds_nothing_to_say(self):
        before = self.everything()
        for sql in (
            "SELECT 1",
            "INSERT INTO fusion_billing_rating_queue (subscription_id, since, recheck)"
            " SELECT DISTINCT subscription_id, timestamp '2026-01-01', true"
            "   FROM fusion_billing_rating",
        ):
            self.workspace.psql(self.database, sql)
            self.run_jobs(self.database, RATE, at=LATER)
            self.assertEqual(self.everything(), before)

    def test_6_late_usage_goes_on_from_there(self):
        """10 calls more in February: 40 less the 10 forgiven, of which 25 are paid."""
        self.workspace.psql(
            self.database,
            "UPDATE fusion_billing_usage SET quantity = 180"
            f" WHERE subscription_id = {self.orders['plain']} AND quantity = 170;"
            "INSERT INTO fusion_billing_rating_queue (subscription_id, since, recheck)"
            f" VALUES ({self.orders['plain']}, '2026-02-10', false)",
        )
        self.run_jobs(self.database, RATE, at=LATER)
        self.assertIn(
            (FEB, "1", "180", "40", "5", "[0]", "open", "settled", ""),
            self.ratings("plain"),
        )
