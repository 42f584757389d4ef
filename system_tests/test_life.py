"""Random programs of the whole life of a subscription, played on Odoo and on a model.

After each step both have charged the same for each window; at the end of each program
the audit and benchmarks/oracle.py find nothing. More programs than in a usual run:
FCB_LIFE_COUNT, others: FCB_LIFE_SEED, or `python3 -m system_tests.life`.
"""

from __future__ import annotations

import json
import os

from .common import SCRIPTS, SystemCase
from .life.__main__ import MODULES

COUNT = "60"
SEED = "1"
# Programs whose independent steps are played in several orders.
ORDERS = 8


class TestLife(SystemCase):
    seconds = 60

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.database = cls.copy_database("world")
        cls.odoo(cls.database, "-i", ",".join(MODULES))
        cls.script(cls.database, "make_life_world.py")

    def play(self, **args) -> dict:
        """Play programs; fails with what is printed of those that differ."""
        output = self.workspace.run_script(
            self.database,
            SCRIPTS / "life_executor.py",
            args,
            name=f"system-{type(self).__name__}",
        )
        counts = json.loads(output.strip().splitlines()[-1])
        self.assertEqual(counts["failed"], 0, output)
        return counts

    def test_model_and_odoo_come_to_the_same(self):
        count = int(os.environ.get("FCB_LIFE_COUNT", COUNT))
        seed = int(os.environ.get("FCB_LIFE_SEED", SEED))
        counts = self.play(count=count, seed=seed)
        self.assertEqual(counts["programs"], count)

    def test_the_order_of_independent_steps_changes_nothing(self):
        counts = self.play(count=ORDERS, seed=1001, orders=3)
        self.assertEqual(counts["orders"], 3 * ORDERS)
