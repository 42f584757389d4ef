"""Bodies of `POST /usage` that are no JSON, or of another shape; batches."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor

from . import hostile_json
from .content import ContentCase

MAX_EVENTS = 10_000


class TestHostileBodies(ContentCase):
    """No JSON, and JSON of another shape."""

    seconds = 7

    def test_no_json(self):
        before = self.stored()
        for name, body in hostile_json.NOT_JSON.items():
            with self.subTest(name):
                body = body.replace(b"EVENT", self.raw_event().encode())
                answer = self.api.post_raw(body)
                self.check_refused(answer, 400, "invalid_json")
                self.assertEqual(self.stored(), before)
        self.check_still_works()
        self.check_quiet()

    def test_other_shapes(self):
        before = self.stored()
        for name, (body, code, field) in hostile_json.OTHER_SHAPES.items():
            with self.subTest(name):
                body = body.replace(b"EVENT", self.raw_event().encode())
                body = self.check_refused(self.api.post_raw(body), 400, code)
                self.assertEqual(body.get("field"), field)
                self.assertEqual(self.stored(), before)
        self.check_still_works()
        self.check_quiet()

    def test_events_that_are_none(self):
        for text in hostile_json.NO_EVENTS:
            with self.subTest(text):
                before = self.stored()
                answer = self.post_events(text, self.raw_event())
                error = {"code": "invalid_event", "error": "invalid event"}
                self.assertEqual(
                    self.check_json(answer, 400),
                    {
                        "status": "error",
                        **error,
                        "accepted": 1,
                        "duplicates": 0,
                        "results": [
                            {"status": "rejected", **error},
                            {"status": "accepted"},
                        ],
                        "errors": [{"index": 0, "field": None, **error}],
                    },
                )
                self.assertEqual(self.stored(), before + 1)
        self.check_quiet()

    def test_good_bodies(self):
        for name, body in hostile_json.GOOD_BODIES.items():
            with self.subTest(name):
                before = self.stored()
                body = body.replace(b"EVENT", self.raw_event().encode())
                answer = self.check_json(self.api.post_raw(body), 200)
                self.assertEqual(answer["accepted"], 1)
                self.assertEqual(self.stored(), before + 1)
        self.check_quiet()

    def test_an_empty_list(self):
        expected = {"status": "ok", "accepted": 0, "duplicates": 0, "results": []}
        for payload in ({}, {"atomic": True}):
            body = self.check_json(self.api.usage([], **payload), 200)
            self.assertEqual(body, expected)
        for raw in hostile_json.EMPTY_BODIES:
            with self.subTest(raw):
                body = self.check_json(self.api.post_raw(raw), 200)
                self.assertEqual(body, expected)
        self.check_quiet()

    def test_too_many_events(self):
        before = self.stored()
        for events in (
            [self.event() for _ in range(MAX_EVENTS + 1)],
            [None] * (MAX_EVENTS + 1),
        ):
            answer = self.api.usage(events)
            self.check_refused(answer, 400, "too_many_events")
            self.assertEqual(self.stored(), before)
        answer = self.api.usage([self.event() for _ in range(MAX_EVENTS)])
        self.assertEqual(self.check_json(answer, 200)["accepted"], MAX_EVENTS)
        self.assertEqual(self.stored(), before + MAX_EVENTS)
        self.check_quiet()


class TestHostileBatches(ContentCase):
    """Many events in one request, and the same ones again."""

    seconds = 5

    def test_999_good_and_one_bad(self):
        for place in (0, 500, 999):
            before = self.stored()
            events = [self.event() for _ in range(1000)]
            events[place]["quantity"] = -1
            body = self.check_json(self.api.usage(events), 400)
            error = {
                "code": "invalid_quantity",
                "error": "invalid quantity",
                "field": "quantity",
            }
            self.assertEqual(body["errors"], [{"index": place, **error}])
            self.assertEqual(body["results"][place], {"status": "rejected", **error})
            statuses = [result["status"] for result in body["results"]]
            self.assertEqual(statuses.count("accepted"), 999)
            self.assertEqual((body["accepted"], body["duplicates"]), (999, 0))
            self.assertEqual(self.stored(), before + 999)
            again = self.check_json(self.api.usage(events), 400)
            self.assertEqual((again["accepted"], again["duplicates"]), (0, 999))
            self.assertEqual(self.stored(), before + 999)
        self.check_quiet()

    def test_atomic(self):
        before = self.stored()
        first = self.event()
        self.check_json(self.api.usage([first]), 200)
        for name, bad in (
            ("rejected", self.event(quantity="nan")),
            ("conflict", {**first, "quantity": 2}),
        ):
            with self.subTest(name):
                events = [self.event() for _ in range(999)] + [bad]
                body = self.check_json(self.api.usage(events, atomic=True), 400)
                self.assertEqual((body["accepted"], body["duplicates"]), (0, 0))
                self.assertEqual([e["index"] for e in body["errors"]], [999])
                statuses = [result["status"] for result in body["results"]]
                self.assertEqual(statuses, ["not_stored"] * 999 + [name])
                self.assertEqual(self.stored(), before + 1)
                del events[-1]
                body = self.check_json(self.api.usage(events, atomic=True), 200)
                self.assertEqual(body["accepted"], 999)
                before += 999
                self.assertEqual(self.stored(), before + 1)
        self.check_quiet()

    def test_several_bad(self):
        before = self.stored()
        events = [self.event(quantity=quantity) for quantity in (1, -1, 2, "x", 3)]
        body = self.check_json(self.api.usage(events), 400)
        self.assertEqual(body["code"], "events_refused")
        self.assertEqual([error["index"] for error in body["errors"]], [1, 3])
        self.assertEqual(self.stored(), before + 3)
        self.check_quiet()

    def test_the_same_key(self):
        """Same content: duplicate. Other content: conflict, and nothing changes. For
        another subscription or metric it is another key."""
        before = self.stored()
        event = self.event(quantity="5", unique_key="u")
        body = self.check_json(self.api.usage([event, event]), 200)
        self.assertEqual(
            body,
            {
                "status": "ok",
                "accepted": 1,
                "duplicates": 1,
                "results": [{"status": "accepted"}, {"status": "duplicate"}],
            },
        )
        start = event["period_start"].replace("Z", "+00:00")
        for name, same in (
            ("again", {}),
            ("other spelling", {"quantity": 5.0, "period_start": start}),
            (
                "by id",
                {
                    "subscription_external_id": None,
                    "subscription_id": self.world["orders"]["sub-1"],
                },
            ),
        ):
            with self.subTest(name):
                body = self.check_json(self.api.usage([{**event, **same}]), 200)
                self.assertEqual((body["accepted"], body["duplicates"]), (0, 1))
        self.assertEqual(self.stored(), before + 1)
        for name, other in (
            ("quantity", {"quantity": 6}),
            ("start", {"period_start": event["period_end"]}),
            ("end", {"period_end": event["period_start"]}),
            ("unique key", {"unique_key": "v"}),
            ("no unique key", {"unique_key": None}),
        ):
            with self.subTest(name):
                body = self.check_json(self.api.usage([{**event, **other}]), 400)
                self.assertEqual(body["code"], "idempotency_conflict")
                self.assertEqual(body["results"][0]["status"], "conflict")
                self.assertEqual((body["accepted"], body["duplicates"]), (0, 0))
        self.assertEqual(self.stored(), before + 1)
        self.assertEqual(self.stored("quantity = 5 AND unique_key = 'u'"), 1)
        for other in (
            {"subscription_external_id": "sub-2", "quantity": 7},
            {"metric_code": "storage", "quantity": 7},
        ):
            body = self.check_json(self.api.usage([{**event, **other}]), 200)
            self.assertEqual(body["accepted"], 1)
        self.assertEqual(self.stored(), before + 3)
        self.check_quiet()

    def test_conflict_within_a_batch(self):
        before = self.stored()
        event = self.event()
        events = [event, {**event, "quantity": 2}, event]
        body = self.check_json(self.api.usage(events), 400)
        statuses = [result["status"] for result in body["results"]]
        self.assertEqual(statuses, ["accepted", "conflict", "duplicate"])
        self.assertEqual(self.stored(), before + 1)
        self.check_quiet()

    def test_overlapping_batches_in_opposite_order(self):
        """Both are answered, nothing waits for ever, each event is stored once."""
        before = self.stored()
        events = [self.event() for _ in range(1000)]
        barrier = threading.Barrier(2)

        def post(batch):
            barrier.wait()
            return self.api.usage(batch)

        with ThreadPoolExecutor(2) as pool:
            for _ in range(3):
                answers = list(pool.map(post, (events, events[::-1])))
                for answer in answers:
                    self.check_json(answer, 200)
        self.assertEqual(self.stored(), before + 1000)
        self.check_quiet()

    def test_nothing_of_the_server_shows(self):
        """No refusal quotes what was sent, or tells what the server is made of."""
        answers = [
            self.api.usage([self.event(quantity="secret-4711")]),
            self.api.usage([self.event(subscription_external_id="secret-4711")]),
            self.api.post_raw(b"secret-4711"),
        ]
        told = b" ".join(answer.content for answer in answers)
        pattern = rb"secret-4711|Traceback|psycopg|odoo|werkzeug|File \""
        self.assertFalse(re.search(pattern, told, re.IGNORECASE), told)
        self.check_quiet()
