"""The one exception for failures a user can do something about."""

from __future__ import annotations

from pathlib import Path


class ProvisioningError(Exception):
    """An expected failure.

    :param what: what failed, in one sentence
    :param hint: what the user can do about it
    :param log: file that holds the details; its last lines are shown
    """

    def __init__(self, what: str, hint: str = "", log: Path | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint
        self.log = log

    def render(self, tail: int = 25) -> str:
        """Text for the terminal: what failed, the log's end, what to do."""
        lines = [f"FAILED: {self.what}"]
        if self.log and self.log.exists():
            text = self.log.read_text(encoding="utf-8", errors="replace")
            lines += [f"    | {line}" for line in text.splitlines()[-tail:]]
            lines.append(f"    (all of it: {self.log})")
        if self.hint:
            lines.append(f"WHAT TO DO: {self.hint}")
        return "\n".join(lines)
