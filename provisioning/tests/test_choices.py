"""Choices made from the machine's state: paths, mirrors, modules, names."""

import io
import tempfile
import unittest
from pathlib import Path

from .. import addons, cli, databases, debian, odoo_source, testrun
from ..errors import ProvisioningError
from ..files import complete_or_absent, hard_link_tree, remove_tree
from ..progress import Progress
from ..settings import ADDON, DROP_IN, Settings, default_cache


class TemporaryFolder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def make_module(self, folder, name, depends=("base",)):
        path = self.folder / folder / name
        path.mkdir(parents=True)
        (path / "__manifest__.py").write_text(repr({"depends": list(depends)}))
        return path


class TestSettings(unittest.TestCase):
    def test_cache_folder(self):
        cases = (
            ({"FCB_HOME": "/a/b", "XDG_CACHE_HOME": "/c"}, "/a/b"),
            ({"XDG_CACHE_HOME": "/c"}, "/c/fusion-centralized-billing"),
        )
        for env, expected in cases:
            with self.subTest(env=env):
                self.assertEqual(default_cache(env), Path(expected))

    def test_relative_values(self):
        with self.assertRaises(ProvisioningError):
            default_cache({"FCB_HOME": "cache"})
        # the XDG specification: a relative value is ignored
        self.assertTrue(default_cache({"XDG_CACHE_HOME": "cache"}).is_absolute())

    def test_an_unknown_choice_is_refused(self):
        for name in ("FCB_ODOO_SOURCE", "FCB_POSTGRES"):
            with self.subTest(name=name), self.assertRaises(ProvisioningError):
                Settings.from_environment({"FCB_HOME": "/a", name: "docker"})

    def test_a_checkout_has_its_own_scratch_folder(self):
        one = Settings(Path("/cache"), Path("/one"))
        two = Settings(Path("/cache"), Path("/two"))
        self.assertNotEqual(one.run_dir, two.run_dir)
        self.assertEqual(one.state, two.state)


class TestMirrors(unittest.TestCase):
    def test_only_the_release_main_component(self):
        text = (
            "bookworm main http://mirror/debian/\n"
            "bookworm main http://mirror/debian/\n"
            "bookworm contrib http://mirror/debian/\n"
            "bookworm-security main http://mirror/debian-security/\n"
            "nodistro main https://third.party/\n"
            "stable main http://other/debian/\n"
            "broken\n"
        )
        self.assertEqual(
            debian.pick_mirrors(text, "bookworm"),
            ["http://mirror/debian/", "http://other/debian/"],
        )


class TestOwnOdoo(TemporaryFolder):
    def write_release(self, version):
        (self.folder / "odoo").mkdir(exist_ok=True)
        (self.folder / "odoo/release.py").write_text(f"version_info = ({version})\n")

    def test_series(self):
        self.write_release("19, 0, 0, FINAL, 0, ''")
        self.assertEqual(odoo_source.own_tree(self.folder).root, self.folder)

    def test_refused(self):
        with self.assertRaises(ProvisioningError):
            odoo_source.own_tree(self.folder)
        for version in ("18, 0, 0, FINAL, 0, ''", "'saas~19', 1, 0, FINAL, 0, ''"):
            self.write_release(version)
            with self.subTest(version=version), self.assertRaises(ProvisioningError):
                odoo_source.own_tree(self.folder)


class TestAddonsPath(TemporaryFolder):
    def setUp(self):
        super().setUp()
        self.repo = self.folder / "any name"
        self.make_module("", "any name", ["sale_subscription", "mail"])
        self.make_module("any name/community", DROP_IN, ["sale_management"])
        self.odoo = self.make_module("odoo", "base").parent
        self.settings = Settings(self.folder / "cache", self.repo)

    def compose(self, *extra):
        return addons.addons_path(self.settings, [self.odoo], extra)

    def test_order_and_names(self):
        extra = self.make_module("extra", "other").parent
        path = self.compose(extra)
        self.assertEqual(
            path.folders,
            [
                self.odoo,
                extra,
                self.repo / "community",
                self.settings.addon_links,
            ],
        )
        self.assertEqual(sorted(path.modules), [ADDON, "other", DROP_IN])
        self.assertEqual(path.modules[ADDON].resolve(), self.repo.resolve())

    def test_enterprise_keeps_the_drop_in_out(self):
        enterprise = self.make_module("enterprise", DROP_IN).parent
        path = self.compose(enterprise)
        self.assertNotIn(self.repo / "community", path.folders)
        chosen = testrun.choose_modules([], path, Progress(io.StringIO()))
        self.assertEqual(chosen, [ADDON])

    def test_both_modules_by_default(self):
        chosen = testrun.choose_modules([], self.compose(), Progress())
        self.assertEqual(chosen, [ADDON, DROP_IN])

    def test_an_unknown_module_is_refused(self):
        with self.assertRaises(ProvisioningError):
            testrun.choose_modules(["nothing"], self.compose(), Progress())

    def test_a_module_given_as_folder_is_refused(self):
        with self.assertRaises(ProvisioningError):
            self.compose(self.make_module("extra", "other"))

    def test_template_modules(self):
        for name, depends in (
            ("mail", ["base"]),
            ("sale", ["mail"]),
            ("sale_management", ["sale"]),
        ):
            self.make_module("odoo", name, depends)
        # mail comes with sale_management; nothing has "absent"
        self.make_module("extra", "other", ["mail", "absent"])
        path = self.compose(self.folder / "extra")
        self.assertEqual(path.needed_by([ADDON]), ["sale_management"])
        self.assertEqual(path.needed_by(["other"]), ["mail"])
        self.assertEqual(path.needed_by(["base"]), ["base"])


class TestNames(unittest.TestCase):
    def test_database_names(self):
        for name in ("demo", "fcb_trial_1", "a.b-c"):
            self.assertEqual(databases.check_name(name), name)
        for name in ("", "a b", 'a"b', "../a", "-a", "x" * 60):
            with self.subTest(name=name), self.assertRaises(ProvisioningError):
                databases.check_name(name)

    def test_a_template_key_depends_on_every_part(self):
        keys = {databases.template_key(p) for p in (["a", "b"], ["ab"], ["a", "c"])}
        self.assertEqual(len(keys), 3)


class TestArguments(unittest.TestCase):
    def test_split(self):
        cases = (
            (["demo", "--help"], ["demo"], ["--help"]),
            (["demo", "--", "-x"], ["demo"], ["-x"]),
            (["bench", "x", "--quick"], ["bench", "x"], ["--quick"]),
            (["bench", "--help"], ["bench", "--help"], []),
            (["odoo", "--", "shell", "-d", "x"], ["odoo"], ["shell", "-d", "x"]),
            (["psql", "x"], ["psql", "x"], []),
            ([], [], []),
        )
        for argv, ours, theirs in cases:
            with self.subTest(argv=argv):
                self.assertEqual(cli.split_arguments(argv), (ours, theirs))

    def test_help_names_every_command_and_variable(self):
        text = cli.parser().format_help()
        for word in ("demo", "serve", "clean", "FCB_HOME", "ODOO_PATH", "PGHOST"):
            self.assertIn(word, text)


class TestFiles(TemporaryFolder):
    def test_a_failed_block_leaves_nothing(self):
        target = self.folder / "target"
        with self.assertRaises(ZeroDivisionError):
            with complete_or_absent(target) as work:
                (work / "half").touch()
                raise ZeroDivisionError
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_leftovers_of_a_killed_run_go_away(self):
        (self.folder / ".target.dead").mkdir()
        with complete_or_absent(self.folder / "target") as work:
            (work / "file").touch()
        self.assertEqual([p.name for p in self.folder.iterdir()], ["target"])

    def test_hard_links_survive_the_removal_of_one_copy(self):
        (self.folder / "one/ab").mkdir(parents=True)
        (self.folder / "one/ab/cd").write_text("x")
        hard_link_tree(self.folder / "one", self.folder / "two")
        remove_tree(self.folder / "one")
        self.assertEqual((self.folder / "two/ab/cd").read_text(), "x")
