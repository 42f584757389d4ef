"""docs/tutorial.md, command by command: what it says is printed is printed."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from pathlib import Path

from .common import SystemCase

# What a reader types himself: names, addresses, and the server in the background.
TYPED = ("export DB=", "export KEY=", "export PLAN=", "export PRODUCT=", "export FCB=")
SERVE = "./fcb serve -d $DB --no-cron"
APP = "/tmp/tutorial_app.py"
BLOCK = re.compile(r"^```(sh|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What the second block prints, for the reader to type.
TOLD = re.compile(r"\b(key|plan|product)(?:_id)? (fcb_[\w-]+|\d+)")
# The next block begins with what this one has set.
KEEP = (
    '\nexport -p > "$FCB_KEPT"; declare -p EVENT >> "$FCB_KEPT" 2>/dev/null || true\n'
)


def steps(page: str) -> list[tuple[str, list[str]]]:
    """(commands, what they print) of each block; the latter as lines."""
    found = []
    for kind, text in BLOCK.findall(page):
        if kind == "sh":
            found.append((text, []))
        else:
            found[-1][1].extend(text.splitlines())
    return found


def pattern(line: str) -> re.Pattern:
    """A line of the page, in which ``...`` stands for whatever there is."""
    return re.compile(r"\s*" + ".*".join(map(re.escape, line.strip().split("..."))))


class TestTutorial(SystemCase):
    """Nobody gives up in the first hour because the page was not true."""

    seconds = 70

    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory(dir=self.workspace.run_dir)
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.database = f"{self.prefix}testtutorial"
        self.addCleanup(self.workspace.drop_database, self.database)
        self.kept = self.folder / "kept"
        self.kept.touch()
        self.env = {**os.environ, "DB": self.database, "FCB_KEPT": str(self.kept)}

    def run_block(self, commands: str) -> str:
        """Run a block in the root of the checkout, after those before it."""
        lines = [line for line in commands.splitlines() if not line.startswith(TYPED)]
        text = "\n".join(lines).replace(APP, str(self.folder / "app.py"))
        script = f'set -eu\n. "$FCB_KEPT"\n{text}{KEEP}'
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.workspace.repo,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self.assertEqual(done.returncode, 0, f"{text}\n{done.stdout}")
        return done.stdout

    def serve(self) -> None:
        server = self.workspace.start_server(
            self.database, name=f"system-{type(self).__name__}-server"
        )
        self.addCleanup(server.stop)
        self.env["FCB"] = f"{server.url}/api/billing/v1"

    def check(self, output: str, expected: list[str]) -> None:
        """Each line of the page is printed, in its order."""
        printed = iter(output.splitlines())
        for line in expected:
            there = any(pattern(line).match(text) for text in printed)
            self.assertTrue(there, f"{line!r} is not printed, or not there:\n{output}")

    def test_the_page(self):
        page = (self.workspace.repo / "docs" / "tutorial.md").read_text("utf-8")
        found = steps(page)
        self.assertGreater(len(found), 10)
        self.assertEqual(page.count("```") // 2, len(BLOCK.findall(page)))
        for commands, expected in found:
            output = self.run_block(commands.replace(SERVE, ""))
            self.check(output, expected)
            for name, value in TOLD.findall(output):
                self.env.setdefault(name.upper(), value)
            if SERVE in commands:
                self.serve()
