from freezegun import freeze_time

from odoo import fields
from odoo.fields import Command
from odoo.tests import new_test_user

from odoo.addons.sale_subscription.tests.common import SubscriptionCase


class DashboardCase(SubscriptionCase):
    """A company of its own with four subscriptions, and the manager who looks at them.

    Sold last month: `Kept` 120, `Grown` 40, which has 20 more since this month, and
    `Lost` 50, closed this month. Sold this month: `Won` 30. So:

        last month   MRR 210, new 210, net change 210, 3 subscriptions, average 70
        this month   MRR 210, new 30, churned -50, net change 0, 3 subscriptions
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dashboard = cls.env.ref(
            "spreadsheet_dashboard_sale_subscription.spreadsheet_dashboard_subscriptions"
        )
        cls.company_d = cls.env["res.company"].create({"name": "Dashboard company"})
        cls.manager = new_test_user(
            cls.env,
            "dashboard_manager",
            "sales_team.group_sale_manager",
            company_id=cls.company_d.id,
            company_ids=[Command.set(cls.company_d.ids)],
        )
        cls.fee.list_price = 10
        cls.other_plan = cls._create_plan(name="Other plan")
        today = fields.Date.today()
        cls.this_month = today.replace(day=1)
        cls.last_month = fields.Date.subtract(cls.this_month, months=1)
        cls._sell("Kept", 12, cls.last_month)
        grown = cls._sell("Grown", 4, cls.last_month, plan_id=cls.other_plan.id)
        lost = cls._sell("Lost", 5, cls.last_month)
        cls._sell("Won", 3, cls.this_month)
        with freeze_time(cls.this_month):
            grown.order_line.product_uom_qty = 6
            lost.set_close()

    @classmethod
    def _sell(cls, customer, quantity, day, **values):
        with freeze_time(day):
            partner = cls.env["res.partner"].create({"name": customer})
            order = cls.env["sale.order"].with_company(cls.company_d)
            order = order.create(
                {
                    "company_id": cls.company_d.id,
                    "partner_id": partner.id,
                    "plan_id": cls.plan.id,
                    "user_id": cls.manager.id,
                    # Nothing is due: the company has no journal to invoice it in.
                    "next_invoice_date": fields.Date.add(day, years=1),
                    "order_line": [
                        Command.create(
                            {"product_id": cls.fee.id, "product_uom_qty": quantity}
                        )
                    ],
                    **values,
                }
            )
            order.action_confirm()
        return order
