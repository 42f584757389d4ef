"""`./fcb test`: run the tests and judge the run.

In this order: the linters, when asked for; the conformance of `sale_subscription`, on
which all else builds; the tests that need no Odoo; then side by side Odoo's on fresh
trial databases, one process for those in the browser and one for the others, and the
system tests, each with several Odoo processes.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from . import chromium, clients, conformance, linting, systemrun
from .addons import AddonsPath, addons_path, modules_in
from .cache import prepare_cache
from .errors import ProvisioningError
from .odoo_log import Verdict
from .odoo_tests import Plan, all_of, run_odoo_tests
from .process import clean_env
from .progress import Progress
from .settings import ADDON, DROP_IN, Settings
from .unit_tests import run_folder
from .workspace import Workspace

UNIT_FOLDERS = (
    *("engine/tests", "provisioning/tests", "demo/tests", "benchmarks/tests"),
    "system_tests/life/tests",
)
OPTIONAL_UNIT_FOLDERS = ("demo/tests", "benchmarks/tests", "system_tests/life/tests")
TRIAL = "fcb_trial_"
IN_BROWSER = "_browser"  # added to the name of a trial database
WITH_APPS = "_apps"  # as well
TRIAL_NAME = re.compile(rf"{TRIAL}(\d+)(?:_\w+)?$")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `./fcb test` and of fcb_test_on_trial.sh."""
    add = parser.add_argument
    add(
        "modules",
        nargs="*",
        metavar="MODULE",
        help="test these modules only; default: the addon and the drop-in, the tests"
        " that need no Odoo, and the system tests",
    )
    add(
        "--extra-addons",
        action="append",
        default=[],
        type=Path,
        metavar="DIR",
        help="a further folder of modules (may be repeated)",
    )
    add("--no-browser", action="store_true", help="leave the browser tests out")
    add("--no-system", action="store_true", help="leave the system tests out")
    add("--keep", action="store_true", help="keep the trial database afterwards")
    add("--lint", action="store_true", help="run the linters first, and count them")
    add(
        "--test-tags",
        default="",
        metavar="TAGS",
        help="Odoo test tags instead of every test of the modules,"
        " e.g. /fusion_centralized_billing:TestUsage",
    )
    own = parser.add_argument_group(
        "on your own server",
        "Run the same suite with your Odoo, e.g. Enterprise. Use a database that may"
        " be changed, never a production one: modules are installed or updated in it"
        " and it is kept. PG* variables or your configuration file say where it is.",
    )
    own.add_argument("--odoo-bin", type=Path, metavar="FILE", help="your odoo-bin")
    own.add_argument(
        "--addons-path", default="", metavar="A,B", help="your addons folders"
    )
    own.add_argument("-c", "--config", type=Path, metavar="FILE", help="your odoo.conf")
    own.add_argument("-d", "--database", metavar="DB", help="the database to test on")


def main(options: argparse.Namespace) -> int:
    """Run everything asked for; 0 only when all of it is green."""
    settings = Settings.from_environment()
    progress = Progress()
    if options.odoo_bin and not options.database:
        raise ProvisioningError(
            "--odoo-bin needs -d.", "Name a database that may be changed, with -d DB."
        )
    verdict = Verdict()
    try:
        if options.lint:
            verdict += linting.run_all(settings, progress)
        if options.odoo_bin:
            verdict += test_on_own_server(settings, progress, options)
        else:
            verdict += test_on_trial(settings, progress, options)
    except ProvisioningError as error:
        # the closing line comes even when the tests could not run
        verdict.problems.append(error.render())
    return report(verdict, progress)


def report(verdict: Verdict, progress: Progress) -> int:
    """Print what is wrong, the times, and the closing line; returns the exit code."""
    progress.say(progress.summary())
    sys.stderr.flush()
    for failure in verdict.failures:
        print(f"\n{failure}")
    for problem in verdict.problems:
        print(f"\nRED: {problem}")
    print(verdict.closing_line(), flush=True)
    return 0 if verdict.green else 1


def run_unit_tests(settings: Settings, progress: Progress) -> Verdict:
    """The tests that run without Odoo, with this Python."""
    verdict = Verdict()
    for name in UNIT_FOLDERS:
        package = settings.repo / name / "__init__.py"
        if name in OPTIONAL_UNIT_FOLDERS and not package.exists():
            continue
        verdict += run_folder(settings, progress, name)
    return verdict


def test_on_trial(
    settings: Settings, progress: Progress, options: argparse.Namespace
) -> Verdict:
    """Everything, on the provisioned Odoo and copies of the template database."""
    extra = [*options.extra_addons, *split_paths(options.addons_path)]
    workspace = Workspace(settings, progress, extra)
    with workspace:
        workspace.ensure()
        drop_stale_trials(workspace)
        modules = choose_modules(options.modules, workspace.addons, progress)
        database = options.database or f"{TRIAL}{os.getpid()}"
        base = f"{TRIAL}{os.getpid()}_base"
        # its own: another run may have other modules on its path
        workspace.conf = workspace.write_conf(f"test-{os.getpid()}")
        verdict = Verdict()
        try:
            if wants_conformance(options, modules):
                workspace.databases.copy(workspace.template(modules), base)
                shell = workspace.odoo_command("shell", "-d", base)
                log = settings.logs / "conformance.log"
                verdict += conformance.check(shell, workspace.env(), log, progress)
                if not verdict.green:
                    return verdict
            if not options.modules:
                verdict += run_unit_tests(settings, progress)
                verdict += clients.run_tests(settings, progress)
            plan = Plan(
                workspace.odoo_command("server"),
                workspace.env(),
                database,
                modules,
                options.test_tags,
                workspace.addons.modules,
                settings.logs / "test.log",
            )
            if options.database and workspace.database_exists(database):
                plans = [plan]
                progress.say(f"    using the existing database {database}")
            else:
                plans = split(plan, progress, options) + beside_apps(plan, options)
                for part in plans:
                    template = workspace.template(part.modules)
                    with progress.phase("Trial database: copy of the template"):
                        workspace.databases.copy(template, part.database)
            with contextlib.ExitStack() as stack:
                jobs = [
                    partial(run_odoo_tests, part, progress, options.no_browser)
                    for part in plans
                ]
                if wants_system_tests(options, modules, progress):
                    jobs += stack.enter_context(
                        systemrun.jobs(workspace, base, f"{TRIAL}{os.getpid()}_")
                    )
                verdict += systemrun.run_side_by_side(jobs)
        finally:
            workspace.conf.unlink()
            workspace.drop_database(base)
            workspace.drop_database(f"{database}{IN_BROWSER}")
            workspace.drop_database(f"{database}{WITH_APPS}")
            if options.keep or options.database:
                progress.say(
                    f"    kept: ./fcb psql {database}, ./fcb serve -d {database}"
                )
            else:
                workspace.drop_database(database)
        return verdict


def test_on_own_server(
    settings: Settings, progress: Progress, options: argparse.Namespace
) -> Verdict:
    """All but the system tests, with the user's odoo-bin and database."""
    prepare_cache(settings)
    binary = options.odoo_bin.expanduser().absolute()
    if not os.access(binary, os.X_OK):
        raise ProvisioningError(
            f"{binary} is not a program.", "Give the path of your odoo-bin."
        )
    theirs = split_paths(options.addons_path) or configured_addons(options.config)
    beside = binary.parent / "addons"
    odoo = [beside] if beside.is_dir() else []
    path = addons_path(settings, odoo, [*theirs, *options.extra_addons])
    config = ["-c", str(options.config.absolute())] if options.config else []
    plan = Plan(
        [str(binary), *config],
        clean_env(**{k: v for k, v in os.environ.items() if k == "ODOO_RC"}),
        options.database,
        choose_modules(options.modules, path, progress),
        options.test_tags,
        path.modules,
        settings.logs / "test.log",
        ["--addons-path", ",".join(map(str, path.folders))],
    )
    verdict = Verdict()
    if wants_conformance(options, plan.modules):
        shell = [binary, "shell", *config, "-d", plan.database, *plan.flags]
        log = settings.logs / "conformance.log"
        verdict += conformance.check(shell, plan.env, log, progress)
        if not verdict.green:
            return verdict
    if not options.modules:
        verdict += run_unit_tests(settings, progress)
    return verdict + run_odoo_tests(plan, progress, options.no_browser)


def wants_conformance(options: argparse.Namespace, modules: Sequence[str]) -> bool:
    """Not for modules of others, nor for tests that were named."""
    return not options.test_tags and not {ADDON, DROP_IN}.isdisjoint(modules)


def wants_system_tests(
    options: argparse.Namespace, modules: Sequence[str], progress: Progress
) -> bool:
    """Whether everything is to be tested, and our drop-in is part of it."""
    if options.modules or options.test_tags or DROP_IN not in modules:
        return False
    if options.no_system:
        progress.say(f"    --no-system leaves out: {', '.join(systemrun.names())}")
    return not options.no_system


def split_paths(text: str) -> list[Path]:
    """Folders of a comma-separated list, as Odoo writes them."""
    parts = (part.strip() for part in text.split(","))
    return [Path(part).expanduser().absolute() for part in parts if part]


def configured_addons(config: Path | None) -> list[Path]:
    """addons_path of the user's configuration file."""
    if not config:
        return []
    try:
        text = config.read_text(encoding="utf-8")
    except OSError as error:
        raise ProvisioningError(f"{error}", "Check the path given with -c.") from error
    match = re.search(r"^addons_path\s*=\s*(.+(?:\n[ \t]+.+)*)", text, re.MULTILINE)
    return split_paths(match[1].replace("\n", "")) if match else []


def choose_modules(
    named: Sequence[str], path: AddonsPath, progress: Progress
) -> list[str]:
    """The modules to test. Enterprise's sale_subscription is not ours to test."""
    if not named and path.drop_in_elsewhere:
        progress.say(
            f"    {DROP_IN} comes from {path.drop_in_elsewhere}: community/ is left out"
        )
    default = [ADDON] if path.drop_in_elsewhere else [ADDON, DROP_IN]
    chosen = list(named) or default
    known = {*path.modules}.union(*map(modules_in, path.odoo))
    if unknown := sorted({*chosen} - known):
        raise ProvisioningError(
            f"There is no module {', '.join(unknown)} on the addons path.",
            f"Looked in: {', '.join(map(str, path.folders))}."
            " Add a folder with --extra-addons.",
        )
    return chosen


def drop_stale_trials(workspace: Workspace) -> None:
    """Drop trial databases of killed runs; only on the server that is ours alone."""
    if workspace.settings.pg_host:
        return
    names = workspace.psql("postgres", "SELECT datname FROM pg_database").split()
    for name in names:
        number = TRIAL_NAME.match(name)
        if number and not Path(f"/proc/{number[1]}").exists():
            workspace.drop_database(name)


def split(plan: Plan, progress: Progress, options: argparse.Namespace) -> list[Plan]:
    """The tests in the browser, and the others, each with a database of its own.

    Together, where some were named: one of the two could have none.
    """
    if options.modules or options.test_tags or options.no_browser:
        return [plan]
    if not chromium.get(progress, plan.log.with_name("chromium.log")):
        return [plan]  # which says what is left out
    return [
        replace(plan, tags=f"{all_of(plan)},-{chromium.TAG}"),
        replace(
            plan,
            tags=",".join(f"{chromium.TAG}/{module}" for module in plan.modules),
            database=f"{plan.database}{IN_BROWSER}",
            log=plan.log.with_name("test_browser.log"),
            title="Odoo tests in the browser",
        ),
    ]


def beside_apps(plan: Plan, options: argparse.Namespace) -> list[Plan]:
    """The modules in community/ that join it, or the addon, with another app of Odoo.

    In a database of their own: the apps they need would be beside all other tests.
    """
    if options.modules or options.test_tags:
        return []
    modules = [
        name
        for name, folder in plan.folders.items()
        if folder.parent.name == "community" and name != DROP_IN
    ]
    if not modules:
        return []
    return [
        replace(
            plan,
            modules=modules,
            database=f"{plan.database}{WITH_APPS}",
            log=plan.log.with_name("test_apps.log"),
            title="Odoo tests beside other apps",
        )
    ]
