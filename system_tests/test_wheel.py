"""The addon and the drop-in as Python packages: built, installed, one invoice made."""

from __future__ import annotations

import json
import shutil
import tempfile
import zipfile
from datetime import datetime
from pathlib import Path

from provisioning import python_env
from provisioning.addons import manifest
from provisioning.lock import exclusive
from provisioning.process import clean_env, run
from provisioning.scripts import SCRIPT, script_env
from provisioning.settings import ADDON, DROP_IN, HERE

from .common import SCRIPTS, SystemCase

REQUIREMENTS = HERE / "requirements-wheel.txt"
DAY = datetime(2026, 1, 15, 9)
ADDON_FOLDERS = (
    *("controllers", "data", "engine", "i18n", "migrations", "models", "security"),
    *("static", "views", "wizards"),
)
# Of the repository, not of the addon.
OUTSIDE = {"benchmarks", "community", "demo", "provisioning", "system_tests", "tests"}


class TestWheel(SystemCase):
    """What `pip install` brings works beside an Odoo that knows no clone."""

    seconds = 100

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = Path(tempfile.mkdtemp(dir=cls.workspace.run_dir))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.modules = {
            ADDON: cls.workspace.repo,
            DROP_IN: cls.workspace.repo / "community" / DROP_IN,
        }
        cls.wheels = {name: cls.build(name) for name in cls.modules}

    @classmethod
    def build(cls, name: str) -> Path:
        """Build a module's wheel, by the pinned whool and nothing that pip fetches."""
        workspace, target = cls.workspace, cls.folder / f"wheel-{name}"
        with (
            exclusive(workspace.cache / "lock", workspace.progress, "provisioning"),
            workspace.phase("Wheels: packages") as phase,
        ):
            python = python_env.get_venv(
                workspace.settings, REQUIREMENTS, phase, "wheel-packages"
            )
        cls.pip(
            *(python, "wheel", "--no-deps", "--no-build-isolation"),
            *("--wheel-dir", target, cls.modules[name]),
        )
        [wheel] = target.iterdir()
        return wheel

    @classmethod
    def pip(cls, python: Path, *arguments: str | Path) -> None:
        run(
            [python, "-m", "pip", *arguments],
            what=f"pip {arguments[0]}",
            log=cls.workspace.logs / "system-TestWheel-pip.log",
            env=clean_env(PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1"),
            cwd=cls.folder,
        )

    def names_in(self, wheel: Path) -> set[str]:
        with zipfile.ZipFile(wheel) as archive:
            return {*archive.namelist()}

    def members(self, name: str) -> set[str]:
        """What is in the module's folder of its wheel; nothing else may be in it."""
        start = f"odoo/addons/{name}/"
        inside = {n for n in self.names_in(self.wheels[name]) if ".dist-info/" not in n}
        self.assertEqual({n for n in inside if not n.startswith(start)}, set())
        return {member.removeprefix(start) for member in inside}

    def test_named_as_their_manifests_say(self):
        for name, folder in self.modules.items():
            version = manifest(folder)["version"]
            expected = f"odoo_addon_{name}-{version}-py3-none-any.whl"
            self.assertEqual(self.wheels[name].name, expected)

    def test_the_addon_and_nothing_beside_it(self):
        members, repo = self.members(ADDON), self.workspace.repo
        self.assertEqual({m for m in members if OUTSIDE & {*m.split("/")}}, set())
        for folder in ADDON_FOLDERS:
            for path in (repo / folder).rglob("*"):
                name = path.relative_to(repo)
                if path.is_file() and not {"tests", "__pycache__"} & {*name.parts}:
                    self.assertIn(name.as_posix(), members)

    def test_the_drop_in_and_nothing_beside_it(self):
        members = self.members(DROP_IN)
        self.assertIn("__manifest__.py", members)
        self.assertFalse({m for m in members if m.endswith((".pyc", "pyproject.toml"))})

    def test_built_by_what_is_pinned(self):
        text = REQUIREMENTS.read_text(encoding="utf-8")
        [pin] = [line for line in text.split() if line.startswith("whool==")]
        for folder in self.modules.values():
            text = (folder / "pyproject.toml").read_text(encoding="utf-8")
            self.assertIn(f'requires = ["{pin}"]', text)

    def test_from_a_source_distribution(self):
        """`python -m build` makes its wheel of one."""
        python = self.workspace.settings.venv(REQUIREMENTS) / "bin" / "python"
        code = f"import root_addon; root_addon.build_sdist({str(self.folder)!r})"
        run(
            [python, "-c", code],  # pip has no command for it
            what="Building the source distribution",
            env=clean_env(PYTHONPATH=str(self.workspace.repo / "build_backend")),
            cwd=self.workspace.repo,
        )
        [source] = self.folder.glob("*.tar.gz")
        target = self.folder / "of-source"
        self.pip(
            *(python, "wheel", "--no-deps", "--no-build-isolation"),
            *("--wheel-dir", target, source),
        )
        [wheel] = target.iterdir()
        self.assertEqual(self.names_in(wheel), self.names_in(self.wheels[ADDON]))

    def test_an_invoice(self):
        """100 of 150 calls are included: 50 x 0.50, and the fee of the month."""
        site = self.folder / "site"
        self.pip(
            *(self.workspace.python, "install", "--no-deps", "--no-index"),
            *("--target", site, *self.wheels.values()),
        )
        database = f"{self.prefix}testwheel"
        self.addCleanup(self.workspace.drop_database, database)
        template = self.workspace.template([ADDON])
        self.workspace.databases.copy(template, database)
        conf = self.workspace.write_conf(
            "wheel", {"addons_path": ",".join(map(str, self.workspace.addons.odoo))}
        )
        self.addCleanup(conf.unlink)
        env = {"PYTHONPATH": f"{self.workspace.odoo.root}:{site}"}
        log = "system-TestWheel-server"
        self.workspace.run_odoo(
            *("server", "-d", database, "-i", ADDON, "--stop-after-init"),
            *("--no-http", "--log-level=info"),
            what="Installing the wheels",
            log=log,
            conf=conf,
            env=env,
        )
        self.check_log(self.workspace.logs / f"{log}.log")
        output = self.workspace.run_odoo(
            *("shell", "-d", database, "--no-http", "--log-level=error"),
            what="An invoice",
            log="system-TestWheel-invoice",
            conf=conf,
            env=script_env(SCRIPTS / "wheel_invoice.py", None, DAY) | env,
            stdin=SCRIPT,
        )
        told = json.loads(output.strip().splitlines()[-1])
        self.assertEqual(told["amounts"], [10.0, 25.0])
        self.assertEqual(
            told["folders"],
            {name: str(site / "odoo" / "addons" / name) for name in self.modules},
        )
