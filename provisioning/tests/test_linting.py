"""Our own lint: no package registry and no machine's path in the tree."""

import re
import tempfile
import unittest
from pathlib import Path

from .. import chromium, linting, python_env
from ..settings import REPO


class TestNames(unittest.TestCase):
    def findings(self, text):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "file.md"
            path.write_text(text)
            return linting.find_names(Path(folder), [path])

    def test_found(self):
        for text in (
            "see https://py" + "pi.org/project/x",
            "deb http://deb" + ".debian.org/debian sid main",
            "cd /home/somebody/checkout",
            "in /root/.cache",
        ):
            with self.subTest(text=text):
                self.assertEqual(len(self.findings(text)), 1)

    def test_not_found(self):
        for text in (
            "git clone https://github.com/odoo/odoo",
            "/api/billing/v1/home/x",
            "homework/root",
            "/usr/share/keyrings/debian-archive-keyring.gpg",
        ):
            with self.subTest(text=text):
                self.assertEqual(self.findings(text), [])


class TestBrowserTag(unittest.TestCase):
    TAGGED = """
@tagged("post_install", "fcb_browser")
class TestTour(HttpCase):
    def test_it(self):
        self.start_tour("/odoo", "x")
"""

    def test_classes(self):
        self.check("tests/test_tour.py")

    def test_classes_of_a_package_of_tests(self):
        """They would be neither left out by --no-browser nor given a browser."""
        self.check("tests/shop/test_tour.py")

    def check(self, name):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            path.parent.mkdir(parents=True)
            path.write_text(self.TAGGED)
            self.assertEqual(
                chromium.browser_tests([Path(folder)]), ["test_tour.py::TestTour"]
            )
            self.assertEqual(chromium.untagged_browser_tests([Path(folder)]), [])
            path.write_text(self.TAGGED.replace("fcb_browser", "other"))
            self.assertEqual(chromium.browser_tests([Path(folder)]), [])
            (found,) = chromium.untagged_browser_tests([Path(folder)])
            self.assertIn("TestTour", found)


class TestPreCommit(unittest.TestCase):
    """What runs on a commit finds what `./fcb lint` finds."""

    def test_versions(self):
        hooks = (REPO / ".pre-commit-config.yaml").read_text(encoding="utf-8")
        used = dict(re.findall(r"/([\w-]+)\n    rev: v(\S+)", hooks))
        pins = python_env.LINT_REQUIREMENTS.with_suffix(".in").read_text("utf-8")
        pinned = dict(line.split("==") for line in pins.split())
        self.assertEqual(used["ruff-pre-commit"], pinned["ruff"])
        self.assertEqual(used["pylint-odoo"], pinned["pylint-odoo"])
