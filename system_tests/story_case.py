"""What the tests share that play a story on rating: a database, and the oracle."""

from __future__ import annotations

import subprocess
from datetime import datetime

from .api import ADDON
from .common import SystemCase


class StoryCase(SystemCase):
    """A world of two subscriptions: see scripts/make_story_world.py."""

    database: str

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        source, _none = cls.shared_database("story", cls.make_world)
        cls.database = cls.copy_database("world", source)

    @classmethod
    def make_world(cls, database: str) -> None:
        cls.odoo(database, "-i", ADDON)
        cls.script(database, "make_story_world.py", at=datetime(2026, 1, 1))

    def play(self, *steps: list, at: str = "2026-01-10T12:00:00") -> None:
        """Play a story and commit it: see scripts/play_story.py."""
        self.script(self.database, "play_story.py", {"at": at, "steps": steps})

    def oracle(self, database: str, code: int = 0) -> list[str]:
        """What benchmarks/oracle.py prints, line by line.

        :param int code: what it must end with
        """
        done = subprocess.run(
            [
                self.workspace.python,
                self.workspace.repo / "benchmarks" / "oracle.py",
                database,
            ],
            env=self.workspace.env(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual((done.returncode, done.stderr), (code, ""), done.stdout)
        return done.stdout.splitlines()
