"""Random programs of usage, invoices, credits, price changes and crashes.

After each step the database and a model in plain Python come to the same; at the end of
each program, benchmarks/oracle.py and the audit find nothing either. More programs than
in a usual run: FCB_PROPERTY_EXAMPLES, and others: FCB_PROPERTY_SEED.
"""

from __future__ import annotations

import os
import subprocess

from provisioning import python_env
from provisioning.lock import exclusive
from provisioning.process import clean_env
from provisioning.settings import HERE

from .property_case import PropertyCase

# hypothesis comes with schemathesis
REQUIREMENTS = HERE / "requirements-openapi.txt"
EXAMPLES = "50"
SEED = "20260101"


class TestProperty(PropertyCase):
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

    def test_model_and_database_come_to_the_same(self):
        done = subprocess.run(
            [
                *(self.python, "-m", "system_tests.scripts.property_driver"),
                self.start_executor(),
                *("--examples", os.environ.get("FCB_PROPERTY_EXAMPLES", EXAMPLES)),
                *("--seed", os.environ.get("FCB_PROPERTY_SEED", SEED)),
            ],
            cwd=self.workspace.repo,
            env=clean_env(PYTHONDONTWRITEBYTECODE="1"),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(done.returncode, 0, f"{done.stdout}\n{done.stderr}")
