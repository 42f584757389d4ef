"""Usage comes in while windows close: each event is billed once, or still open."""

from __future__ import annotations

import calendar
import random
import threading
from collections import Counter
from datetime import datetime, timedelta

from .api import ApiCase, instant, now
from .common import INVOICE_JOB
from .sender import Sender, post_until_answered

RATING_JOB = "fusion_centralized_billing.cron_rate_usage"
COUNT = 24
BATCH = 60
VOIDED = 7  # one of so many events is voided
# Of every subscription and metric: what was accepted, what of it is on posted invoices,
# what is open, what is unallocated, what is voided. A unit costs 1, none is free.
BALANCE = """
    SELECT o.fc_external_id, metric.code, u.accepted, u.unallocated, u.voided,
           coalesce(r.billed, 0), coalesce(r.open, 0)
      FROM (SELECT subscription_id, metric_id, sum(quantity) AS accepted,
                   coalesce(sum(quantity) FILTER (
                       WHERE unallocated AND voided_at IS NULL), 0) AS unallocated,
                   coalesce(sum(quantity) FILTER (
                       WHERE voided_at IS NOT NULL), 0) AS voided
              FROM fusion_billing_usage GROUP BY 1, 2) u
      JOIN sale_order o ON o.id = u.subscription_id
      JOIN fusion_billing_metric metric ON metric.id = u.metric_id
      LEFT JOIN (SELECT subscription_id, metric_id,
                        sum(amount) FILTER (WHERE state = 'invoiced') AS billed,
                        sum(amount) FILTER (WHERE state = 'open') AS open
                   FROM fusion_billing_rating GROUP BY 1, 2) r
        ON r.subscription_id = u.subscription_id AND r.metric_id = u.metric_id
     ORDER BY 1, 2
"""
INVOICED = """
    SELECT (SELECT coalesce(sum(amount), 0) FROM fusion_billing_rating
             WHERE state = 'invoiced'),
           (SELECT coalesce(sum(line.price_subtotal), 0)
              FROM account_move_line line
              JOIN account_move move ON move.id = line.move_id
              JOIN product_product product ON product.id = line.product_id
              JOIN product_template template ON template.id = product.product_tmpl_id
             WHERE move.state = 'posted'
               AND template.name->>'en_US' LIKE 'Used %')
"""


def month_ago(moment: datetime) -> datetime:
    """The day from which a month leads to this day, or to one shortly before it."""
    year, month = divmod(moment.year * 12 + moment.month - 2, 12)
    days = calendar.monthrange(year, month + 1)[1]
    return moment.replace(year=year, month=month + 1, day=min(moment.day, days))


class TestHttpClosing(ApiCase):
    seconds = 50

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.now = now().replace(tzinfo=None)
        start = month_ago(cls.now)
        cls.orders = cls.script(
            cls.database, "make_closing.py", {"count": COUNT}, at=start
        )
        # the first window ends here: today, or where a month is shorter, just before
        end = cls.psql(
            "SELECT DISTINCT next_invoice_date FROM sale_order"
            " WHERE fc_external_id LIKE 'closing-%'"
        )
        cls.midnight = datetime.fromisoformat(end)

    def setUp(self):
        super().setUp()
        self.random = random.Random(20260101)
        self.lock = threading.Lock()
        self.sums: Counter[tuple[str, str]] = Counter()
        self.void: list[dict] = []

    def events(self) -> list[dict]:
        """Of the window that closes, and of the one that begins."""
        made = []
        with self.lock:
            for _ in range(BATCH):
                # up to a day ahead is tolerated
                distance = timedelta(minutes=self.random.randrange(-600, 600))
                start = self.midnight + distance
                event = self.event(
                    subscription_external_id=self.random.choice([*self.orders]),
                    metric_code=self.random.choice(("calls", "storage")),
                    quantity=self.random.randrange(1, 100),
                    period_start=instant(start),
                    period_end=instant(start + timedelta(minutes=1)),
                )
                made.append(event)
                name = event["subscription_external_id"]
                self.sums[name, event["metric_code"]] += event["quantity"]
        return made

    def void_some(self, stop: threading.Event, sender: Sender) -> None:
        """Take back some of what was acknowledged, while it is being billed."""
        done = 0
        while not stop.wait(0.2):
            acknowledged = sender.acknowledged[done:]
            done += len(acknowledged)
            keys = ("subscription_external_id", "metric_code", "idempotency_key")
            events = [{key: e[key] for key in keys} for e in acknowledged[::VOIDED]]
            if not events:
                continue
            content = {"reason": "a mistake", "events": events}
            answer = post_until_answered(
                lambda c=content: self.api.call("POST", "/usage/void", c)
            )
            if answer.status != 200:
                sender.problems.append(f"{answer.status} {answer.content[:300]!r}")
            self.void += acknowledged[::VOIDED]

    def test_windows_close(self):
        stop = threading.Event()
        with Sender(self.api, self.events, threads=2) as sender:
            voiding = threading.Thread(target=self.void_some, args=(stop, sender))
            voiding.start()
            try:
                sender.wait_for(10 * BATCH)
                self.race(self.database, INVOICE_JOB, 2)
                sender.wait_for(5 * BATCH)
            finally:
                stop.set()
                voiding.join()
        self.assertEqual(sender.problems, [])
        self.check_quiet()
        # what was put off, and what came after its window was invoiced
        self.run_jobs(self.database, INVOICE_JOB, RATING_JOB)
        self.check_balance(sender)
        # the windows that are open now close as well
        self.run_jobs(
            self.database, INVOICE_JOB, RATING_JOB, at=self.now + timedelta(days=33)
        )
        self.check_balance(sender)
        self.assertEqual(self.total("coalesce(sum(amount), 0)", "state = 'open'"), "0")

    def total(self, what: str, where: str) -> str:
        query = f"SELECT {what} FROM fusion_billing_rating WHERE {where}"
        return self.psql(query).removesuffix(".00")

    def check_balance(self, sender: Sender) -> None:
        """Everything sent is there once, and all of it is in one place."""
        self.assertEqual(self.stored(), len(sender.acknowledged))
        rows = [row.split("|") for row in self.psql(BALANCE).splitlines()]
        accepted = {(name, metric): int(total) for name, metric, total, *_ in rows}
        self.assertEqual(accepted, self.sums)
        wrong = [
            row for row in rows if int(row[2]) != sum(float(part) for part in row[3:])
        ]
        self.assertEqual(wrong, [])
        voided = Counter()
        for event in self.void:
            key = event["subscription_external_id"], event["metric_code"]
            voided[key] += event["quantity"]
        found = {(row[0], row[1]): int(row[4]) for row in rows if row[4] != "0"}
        self.assertEqual(found, dict(voided))
        rated, invoiced = self.psql(INVOICED).split("|")
        self.assertEqual(float(rated), float(invoiced))
        self.assertGreater(float(rated), 0)
