from datetime import datetime

from odoo.tests import tagged

from odoo.addons.fusion_centralized_billing.tests.common import BillingCase
from odoo.addons.fusion_centralized_billing.tests.http.http_case import HttpApiCase


@tagged("post_install", "-at_install")
class TestRecipes(BillingCase):
    """What docs/extend says is enough is enough."""

    def test_a_charge_model(self):
        """5.00 once, however much is above the quota of 100; the catalog says so."""
        self.charge.write({"charge_model": "flat", "price_per_unit": 5.0})
        order = self._create_subscription()
        for quantity in (100, 150):
            start = order.start_date
            self.env["fusion.billing.usage"]._record_usage(
                order, "api_calls", quantity, f"{start}", f"{start}"
            )
        ratings = order._fc_rate_usage()
        self.assertEqual(ratings.filtered("amount").mapped("amount"), [5.0])
        [item] = self.service._api_catalog()["charges"]
        self.assertEqual(item["charge_model"], "flat")
        self.assertFalse(self.charge.has_tiers)

    def test_an_aggregation(self):
        """The mean of 3, 6 and 9 is 6."""
        metric = self._create_metric(name="Load", code="load", aggregation="mean")
        order = self._create_subscription()
        Usage = self.env["fusion.billing.usage"]
        for hour, quantity in enumerate((3, 6, 9)):
            at = datetime(2026, 1, 5, hour)
            Usage._record_usage(order, "load", quantity, at, at)
        window = datetime(2026, 1, 1), datetime(2026, 2, 1)
        self.assertEqual(Usage._aggregate(order, metric, *window), 6)

    def test_a_webhook_type(self):
        """An app that has chosen it is told; one that chose others is not."""
        kinds = self.env["fusion.billing.webhook.type"]
        quote = kinds.search([("code", "=", "quote.accepted")])
        Webhook = self.env["fusion.billing.webhook"]
        self.service.webhook_type_ids = quote
        told = Webhook._enqueue(self.service, "quote.accepted", {"quote": 1})
        self.assertEqual(told.event_type, "quote.accepted")
        self.service.webhook_type_ids = kinds.search([("code", "=", "invoice.paid")])
        self.assertFalse(Webhook._enqueue(self.service, "quote.accepted", {}))


@tagged("post_install", "-at_install")
class TestRecipeOfARoute(HttpApiCase):
    def test_an_api_route(self):
        """With a key it answers, without one not; and the document describes it."""
        answer = self._request("GET", "/quotes")
        self.assertEqual(answer.status_code, 200, answer.text)
        self.assertEqual(answer.json()["status"], "ok")
        self.assertEqual(self._request("GET", "/quotes", key="wrong").status_code, 401)
        paths = self._request("GET", "/openapi.json").json()["paths"]
        self.assertEqual(paths["/quotes"]["get"]["operationId"], "countQuotes")
