"""The quick start of the README runs as it stands."""

import contextlib
import io
import re
import unittest
from pathlib import Path

from .fake_api import FakeApiCase

README = Path(__file__).parent.parent / "README.md"
CHARGE = {
    **{"metric_code": "api_calls", "plan_code": "m", "charge_model": "standard"},
    **{"quantity": "1.25", "included_quota": "0", "included": "0"},
    **{"billable": "1.25", "amount": "0.63"},
}
WINDOW = {
    "window_start": "2026-01-01T00:00:00Z",
    "window_end": "2026-02-01T00:00:00Z",
}
PLAN = {
    **{"plan_id": 3, "name": "Monthly"},
    **{"billing_period_value": 1, "billing_period_unit": "month"},
}


class TestReadme(FakeApiCase):
    def test_quick_start(self):
        subscription = {"subscription_id": 12, "external_id": "sub-1"}
        self.api.answers = {
            "POST /customers": {"partner_id": 7, "external_id": "acc-1"},
            "GET /catalog": {"charges": [], "metrics": [], "plans": [PLAN]},
            "POST /subscriptions": {**subscription, "subscription_state": "3_progress"},
            "GET /subscriptions/sub-1/usage": {
                **subscription,
                "currency": "USD",
                "current": {**WINDOW, "charges": [CHARGE]},
                "past": [],
                "unallocated": [],
            },
        }
        [code] = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
        for old, new in (
            ("https://billing.example.com", self.api.url),
            ("fcb_...", "fcb_test"),
        ):
            self.assertIn(old, code)
            code = code.replace(old, new)
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            exec(compile(code, str(README), "exec"), {})
        self.assertEqual(output.getvalue(), "api_calls 1.25 0.63 USD\n")
        self.assertEqual([*self.api.stored], ["2026-01-10T09/host-1"])


if __name__ == "__main__":
    unittest.main()
