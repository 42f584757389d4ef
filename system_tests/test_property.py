"""Random programs of usage, invoices, credits, price changes and crashes.

After each step the database and a model in plain Python come to the same. More programs
than in a usual run: FCB_PROPERTY_EXAMPLES, and others: FCB_PROPERTY_SEED.
"""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
from datetime import datetime
from pathlib import Path

from provisioning import python_env
from provisioning.lock import exclusive
from provisioning.process import clean_env
from provisioning.settings import HERE

from .api import ADDON
from .common import SystemCase

# hypothesis comes with schemathesis
REQUIREMENTS = HERE / "requirements-openapi.txt"
EXAMPLES = 50
SEED = 20260101


class TestProperty(SystemCase):
    seconds = 90

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        workspace = cls.workspace
        with (
            exclusive(workspace.cache / "lock", workspace.progress, "provisioning"),
            workspace.phase("Property tests: packages") as phase,
        ):
            cls.python = python_env.get_venv(
                workspace.settings, REQUIREMENTS, phase, "openapi-packages"
            )
        cls.database = cls.copy_database("world")
        cls.odoo(cls.database, "-i", ADDON)
        cls.script(cls.database, "make_property_world.py", at=datetime(2026, 1, 1))

    def test_model_and_database_come_to_the_same(self):
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
        self.wait_for(lambda: self.answers(path), [executor])
        done = subprocess.run(
            [
                *(self.python, "-m", "system_tests.scripts.property_driver", path),
                *("--examples", os.environ.get("FCB_PROPERTY_EXAMPLES", str(EXAMPLES))),
                *("--seed", os.environ.get("FCB_PROPERTY_SEED", str(SEED))),
            ],
            cwd=self.workspace.repo,
            env=clean_env(PYTHONDONTWRITEBYTECODE="1"),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(done.returncode, 0, f"{done.stdout}\n{done.stderr}")

    @staticmethod
    def answers(path: Path) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            return path.exists() and not probe.connect_ex(str(path))
