"""What the tests of the model share: it is told what happens, by day."""

import unittest
from datetime import datetime, timedelta

from system_tests.life.model import Model
from system_tests.life.money import Terms
from system_tests.life.records import Charge

CONFIG = {
    "zone": "UTC",
    "posting": "post",
    "start": "2026-01-01",
    "now": "2026-01-01T08:00:00",
    "currency": "USD",
}
DEAR = {"price": "2", "quota": "0"}


class Story:
    """A model that is told what happens, by day."""

    def __init__(self, *charges, **config):
        terms = Terms("0.50", quota="100")
        self.model = Model([*charges] or [Charge("A", "calls", terms)], CONFIG | config)
        self.count = 0
        self.jobs("2026-01-02")

    def at(self, day):
        moment = datetime.fromisoformat(day)
        if moment == datetime.combine(moment, datetime.min.time()):
            moment += timedelta(hours=12)
        self.model.do_wait(max(moment, self.model.now).isoformat())
        self.model.extend()
        return self

    def jobs(self, *days):
        for day in days:
            self.do(day, "jobs", f"{day}T12:00:00")
        return self

    def use(self, quantity, start, day=None, metric="calls"):
        self.count += 1
        event = [str(self.count), metric, str(quantity), start]
        return self.do(day or start, "usage", [event])

    def void(self, number, day):
        return self.do(day, "void", str(number), "calls")

    def do(self, day, name, *args, refused=False):
        self.at(day)
        self.model.apply([name, *args], refused)
        for move in self.model.moves:
            total = sum(line.shown for line in move.lines)
            move.is_refund = total + (10 if move.period else 0) < 0
        return self

    def try_(self, day, name, *args):
        """As a program does it: only where the model says that it is possible."""
        self.at(day)
        step = self.model.prepare([name, *args])
        if step is None:
            raise AssertionError(f"{name} is not possible")
        return self.do(day, *step)

    def total(self):
        return float(sum(posted for posted, _draft in self.model.money().values()))

    def by_window(self):
        return {
            key[0].date().isoformat() if key[0] else "by hand": float(posted)
            for key, (posted, _draft) in self.model.money().items()
            if posted
        }

    def drafts(self):
        return float(sum(draft for _posted, draft in self.model.money().values()))

    def windows(self):
        return [
            f"{w.start:%m-%d %H} {w.end:%m-%d %H}"
            for w in self.model.windows
            if not w.void
        ]

    def lost(self):
        return [k for k, flag in self.model.flags().items() if flag == "unallocated"]


def closed(**config):
    """Closed on 20 January: 150 calls, 25.00."""
    story = Story(**config).use(150, "2026-01-10")
    return story.do("2026-01-20", "close", 0)


def renewed():
    """Renewed on 20 January, 180 calls: 40.00 on 1 February."""
    story = Story().use(180, "2026-01-10").do("2026-01-20", "renew", 0)
    return story.jobs("2026-02-01")


def drafted():
    """The draft of 1 February is pending: 200 calls, 50.00."""
    story = Story(posting="draft")
    story.do("2026-01-02", "post", 0)
    return story.use(200, "2026-01-10").jobs("2026-02-01")


class ModelCase(unittest.TestCase):
    def assert_total(self, story, amount):
        self.assertEqual(story.total(), amount)
