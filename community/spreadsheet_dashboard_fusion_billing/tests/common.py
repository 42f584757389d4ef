from odoo import fields
from odoo.tests import new_test_user

from odoo.addons.fusion_centralized_billing.tests.common import BillingCase

READERS = {
    "billing": "fusion_centralized_billing.group_user",
    "reading": "account.group_account_readonly",
    "invoicing": "account.group_account_invoice",
}


class DashboardCase(BillingCase):
    """Six customers. Of each, 100 calls cost nothing; a crown is half a unit of ours:

        customer          app           used   price               comes to
        Sample Customer   Sample App    300    0.50 above 100      100.00, billed
        Customer Two      none          110    0.50 above 100        5.00, and credited
        Customer Three    Second App     50    0.20 K each          10.00 K, 5.00 billed
        Customer Four     none          120    0.50 above 100       10.00, open
        Customer Five     Second App     35    0.20 K each           7.00 K, open
        Customer Six      none           90    0.50 above 100        0.00, this month's

    What is billed was invoiced today. One event was refused, one is unallocated.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dashboard = cls.env.ref(
            "spreadsheet_dashboard_fusion_billing.spreadsheet_dashboard_usage_billing"
        )
        cls.readers = {
            name: new_test_user(cls.env, f"dashboard_{name}", groups)
            for name, groups in READERS.items()
        }
        cls.today = fields.Date.today()
        cls.crown = cls.env["res.currency"].create(
            {"name": "XKR", "symbol": "K", "rounding": 0.01}
        )
        cls.env["res.currency.rate"].create(
            {
                "currency_id": cls.crown.id,
                "company_id": cls.company.id,
                "name": "2020-01-01",
                "rate": 2 * cls.currency.rate,
            }
        )
        cls.second_app = cls._create_service(name="Second App", code="second-app")
        crowns = cls._in_crowns()
        cls.order.fc_service_id = cls.service
        cls.two = cls._subscribe("Customer Two")
        cls.three = cls._subscribe("Customer Three", **crowns)
        cls.four = cls._subscribe("Customer Four")
        cls.five = cls._subscribe("Customer Five", **crowns)
        cls.six = cls._subscribe("Customer Six")
        month = fields.Date.start_of(cls.today, "month")
        cls._set_window(cls.six, month, fields.Date.add(month, months=1))
        for order, quantity, day in (
            (cls.order, 300, "2026-01-10"),
            (cls.two, 110, "2026-01-10"),
            (cls.three, 50, "2026-01-10"),
            (cls.four, 120, "2026-01-10"),
            (cls.five, 35, "2026-01-10"),
            (cls.six, 90, str(month)),
        ):
            start = f"{day} 00:00:00"
            cls.env["fusion.billing.usage"]._record_usage(
                order, cls.metric.code, quantity, start, start
            )
        (cls.four | cls.five | cls.six)._fc_rate_usage()
        invoices = [o._create_invoices() for o in (cls.order, cls.two, cls.three)]
        for invoice in invoices:
            invoice.invoice_date = cls.today
            invoice.action_post()
        cls.credit = invoices[1]._reverse_moves([{"invoice_date": cls.today}])
        cls.credit.action_post()
        cls._refuse_and_leave_unallocated()

    @classmethod
    def _in_crowns(cls):
        plan = cls._create_plan(name="Crowns")
        cls._create_charge(
            plan_id=plan.id,
            plan_code="crowns",
            included_quota=0,
            price_per_unit=0.2,
            currency_id=cls.crown.id,
        )
        pricelist = cls.env["product.pricelist"].create(
            {"name": "In crowns", "currency_id": cls.crown.id}
        )
        return {
            "plan_id": plan.id,
            "pricelist_id": pricelist.id,
            "fc_service_id": cls.second_app.id,
        }

    @classmethod
    def _subscribe(cls, customer, **values):
        partner = cls.env["res.partner"].create({"name": customer})
        if app := values.get("fc_service_id"):
            cls._create_link(
                service_id=app, external_id=customer, partner_id=partner.id
            )
        return cls._create_subscription(partner_id=partner.id, **values)

    @classmethod
    def _refuse_and_leave_unallocated(cls):
        """An event of an unknown metric, and one of a metric without a price."""
        cls._create_metric(name="Seats", code="seats")
        event = {
            "subscription_external_id": str(cls.order.id),
            "quantity": 1,
            "period_start": "2026-01-11T00:00:00Z",
            "period_end": "2026-01-11T00:00:00Z",
        }
        cls.service._api_record_usage(
            {
                "events": [
                    event | {"metric_code": code, "idempotency_key": code}
                    for code in ("unknown", "seats")
                ]
            }
        )
