"""The quick start of the README runs as it stands."""

import contextlib
import io
import re
import unittest
from datetime import datetime, timezone
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
PRICE = {
    **{"plan_id": 3, "plan_code": "m", "metric": "api_calls"},
    **{"metric_code": "api_calls", "included_quota": "0", "price_per_unit": "0.5"},
    **{"unit_batch": "1", "charge_model": "standard", "tiers": []},
    **{"minimum_amount": "0", "currency": "USD"},
    **{"valid_from": None, "valid_until": None},
}


class TestReadme(FakeApiCase):
    def test_quick_start(self):
        subscription = {"subscription_id": 12, "external_id": "sub-1"}
        self.api.answers = {
            "POST /customers": {"partner_id": 7, "external_id": "acc-1"},
            "GET /catalog": {"charges": [PRICE], "metrics": [], "plans": [PLAN]},
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
        [event] = self.api.stored.values()
        self.assertEqual(event["metric_code"], "api_calls")
        # in the window that has just begun, or nothing were printed
        start = datetime.fromisoformat(event["period_start"].replace("Z", "+00:00"))
        age = datetime.now(timezone.utc) - start
        self.assertLess(abs(age.total_seconds()), 60)

    def test_what_the_methods_return_can_be_imported(self):
        import fusion_billing
        from fusion_billing import results

        for name, kind in vars(results).items():
            is_type = isinstance(kind, type) and kind.__module__ == results.__name__
            if is_type and not name.startswith("_"):
                self.assertIs(getattr(fusion_billing, name), kind)
                self.assertIn(name, fusion_billing.__all__)


if __name__ == "__main__":
    unittest.main()
