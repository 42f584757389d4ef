from datetime import date

from freezegun import freeze_time

from odoo.tests import tagged

from .report_common import COUNTS, COUNTS_OF_A, MRR, MRR_OF_A, TODAY, ReportCase


@tagged("post_install", "-at_install")
class TestReport(ReportCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._tell_story()

    # === MONTHS ===

    def test_mrr_of_every_month(self):
        found = self._read(self._report(), MRR, ["month:month"])
        self.assertAmounts(found, MRR_OF_A)

    def test_subscriptions_of_every_month(self):
        found = self._read(self._report(), COUNTS, ["month:month"])
        self.assertAmounts(found, COUNTS_OF_A)

    def test_each_row_adds_up_and_opens_with_what_the_last_one_closed_with(self):
        closed = {}
        with freeze_time(TODAY):
            rows = self._report(self.company_a, self.company_b).search(
                [], order="month"
            )
            self.assertTrue(rows)
            for row in rows:
                cell = row.company_id, row.plan_id, row.user_id, row.team_id
                with self.subTest(month=row.month, cell=cell):
                    self.assertEqual(row.opening_mrr, closed.get(cell, 0))
                    moved = sum(row[name] for name in MRR[1:-1])
                    self.assertAlmostEqual(row.closing_mrr, row.opening_mrr + moved)
                closed[cell] = row.closing_mrr

    def test_months_go_on_up_to_the_present_one(self):
        with freeze_time("2026-08-01"):
            groups = self._report()._read_group(
                [], ["month:month"], ["closing_mrr:sum"]
            )
        self.assertEqual(groups[-1], (date(2026, 8, 1), 485))
        self.assertEqual(len(groups), 8)

    def test_equal_movements_count_each(self):
        """Two more of 45, on the same plan, by the same salesperson, in one month."""
        for name in ("S10", "S11"):
            self._create_order(name, self.monthly, self.bob)
            self._log(name, "2026-03-02", "new", 45, 1)
        names = ("new_mrr", "new_count")
        march = [("month", "=", "2026-03-01")]
        found = self._read(self._report(), names, domain=march)
        self.assertAmounts(found, {(): (135, 3)})

    # === PLANS, SALESPERSONS, COMPANIES ===

    def test_plans(self):
        """Monthly loses 60 to Yearly in April, when S6 renews S5."""
        found = self._read(self._report(), MRR, ["plan_id", "month:month"])
        m, y = self.monthly, self.yearly
        expected = {
            (m, 1): (0, 360, 0, 0, 0, 0, 0, 0, 360),
            (m, 2): (360, 80, 50, 0, 0, 0, -200, 0, 290),
            (m, 3): (290, 45, 0, 0, 0, 0, -80, 0, 255),
            (m, 4): (255, 0, 0, -30, -80, 0, 280, -60, 365),
            (m, 5): (365, 0, 0, 0, 0, 0, 0, 0, 365),
            (m, 6): (365, 0, 0, 0, 0, 0, 0, 0, 365),
            (y, 1): (0, 40, 0, 0, 0, 0, 0, 0, 40),
            (y, 2): (40, 0, 0, 0, 0, 0, 0, 0, 40),
            (y, 3): (40, 0, 0, 0, -40, 0, 0, 0, 0),
            (y, 4): (0, 0, 20, 0, 0, 0, 0, 60, 80),
            (y, 5): (80, 0, 0, 0, 0, 40, 0, 0, 120),
            (y, 6): (120, 0, 0, 0, 0, 0, 0, 0, 120),
        }
        self.assertAmounts(found, expected)

    def test_salespersons(self):
        """Anna: S1 120, S3 40, S6 80. Bob: S2 200, S7 45."""
        found = self._read(self._report(), ["closing_mrr"], ["user_id"])
        self.assertAmounts(found, {self.anna: (240,), self.bob: (245,)})

    def test_salesperson_is_who_looks_after_it_today(self):
        """With S1, Anna's 100 of January and the 120 of today go to Bob."""
        self.orders["S1"].user_id = self.bob
        found = self._read(self._report(), ["new_mrr", "closing_mrr"], ["user_id"])
        self.assertAmounts(found, {self.anna: (100, 120), self.bob: (425, 365)})

    def test_companies_in_the_currency_of_the_one_worked_in(self):
        """1 A is worth 2 B: the 500, -100 and -400 of S8 are 250, -50 and -200."""
        both = self._report(self.company_a, self.company_b)
        names = (
            "opening_mrr",
            "new_mrr",
            "contraction_mrr",
            "churn_mrr",
            "closing_mrr",
        )
        found = self._read(both, names, ["month:month"])
        expected = {
            1: (0, 400, 0, 0, 400),
            2: (400, 80 + 250, 0, 0, 330 + 250),
            3: (580, 45, -50, -40, 255 + 200),
            4: (455, 0, -30, -80, 445 + 200),
            5: (645, 0, 0, -200, 485),
            6: (485, 0, 0, 0, 485),
        }
        self.assertAmounts(found, expected)

    def test_the_other_company_in_its_own_currency(self):
        found = self._read(self._report(self.company_b), MRR, ["month:month"])
        expected = {
            2: (0, 500, 0, 0, 0, 0, 0, 0, 500),
            3: (500, 0, 0, -100, 0, 0, 0, 0, 400),
            4: (400, 0, 0, 0, 0, 0, 0, 0, 400),
            5: (400, 0, 0, 0, -400, 0, 0, 0, 0),
            6: (0, 0, 0, 0, 0, 0, 0, 0, 0),
        }
        self.assertAmounts(found, expected)

    # === SEVERAL MONTHS AS ONE ===

    def test_a_quarter_opens_with_its_first_and_closes_with_its_last_month(self):
        found = self._read(self._report(), MRR, ["month:quarter"])
        expected = {
            1: (0, 525, 50, 0, -40, 0, -280, 0, 255),
            4: (255, 0, 20, -30, -80, 40, 280, 0, 485),
        }
        self.assertAmounts(found, expected)

    def test_the_total_is_an_account_of_all_months(self):
        found = self._read(self._report(), MRR)
        self.assertAmounts(found, {(): (0, 525, 70, -30, -120, 40, 0, 0, 485)})
        found = self._read(self._report(), COUNTS)
        self.assertAmounts(found, {(): (0, 6, 2, 1, 0, 0, 5)})

    def test_the_total_of_a_filter(self):
        found = self._read(self._report(), MRR, domain=[("month", ">=", "2026-03-01")])
        self.assertAmounts(found, {(): (330, 45, 20, -30, -120, 40, 200, 0, 485)})

    def test_a_plan_that_lost_everything_closes_with_nothing(self):
        """S8 churned in May. Its last event is not the end of its account."""
        found = self._read(self._report(self.company_b), ["closing_mrr"], ["plan_id"])
        self.assertAmounts(found, {self.monthly: (0,)})

    def test_levels_of_the_pivot_in_one_query(self):
        with freeze_time(TODAY):
            total, months, plans = self._report()._read_grouping_sets(
                [],
                [[], ["month:month"], ["plan_id"]],
                ["opening_mrr:sum", "closing_mrr:sum", "mrr_churn_rate:avg"],
            )
        self.assertEqual(total[0][:2], (0, 485))
        self.assertEqual([row[2] for row in months], [400, 330, 255, 445, 485, 485])
        self.assertEqual({row[0]: row[2] for row in plans}[self.yearly], 120)

    # === RATES ===

    def test_churn_rates_of_a_month(self):
        names = ("mrr_churn_rate", "period_mrr_churn_rate")
        names += ("logo_churn_rate", "period_logo_churn_rate")
        found = self._read(self._report(), names, ["month:month"])
        none = (0, 0, 0, 0)
        march = (40 / 330, 40 / 330, 1 / 4, 1 / 4)
        april = (80 / 255, 80 / 255, 1 / 3, 1 / 3)
        expected = {1: none, 2: none, 3: march, 4: april, 5: none, 6: none}
        self.assertAmounts(found, expected)

    def test_churn_rates_of_a_quarter(self):
        """Monthly: by the openings of each month. Period: by that of the quarter.

        Openings: 0 + 400 + 330, and 255 + 445 + 485; subscriptions 0 + 4 + 4, and
        3 + 4 + 5.
        """
        names = ("mrr_churn_rate", "period_mrr_churn_rate")
        names += ("logo_churn_rate", "period_logo_churn_rate")
        found = self._read(self._report(), names, ["month:quarter"])
        expected = {
            1: (40 / 730, 0, 1 / 8, 0),
            4: (80 / 1185, 80 / 255, 1 / 12, 1 / 3),
        }
        self.assertAmounts(found, expected)

    def test_churn_rates_of_plans_together_are_not_their_average(self):
        """April: 80 of 255 on Monthly, 0 of 0 on Yearly. March: 0 of 290, 40 of 40."""
        names = ("mrr_churn_rate", "logo_churn_rate")
        march = [("month", "=", "2026-03-01")]
        found = self._read(self._report(), names, ["plan_id"], march)
        self.assertAmounts(found, {self.monthly: (0, 0), self.yearly: (1, 1)})
        found = self._read(self._report(), names, domain=march)
        self.assertAmounts(found, {(): (40 / 330, 1 / 4)})

    def test_churn_in_the_first_month_of_all_has_no_rate(self):
        self._create_order("S9", self.monthly, self.anna, self.company_b)
        self._log("S9", "2026-01-02", "new", 10, 1)
        self._log("S9", "2026-01-20", "churn", -10, -1)
        names = ("churn_mrr", "mrr_churn_rate", "logo_churn_rate")
        january = [("month", "=", "2026-01-01")]
        found = self._read(self._report(self.company_b), names, domain=january)
        self.assertAmounts(found, {(): (-10, 0, 0)})

    # === CHANGE OF PLAN ===

    def test_change_of_plan_takes_all_of_its_mrr_along(self):
        """S1, 120 on Monthly, goes to Yearly in May and costs 10 less there."""
        self._log("S1", "2026-05-10", "contraction", -10, 0, plan_id=self.yearly.id)
        names = ("opening_mrr", "contraction_mrr", "transfer_mrr", "closing_mrr")
        names += ("transfer_count",)
        may = [("month", "=", "2026-05-01")]
        found = self._read(self._report(), names, ["plan_id"], may)
        expected = {
            self.monthly: (365, 0, -120, 245, -1),
            self.yearly: (80, -10, 120, 230, 1),
        }
        self.assertAmounts(found, expected)

    # === FROM THE REPORT TO THE LOG ===

    def test_a_row_leads_to_its_movements(self):
        with freeze_time(TODAY):
            row = self._report().search(
                [("month", "=", "2026-04-01"), ("plan_id", "=", self.yearly.id)]
            )
            action = row.action_open_movements()
        found = self.env["sale.order.log"].search(action["domain"])
        self.assertEqual(found, self.orders["S6"].sale_order_log_ids)
