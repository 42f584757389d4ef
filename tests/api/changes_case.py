import json

from odoo.fields import Command

from ..rating.life import LifeCase


class ChangesCase(LifeCase):
    """The life of sub-1, which its app changes: 10.00 a month, in advance."""

    def setUp(self):
        super().setUp()
        self.order = self.subscribe(
            fc_service_id=self.service.id, fc_external_id="sub-1"
        )
        self.base_line = self.order.order_line

    def ask(self, name, *payload):
        """Send a request twice: the second one changes nothing, and answers the same.

        :param name: of the handler, without ``_api_``
        """
        first = getattr(self.service, f"_api_{name}")("sub-1", *payload)
        self.env.cr.flush()
        count = len(self.service.webhook_ids)
        again = getattr(self.service, f"_api_{name}")("sub-1", *payload)
        self.env.cr.flush()
        self.assertEqual(again, first)
        self.service.invalidate_recordset(["webhook_ids"])
        self.assertEqual(len(self.service.webhook_ids), count)
        return first

    def told(self, event_type="subscription.updated", service=None):
        """What the app was told, oldest first: the ``data`` of its events."""
        self.env.cr.flush()
        events = self.env["fusion.billing.webhook"].search(
            [
                ("service_id", "=", (service or self.service).id),
                ("event_type", "=", event_type),
            ],
            order="id",
        )
        return [json.loads(event.payload)["data"] for event in events]

    def changes(self):
        return [data["changes"] for data in self.told()]

    def amounts(self):
        """Untaxed amounts of the posted documents, oldest first."""
        return [round(m.amount_untaxed_signed, 2) for m in self.documents()]

    def yearly_plan(self):
        """100.00 a year of the base product; usage costs 2.00 a call."""
        plan = self._create_plan(name="Yearly", billing_period_unit="year")
        self.env["product.pricelist.item"].create(
            {
                "pricelist_id": False,
                "plan_id": plan.id,
                "applied_on": "1_product",
                "product_tmpl_id": self.base_product.product_tmpl_id.id,
                "compute_price": "fixed",
                "fixed_price": 100.0,
            }
        )
        self._create_charge(plan_id=plan.id, included_quota=0, price_per_unit=2.0)
        return plan

    def seat(self):
        return self._create_product(name="Seat", list_price=20.0)

    def add_line(self, product, **values):
        values = {"product_id": product.id, "product_uom_qty": 1} | values
        self.order.order_line = [Command.create(values)]
