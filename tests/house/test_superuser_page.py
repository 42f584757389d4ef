import re
from pathlib import Path

from odoo.tests import BaseCase, tagged
from odoo.tools import file_path

SUPERUSER = re.compile(r"\bsudo\(|_api_env\(|\bSUPERUSER_ID\b")
FOLDERS = ("controllers", "models", "wizards", "community/sale_subscription")


@tagged("post_install", "-at_install")
class TestSuperuserPage(BaseCase):
    def test_every_place_was_looked_at(self):
        """Who uses the superuser's rights in another file says why, for all to read."""
        root = Path(file_path("fusion_centralized_billing/__manifest__.py")).parent
        page = root / "docs/decisions/0034-superuser-writes.md"
        told = {*re.findall(r"`([a-z_/]+\.py)`", page.read_text(encoding="utf-8"))}
        used = set()
        for folder in FOLDERS:
            for path in sorted((root / folder).rglob("*.py")):
                name = path.relative_to(root).as_posix()
                if {"tests", "migrations"} & {*path.parts}:
                    continue  # an update has no caller
                if SUPERUSER.search(path.read_text(encoding="utf-8")):
                    used.add(name)
        self.assertGreater(len(used), 50)
        self.assertEqual(used - told, set(), "not in docs/decisions/0034")
        missing = {name for name in told if not (root / name).exists()}
        self.assertEqual(missing, set(), "no such file")
