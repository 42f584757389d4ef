from freezegun import freeze_time

from odoo import fields
from odoo.fields import Command
from odoo.tests import TransactionCase


class SubscriptionCase(TransactionCase):
    """One customer, a monthly plan, and three products worth 10, 40 and 3."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(
            context=dict(cls.env.context, tracking_disable=True, no_reset_password=True)
        )
        cls.company = cls.env.company
        if not cls.company.chart_template:
            cls.env["account.chart.template"].try_loading("generic_coa", cls.company)
        cls.partner = cls.env["res.partner"].create({"name": "Sample Customer"})
        cls.plan = cls._create_plan()
        cls.fee = cls._create_product(name="Base fee", list_price=10.0)
        cls.setup_fee = cls._create_product(
            name="Setup", list_price=40.0, recurring_invoice=False
        )
        cls.hours = cls._create_product(
            name="Hours", list_price=3.0, invoice_policy="delivery"
        )

    @classmethod
    def _create_plan(cls, **values):
        defaults = {
            "name": "Test plan",
            "billing_period_value": 1,
            "billing_period_unit": "month",
        }
        return cls.env["sale.subscription.plan"].create(defaults | values)

    @classmethod
    def _create_product(cls, **values):
        defaults = {
            "name": "Sample product",
            "type": "service",
            "invoice_policy": "order",
            "recurring_invoice": True,
            "taxes_id": [Command.clear()],
        }
        return cls.env["product.product"].create(defaults | values)

    @classmethod
    def _create_quotation(cls, *products, **values):
        """A quotation with one of each product; the base fee when none is given."""
        defaults = {
            "partner_id": cls.partner.id,
            "plan_id": cls.plan.id,
            "order_line": [
                Command.create({"product_id": product.id, "product_uom_qty": 1})
                for product in products or (cls.fee,)
            ],
        }
        return cls.env["sale.order"].create(defaults | values)

    @classmethod
    def _create_subscription(cls, *products, start="2026-01-01", **values):
        """A running subscription, not invoiced yet, confirmed on its start day."""
        with freeze_time(start):
            order = cls._create_quotation(*products, **values)
            order.action_confirm()
        return order

    def _run_cron(self, day):
        """What the scheduled action does on ``day``, without its commits.

        :return: invoices created, in order of creation
        """
        with freeze_time(day):
            return self.env["sale.order"]._cron_recurring_create_invoice()

    def assertLog(self, order, *expected):
        """Check the MRR log of a subscription: (event type, amount) by age."""
        rows = order.sale_order_log_ids.sorted("id")
        self.assertEqual(
            [(row.event_type, row.amount_signed) for row in rows], list(expected)
        )

    def assertDates(self, order, last, following):
        """Check the window of a subscription; dates as ISO text, last may be None."""
        dates = [order.last_invoice_date, order.next_invoice_date]
        expected = [fields.Date.to_date(last), fields.Date.to_date(following)]
        self.assertEqual(dates, [date or False for date in expected])
