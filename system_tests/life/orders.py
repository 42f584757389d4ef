"""The same program in another order, where the order must not matter.

Between two steps that move the life of a subscription, usage can come in any order and
in any requests, a void at any time after its event, and the rating job in between.
"""

from __future__ import annotations

import random

FREE = ("usage", "repeat", "void", "rate")
# What names a document by its number: another order makes others.
BY_NUMBER = (
    *("drafts", "post", "delete", "cancel", "reset", "change", "drop", "credit"),
    *("credit_part", "forgiven", "credit_beyond", "modify", "reversed", "debit"),
    *("duplicate", "finance"),
)


def shuffled(steps: list[list], seed: int) -> list[list]:
    """Another order of concrete steps.

    :param steps: as `Player.played` has them
    """
    draw, made, group = random.Random(seed), [], []
    for step in [*steps, None]:
        if step and step[0] in FREE and step[0] != "rate":
            group.append(step)
            continue
        made += _mixed(group, draw)
        group = []
        if step:
            made.append(step)
    return made


def _mixed(group: list[list], draw: random.Random) -> list[list]:
    """The same events and voids: each void after the event it is of."""
    units = []
    for step in group:
        if step[0] == "void":
            units.append(step)
        else:
            units += [["usage", [event]] for event in step[1]]
    draw.shuffle(units)
    sent, waiting, made = set(), [], []
    first = {unit[1][0][0] for unit in units if unit[0] == "usage"}
    for unit in units:
        if unit[0] == "void" and unit[1] in first and unit[1] not in sent:
            waiting.append(unit)
            continue
        made.append(unit)
        if unit[0] == "usage":
            key = unit[1][0][0]
            sent.add(key)
            made += [void for void in waiting if void[1] == key]
            waiting = [void for void in waiting if void[1] != key]
    return list(_in_requests(made, draw))


def _in_requests(units: list[list], draw: random.Random):
    """Some events in one request, and the rating job now and then."""
    request: list = []
    for unit in [*units, None]:
        joins = unit and unit[0] == "usage" and draw.random() < 0.5
        if request and not joins:
            yield ["usage", request]
            request = []
            if draw.random() < 0.3:
                yield ["rate", None]
        if unit and unit[0] == "usage":
            request = [*request, *unit[1]]
        elif unit:
            yield unit
