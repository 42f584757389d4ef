"""Changes of a subscription that are asked for at the same moment."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from .api import Answer, ApiCase, now
from .sender import post_until_answered

MANY = 12


class TestChangeRaces(ApiCase):
    seconds = 30
    workers = 4
    _names = itertools.count(1)

    def setUp(self):
        super().setUp()
        self.subscribe({"product_id": self.world["fee"], "quantity": 1})

    def subscribe(self, *lines: dict) -> None:
        self.name = f"changed-{next(self._names)}"
        content = {
            "external_customer_id": "customer-0",
            "external_id": self.name,
            "plan_id": self.world["plan"],
            "lines": lines,
        }
        made = self.check_json(self.api.call("POST", "/subscriptions", content), 200)
        self.order = made["subscription_id"]

    def change(self, verb: str, content: dict) -> Callable[[], Answer]:
        """A request for a change; ``""`` as its verb: PATCH."""
        method = "POST" if verb else "PATCH"
        path = f"/subscriptions/{self.name}{verb and '/'}{verb}"
        return lambda: post_until_answered(lambda: self.api.call(method, path, content))

    def at_once(self, calls: Sequence[Callable[[], Answer]]) -> list[Answer]:
        barrier = threading.Barrier(len(calls))

        def run(call):
            barrier.wait()
            return call()

        with ThreadPoolExecutor(len(calls)) as pool:
            return list(pool.map(run, calls))

    def told(self) -> list[dict]:
        """``data`` of what the app was told of the subscription, in order."""
        rows = self.psql(
            "SELECT payload FROM fusion_billing_webhook"
            f" WHERE subscription_id = {self.order} ORDER BY id"
        )
        events = [json.loads(row) for row in rows.splitlines()]
        numbers = [event["sequence"] for event in events]
        self.assertEqual(numbers, [*range(1, len(events) + 1)])
        self.assertEqual(events.pop(0)["type"], "subscription.created")
        return [e["data"] for e in events if e["type"] == "subscription.updated"]

    def test_the_same_change_many_times(self):
        """One line, and one event; both were as many as there were requests."""
        wish = {"lines": [{"product_id": self.world["fee"], "quantity": 3}]}
        bodies = [
            self.check_json(answer, 200)
            for answer in self.at_once([self.change("", wish)] * MANY)
        ]
        for body in bodies:
            self.assertEqual(body, bodies[0])
        [line] = bodies[0]["lines"]
        self.assertEqual(line["quantity"], "3")
        [data] = self.told()
        [change] = data["changes"]["lines"]
        self.assertEqual((change["before"], change["after"]), ("1", "3"))
        self.check_quiet()

    def test_a_product_is_added_by_many_requests(self):
        """It had a line of each request, as none saw the others'."""
        self.subscribe()
        wish = {"lines": [{"product_id": self.world["fee"], "quantity": 2}]}
        for answer in self.at_once([self.change("", wish)] * MANY):
            lines = self.check_json(answer, 200)["lines"]
            self.assertEqual([x["quantity"] for x in lines], ["2"])
        self.assertEqual(len(self.told()), 1)
        self.check_quiet()

    def test_different_quantities(self):
        """One of them stays; each event goes on where the one before it ended."""
        calls = [
            self.change(
                "", {"lines": [{"product_id": self.world["fee"], "quantity": n}]}
            )
            for n in range(2, 2 + MANY)
        ]
        for answer in self.at_once(calls):
            self.check_json(answer, 200)
        quantity = "1"
        for data in self.told():
            [change] = data["changes"]["lines"]
            self.assertEqual(change["before"], quantity)
            quantity = change["after"]
        self.assertEqual(len(self.told()), MANY)
        stored = "SELECT product_uom_qty FROM sale_order_line WHERE order_id ="
        self.assertEqual(float(self.psql(f"{stored} {self.order}")), float(quantity))
        self.check_quiet()

    def test_cancelled_and_paused_at_once(self):
        """It ends whoever is first; a pause that comes after the end is refused."""
        calls = [
            *[self.change("cancel", {"when": "now"})] * 4,
            *[self.change("pause", {})] * 4,
        ]
        answers = self.at_once(calls)
        for answer in answers[:4]:
            body = self.check_json(answer, 200)
            self.assertEqual(body["subscription_state"], "6_churn")
        for answer in answers[4:]:
            if answer.status != 200:
                self.check_refused(answer, 400, "subscription_refused")
        states = [(d["previous_state"], d["subscription_state"]) for d in self.told()]
        paused = ("3_progress", "4_paused")
        self.assertIn(
            states,
            (
                [("3_progress", "6_churn")],
                [paused, ("4_paused", "6_churn")],
            ),
        )
        self.check_quiet()

    def test_cancelled_on_a_day_and_kept_at_once(self):
        day = (now() + timedelta(days=9)).date().isoformat()
        calls = [
            *[self.change("cancel", {"when": "on", "date": day})] * 4,
            *[self.change("undo-cancel", {})] * 4,
        ]
        for answer in self.at_once(calls):
            self.check_json(answer, 200)
        end = None
        for data in self.told():
            change = data["changes"]["end_date"]
            self.assertEqual(change["before"], end)
            end = change["after"]
        stored = self.psql(f"SELECT end_date FROM sale_order WHERE id = {self.order}")
        self.assertEqual(stored, end or "")
        self.check_quiet()
