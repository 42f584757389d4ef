from datetime import date, datetime

from odoo.fields import Command
from odoo.tests import TransactionCase

WINDOW_START = date(2026, 1, 1)
WINDOW_END = date(2026, 2, 1)


class BillingCase(TransactionCase):
    """One service with one linked customer who subscribes to one monthly plan.

    The open window is January 2026: [2026-01-01, 2026-02-01) UTC.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(
            context=dict(cls.env.context, tracking_disable=True, no_reset_password=True)
        )
        cls.company = cls.env.company
        cls.currency = cls.company.currency_id
        cls.service = cls._create_service(code="sample-app")
        cls.partner = cls.env["res.partner"].create({"name": "Sample Customer"})
        cls.link = cls._create_link()
        cls.plan = cls._create_plan()
        cls.metric = cls._create_metric()
        cls.base_product = cls._create_product(name="Base fee", list_price=10.0)
        cls.usage_product = cls._create_product(name="Usage", list_price=0.0)
        cls.charge = cls._create_charge()
        cls.order = cls._create_subscription()
        # What apps are told of it is told before a test begins.
        cls.env.cr.flush()

    @classmethod
    def _create_service(cls, **values):
        defaults = {"name": "Sample App", "company_id": cls.company.id}
        return cls.env["fusion.billing.service"].create(defaults | values)

    @classmethod
    def _create_link(cls, **values):
        defaults = {
            "service_id": cls.service.id,
            "external_id": "acc-1",
            "partner_id": cls.partner.id,
        }
        return cls.env["fusion.billing.account.link"].create(defaults | values)

    @classmethod
    def _create_plan(cls, **values):
        defaults = {
            "name": "Monthly",
            "billing_period_value": 1,
            "billing_period_unit": "month",
        }
        return cls.env["sale.subscription.plan"].create(defaults | values)

    @classmethod
    def _create_metric(cls, **values):
        defaults = {"name": "API calls", "code": "api_calls", "unit_name": "calls"}
        return cls.env["fusion.billing.metric"].create(defaults | values)

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
    def _create_charge(cls, **values):
        defaults = {
            "plan_id": cls.plan.id,
            "plan_code": "monthly",
            "metric_id": cls.metric.id,
            "product_id": cls.usage_product.id,
            "charge_model": "standard",
            "included_quota": 100,
            "price_per_unit": 0.5,
            "unit_batch": 1,
            "currency_id": cls.currency.id,
            "company_id": cls.company.id,
        }
        return cls.env["fusion.billing.charge"].create(defaults | values)

    @classmethod
    def _create_order(cls, **values):
        defaults = {
            "partner_id": cls.partner.id,
            "company_id": cls.company.id,
            "plan_id": cls.plan.id,
            "order_line": [
                Command.create(
                    {
                        "product_id": cls.base_product.id,
                        "product_uom_qty": 1,
                        "price_unit": 10.0,
                    }
                )
            ],
        }
        return cls.env["sale.order"].create(defaults | values)

    @classmethod
    def _create_subscription(cls, **values):
        """A running subscription whose open window is January 2026."""
        order = cls._create_order(**values)
        order.action_confirm()
        cls._set_window(order, WINDOW_START, WINDOW_END)
        return order

    @classmethod
    def _set_window(cls, order, start, end):
        order.write(
            {
                "start_date": start,
                "last_invoice_date": start,
                "next_invoice_date": end,
            }
        )

    def _mark_renewed(self, order):
        """What the confirmation of its renewal does to an order, without a renewal."""
        order._set_subscription_state("5_renewed")

    def _event(self, **values):
        """A valid usage event of January, as an app posts it."""
        return {
            "subscription_external_id": self.order.fc_external_id or str(self.order.id),
            "metric_code": self.metric.code,
            "quantity": 1,
            "period_start": "2026-01-10T00:00:00Z",
            "period_end": "2026-01-10T01:00:00Z",
        } | values

    @staticmethod
    def _key_of(event):
        """What an event is voided by."""
        others = ("quantity", "period_start", "period_end", "unique_key")
        return {key: value for key, value in event.items() if key not in others}

    def _post_usage(self, *events, service=None, **payload):
        return (service or self.service)._api_record_usage(
            {"events": list(events)} | payload
        )

    def _post_by_users(self, metric):
        """4, 9 and 2 on the first days of January, by the users a, b and a."""
        for day, (quantity, user) in enumerate(((4, "a"), (9, "b"), (2, "a")), 1):
            moment = f"2026-01-0{day}T00:00:00Z"
            answer = self._post_usage(
                self._event(
                    metric_code=metric.code,
                    quantity=quantity,
                    unique_key=user,
                    period_start=moment,
                    period_end=moment,
                )
            )
            self.assertEqual(answer["accepted"], 1, answer)

    def _record(self, quantity, start="2026-01-10 00:00:00", order=None, metric=None):
        """Record one event that begins at ``start`` (UTC)."""
        moment = datetime.fromisoformat(start)
        return self.env["fusion.billing.usage"]._record_usage(
            order or self.order,
            (metric or self.metric).code,
            quantity,
            moment,
            moment,
        )

    def _usage_line(self, order=None, charge=None):
        return (order or self.order).order_line.filtered(
            lambda line: line.fc_charge_id == (charge or self.charge)
        )

    def _usage_count(self):
        return self.env["fusion.billing.usage"].search_count(
            [("subscription_id", "=", self.order.id)]
        )
