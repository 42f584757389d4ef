"""What the tests share that play programs on rating: a database, and the executor."""

from __future__ import annotations

import json
import socket
import subprocess
import tempfile
from datetime import datetime
from pathlib import Path

from .api import ADDON
from .common import SystemCase


class PropertyCase(SystemCase):
    """A world of two subscriptions: see scripts/make_property_world.py."""

    database: str

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        source, _none = cls.shared_database("property", cls.make_world)
        cls.database = cls.copy_database("world", source)

    @classmethod
    def make_world(cls, database: str) -> None:
        cls.odoo(database, "-i", ADDON)
        cls.script(database, "make_property_world.py", at=datetime(2026, 1, 1))

    def start_executor(self) -> Path:
        """Start scripts/property_executor.py; returns the path of its socket."""
        folder = tempfile.TemporaryDirectory()  # the path of a socket must be short
        self.addCleanup(folder.cleanup)
        path = Path(folder.name) / "executor"
        executor = self.start_script(
            self.database,
            "property_executor.py",
            {"socket": str(path)},
            None,
            "executor",
        )
        self.wait_for(lambda: _answers(path), [executor])
        return path

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

    @staticmethod
    def converse(path: Path, questions: list) -> list:
        """Ask an executor one question after the other; returns its answers."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
            stream = connection.makefile("rw", encoding="utf-8")
            answers = []
            for question in questions:
                stream.write(f"{json.dumps(question)}\n")
                stream.flush()
                answers.append(json.loads(stream.readline()))
            return answers


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return path.exists() and not probe.connect_ex(str(path))
