from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from .report_common import TODAY, ReportCase

NAMES = ("starting_count", "running_count", "starting_mrr", "kept_mrr", "running_mrr")


# Six subscriptions of company A, and B1 of company B, where 2 are worth 1 of A.
#
#           Jan      Feb       Mar       Apr               May              Jun
#   C1 M A  new 100            exp +50                                      150
#   C2 M B  new 200  pause                                 resume           200
#   C3 Y A  new 40   churn                                 reopen 31st       40
#   C4 M B           new 80    pause     churn                                0
#   C5 M A           new 60              out 60                               0
#    R Y A                               in 60, exp +20    contr. -50        30
#   C6 M B                               new 50, churn                        0
#   B1 M B  new 300                                        contr. -100      200
WORLD = [
    # order, day, event, change of MRR, change of active subscriptions
    ("C1", "2026-01-05", "new", 100, 1),
    ("C2", "2026-01-20", "new", 200, 1),
    ("B1", "2026-01-30", "new", 300, 1),
    ("C3", "2026-01-31", "new", 40, 1),
    ("C4", "2026-02-01", "new", 80, 1),
    ("C5", "2026-02-10", "new", 60, 1),
    ("C2", "2026-02-15", "pause", -200, -1),
    ("C3", "2026-02-28", "churn", -40, -1),
    ("C1", "2026-03-10", "expansion", 50, 0),
    ("C4", "2026-03-31", "pause", -80, -1),
    ("C6", "2026-04-02", "new", 50, 1),
    ("C4", "2026-04-11", "churn", 0, 0),
    ("C6", "2026-04-20", "churn", -50, -1),
    ("C5", "2026-04-30", "transfer_out", -60, -1),
    ("R", "2026-04-30", "transfer_in", 60, 1),
    ("R", "2026-04-30", "expansion", 20, 0),
    ("C2", "2026-05-03", "resume", 200, 1),
    ("R", "2026-05-15", "contraction", -50, 0),
    ("B1", "2026-05-20", "contraction", -100, 0),
    ("C3", "2026-05-31", "reopen", 40, 1),
]

# By month of start and age: begun, running; MRR begun with, kept, running.
COHORTS = {
    (1, 0): (3, 3, 340, 340, 340),
    (1, 1): (3, 2, 340, 300, 300),
    (1, 2): (3, 2, 340, 300, 350),
    (1, 3): (3, 2, 340, 300, 350),
    (1, 4): (3, 3, 340, 340, 390),
    (1, 5): (3, 3, 340, 340, 390),
    (2, 0): (2, 2, 140, 140, 140),
    (2, 1): (2, 2, 140, 140, 140),
    (2, 2): (2, 1, 140, 60, 80),
    (2, 3): (2, 1, 140, 30, 30),
    (2, 4): (2, 1, 140, 30, 30),
    (4, 0): (1, 1, 50, 50, 50),
    (4, 1): (1, 0, 50, 0, 0),
    (4, 2): (1, 0, 50, 0, 0),
}


class CohortCase(ReportCase):
    def _cohort(self, *companies, user=None):
        cohort = self.env["sale.subscription.cohort"]
        if user:
            cohort = cohort.with_user(user)
        companies = companies or (self.company_a,)
        return cohort.with_context(allowed_company_ids=[c.id for c in companies])


@tagged("post_install", "-at_install")
class TestCohort(CohortCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name, plan, user in (
            ("C1", cls.monthly, cls.anna),
            ("C2", cls.monthly, cls.bob),
            ("C3", cls.yearly, cls.anna),
            ("C4", cls.monthly, cls.bob),
            ("C5", cls.monthly, cls.anna),
            ("R", cls.yearly, cls.anna),
            ("C6", cls.monthly, cls.bob),
        ):
            cls._create_order(name, plan, user)
        cls._create_order("B1", cls.monthly, cls.bob, cls.company_b)
        cls.orders["R"].subscription_id = cls.orders["C5"]
        for name, *event in WORLD:
            cls._log(name, *event)

    # === AGES ===

    def test_every_cohort_at_every_age(self):
        found = self._read(self._cohort(), NAMES, ["cohort_month:month", "age"])
        self.assertAmounts(found, COHORTS)

    def test_rates(self):
        """February after 3 months: one of two, and 30 of the 140 it began with."""
        rates = ("retention_rate", "mrr_retention_rate", "net_mrr_retention_rate")
        found = self._read(self._cohort(), rates, ["cohort_month:month", "age"])
        self.assertAmounts(
            {key: found[key] for key in ((1, 1), (1, 2), (2, 3), (4, 2))},
            {
                (1, 1): (2 / 3, 300 / 340, 300 / 340),
                (1, 2): (2 / 3, 300 / 340, 350 / 340),
                (2, 3): (1 / 2, 30 / 140, 30 / 140),
                (4, 2): (0, 0, 0),
            },
        )

    def test_an_age_over_all_cohorts_counts_those_that_reached_it(self):
        """In June nothing of April is 3 months old."""
        found = self._read(self._cohort(), NAMES, ["age"])
        expected = {
            0: (6, 6, 530, 530, 530),
            1: (6, 4, 530, 440, 440),
            2: (6, 3, 530, 360, 430),
            3: (5, 3, 480, 330, 380),
            4: (5, 4, 480, 370, 420),
            5: (3, 3, 340, 340, 390),
        }
        self.assertAmounts(found, expected)

    def test_several_ages_as_one_count_each_subscription_once(self):
        found = self._read(self._cohort(), NAMES, ["cohort_month:month"])
        last = {1: COHORTS[1, 5], 2: COHORTS[2, 4], 4: COHORTS[4, 2]}
        self.assertAmounts(found, last)
        found = self._read(self._cohort(), NAMES)
        self.assertAmounts(found, {(): (6, 4, 530, 370, 420)})
        rates = ("retention_rate", "mrr_retention_rate", "net_mrr_retention_rate")
        found = self._read(self._cohort(), rates)
        self.assertAmounts(found, {(): (4 / 6, 370 / 530, 420 / 530)})

    def test_of_ages_picked_out_the_highest_that_each_reached_counts(self):
        """Of 1 and 4: January and February at 4, April at 1."""
        found = self._read(self._cohort(), NAMES, domain=[("age", "in", (1, 4))])
        self.assertAmounts(found, {(): (6, 4, 530, 370, 420)})

    def test_ages_end_with_the_present_month_and_with_twelve(self):
        """On 1 March of the next year January has all 12 ages, April none above 11."""
        with freeze_time("2027-03-01"):
            groups = self._cohort()._read_group(
                [], ["cohort_month:month"], ["age:max", "month:max"]
            )
        self.assertEqual(
            [(month.month, age, str(last)) for month, age, last in groups],
            [(1, 12, "2027-01-01"), (2, 12, "2027-02-01"), (4, 11, "2027-03-01")],
        )

    def test_rows_are_read_as_they_were_searched(self):
        with freeze_time(TODAY):
            rows = self._cohort().search([("order_id", "=", self.orders["R"].id)])
            self.assertEqual(rows.sorted("age").mapped("age"), [0, 1, 2, 3, 4])
            row = rows.filtered(lambda r: r.age == 2)
            self.assertEqual((row.running_mrr, row.plan_id), (80, self.monthly))
            self.assertEqual(str(row.month), "2026-04-01")

    def test_agrees_with_mrr_and_churn(self):
        """Six began, four run with 420: nothing is paused on that day."""
        names = ("new_count", "closing_count", "closing_mrr")
        found = self._read(self._report(), names)
        self.assertAmounts(found, {(): (6, 4, 420)})

    # === PLANS, SALESPERSONS, COMPANIES ===

    def test_plan_is_the_one_it_began_with(self):
        """C5 began monthly. It is still lost or kept there when renewed yearly."""
        domain = [("cohort_month", "=", "2026-02-01"), ("age", "=", 3)]
        found = self._read(self._cohort(), NAMES, ["plan_id"], domain)
        self.assertAmounts(found, {self.monthly: (2, 1, 140, 30, 30)})

    def test_salesperson_and_team_are_those_of_today(self):
        team = self.env["crm.team"].create({"name": "Cohort team"})
        self.orders["R"].write({"user_id": self.bob.id, "team_id": team.id})
        domain = [("cohort_month", "=", "2026-02-01"), ("age", "=", 4)]
        found = self._read(self._cohort(), NAMES, ["user_id"], domain)
        self.assertAmounts(found, {self.bob: (2, 1, 140, 30, 30)})
        found = self._read(self._cohort(), NAMES, domain=[("team_id", "=", team.id)])
        self.assertAmounts(found, {(): (1, 1, 60, 30, 30)})

    def test_companies_in_the_currency_of_the_one_worked_in(self):
        """B1: 300 and 200 in the currency of B are 150 and 100 in that of A."""
        both = self._cohort(self.company_a, self.company_b)
        domain = [("cohort_month", "=", "2026-01-01"), ("age", "in", (4, 5))]
        found = self._read(both, NAMES, ["age"], domain)
        self.assertAmounts(found, dict.fromkeys((4, 5), (4, 4, 490, 440, 490)))
        found = self._read(self._cohort(self.company_b), NAMES)
        self.assertAmounts(found, {(): (1, 1, 300, 200, 200)})

    # === RIGHTS ===

    def _begun(self, user, *companies):
        found = self._read(self._cohort(*companies, user=user), ["starting_count"])
        return found[()][0]

    def test_who_sees_what(self):
        self.assertEqual(self._begun(self.anna), 3)
        self.assertEqual(self._begun(self.bob), 3)
        for user in (self.leader, self.accountant, self.auditor):
            self.assertEqual(self._begun(user), 6)

    def test_companies_are_apart(self):
        self.assertEqual(self._begun(self.leader, self.company_b), 1)
        with freeze_time(TODAY):
            foreign = self._cohort(user=self.leader).search([], limit=1)
            self.leader.write(
                {
                    "company_ids": [Command.set(self.company_b.ids)],
                    "company_id": self.company_b.id,
                }
            )
            with self.assertRaises(AccessError):
                foreign.read(["running_mrr"])

    def test_nobody_writes_and_others_see_nothing(self):
        manager = new_test_user(
            self.env,
            "cohort_manager",
            "sales_team.group_sale_manager,account.group_account_manager",
        )
        row = self._cohort().search([], limit=1).with_user(manager)
        with self.assertRaises(AccessError):
            row.write({"running_count": 1})
        outsider = new_test_user(self.env, "cohort_none", "base.group_user")
        with self.assertRaises(AccessError):
            self._cohort(user=outsider).search([])

    def test_opens_the_order_for_those_who_may_see_it(self):
        rows = self._cohort().search([("order_id", "=", self.orders["R"].id)], limit=1)
        action = rows.with_user(self.anna).action_open_order()
        self.assertEqual(action["res_id"], self.orders["R"].id)
        self.assertFalse(rows.with_user(self.accountant).action_open_order())
