"""The examples are tested with the versions that they tell their users to install."""

import json
import unittest

from .. import clients
from ..settings import REPO


class TestPins(unittest.TestCase):
    folder = REPO / clients.RECEIVERS

    def test_python_receiver(self):
        wanted = self.pins(self.folder / "python/requirements.txt")
        self.assertIn("standardwebhooks==1.1.0", wanted)
        self.assertLessEqual(wanted, self.pins(clients.REQUIREMENTS))

    def pins(self, path):
        lines = path.read_text(encoding="utf-8").splitlines()
        return {line.rstrip(" \\") for line in lines if "==" in line}

    def test_python_packages(self):
        """Each has hashes, and none says where it comes from, either."""
        paths = [
            *REPO.glob("*/requirements*.txt"),
            *REPO.glob("*/*/*/requirements.txt"),
        ]
        self.assertGreaterEqual(len(paths), 7)
        for path in paths:
            text = path.read_text(encoding="utf-8")
            with self.subTest(path=path):
                self.assertNotRegex(text, r"https?:|-index|find-links")
                for entry in text.replace("\\\n", "").splitlines():
                    if entry and not entry.startswith("#"):
                        self.assertRegex(entry, r"==\S+ .*--hash=sha256:[0-9a-f]{64}")

    def test_python_packages_are_those_asked_for(self):
        for path in REPO.rglob("requirements*.in"):
            asked = self.pins(path)
            pinned = self.pins(path.with_suffix(".txt"))
            names = {pin.replace("_", "-").replace(" ", "").lower() for pin in pinned}
            for pin in asked:
                version = pin.split(";")[0].replace("_", "-").strip().lower()
                with self.subTest(path=path, pin=pin):
                    self.assertTrue(any(name.startswith(version) for name in names))

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
