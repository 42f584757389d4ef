"""What the tests of bad content in `POST /usage` share.

Beside each bad value a good event is sent: it must be stored, and the bad one not.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from .api import ApiCase

# The texts that are not "invalid <field>".
TEXTS = {
    "unknown_subscription": "unknown subscription",
    "unknown_metric": "unknown metric",
    "period_order": "period_end before period_start",
    "period_in_future": "period_start too far in the future",
    "idempotency_conflict": "idempotency_key was used with other content",
}


class ContentCase(ApiCase):
    def raw_event(self, **texts: str) -> str:
        """An event in JSON, with some values as JSON text; "" leaves one out."""
        event = self.event(**dict.fromkeys(texts))
        parts = {key: json.dumps(value) for key, value in event.items()}
        parts |= {key: text for key, text in texts.items() if text}
        return f"{{{','.join(f'{json.dumps(k)}:{text}' for k, text in parts.items())}}}"

    def post_events(self, *events: str):
        return self.api.post_raw(f'{{"events":[{",".join(events)}]}}'.encode())

    def refused(self, code: str, field: str, event: str, problem: str = "") -> None:
        """Refused with just this; the good event beside it is stored."""
        problem = problem or TEXTS.get(code, f"invalid {field}")
        before = self.stored()
        answer = self.post_events(self.raw_event(), event)
        error = {"code": code, "error": problem, "field": field}
        self.assertEqual(
            self.check_json(answer, 400),
            {
                "status": "error",
                "error": problem,
                "code": code,
                "accepted": 1,
                "duplicates": 0,
                "results": [{"status": "accepted"}, {"status": "rejected", **error}],
                "errors": [{"index": 1, **error}],
            },
        )
        self.assertEqual(self.stored(), before + 1)

    def all_refused(self, field: str, code: str, texts: Sequence[str]) -> None:
        """All in one batch, between two good events: each refused with just this. The
        first one also alone."""
        self.refused(code, field, self.raw_event(**{field: texts[0]}))
        before = self.stored()
        bad = [self.raw_event(**{field: text}) for text in texts]
        answer = self.post_events(self.raw_event(), *bad, self.raw_event())
        body = self.check_json(answer, 400)
        error = {
            "code": code,
            "error": TEXTS.get(code, f"invalid {field}"),
            "field": field,
        }
        for text, result in zip(texts, body["results"][1:-1], strict=True):
            with self.subTest(text[:60], field=field):
                self.assertEqual(result, {"status": "rejected", **error})
        good = {"status": "accepted"}
        self.assertEqual([body["results"][0], body["results"][-1]], [good] * 2)
        self.assertEqual((body["accepted"], body["duplicates"]), (2, 0))
        self.assertEqual(
            body["errors"],
            [{"index": index, **error} for index in range(1, len(texts) + 1)],
        )
        self.assertEqual(self.stored(), before + 2)

    def missing(self, field: str) -> None:
        for text in ("", "null", '""'):
            with self.subTest(f"{field}: {text or 'left out'}"):
                event = self.raw_event(**{field: text})
                self.refused("missing_field", field, event, f"missing {field}")

    def taken(self, event: str) -> list[str]:
        """Stored; returns its row: quantity, start, end, key, subscription, metric."""
        body = self.check_json(self.post_events(event), 200)
        self.assertEqual((body["accepted"], body["duplicates"]), (1, 0))
        row = self.psql(
            """
            SELECT quantity::text, period_start, period_end, idempotency_key,
                   subscription_id, metric_id, unallocated
              FROM fusion_billing_usage ORDER BY id DESC LIMIT 1
            """
        )
        return row.split("|")
