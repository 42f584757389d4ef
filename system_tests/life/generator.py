"""Makes programs: the same seed, the same program.

A program is ``{"config": {...}, "steps": [[name, ...], ...]}``. A step names what it is
about by position (the latest invoice, the third event), so that any step can be left
out; one that is not possible when its turn comes is passed over.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable

from .money import Terms
from .records import Charge

ZONES = ("Europe/Brussels", "America/New_York", "Asia/Tokyo", "UTC")
QUANTITIES = ("1", "7", "0", "40.5", "99.99", "150", "1000.0000000001")
TERMS = (
    {"price": "2", "quota": "0"},
    {"price": "0.125", "quota": "50"},
    {"price": "0.5", "quota": "20", "minimum": "12.34"},
    {"price": "0", "quota": "0", "minimum": "0"},
    {"price": "3", "batch": "10", "model": "package"},
)
SHARES = ("0.25", "0.4", "0.5", "1")

Maker = Callable[["Draw"], list]


class Draw(random.Random):
    """Chance, and what programs take from it."""

    keys = 0

    def when(self) -> list:
        """Of an event: hours ago, or beside the beginning of a window."""
        if self.random() < 0.25:
            return ["edge", self.randrange(3), self.choice((-1, 0, 1))]
        ago = self.choice((1, 12, 30, 100, 240, 500, 900, 1500))
        return ["ago", -self.choice((3, 19)) if self.random() < 0.1 else ago, 0]

    def event(self) -> list:
        self.keys += 1
        metric = self.choices(("calls", "jobs", "peak"), (6, 2, 2))[0]
        return [f"e{self.keys}", metric, self.choice(QUANTITIES), self.when()]

    def usage(self) -> list:
        return ["usage", [self.event() for _n in range(self.randint(1, 3))]]

    def place(self) -> int:
        return self.choice((0, 0, 0, 1, 2))

    def terms(self) -> dict:
        return dict(self.choice(TERMS))

    def new_price(self) -> list:
        terms = self.terms() | {"currency": self.choice(("USD", "USD", "EUR"))}
        return ["add", self.choice("AB"), self.choice(("peak", "jobs", "calls")), terms]


# What can be switched off, by name -> (how often, how it is made).
STEPS: dict[str, tuple[float, Maker]] = {
    "usage": (16, Draw.usage),
    "void": (5, lambda draw: ["void", draw.randrange(6)]),
    "repeat": (1, lambda draw: ["repeat", draw.randrange(6)]),
    "jobs": (8, lambda draw: ["jobs"]),
    "next": (14, lambda draw: ["next"]),
    "rate": (2, lambda draw: ["rate"]),
    "wait": (3, lambda draw: ["wait", draw.choice((1, 3, 12, 20))]),
    "missed": (1, lambda draw: ["wait", draw.choice((45, 80))]),
    "pause": (2, lambda draw: ["pause"]),
    "resume": (3, lambda draw: ["resume"]),
    "close": (2, lambda draw: ["close"]),
    "reopen": (2, lambda draw: ["reopen"]),
    "crash": (
        1,
        lambda draw: ["crash", draw.randrange(100)],
    ),
    "finance": (1, lambda draw: ["finance"]),
    "plan_now": (2, lambda draw: ["plan", "now", draw.choice("AB")]),
    "plan_next": (2, lambda draw: ["plan", "next", draw.choice("AB")]),
    "end": (2, lambda draw: ["end", draw.choice((-20, -3, 5, 15, 40))]),
    "next_date": (1.5, lambda draw: ["next_date", draw.choice((1, 6, 20, 40))]),
    "start": (1, lambda draw: ["start", draw.choice((-20, -1, 3))]),
    "tz": (2, lambda draw: ["tz", draw.choice(ZONES)]),
    "renew": (2.5, lambda draw: ["renew"]),
    "unrenew": (1.5, lambda draw: ["unrenew"]),
    "cancel_order": (1, lambda draw: ["cancel_order"]),
    "confirm": (
        2,
        lambda draw: [
            *("confirm", draw.choice(("first", "second"))),
            draw.choice(("USD", "EUR")),
        ],
    ),
    "rates": (
        1.5,
        lambda draw: ["rates", draw.choice((0, 3)), draw.choice(("0.81", "0.7", "1"))],
    ),
    "discount": (1, lambda draw: ["discount", draw.choice(("0", "10", "33.5"))]),
    "edit": (2, lambda draw: ["edit", draw.randrange(6), draw.terms()]),
    "archive": (1, lambda draw: ["archive", draw.randrange(6)]),
    "replace": (1.5, lambda draw: ["replace", draw.randrange(6), draw.terms()]),
    "add": (1.5, Draw.new_price),
    "go_live": (
        1.5,
        lambda draw: [
            *("go_live", draw.randrange(6), draw.terms()),
            draw.choice((-40, -5, 0, 20)),
        ],
    ),
    "post": (5, lambda draw: ["post", draw.place()]),
    "delete": (1.5, lambda draw: ["delete", draw.place()]),
    "cancel": (1.5, lambda draw: ["cancel", draw.place()]),
    "reset": (1.5, lambda draw: ["reset", draw.place()]),
    "change": (
        2,
        lambda draw: ["change", draw.place(), draw.choice(("0.6", "0.9", "1.5"))],
    ),
    "drop": (1, lambda draw: ["drop", draw.place()]),
    "credit": (2, lambda draw: ["credit", draw.place(), "1", True]),
    "credit_part": (
        2,
        lambda draw: ["credit", draw.place(), draw.choice(SHARES), True],
    ),
    "forgiven": (
        2,
        lambda draw: ["credit", draw.place(), draw.choice(SHARES), False],
    ),
    "credit_beyond": (0.5, lambda draw: ["credit", draw.place(), "1.5", True]),
    "modify": (1.5, lambda draw: ["modify", draw.place()]),
    "reversed": (2, lambda draw: ["reverse", draw.place()]),
    "debit": (1, lambda draw: ["copy", draw.place(), "debit"]),
    "duplicate": (1, lambda draw: ["copy", draw.place(), "duplicate"]),
}
# What often comes some time after another step.
LATER = {
    "pause": "resume",
    "close": "reopen",
    "cancel_order": "confirm",
    "renew": "unrenew",
    "cancel": "reset",
    "reset": "post",
    "credit": "reversed",
    "credit_part": "credit",
    "forgiven": "void",
    "change": "post",
    "modify": "post",
    "reopen": "plan_now",
}
IN_DRAFTS = ("post", "change", "drop", "delete")
# Options of the whole program that can be switched off, too.
OPTIONS = ("drafts", "eur", "zones", "days")
NAMES = (*STEPS, *OPTIONS)
LAST = [["jobs"], ["next"], ["jobs"]]


def charges() -> list[Charge]:
    """The prices that each program begins with; peak has none."""
    return [
        Charge("A", "calls", Terms("0.5", quota="100")),
        Charge("A", "jobs", Terms("1.25", batch="3", model="package")),
        Charge("B", "calls", Terms("2")),
        Charge("B", "peak", Terms("0.5", quota="10", currency="EUR")),
    ]


def on_a_draft(draw: Draw, without: set[str]) -> list[list]:
    """What finance does with the draft that a job has left, before it posts it."""
    made = []
    for name, chance in (("change", 0.3), ("drop", 0.1), ("delete", 0.1)):
        if name not in without and draw.random() < chance:
            made.append(STEPS[name][1](draw))
    return [*made, ["post", 0]] if draw.random() < 0.7 else made


def program(
    seed: int,
    without: Iterable[str] = (),
    steps: int = 12,
    often: Iterable[str] = (),
) -> dict:
    """Make a program.

    :param without: of NAMES
    :param often: those that are to come several times as often
    :param steps: how many at most, beside the first and the last ones
    """
    without, draw = set(without), Draw(seed)
    if unknown := without - set(NAMES):
        raise ValueError(f"there is no {', '.join(sorted(unknown))}: {NAMES}")

    def option(name: str, *values: str):
        chosen = draw.choice(values)
        return values[0] if name in without else chosen

    day = option("days", "2026-01-01", "2026-01-01", "2026-01-15", "2026-01-31")
    config = {
        "start": day,
        "now": f"{day}T08:00:00",
        "zone": option("zones", "UTC", "UTC", *ZONES),
        "posting": option("drafts", "post", "post", "draft"),
        "currency": option("eur", "USD", "USD", "EUR"),
    }
    drafts = config["posting"] == "draft"
    names = [name for name in STEPS if name not in without]
    weights = [
        STEPS[name][0]
        * (4 if drafts and name in IN_DRAFTS else 1)
        * (3 if name in often else 1)
        for name in names
    ]
    made = [["jobs"], *([["post", 0]] if drafts else []), draw.usage()]
    if draw.random() < 0.6:  # most begin with a window that has usage, and is billed
        made += [draw.usage(), *steps_of(draw, "next", without, drafts)]
    for name in draw.choices(names, weights, k=draw.randint(steps // 2, steps)):
        made += steps_of(draw, name, without, drafts)
    return {"seed": seed, "config": config, "steps": made + LAST}


def steps_of(draw: Draw, name: str, without: set[str], drafts: bool) -> list[list]:
    """A step, and what mostly follows it."""
    made = [STEPS[name][1](draw)]
    if name == "next":
        made.append(["jobs"])
        if drafts:
            made += on_a_draft(draw, without)
    later = LATER.get(name)
    if later and later not in without and draw.random() < 0.5:
        between = draw.choice(("wait", "next", "usage", "wait"))
        made += steps_of(draw, between, without, drafts)
        made.append(STEPS[later][1](draw))
    return made
