"""The examples are tested with the versions that they tell their users to install."""

import json
import unittest

from .. import clients
from ..settings import REPO


class TestPins(unittest.TestCase):
    folder = REPO / clients.RECEIVERS

    def test_python_receiver(self):
        wanted = (self.folder / "python/requirements.txt").read_text().split()
        tested = clients.REQUIREMENTS.read_text().splitlines()
        self.assertTrue(wanted)
        self.assertLessEqual({*wanted}, {*tested})

    def test_node_receiver(self):
        """Each package has a hash, and none says where it comes from: that is the
        machine's business."""
        lock = json.loads((self.folder / "node/package-lock.json").read_text())
        packages = {name: p for name, p in lock["packages"].items() if name}
        self.assertIn("node_modules/standardwebhooks", packages)
        for name, package in packages.items():
            with self.subTest(name):
                self.assertTrue(package["integrity"].startswith("sha512-"))
                self.assertNotIn("resolved", package)
        manifest = json.loads((self.folder / "node/package.json").read_text())
        for name, version in manifest["dependencies"].items():
            self.assertEqual(packages[f"node_modules/{name}"]["version"], version)
