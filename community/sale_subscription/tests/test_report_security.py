from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .report_common import ReportCase


@tagged("post_install", "-at_install")
class TestReportSecurity(ReportCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._tell_story()

    def _closing(self, user, *companies):
        report = self._report(*companies, user=user)
        return self._read(report, ["closing_mrr"])[()][0]

    def _logged(self, user, *companies):
        companies = companies or (self.company_a,)
        logs = self.env["sale.order.log"].with_user(user)
        found = logs.with_context(allowed_company_ids=[c.id for c in companies]).search(
            [("order_id", "in", [o.id for o in self.orders.values()])]
        )
        return set(found.sudo().order_id.mapped("name"))

    def test_salespersons_see_their_own(self):
        self.assertEqual(self._closing(self.anna), 240)
        self.assertEqual(self._closing(self.bob), 245)
        self.assertEqual(self._logged(self.anna), {"S1", "S3", "S5", "S6"})
        self.assertEqual(self._logged(self.bob), {"S2", "S4", "S7"})

    def test_who_sees_all_documents_sees_all(self):
        for user in (self.leader, self.accountant, self.auditor):
            with self.subTest(user=user.login):
                self.assertEqual(self._closing(user), 485)
                self.assertEqual(len(self._logged(user)), 7)

    def test_companies_are_apart(self):
        self.assertEqual(self._logged(self.leader, self.company_b), {"S8"})
        for user in (self.leader, self.accountant):
            rows = self._report(self.company_b, user=user).search([])
            self.assertEqual(rows.company_id, self.company_b)
            user.write(
                {
                    "company_ids": [(6, 0, self.company_b.ids)],
                    "company_id": self.company_b.id,
                }
            )
            with self.assertRaises(AccessError):
                self._report(self.company_a, user=user).search([]).read(["new_mrr"])
            foreign = self.orders["S1"].sale_order_log_ids.with_user(user)
            with self.assertRaises(AccessError):
                foreign.with_context(allowed_company_ids=self.company_b.ids).read(
                    ["amount_signed"]
                )

    def test_nobody_writes_them(self):
        administrator = new_test_user(
            self.env,
            "report_admin",
            "sales_team.group_sale_manager,account.group_account_manager,base.group_system",
            company_id=self.company_a.id,
            company_ids=[(6, 0, self.company_a.ids)],
        )
        log = self.orders["S1"].sale_order_log_ids[:1]
        for user in (self.anna, self.leader, self.accountant, administrator):
            mine = log.with_user(user)
            with self.assertRaises(AccessError):
                mine.write({"amount_signed": 1})
            with self.assertRaises(AccessError):
                mine.unlink()
            with self.assertRaises(AccessError):
                mine.create(log.copy_data()[0])

    def test_others_see_nothing(self):
        outsider = new_test_user(self.env, "report_none", "base.group_user")
        for model in ("sale.order.log", "sale.subscription.report"):
            with self.assertRaises(AccessError):
                self.env[model].with_user(outsider).search([])
