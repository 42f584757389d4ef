"""Medians and ratios of what was measured side by side."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median


@dataclass
class Samples:
    """What one side took for each slice, for one subscription, in order."""

    milliseconds: list[float] = field(default_factory=list)
    cpu_milliseconds: list[float] = field(default_factory=list)
    queries: list[float] = field(default_factory=list)

    def add(self, count: int, spent: dict) -> None:
        """Note what `count` subscriptions took together."""
        self.milliseconds.append(1000 * spent["seconds"] / count)
        self.cpu_milliseconds.append(1000 * spent["cpu_seconds"] / count)
        self.queries.append(spent["queries"] / count)

    def medians(self) -> dict[str, float]:
        return {name: median(values) for name, values in vars(self).items()}


@dataclass(frozen=True)
class Ratio:
    """One side against another: the median of the slices' own ratios.

    Both sides of a slice were measured one right after the other, so what else the
    machine was doing then is in both.
    """

    name: str
    ours: Samples
    other: Samples
    goal: float | None = None

    def of(self, what: str) -> float:
        pairs = zip(getattr(self.ours, what), getattr(self.other, what), strict=True)
        return median(mine / theirs for mine, theirs in pairs)

    @property
    def value(self) -> float:
        return self.of("milliseconds")

    @property
    def spread(self) -> tuple[float, float]:
        pairs = zip(self.ours.milliseconds, self.other.milliseconds, strict=True)
        ratios = [mine / theirs for mine, theirs in pairs]
        return min(ratios), max(ratios)

    @property
    def met(self) -> bool | None:
        return None if self.goal is None else self.value <= self.goal

    def as_dict(self) -> dict:
        return {
            "against": self.name,
            "ratio": round(self.value, 3),
            "lowest": round(self.spread[0], 3),
            "highest": round(self.spread[1], 3),
            "cpu_ratio": round(self.of("cpu_milliseconds"), 3),
            "goal": self.goal,
            "met": self.met,
        }


def table(sides: dict[str, Samples]) -> list[str]:
    """One line for each side, medians for one subscription."""
    width = max(map(len, sides))
    lines = [f"  {'':{width}}  {'ms':>8}  {'CPU ms':>8}  {'queries':>8}"]
    for name, samples in sides.items():
        found = samples.medians()
        lines.append(
            f"  {name:{width}}  {found['milliseconds']:8.1f}"
            f"  {found['cpu_milliseconds']:8.1f}  {found['queries']:8.1f}"
        )
    return lines


def describe(ratio: Ratio) -> str:
    low, high = ratio.spread
    text = (
        f"  {ratio.value:.2f} times {ratio.name} (slices {low:.2f} to {high:.2f};"
        f" CPU {ratio.of('cpu_milliseconds'):.2f})"
    )
    if ratio.goal is None:
        return text
    verdict = "met" if ratio.met else "NOT met"
    return f"{text}; goal at most {ratio.goal:.2f}: {verdict}"
