"""Plays a program on the model and on Odoo, side by side, and shortens it.

What plays it on Odoo is given: an object with `begin`, `do`, `read` and `verdict`.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal

from .generator import charges
from .model import Model
from .orders import shuffled


class Difference(AssertionError):
    """Odoo did what the rules forbid, or did not do what they ask for."""


def totals(read: dict) -> dict:
    """What all documents charge for each window, and where each event is."""
    money = {
        key: str(sum(map(Decimal, sums)))
        for key, sums in read["money"].items()
        if sum(map(Decimal, sums))
    }
    return {"money": money, "flags": read["flags"]}


class Player:
    """
    :param executor: see scripts/life_executor.py
    :param ignore: parts that are not compared: money, moves, windows, flags, audit,
        oracle
    :param orders: in how many other orders each program is played
    """

    def __init__(self, executor, ignore=(), orders=0):
        self.executor, self.ignore, self.orders = executor, set(ignore), orders
        self.counts: Counter = Counter()

    def play(self, program: dict) -> None:
        """
        :raises Difference: model and Odoo do not come to the same
        """
        self.played: list = []
        model = Model(charges(), program["config"])
        self.executor.begin(program["config"])
        try:
            for step in program["steps"]:
                self.step(model, step)
            self.check_verdict(model)
            self.outcome = totals(self.executor.look(flags=True))
        finally:
            self.executor.end()
        self.counts["programs"] += 1

    def play_orders(self, program: dict, count: int) -> None:
        """Play a program, and then what is the same in so many other orders.

        :raises Difference: not all come to the same
        """
        self.play(program)
        steps, outcome = self.played, self.outcome
        for number in range(count):
            self.played = shuffled(steps, program["seed"] * 100 + number)
            now = datetime.fromisoformat(program["config"]["now"])
            self.executor.begin(program["config"])
            try:
                for name, *args in self.played:
                    if name == "rate" and args == [None]:
                        args = [now.isoformat()]
                    if refused := self.executor.do(now, [name, *args]):
                        raise Difference(
                            f"in another order {name} is refused: {refused}"
                        )
                    now = self.executor.now() + timedelta(minutes=1)
                found = totals(self.executor.look(flags=True))
            finally:
                self.executor.end()
            self.counts["orders"] += 1
            if found != outcome:
                raise Difference(f"in another order {found}, not {outcome}")

    def step(self, model: Model, step: list) -> None:
        concrete = model.prepare(step)
        if concrete is None:
            self.counts["passed over"] += 1
            return
        self.played.append(concrete)
        self.counts[step[0]] += 1
        must = model.refusal(concrete)
        refused = self.executor.do(model.now, concrete)
        if refused and must is False:
            raise Difference(f"refused: {refused}")
        if must and not refused:
            raise Difference("must be refused")
        model.apply(concrete, bool(refused))
        self.compare(model, flags=concrete[0] in ("jobs", "rate"))

    def compare(self, model: Model, flags: bool) -> None:
        real, must = self.executor.look(flags), model.expected()
        if flags:
            must["flags"] = model.flags()
        if "moves" not in self.ignore:
            self.compare_moves(must["moves"], [state for state, _k in real["moves"]])
        for move, (_state, kind) in zip(model.moves, real["moves"], strict=False):
            move.is_refund = move.kind == "invoice" and kind == "out_refund"
        if "windows" not in self.ignore and real["windows"] is not None:
            count = len(real["windows"])
            if real["windows"] != must["windows"][:count]:
                raise Difference(
                    f"windows must be {must['windows']}, are {real['windows']}"
                )
        for part in ("money", "flags") if flags else ("money",):
            if part in self.ignore:
                continue
            for key in sorted({*must[part], *real[part]}):
                if must[part].get(key) != real[part].get(key):
                    raise Difference(
                        f"{part} of {key} must be {must[part].get(key)}, is"
                        f" {real[part].get(key)}"
                    )

    def compare_moves(self, must: list, real: list) -> None:
        if must != real:
            raise Difference(f"documents must be {must}, are {real}")

    def check_verdict(self, model: Model) -> None:
        """The audit and the oracle are clean; or loud, where something is by hand."""
        if {"audit", "oracle"} <= {*self.ignore}:
            return
        found = self.executor.verdict()
        by_hand = model.has_charges_by_hand()
        must_tell = by_hand or model.has_forgotten()
        if "audit" not in self.ignore and bool(found["audit"]) != must_tell:
            raise Difference(f"the audit must tell {must_tell}: {found['audit']}")
        if "oracle" not in self.ignore and found["oracle"] and not by_hand:
            raise Difference(f"the oracle: {found['oracle']}")

    def differs(self, program: dict) -> Exception | None:
        self.counts["played"] += 1
        try:
            if self.orders:
                self.play_orders(program, self.orders)
            else:
                self.play(program)
        except Exception as error:
            return error
        return None

    # -- shortening ----------------------------------------------------------------

    def shorten(self, program: dict, error: Exception) -> tuple[dict, Exception]:
        """Leave out steps as long as it still differs, halves first."""
        steps = program["steps"]
        size = max(len(steps) // 2, 1)
        while size:
            place = 0
            while place < len(steps):
                fewer = steps[:place] + steps[place + size :]
                found = self.differs({**program, "steps": fewer})
                if found is not None and type(found) is type(error):
                    steps, error = fewer, found
                else:
                    place += size
            size //= 2
        return {**program, "steps": steps}, error

    def story(self, program: dict, error: Exception) -> str:
        """A program that differs, as it is printed: short, and made concrete."""
        self.differs(program)
        return "\n".join(
            [
                f"seed {program['seed']}: {json.dumps(program['config'])}",
                *(f"    {json.dumps(step)}" for step in self.played),
                f"  {type(error).__name__}: {error}",
                f"  again: --program '{json.dumps(program)}'",
            ]
        )
