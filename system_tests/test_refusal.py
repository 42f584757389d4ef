"""Beside another module of the same name, Enterprise's say, ours stays away."""

import tempfile
from pathlib import Path

from provisioning.errors import ProvisioningError

from .common import MODULE, SystemCase

# stands in for any other edition
MANIFEST = {
    "name": "Another edition",
    "author": "Somebody else",
    "version": "19.0.7.7.7",
    "license": "LGPL-3",
    "depends": ["sale_management"],
}


class TestRefusal(SystemCase):
    seconds = 15

    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.other = Path(folder.name).resolve()
        module = self.other / MODULE
        module.mkdir()
        (module / "__init__.py").touch()
        (module / "__manifest__.py").write_text(repr(MANIFEST), encoding="utf-8")
        self.ours = self.workspace.addons.modules[MODULE].parent
        # Odoo may run as another user than the one who owns this folder
        self.other.chmod(0o755)

    def conf(self, name, *ours_and_other):
        folders = [f for f in self.workspace.addons.folders if f != self.ours]
        path = ",".join(map(str, [*folders, *ours_and_other]))
        return self.workspace.write_conf(f"refusal-{name}", {"addons_path": path})

    def state(self, database):
        return self.rows(
            database,
            "SELECT state, author, latest_version FROM ir_module_module"
            f" WHERE name = '{MODULE}'",
        )

    def tables(self, database):
        return self.value(
            database,
            "SELECT count(*) FROM information_schema.tables"
            " WHERE table_name LIKE 'sale_subscription%'",
        )

    def test_ours_first_refuses(self):
        database = self.copy_database("ours", self.workspace.template([MODULE]))
        log = "system-TestRefusal-ours"
        with self.assertRaises(ProvisioningError) as caught:
            self.workspace.run_odoo(
                *("server", "-d", database, "-i", MODULE),
                *("--stop-after-init", "--no-http"),
                what="Installing ours",
                log=log,
                conf=self.conf("ours", self.ours, self.other),
            )
        self.assertRegex(caught.exception.what, r"exit code [1-9]")
        text = (self.workspace.logs / f"{log}.log").read_text(encoding="utf-8")
        self.assertIn(
            "Another module named sale_subscription is on the addons path:"
            f" {self.other / MODULE}.",
            text,
        )
        self.assertIn(f"Remove the folder {self.ours} from the addons path", text)
        self.assertNotEqual(self.state(database)[0][0], "installed")
        self.assertEqual(self.tables(database), "0")

    def test_the_other_first_is_what_gets_installed(self):
        database = self.copy_database("other", self.workspace.template([MODULE]))
        conf = self.conf("other", self.other, self.ours)
        output = self.odoo(database, "-i", MODULE, conf=conf)
        self.assertIn(f"Loading module {MODULE}", output)
        self.assertEqual(
            self.state(database), [("installed", "Somebody else", "19.0.7.7.7")]
        )
        self.assertEqual(self.tables(database), "0")
