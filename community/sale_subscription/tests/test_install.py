import os
import tempfile
from pathlib import Path
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import TransactionCase, tagged

import odoo.addons
from odoo.addons.sale_subscription import hooks


@tagged("post_install", "-at_install")
class TestInstall(TransactionCase):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name).resolve()

    def _other_module(self):
        folder = self.path / "sale_subscription"
        folder.mkdir()
        (folder / "__manifest__.py").write_text("{}", encoding="utf-8")
        return folder

    def test_refuses_beside_another_one(self):
        folder = self._other_module()
        paths = [*odoo.addons.__path__, str(self.path)]
        with patch.object(odoo.addons, "__path__", paths):
            with self.assertRaisesRegex(UserError, str(folder)):
                hooks.pre_init_hook(self.env)

    def test_installs_alone(self):
        hooks.pre_init_hook(self.env)

    def test_link_to_itself_is_not_another_one(self):
        os.symlink(hooks.OWN_FOLDER, self.path / "sale_subscription")
        self.assertEqual(hooks.other_copies([str(self.path)]), [])

    def test_folder_without_a_manifest_is_not_a_module(self):
        (self.path / "sale_subscription").mkdir()
        self.assertEqual(hooks.other_copies([str(self.path)]), [])

    def test_module_record_is_ours(self):
        """Community's base ships a record that calls the name an Enterprise app."""
        module = self.env.ref("base.module_sale_subscription")
        self.assertEqual(module.state, "installed")
        self.assertEqual(module.license, "LGPL-3")
        self.assertFalse(module.to_buy)
