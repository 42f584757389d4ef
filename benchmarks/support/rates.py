"""Rates measured side by side: how many times one is another, and the goal."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Comparison:
    """One side against another: the median of the rounds' own ratios.

    :param ours: one value for each round
    :param other: likewise; both of a round were measured one right after the other
    :param at_least: the ratio that is the goal; or
    :param at_most: where less is better: a goal for the ratio of the medians
    """

    name: str
    against: str
    ours: list[float]
    other: list[float]
    at_least: float | None = None
    at_most: float | None = None

    @property
    def ratios(self) -> list[float]:
        return [a / b for a, b in zip(self.ours, self.other, strict=True)]

    @property
    def value(self) -> float:
        if self.at_most is not None:
            return median(self.ours) / median(self.other)
        return median(self.ratios)

    @property
    def met(self) -> bool:
        if self.at_least is not None:
            return self.value >= self.at_least
        return self.at_most is None or self.value <= self.at_most

    @property
    def goal(self) -> str:
        if self.at_least is not None:
            return f"at least {self.at_least:g}"
        return f"at most {self.at_most:g}"

    def text(self, unit: str) -> str:
        low, high = min(self.ratios), max(self.ratios)
        return (
            f"  {self.name}: {median(self.ours):,.5g} {unit}; {self.value:.3g} times"
            f" {self.against} ({median(self.other):,.5g};"
            f" rounds {low:.3g} to {high:.3g}); goal {self.goal}:"
            f" {'met' if self.met else 'NOT met'}"
        )

    def as_dict(self) -> dict:
        return {
            "name": self.name,
            "against": self.against,
            "ours": median(self.ours),
            "other": median(self.other),
            "ratio": round(self.value, 4),
            "lowest": round(min(self.ratios), 4),
            "highest": round(max(self.ratios), 4),
            "rounds": len(self.ours),
            "goal": self.goal,
            "met": self.met,
        }
