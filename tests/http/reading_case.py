from datetime import date

from freezegun import freeze_time

from .http_case import HttpApiCase


class ReadingCase(HttpApiCase):
    """What an app can read: its own customers' objects, and nobody else's."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order.write({"fc_service_id": cls.service.id, "fc_external_id": "sub-1"})
        cls.other = cls._create_service(code="other-app")
        cls.other_key = cls.other.action_generate_api_key()

    def _ok(self, path, **kwargs):
        response = self._request("GET", path, **kwargs)
        self.assertEqual(response.status_code, 200, response.text[:300])
        return response.json()

    def _invoice(self, post=True):
        with freeze_time("2026-02-01"):
            invoice = self.order._create_invoices()
            if post:
                invoice.action_post()
                self._set_window(self.order, date(2026, 2, 1), date(2026, 3, 1))
        return invoice

    def _events(self, event_type):
        return self.env["fusion.billing.webhook"].search(
            [("service_id", "=", self.service.id), ("event_type", "=", event_type)]
        )
