from datetime import date

from freezegun import freeze_time

from odoo.tests import new_test_user

from .common import SubscriptionCase

MRR = ("opening", "new", "expansion", "contraction", "churn", "reopen", "pause")
MRR = tuple(f"{name}_mrr" for name in (*MRR, "transfer", "closing"))
COUNTS = ("opening", "new", "churn", "reopen", "pause", "transfer", "closing")
COUNTS = tuple(f"{name}_count" for name in COUNTS)
TODAY = "2026-06-10"

# The story, in the currency of company A but for S8, which is in company B. No event in
# June. S4 is closed while it is paused. S6 renews S5 on the other plan.
#
#            Jan        Feb       Mar        Apr             May         Jun
#   S1 M     new 100    exp +50              contr -30                   120
#   S2 M     new 200    pause                resume                      200
#   S3 Y     new  40              churn                      reopen       40
#   S4 M                new  80   pause      churn                         0
#   S5 M     new  60                         transfer out                  0
#   S6 Y                                     in 60, exp +20               80
#   S7 M                          new  45 (90 in another currency)        45
#   S8 M, B             new 500   contr-100                  churn         0
STORY = [
    # order, day, event, change of MRR, change of active subscriptions
    ("S1", "2026-01-03", "new", 100, 1),
    ("S2", "2026-01-05", "new", 200, 1),
    ("S3", "2026-01-20", "new", 40, 1),
    ("S5", "2026-01-31", "new", 60, 1),
    ("S4", "2026-02-01", "new", 80, 1),
    ("S8", "2026-02-10", "new", 500, 1),
    ("S1", "2026-02-12", "expansion", 50, 0),
    ("S2", "2026-02-28", "pause", -200, -1),
    ("S7", "2026-03-01", "new", 45, 1),
    ("S8", "2026-03-02", "contraction", -100, 0),
    ("S3", "2026-03-15", "churn", -40, -1),
    ("S4", "2026-03-31", "pause", -80, -1),
    ("S1", "2026-04-01", "contraction", -30, 0),
    ("S2", "2026-04-10", "resume", 200, 1),
    ("S4", "2026-04-11", "churn", 0, 0),
    ("S5", "2026-04-30", "transfer_out", -60, -1),
    ("S6", "2026-04-30", "transfer_in", 60, 1),
    ("S6", "2026-04-30", "expansion", 20, 0),
    ("S8", "2026-05-05", "churn", -400, -1),
    ("S3", "2026-05-31", "reopen", 40, 1),
]

# Company A: opening, new, exp., contr., churn, reopened, paused/resumed, transfers,
# closing. In April S2 resumes 200, and the pause of S4, 80, becomes churn.
MRR_OF_A = {
    1: (0, 400, 0, 0, 0, 0, 0, 0, 400),
    2: (400, 80, 50, 0, 0, 0, -200, 0, 330),
    3: (330, 45, 0, 0, -40, 0, -80, 0, 255),
    4: (255, 0, 20, -30, -80, 0, 280, 0, 445),
    5: (445, 0, 0, 0, 0, 40, 0, 0, 485),
    6: (485, 0, 0, 0, 0, 0, 0, 0, 485),
}
# Opening, new, churned, reopened, paused/resumed, transferred, closing.
COUNTS_OF_A = {
    1: (0, 4, 0, 0, 0, 0, 4),
    2: (4, 1, 0, 0, -1, 0, 4),
    3: (4, 1, 1, 0, -1, 0, 3),
    4: (3, 0, 1, 0, 2, 0, 4),
    5: (4, 0, 0, 1, 0, 0, 5),
    6: (5, 0, 0, 0, 0, 0, 5),
}


class ReportCase(SubscriptionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.currency, cls.foreign = cls.env["res.currency"].create(
            [{"name": "XQA", "symbol": "A"}, {"name": "XQB", "symbol": "B"}]
        )
        cls.company_a, cls.company_b = cls.env["res.company"].create(
            [
                {"name": "Report A", "currency_id": cls.currency.id},
                {"name": "Report B", "currency_id": cls.foreign.id},
            ]
        )
        cls.env["res.currency.rate"].create(
            {
                "name": "2025-01-01",
                "currency_id": cls.foreign.id,
                "company_id": cls.company_a.id,
                "rate": 2.0,
            }
        )
        companies = {
            "company_id": cls.company_a.id,
            "company_ids": [(6, 0, (cls.company_a + cls.company_b).ids)],
        }
        cls.anna, cls.bob, cls.leader, cls.accountant, cls.auditor = (
            new_test_user(cls.env, f"report_{name}", group, **companies)
            for name, group in (
                ("anna", "sales_team.group_sale_salesman"),
                ("bob", "sales_team.group_sale_salesman"),
                ("leader", "sales_team.group_sale_salesman_all_leads"),
                ("accountant", "account.group_account_invoice"),
                ("auditor", "account.group_account_readonly"),
            )
        )
        cls.monthly = cls._create_plan(name="M")
        cls.yearly = cls._create_plan(name="Y", billing_period_unit="year")
        cls.orders = {}

    @classmethod
    def _create_order(cls, name, plan, user, company=None):
        company = company or cls.company_a
        order = cls.env["sale.order"].with_company(company)
        cls.orders[name] = order.create(
            {
                "name": name,
                "company_id": company.id,
                "partner_id": cls.partner.id,
                "plan_id": plan.id,
                "user_id": user.id,
            }
        )

    @classmethod
    def _log(cls, name, day, event_type, amount, active, **values):
        order = cls.orders[name]
        with freeze_time(day):
            log = cls.env["sale.order.log"]
            defaults = log._prepare_values(order, event_type, amount, amount, active)
            return log.create(defaults | values)

    @classmethod
    def _tell_story(cls):
        cls._create_order("S1", cls.monthly, cls.anna)
        cls._create_order("S2", cls.monthly, cls.bob)
        cls._create_order("S3", cls.yearly, cls.anna)
        cls._create_order("S4", cls.monthly, cls.bob)
        cls._create_order("S5", cls.monthly, cls.anna)
        cls._create_order("S6", cls.yearly, cls.anna)
        cls._create_order("S7", cls.monthly, cls.bob)
        cls._create_order("S8", cls.monthly, cls.bob, cls.company_b)
        for name, *event in STORY:
            cls._log(name, *event)
        foreign = cls.orders["S7"].sale_order_log_ids
        foreign.write({"currency_id": cls.foreign.id, "amount_signed": 90})

    def _report(self, *companies, user=None):
        companies = companies or (self.company_a,)
        report = self.env["sale.subscription.report"]
        if user:
            report = report.with_user(user)
        return report.with_context(allowed_company_ids=[c.id for c in companies])

    def _read(self, report, names, groupby=(), domain=()):
        """Aggregate as the pivot view does, on ``TODAY``.

        :return: values by group; by month number for months
        :rtype: dict
        """
        rates = [name for name in names if name.endswith("_rate")]
        specs = [f"{name}:{'avg' if name in rates else 'sum'}" for name in names]
        with freeze_time(TODAY):
            groups = report._read_group(domain, groupby, specs)
        count = len(groupby)
        keys = (
            tuple(k.month if isinstance(k, date) else k for k in group[:count])
            for group in groups
        )
        return {
            key[0] if count == 1 else key: group[count:]
            for key, group in zip(keys, groups, strict=True)
        }

    def assertAmounts(self, found, expected):
        """Compare dictionaries of tuples, amounts to the cent."""
        rounded = {
            key: tuple(round(value, 6) for value in values)
            for key, values in found.items()
        }
        self.assertEqual(
            rounded,
            {key: tuple(round(v, 6) for v in row) for key, row in expected.items()},
        )
