import json
from datetime import date

from freezegun import freeze_time

from odoo.fields import Command

from ..http.http_case import HttpApiCase


class AccountsCase(HttpApiCase):
    """Two apps; an invoice is what they are told of and what they can read."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order.write({"fc_service_id": cls.service.id, "fc_external_id": "sub-1"})
        cls.other = cls._create_service(code="other-app", name="Other App")
        cls.other_key = cls.other.action_generate_api_key()
        cls.stranger = cls._create_service(code="stranger", name="Stranger")
        cls.stranger_key = cls.stranger.action_generate_api_key()
        cls.payer = cls.env["res.partner"].create(
            {"name": "Sample Holding", "is_company": True}
        )

    def _invoice(self, orders=None):
        orders = orders or self.order
        with freeze_time("2026-02-01"):
            invoices = orders._create_invoices()
            invoices.action_post()
            for order in orders:
                self._set_window(order, date(2026, 2, 1), date(2026, 3, 1))
        return invoices

    def _order_of_other(self, **values):
        """A subscription of the other app's customer, acc-y there."""
        partner = self.env["res.partner"].create({"name": "Customer Y"})
        self._create_link(
            service_id=self.other.id, external_id="acc-y", partner_id=partner.id
        )
        product = self._create_product(name="Fee of the other app", list_price=30.0)
        return self._create_subscription(
            partner_id=partner.id,
            fc_service_id=self.other.id,
            order_line=[Command.create({"product_id": product.id})],
            **values,
        )

    def _told(self, service, invoice, event_type="invoice.posted"):
        """What a service was told of an invoice: the data of its webhooks."""
        webhooks = self.env["fusion.billing.webhook"].search(
            [("service_id", "=", service.id), ("event_type", "=", event_type)]
        )
        told = [json.loads(webhook.payload)["data"] for webhook in webhooks]
        return [data for data in told if data["invoice_id"] == invoice.id]

    def _listed(self, key=None, **query):
        parameters = "&".join(f"{name}={value}" for name, value in query.items())
        response = self._request("GET", f"/invoices?{parameters}", key=key)
        self.assertEqual(response.status_code, 200, response.text[:300])
        return response.json()["invoices"]

    def _ids(self, key=None, **query):
        return [item["invoice_id"] for item in self._listed(key, **query)]

    def _merge(self, source, destination):
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge([source.id, destination.id], destination)
        self.env.flush_all()
        self.env.invalidate_all()
