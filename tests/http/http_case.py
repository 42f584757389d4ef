import json

from odoo.tests import HttpCase

from ..common import BillingCase

PREFIX = "/api/billing/v1"


class HttpApiCase(BillingCase, HttpCase):
    """Requests of the sample app, through a real HTTP connection."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.key = cls.service.action_generate_api_key()

    def _request(self, method, path, body=None, key=None, **headers):
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        headers = {"Content-Type": "application/json"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        if key is not False:
            headers.setdefault("Authorization", f"Bearer {key or self.key}")
        return self.url_open(
            PREFIX + path,
            data=body,
            headers={k: v for k, v in headers.items() if v is not None},
            method=method,
        )

    def _assert_refused(self, response, status, code):
        self.assertEqual(response.status_code, status, response.text[:300])
        self.assertEqual(
            response.headers["Content-Type"], "application/json; charset=utf-8"
        )
        self.assertEqual(response.json()["status"], "error")
        self.assertEqual(response.json()["code"], code)
