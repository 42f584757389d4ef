"""Lists that are read on and on while rows come in: each row once, none left out."""

from __future__ import annotations

import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

from .api import ApiCase

BATCHES = 60
COPY_LAST = """
    INSERT INTO fusion_billing_usage
           (service_id, subscription_id, metric_id, quantity, period_start, period_end,
            idempotency_key, fingerprint, received_at)
    SELECT service_id, subscription_id, metric_id, quantity, period_start, period_end,
           'late-' || id, fingerprint, received_at
      FROM fusion_billing_usage ORDER BY id DESC LIMIT 1 RETURNING id
"""


class TestHttpPaging(ApiCase):
    seconds = 15
    workers = 3

    def read_on(self, path: str, cursor: str | None) -> tuple[list[dict], str | None]:
        """All pages from a cursor on, and the cursor to go on with."""
        found, more = [], True
        while more:
            query = f"limit=1000&cursor={cursor}" if cursor else "limit=1000"
            answer = self.api.call("GET", f"{path}?{query}")
            body = self.check_json(answer, 200)
            found += body["events"]
            cursor, more = body["next_cursor"], body["has_more"]
        return found, cursor

    def begin(self, insert: str) -> tuple[subprocess.Popen, str]:
        """Insert one row in a transaction that stays open; returns what was said."""
        psql = self.start_psql()
        psql.stdin.write(f"BEGIN; {insert};\n")
        psql.stdin.flush()
        return psql, psql.stdout.readline().strip()

    def commit(self, psql: subprocess.Popen) -> None:
        psql.stdin.write("COMMIT;\n\\echo done\n")
        psql.stdin.flush()
        self.assertEqual(psql.stdout.readline().strip(), "done")

    def test_usage_that_is_committed_late(self):
        """It lay behind the cursor, and was never seen."""
        self.check_json(self.api.usage([self.event()]), 200)
        _events, cursor = self.read_on("/usage", None)
        psql, late = self.begin(COPY_LAST)
        event = self.event()
        self.check_json(self.api.usage([event]), 200)
        found, cursor = self.read_on("/usage", cursor)
        self.assertEqual(found, [])
        # but who asks for the one it has just sent is told
        path = f"/usage?idempotency_key={event['idempotency_key']}"
        [one] = self.check_json(self.api.call("GET", path), 200)["events"]
        self.commit(psql)
        found, cursor = self.read_on("/usage", cursor)
        ids = [event["usage_id"] for event in found]
        self.assertEqual(ids, [int(late), one["usage_id"]])
        self.assertEqual(self.read_on("/usage", cursor)[0], [])
        self.check_quiet()

    def test_event_that_is_committed_late(self):
        """That of an invoice run, say: hundreds in one transaction."""
        _events, cursor = self.read_on("/events", None)
        psql, late = self.begin(
            f"""
            INSERT INTO fusion_billing_webhook
                   (service_id, event_id, event_type, payload, state, create_date)
            VALUES ({self.world["services"]["app"]}, 'evt_late', 'webhook.test',
                    '{{}}', 'pending', now()) RETURNING event_id
            """
        )
        content = {"external_id": "beside"}
        self.check_json(self.api.call("POST", "/customers", content), 200)
        found, cursor = self.read_on("/events", cursor)
        self.assertEqual(found, [])
        self.commit(psql)
        found, _cursor = self.read_on("/events", cursor)
        self.assertEqual(found[0]["event_id"], late)
        self.assertEqual(found[1]["event_type"], "customer.linked")
        self.check_quiet()

    def test_what_is_rolled_back_holds_nobody_up(self):
        event = self.event()
        self.check_json(self.api.usage([event]), 200)
        psql, _late = self.begin(f"SAVEPOINT s; {COPY_LAST}; ROLLBACK TO s")
        event = self.event()
        self.check_json(self.api.usage([event]), 200)
        keys = [e["idempotency_key"] for e in self.read_on("/usage", None)[0]]
        self.assertIn(event["idempotency_key"], keys)
        self.commit(psql)

    def test_read_on_while_batches_come_in(self):
        """Large ones beside small ones, which are committed first."""
        _events, cursor = self.read_on("/usage", None)
        batches = [
            [self.event() for _ in range(1 if number % 3 else 1500)]
            for number in range(BATCHES)
        ]
        done, seen = threading.Event(), []

        def read():
            nonlocal cursor
            last = False
            while not last:
                last = done.is_set()
                found, cursor = self.read_on("/usage", cursor)
                seen.extend(event["idempotency_key"] for event in found)

        reader = threading.Thread(target=read)
        reader.start()
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(self.api.usage, batches))
        done.set()
        reader.join()
        for answer in answers:
            self.check_json(answer, 200)
        sent = [event["idempotency_key"] for batch in batches for event in batch]
        self.assertEqual(sorted(seen), sorted(sent))
