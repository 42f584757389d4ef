"""Requests that do the same at once, on a server with several workers."""

from __future__ import annotations

import contextlib
import itertools
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from .api import Answer, Api, ApiCase
from .sender import Sender, post_until_answered

MANY = 50


class TestHttpRaces(ApiCase):
    seconds = 30
    workers = 4

    def at_once(self, calls: Sequence[Callable[[], Answer]]) -> list[Answer]:
        """Begin all of them at the same time; returns their answers."""
        barrier = threading.Barrier(len(calls))

        def run(call):
            barrier.wait()
            while True:
                # The server's queue holds 8 connections for each worker; the kernel
                # may reset what is beyond it. Nobody has read the request then.
                with contextlib.suppress(ConnectionResetError):
                    return call()

        with ThreadPoolExecutor(len(calls)) as pool:
            return list(pool.map(run, calls))

    def test_identical_batches(self):
        before = self.stored()
        events = [self.event() for _ in range(200)]
        answers = self.at_once([lambda: self.api.usage(events)] * MANY)
        bodies = [self.check_json(answer, 200) for answer in answers]
        self.assertEqual(sum(body["accepted"] for body in bodies), 200)
        duplicates = sum(body["duplicates"] for body in bodies)
        self.assertEqual(duplicates, 200 * (MANY - 1))
        self.assertEqual(self.stored(), before + 200)
        self.check_quiet()

    def test_identical_atomic_batches(self):
        before = self.stored()
        events = [self.event() for _ in range(200)]
        answers = self.at_once([lambda: self.api.usage(events, atomic=True)] * MANY)
        bodies = [self.check_json(answer, 200) for answer in answers]
        self.assertEqual(sum(body["accepted"] for body in bodies), 200)
        self.assertEqual(self.stored(), before + 200)
        self.check_quiet()

    def test_overlapping_batches(self):
        """Each event is in many batches, each of another order."""
        before = self.stored()
        events = [self.event() for _ in range(1000)]
        batches = []
        for shift in range(0, 1000, 125):
            batch = (events[shift:] + events[:shift])[:750]
            batches += [batch, batch[::-1]]
        calls = [lambda batch=batch: self.api.usage(batch) for batch in batches]
        bodies = [self.check_json(answer, 200) for answer in self.at_once(calls)]
        self.assertEqual(sum(body["accepted"] for body in bodies), 1000)
        self.assertEqual(self.stored(), before + 1000)
        self.check_quiet()

    def test_one_key_with_many_contents(self):
        """One of them is in; all others are told of the conflict."""
        before = self.stored()
        event = self.event()
        calls = [
            lambda number=number: self.api.usage([{**event, "quantity": number}])
            for number in range(MANY)
        ]
        statuses = Counter(answer.status for answer in self.at_once(calls))
        self.assertEqual(statuses, Counter({200: 1, 400: MANY - 1}))
        self.assertEqual(self.stored(), before + 1)
        self.check_quiet()

    def test_the_same_customer(self):
        content = {"external_id": "raced", "name": "Raced"}
        answers = self.at_once(
            [
                lambda: post_until_answered(
                    lambda: self.api.call("POST", "/customers", content)
                )
            ]
            * MANY
        )
        partners = {self.check_json(a, 200)["partner_id"] for a in answers}
        self.assertEqual(len(partners), 1)
        links = "SELECT count(*) FROM fusion_billing_account_link"
        self.assertEqual(self.psql(f"{links} WHERE external_id = 'raced'"), "1")
        self.assertEqual(
            self.psql("SELECT count(*) FROM res_partner WHERE name = 'Raced'"), "1"
        )
        # By this an update knows whom an app has created: one request made both.
        made = self.psql(
            "SELECT k.create_date = p.create_date, k.create_uid, p.create_uid,"
            "       k.created_partner_ref = p.id"
            "  FROM fusion_billing_account_link k JOIN res_partner p"
            "    ON p.id = k.partner_id WHERE k.external_id = 'raced'"
        )
        self.assertEqual(made, "t|1|1|t")
        self.check_quiet()

    def test_a_customer_gets_a_login_at_the_same_moment(self):
        """The request that had begun before wrote its e-mail into a user's contact."""
        content = {"external_id": "signs-in", "email": "own@example.com"}
        body = self.check_json(self.api.call("POST", "/customers", content), 200)
        self.assertEqual(body["contact"], "written")
        user = "UPDATE res_users SET partner_id = {} WHERE login = 'public'"
        before = self.psql("SELECT partner_id FROM res_users WHERE login = 'public'")
        self.addCleanup(self.psql, user.format(before))
        granting = self.start_psql()
        granting.stdin.write(f"BEGIN;\n{user.format(body['partner_id'])};\n\\echo x\n")
        granting.stdin.flush()
        self.assertEqual(granting.stdout.readline(), "x\n")
        content["email"] = "mallory@example.com"
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(self.api.call, "POST", "/customers", content)
            waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
            deadline = time.monotonic() + 30
            while self.psql(waiting) == "0" and time.monotonic() < deadline:
                time.sleep(0.05)
            self.assertFalse(answer.done(), "it did not wait")
            granting.stdin.write("COMMIT;\n")
            granting.stdin.flush()
            body = self.check_json(answer.result(), 200)
        self.assertEqual(body["contact"], "kept")
        email = f"SELECT email FROM res_partner WHERE id = {body['partner_id']}"
        self.assertEqual(self.psql(email), "own@example.com")
        self.check_quiet()

    def test_the_same_subscription(self):
        content = {
            "external_customer_id": "customer-0",
            "external_id": "raced-sub",
            "plan_id": self.world["plan"],
            "lines": [{"product_id": self.world["fee"], "quantity": 1}],
        }
        answers = self.at_once(
            [
                lambda: post_until_answered(
                    lambda: self.api.call("POST", "/subscriptions", content)
                )
            ]
            * MANY
        )
        ids = {self.check_json(a, 200)["subscription_id"] for a in answers}
        self.assertEqual(len(ids), 1)
        orders = "SELECT count(*) FROM sale_order WHERE fc_external_id = 'raced-sub'"
        self.assertEqual(self.psql(orders), "1")
        self.check_quiet()

    def test_the_same_subscription_for_other_customers(self):
        """One customer gets it; the others are told, where some got a 500."""
        contents = [
            {
                "external_customer_id": f"customer-{number % 4}",
                "external_id": "raced-for",
                "plan_id": self.world["plan"],
                "lines": [{"product_id": self.world["fee"], "quantity": 1}],
            }
            for number in range(12)
        ]
        answers = self.at_once(
            [
                lambda content=content: post_until_answered(
                    lambda: self.api.call("POST", "/subscriptions", content)
                )
                for content in contents
            ]
        )
        refused = [answer for answer in answers if answer.status != 200]
        self.assertEqual(len(refused), 9)
        for answer in refused:
            self.check_refused(answer, 400, "external_id_conflict")
        self.check_quiet()

    def test_the_first_names_of_an_app(self):
        """All of them note that the app has names of its own, in one row."""
        self.psql("UPDATE fusion_billing_service SET uses_external_ids = NULL")
        contents = [
            {
                "external_customer_id": f"customer-{number % 4}",
                "external_id": f"first-{number}",
                "plan_id": self.world["plan"],
            }
            for number in range(8)
        ]
        answers = self.at_once(
            [
                lambda content=content: post_until_answered(
                    lambda: self.api.call("POST", "/subscriptions", content)
                )
                for content in contents
            ]
        )
        ids = {self.check_json(a, 200)["subscription_id"] for a in answers}
        self.assertEqual(len(ids), 8)
        noted = self.psql(
            "SELECT code FROM fusion_billing_service WHERE uses_external_ids"
        )
        self.assertEqual(noted, "app")
        self.check_quiet()

    def test_the_same_totals(self):
        """One reconciliation; some of the requests got a 500, and lines in the log."""
        content = {
            "subscription_external_id": "sub-1",
            "metric_code": "calls",
            "window_start": "2020-01-01",
            "window_end": "2020-02-01",
            "declared_quantity": 1,
        }
        answers = self.at_once(
            [lambda: self.api.call("POST", "/reconciliations", content)] * MANY
        )
        ids = {self.check_json(a, 200)["reconciliation_id"] for a in answers}
        self.assertEqual(len(ids), 1)
        self.check_quiet()

    def test_keys_are_replaced_while_requests_run(self):
        """The old key is good during its overlap, and neither ever gets a 401; a key
        that was revoked gets nothing else."""
        old = Api(self.server.port, self.world["keys"]["other"])
        numbers = itertools.count()

        def events():
            return [
                self.event(subscription_external_id="their-sub", quantity=next(numbers))
            ]

        before = self.stored()
        with Sender(old, events) as sender:
            sender.wait_for(20)
            arguments = {"service": self.world["services"]["other"]}
            new = self.script(self.database, "rotate_key.py", arguments)
            sender.wait_for(20)
            with Sender(Api(old.port, new["key"]), events) as second:
                second.wait_for(20)
        self.assertEqual(sender.problems + second.problems, [])
        sent = len(sender.acknowledged) + len(second.acknowledged)
        self.assertEqual(self.stored(), before + sent)
        self.script(self.database, "revoke_keys.py", {"keys": new["replaced"]})
        for answer in self.at_once([lambda: old.usage(events())] * 12):
            self.check_refused(answer, 401, "unauthorized")
        self.check_json(Api(old.port, new["key"]).usage(events()), 200)
        self.assertEqual(self.stored(), before + sent + 1)
        self.check_quiet()

    def test_a_key_is_first_used_by_many(self):
        """All of them note when. Reading the row and noting it in two steps that saw
        different states of it failed, and was logged, now and then."""
        for _ in range(5):
            self.psql("UPDATE fusion_billing_api_key SET last_used_at = NULL")
            for answer in self.at_once([lambda: self.api.usage([])] * MANY):
                self.check_json(answer, 200)
        self.check_quiet()

    def test_rate_limit_holds_across_workers(self):
        """Of a service that may send 60 a minute, and 20 at once."""
        api = Api(self.server.port, self.world["keys"]["slow"])
        start = time.monotonic()
        answers = self.at_once([lambda: api.usage([])] * 3 * MANY)
        spent = time.monotonic() - start
        statuses = Counter(answer.status for answer in answers)
        self.assertEqual({*statuses}, {200, 429})
        self.assertGreaterEqual(statuses[200], 20)
        self.assertLessEqual(statuses[200], 20 + math.ceil(spent))
        waits = [int(a.headers["retry-after"]) for a in answers if a.status == 429]
        self.assertGreaterEqual(min(waits), 1)
        for answer in answers:
            if answer.status == 429:
                self.check_refused(answer, 429, "rate_limited")
        # whoever waits as long as it was told is let in
        refused = api.usage([])
        self.check_refused(refused, 429, "rate_limited")
        time.sleep(int(refused.headers["retry-after"]))
        self.check_json(api.usage([]), 200)
        self.check_quiet()
