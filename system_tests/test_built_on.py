"""Modules of others: they install beside the drop-in, and what they override counts.

Those of addons/ override, inherit and declare what open modules do. Each has tests of
what it does; they run here, with all of the modules in one database.
"""

import contextlib
from pathlib import Path

from provisioning.addons import modules_in
from provisioning.errors import ProvisioningError
from provisioning.odoo_log import judge
from provisioning.server import free_port

from .common import SystemCase

ADDONS = Path(__file__).with_name("addons")


class TestBuiltOn(SystemCase):
    seconds = 50

    def test_overrides_count(self):
        database = self.copy_database("all")
        modules = sorted(modules_in(ADDONS))
        self.assertIn("subscription_names", modules)
        path = ",".join(map(str, [*self.workspace.addons.folders, ADDONS]))
        conf = self.workspace.write_conf("built-on", {"addons_path": path})
        self.addCleanup(conf.unlink)
        log = "system-TestBuiltOn"
        # judged by the log
        with contextlib.suppress(ProvisioningError):
            self.workspace.run_odoo(
                *("server", "-d", database, "-i", ",".join(modules)),
                *("--test-tags", ",".join(f"/{module}" for module in modules)),
                *("--http-port", str(free_port()), "--gevent-port", str(free_port())),
                *("--stop-after-init", "--log-level=info"),
                what=f"Tests of {', '.join(modules)}",
                log=log,
                conf=conf,
            )
        with (self.workspace.logs / f"{log}.log").open(encoding="utf-8") as lines:
            verdict = judge(lines)
        self.assertTrue(verdict.green, "\n".join(verdict.failures + verdict.problems))
        names = ", ".join(f"'{module}'" for module in modules)
        states = self.rows(
            database, f"SELECT state FROM ir_module_module WHERE name IN ({names})"
        )
        self.assertEqual(states, [("installed",)] * len(modules))
