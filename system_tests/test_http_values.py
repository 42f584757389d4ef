"""Bad values in the events of `POST /usage`, key by key."""

from __future__ import annotations

import json
from datetime import timedelta

from . import hostile_values
from .api import instant, now
from .content import ContentCase


class TestHostileValues(ContentCase):
    """Each key of an event."""

    seconds = 6

    def test_quantity(self):
        self.missing("quantity")
        refused = hostile_values.QUANTITIES_REFUSED
        self.all_refused("quantity", "invalid_quantity", refused)
        for text, stored in hostile_values.QUANTITIES_TAKEN.items():
            with self.subTest(text):
                row = self.taken(self.raw_event(quantity=text))
                self.assertEqual(row[0], stored)
        self.check_quiet()

    def test_subscription(self):
        field = "subscription_external_id"
        self.missing(field)
        values = hostile_values
        refused = (*values.NAMES_REFUSED, *values.SUBSCRIPTIONS_REFUSED)
        self.all_refused(field, f"invalid_{field}", refused)
        self.all_refused(field, "unknown_subscription", values.SUBSCRIPTIONS_UNKNOWN)
        orders = self.world["orders"]
        # none of them, no order at all; and what is not its name, but Odoo's id
        for name in ("theirs", "unlinked", "plain", "abroad", None, "sub-2"):
            number = orders[name] if name else 2**31 - 1
            for text in (str(number), f'"{number}"'):
                with self.subTest(name, text=text):
                    event = self.raw_event(**{field: text})
                    self.refused("unknown_subscription", field, event)
        for text, name in (
            ('"sub-2"', "sub-2"),
            (json.dumps(self.world["literal"]), self.world["literal"]),
            ('"\\u0073ub-2"', "sub-2"),
            # the app's own name, although it looks like an id
            ('"4711"', "4711"),
            ("4711", "4711"),
        ):
            with self.subTest(text):
                row = self.taken(self.raw_event(**{field: text}))
                self.assertEqual(row[4], str(orders[name]))
        self.check_quiet()

    def test_subscription_by_odoo_s_id(self):
        field = "subscription_id"
        orders = self.world["orders"]

        def event(text):
            return self.raw_event(subscription_external_id="null", **{field: text})

        for text in (*hostile_values.IDS_REFUSED, f'"id:{orders["sub-2"]}"'):
            with self.subTest(text):
                self.refused(f"invalid_{field}", field, event(text))
        for name in ("theirs", "unlinked", "plain", "abroad", None):
            number = orders[name] if name else 2**31 - 1
            for text in (str(number), f'"{number}"'):
                with self.subTest(name, text=text):
                    self.refused("unknown_subscription", field, event(text))
        for text in (str(orders["sub-2"]), f'"{orders["sub-2"]}"'):
            self.assertEqual(self.taken(event(text))[4], str(orders["sub-2"]))
        self.check_quiet()

    def test_metric(self):
        field = "metric_code"
        self.missing(field)
        values = hostile_values
        refused = (*values.NAMES_REFUSED, *values.METRICS_REFUSED)
        self.all_refused(field, "invalid_metric_code", refused)
        self.all_refused(field, "unknown_metric", values.METRICS_UNKNOWN)
        literal = json.dumps(self.world["literal"])
        row = self.taken(self.raw_event(metric_code=literal))
        self.assertEqual(
            self.psql(f"SELECT code FROM fusion_billing_metric WHERE id = {row[5]}"),
            self.world["literal"],
        )
        self.check_quiet()

    def test_keys(self):
        field = "idempotency_key"
        refused = hostile_values.KEYS_REFUSED
        self.all_refused(field, f"invalid_{field}", refused)
        self.all_refused("unique_key", "invalid_unique_key", refused)
        for text in hostile_values.KEYS_TAKEN:
            with self.subTest(text[:60]):
                row = self.taken(self.raw_event(idempotency_key=text))
                self.assertEqual(row[3], json.loads(text))
        # none, and null, which is none: known by its content
        for number, text in enumerate(("", "null")):
            event = self.raw_event(idempotency_key=text, quantity=f"{number}.125")
            self.assertRegex(self.taken(event)[3], r"\A\x7fcontent:[0-9a-f]{32}\Z")
            again = self.check_json(self.post_events(event, event), 200)
            self.assertEqual((again["accepted"], again["duplicates"]), (0, 2))
        event = self.raw_event(metric_code='"users"')
        self.refused("missing_field", "unique_key", event, "missing unique_key")
        self.taken(self.raw_event(metric_code='"users"', unique_key='"u-1"'))
        self.check_quiet()

    def test_periods(self):
        for field in ("period_start", "period_end"):
            self.missing(field)
            refused = hostile_values.TIMES_REFUSED
            self.all_refused(field, "invalid_period", refused)
            for text in hostile_values.TIMES_OF_NO_USE:
                with self.subTest(text, field=field):
                    problem = f"invalid {field}: not of the years 2000 to 2099"
                    event = self.raw_event(
                        **{"period_end": '"2020-01-10"', field: text}
                    )
                    self.refused("invalid_period", field, event, problem)
        for text, stored in hostile_values.TIMES_TAKEN.items():
            with self.subTest(text):
                event = self.raw_event(period_start=text, period_end=text)
                self.assertEqual(self.taken(event)[1:3], [stored, stored])
        self.check_quiet()

    def test_order_of_periods(self):
        start = now() - timedelta(hours=1)
        before = start - timedelta(seconds=1)
        later = now() + timedelta(hours=25)
        soon = now() + timedelta(hours=23)

        def event(first, last):
            first, last = json.dumps(first), json.dumps(last)
            return self.raw_event(period_start=first, period_end=last)

        for first, last in (
            (instant(start), instant(before)),
            (instant(start), "2000-01-01"),
            # an hour later on the clock, an hour earlier in time
            ("2020-01-10T10:00:00-01:00", "2020-01-10T11:00:00+01:00"),
        ):
            with self.subTest(first=first, last=last):
                self.refused("period_order", "period_end", event(first, last))
        for first in (instant(later), "2099-12-31", "2099-12-31T23:59:59+00:00"):
            with self.subTest(first):
                code = "period_in_future"
                self.refused(code, "period_start", event(first, "2099-12-31T23:59:59Z"))
        for first, last in (
            (instant(soon), instant(soon)),
            (instant(start), "2099-12-31T23:59:59Z"),
            (instant(start), instant(start)),
        ):
            with self.subTest(first=first, last=last):
                self.taken(event(first, last))
        self.check_quiet()
