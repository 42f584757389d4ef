"""Random programs, played on a database and on the model, compared after each step.

Runs in an environment with hypothesis, beside property_executor.py:

    python -m system_tests.scripts.property_driver SOCKET --examples 150 --seed 1

Prints how much was compared. On a difference it prints the shortest program that shows
it, and what differs; exit code 1. A program is a list of lists, so hypothesis can leave
out steps and make numbers smaller; each step names what it is about by position.
"""

from __future__ import annotations

import argparse
import collections
import json
import socket
import sys
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from system_tests.property_model import Difference, Model

SUBS = ("a", "b")
METRICS = ("calls", "jobs", "peak", "level", "users", "free")
QUANTITIES = ("1", "7", "0", "40.5", "99.99", "150", "1000.0000000001")
PRICES = (
    {"model": "standard", "quota": "0.0", "price": "2.0", "batch": "1.0"},
    {"model": "standard", "quota": "50.0", "price": "0.125", "batch": "1.0"},
    {"model": "package", "quota": "10.0", "price": "5.0", "batch": "100.0"},
    {"model": "standard", "quota": "0.0", "price": "0.0", "batch": "1.0"},
    {
        **{"model": "graduated", "quota": "1.0", "price": "0", "batch": "1"},
        "tiers": [["40", "0.1", "0"], ["150", "0.055", "2"], [None, "0.01", "0.5"]],
    },
    {
        **{"model": "volume", "quota": "0", "price": "0", "batch": "10"},
        "tiers": [["40.5", "1", "0"], [None, "0.333", "4"]],
    },
    {"model": "standard", "quota": "5", "price": "1", "batch": "1", "minimum": "12.34"},
)

subs = st.sampled_from((*SUBS, "a"))
metrics = st.sampled_from(("calls", "calls", "calls", "calls", *METRICS))
index = st.integers(0, 3)  # of the invoices, the latest first
# (months back, place in that month): -1 is a second before it, 0 its first instant
when = st.tuples(st.integers(0, 4), st.sampled_from((300, 0, -1, 999, 600)))
ahead = st.tuples(st.just(-1), st.sampled_from((3, 23, 24, 25)))  # hours from now on
event = st.tuples(
    subs,
    metrics,
    st.integers(0, 3),  # idempotency key
    st.sampled_from(QUANTITIES),
    st.one_of(when, when, when, ahead),
    st.integers(0, 2),  # unique key
)
usage = st.tuples(
    st.just("usage"),
    st.lists(event, min_size=1, max_size=4),
    st.sampled_from((False, False, True)),
)
void = st.tuples(st.just("void"), subs, metrics, st.integers(0, 3).map(str))
month = st.tuples(st.just("month"))  # on to the next period, which is invoiced


def weighted(*choices: tuple[int, st.SearchStrategy]) -> st.SearchStrategy:
    """One of these, as often as it is said; hypothesis takes each but once."""
    places = [
        place for place, (times, _what) in enumerate(choices) for _n in range(times)
    ]
    return st.sampled_from(places).flatmap(lambda place: choices[place][1])


plain = weighted(
    (12, usage),
    (7, month),
    (3, void),
    (2, st.tuples(st.just("rate"))),
    (1, st.tuples(st.just("invoice"))),
    (2, st.tuples(st.just("wait"), st.sampled_from((6, 24, 240, 24 * 45)))),
    (3, st.tuples(st.sampled_from(("draft", "draft", "extra")), subs)),
    (
        6,
        st.tuples(
            st.sampled_from(("post", "cancel", "reset", "delete", "drop")), index
        ),
    ),
    (
        4,
        st.tuples(
            st.just("credit"),
            index,
            st.sampled_from((True, True, False)),
            st.sampled_from((False, True)),
        ),
    ),
    (
        2,
        st.tuples(
            st.just("price"),
            metrics.filter(lambda metric: metric != "free"),
            st.sampled_from(PRICES),
        ),
    ),
    (2, st.tuples(st.sampled_from(("pause", "resume", "resume", "close")), subs)),
    (1, st.tuples(st.just("replay"))),
)
POSSIBLE = {
    "post": ("draft",),
    "cancel": ("draft", "posted"),
    "reset": ("posted", "cancel"),
    "delete": ("draft", "cancel"),
    "drop": ("draft",),
    "credit": ("posted",),
}


# What most programs begin with: a window that has usage, and is invoiced.
BILLED = [
    (None, ("usage", [("a", "calls", 0, "150", (0, 300), 0)], False)),
    (None, ("month",)),
]


def programs(points: list[str], steps: int) -> st.SearchStrategy:
    crash = weighted((9, st.none()), (1, st.sampled_from(points)))
    # Lists of lists: hypothesis makes long ones of them, and still leaves out steps
    # one by one when it looks for the shortest.
    step = st.tuples(crash, plain)
    parts = st.lists(st.lists(step, max_size=8), max_size=steps // 4)
    return st.tuples(st.sampled_from(([], BILLED, BILLED)), parts).map(
        lambda program: program[0] + [step for part in program[1] for step in part]
    )


class Player:
    """One database that programs are played on."""

    def __init__(self, path: str):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.stream = self.socket.makefile("rw", encoding="utf-8")
        self.counts: collections.Counter = collections.Counter()
        self.world = self.ask("begin")

    def ask(self, question):
        self.stream.write(json.dumps(question) + "\n")
        self.stream.flush()
        line = self.stream.readline()
        if not line:
            raise ConnectionError("the executor is gone: see its log")
        return json.loads(line)

    def play(self, program: list) -> None:
        """Play one program from the beginning.

        :raises Difference: model and database do not come to the same
        """
        self.begin()
        for crash, step in program:
            for concrete in self.concrete(*step):
                self.step(crash, concrete)
        if found := self.ask("verdict"):
            self.differ("\n".join(["audit and oracle say:", *found]))
        self.counts["programs"] += 1

    def begin(self) -> None:
        self.model, self.last, self.played = Model(self.ask("begin")), None, []
        self.answer = {"state": {"moves": [["posted", {}, "out_invoice"]] * len(SUBS)}}

    def step(self, crash, step) -> None:
        self.played.append([crash, *step])
        self.answer = self.ask([crash, *step])
        self.counts["crashed" if self.answer["crashed"] else step[0]] += 1
        if self.answer["refused"]:
            self.counts["refused"] += 1
        if step[0] in ("usage", "void", "invoice", "rate"):
            self.last = step
        try:
            self.model.follow(step, self.answer)
            compare(self.model.expected(), self.answer["state"])
        except Difference as difference:
            self.differ(difference)

    def differ(self, what) -> None:
        text = "\n".join(json.dumps(step) for step in self.played)
        raise Difference(f"{text}\n{what}") from None

    # -- from positions to what is there -----------------------------------------

    def concrete(self, name, *args):
        """The steps as the executor takes them; none where there is nothing to do."""
        if name == "usage":
            events, atomic = args
            yield [name, [self.event(*event) for event in events], atomic]
        elif name == "month":
            moment = min(datetime.fromisoformat(d["next"]) for d in self.running())
            hours = int((moment - self.model.now) / timedelta(hours=1)) + 1
            yield ["wait", max(hours, 0)]
            yield ["invoice"]
        elif name == "replay":
            if self.last:
                yield self.last
        elif name in POSSIBLE:
            moves = self.answer["state"]["moves"]
            possible = [
                number
                for number, (state, _amounts, kind) in enumerate(moves)
                if state in POSSIBLE[name]
                and (name != "credit" or kind == "out_invoice")
            ]
            if possible:
                yield [name, possible[-1 - args[0] % len(possible)], *args[1:]]
        else:
            yield [name, *args]

    def running(self):
        dates = self.model.subs.values()
        return [d for d in dates if d["state"] == "3_progress"] or list(dates)

    def event(self, sub, metric, key, quantity, moment, unique):
        months, part = moment
        now = self.model.now
        if months < 0:
            start = now + timedelta(hours=part)
        else:
            index = now.year * 12 + now.month - 1 - months
            first = self.model.midnight(f"{index // 12}-{index % 12 + 1:02}-01")
            # of a month in part: 27 days, in thousandths
            start = first + timedelta(seconds=part if part < 0 else part * 2333)
        unique = f"user-{unique}" if metric == "users" else None
        return [sub, metric, str(key), quantity, start.isoformat(), unique]


def compare(expected: dict, real: dict) -> None:
    """:raises Difference: naming each place where these differ"""
    real = {
        "ledger": {
            key: values
            for key, texts in real["ledger"].items()
            if any(values := [Decimal(text) for text in texts])
        },
        "lines": {
            k: Decimal(text) for k, text in real["lines"].items() if Decimal(text)
        },
        "flags": real["flags"],
        "moves": [
            [state, {m: Decimal(text) for m, text in amounts.items() if Decimal(text)}]
            for state, amounts, _kind in real["moves"]
        ],
    }
    for part in ("ledger", "lines", "flags"):
        for key in sorted({*expected[part], *real[part]}):
            must, have = expected[part].get(key), real[part].get(key)
            if must != have:
                raise Difference(f"{part} {key}: must be {must}, is {have}")
    if expected["moves"] != real["moves"]:
        raise Difference(f"invoices must be {expected['moves']}, are {real['moves']}")


def run(player: Player, examples: int, number: int, steps: int, shrink: bool) -> None:
    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
        report_multiple_bugs=False,
    )
    @given(programs(player.world["points"], steps))
    def plays(program):
        player.play(program)

    plays()


def replay(player: Player, path: Path) -> None:
    player.begin()
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            crash, *step = json.loads(line)
            player.step(crash, step)
            print(line, "->", player.answer["refused"] or player.answer["trace"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("socket")
    parser.add_argument("--examples", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=32, help="in a long program")
    parser.add_argument(
        "--no-shrink", action="store_true", help="print the first that shows it"
    )
    parser.add_argument(
        "--replay",
        help="a file with a program as it is printed; nothing else is played",
    )
    options = parser.parse_args()
    player = Player(options.socket)
    try:
        if options.replay:
            replay(player, Path(options.replay))
        else:
            run(
                *(player, options.examples, options.seed, options.steps),
                not options.no_shrink,
            )
    except Difference as difference:
        print(f"seed {options.seed}\n{difference}")
        return 1
    finally:
        print(json.dumps(dict(sorted(player.counts.items()))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
