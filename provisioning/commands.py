"""The commands of `./fcb`: each takes the parsed options and gives an exit code."""

from __future__ import annotations

import argparse
import importlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from . import audit as audit_run
from . import linting, testrun
from .errors import ProvisioningError
from .files import remove_tree, tree_size
from .lock import exclusive
from .odoo_source import cached_tree
from .postgres import Postgres
from .progress import Progress
from .server import HOST, free_port, remembered
from .settings import MARKER, Settings
from .workspace import ADDON, DEMO_DATABASE, Workspace

SERVE_RECORD = "serve.json"
DEFAULT_PORT = 8069
# Where the program that makes PDF files finds styles and pictures; an address that
# somebody else has entered stays.
REPORT_URL = f"""
    INSERT INTO ir_config_parameter (key, value) VALUES ('report.url', '{{url}}')
        ON CONFLICT (key) DO UPDATE SET value = excluded.value
     WHERE ir_config_parameter.value LIKE 'http://{HOST}:%'
"""
add_test_arguments = testrun.add_arguments
add_audit_arguments = audit_run.add_arguments
audit = audit_run.main
test = testrun.main
lint = linting.main


def _workspace(extra_addons: Sequence[Path] = (), quiet: bool = False) -> Workspace:
    progress = Progress(quiet=quiet)
    return Workspace(Settings.from_environment(), progress, extra_addons)


def demo(options: argparse.Namespace) -> int:
    """Hand over to demo/run.py."""
    return _run_script(_load("demo.run", "demo/run.py"), options.args)


def pictures(options: argparse.Namespace) -> int:
    """Hand over to demo/pictures/take.py."""
    return _run_script(
        _load("demo.pictures.take", "demo/pictures/take.py"), options.args
    )


def bench(options: argparse.Namespace) -> int:
    """Hand over to benchmarks/NAME.py, or list what there is."""
    folder = Settings.from_environment().repo / "benchmarks"
    names = sorted(p.stem for p in folder.glob("[a-z]*.py"))
    listing = f"Benchmarks: {', '.join(names) or 'none yet'}."
    if not options.name:
        print(listing)
        return 0
    if options.name not in names:
        raise ProvisioningError(f"There is no benchmark {options.name!r}.", listing)
    module = _load(f"benchmarks.{options.name}", f"benchmarks/{options.name}.py")
    return _run_script(module, options.args)


def _load(name: str, path: str):
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and name.startswith(error.name):
            raise ProvisioningError(
                f"This checkout has no {path}.", "Check out a complete copy."
            ) from error
        raise


def _run_script(module, args: list[str]) -> int:
    workspace = _workspace()
    with workspace:
        code = module.main(workspace, args)
    workspace.say(workspace.progress.summary())
    return code


def serve(options: argparse.Namespace) -> int:
    """Start Odoo in the background and say where it is."""
    workspace = _workspace()
    database = options.database or DEMO_DATABASE
    record = workspace.run_dir / SERVE_RECORD
    if server := remembered(record):
        if server.database == database and options.port in (None, server.port):
            print(_where(server.url, server.database, "still runs"))
            return 0
        raise ProvisioningError(
            f"Odoo already runs at {server.url} on database {server.database}.",
            "Stop it with ./fcb stop",
        )
    with workspace:
        workspace.ensure()
        if not workspace.database_exists(database):
            raise ProvisioningError(
                f"There is no database {database} yet.",
                "Make it with ./fcb demo"
                if database == DEMO_DATABASE
                else f"Make it with: ./fcb odoo -- -d {database}"
                " -i fusion_centralized_billing --stop-after-init",
            )
        port = free_port(options.port or DEFAULT_PORT)
        if options.port and port != options.port:
            raise ProvisioningError(
                f"Port {options.port} is taken.", "Choose another with --port."
            )
        with workspace.phase("Odoo: start"):
            workspace.psql(database, REPORT_URL.format(url=f"http://{HOST}:{port}"))
            server = workspace.start_server(
                database,
                port,
                _webhook_section(options),
                cron_threads=0 if options.no_cron else 1,
                name="serve",
                background=True,
            )
        server.remember(record)
    print(_where(server.url, database, "runs"))
    return 0


def _webhook_section(options: argparse.Namespace) -> dict[str, dict[str, object]]:
    """What `serve` is told of webhooks, as the section of odoo.conf it belongs to."""
    values: dict[str, object] = {}
    if options.webhook_allow:
        values["webhook_allow"] = options.webhook_allow
    if options.webhook_ca_file:
        values["webhook_ca_file"] = options.webhook_ca_file.resolve()
    return {ADDON: values} if values else {}


def _where(url: str, database: str, verb: str) -> str:
    return (
        f"Odoo {verb} at {url}/odoo on database {database}.\n"
        "Log in as admin with password admin. Stop it with ./fcb stop"
    )


def stop(_options: argparse.Namespace) -> int:
    """Stop the Odoo of `serve`, and PostgreSQL when nobody else uses it."""
    settings = Settings.from_environment()
    stopped = []
    # every checkout's: they share the PostgreSQL server
    for record in sorted(settings.cache.glob(f"run/*/{SERVE_RECORD}")):
        server = remembered(record)
        if server and server.stop():
            stopped.append(f"Odoo at {server.url}")
    if Postgres(settings, Progress()).stop():
        stopped.append("PostgreSQL")
    print(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing was running.")
    return 0


def status(_options: argparse.Namespace) -> int:
    """Say what runs and what is cached."""
    settings = Settings.from_environment()
    rows = [("checkout", settings.repo)]
    size = tree_size(settings.cache) if settings.cache.exists() else 0
    rows.append(("cache", f"{settings.cache} ({size / 1e6:.0f} MB)"))
    for source in ("debian", "git"):
        if tree := cached_tree(settings.cache / f"odoo-{source}"):
            rows.append(("Odoo", f"{tree.origin}, in {tree.root}"))
    if settings.odoo_path:
        rows.append(("ODOO_PATH", settings.odoo_path))
    for marker in sorted(settings.cache.glob("*venv*/.complete")):
        rows.append(("Python packages", marker.parent))
    postgres = Postgres(settings, Progress())
    if settings.pg_host:
        rows.append(("PostgreSQL", f"yours, at {settings.pg_host}:{settings.pg_port}"))
    for cluster in postgres.clusters():
        pid = cluster.pid()
        state = f"runs, process {pid}" if pid else "stopped"
        rows.append(("PostgreSQL", f"{state}, data in {cluster.data}"))
    served = [remembered(p) for p in settings.cache.glob(f"run/*/{SERVE_RECORD}")]
    for server in filter(None, served):
        text = f"runs at {server.url} on {server.database}, process {server.pid}"
        rows.append(("server", f"{text}, log {server.log}"))
    if not any(served):
        rows.append(("server", "stopped (start it with ./fcb serve)"))
    for name, value in rows:
        print(f"{name:16} {value}")
    return 0


def odoo(options: argparse.Namespace) -> int:
    """Run Odoo in the foreground, with our terminal."""
    workspace = _workspace(options.extra_addons, quiet=True)
    with workspace:
        workspace.ensure()
        conf = workspace.write_conf("odoo", {"max_cron_threads": 1})
        return _foreground(workspace.odoo_command(*options.args), workspace.env(conf))


def psql(options: argparse.Namespace) -> int:
    """Open psql in the foreground."""
    workspace = _workspace(quiet=True)
    with workspace:
        workspace.ensure()
        if not workspace.database_exists(options.database):
            names = workspace.psql(
                "postgres",
                "SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY 1",
            )
            raise ProvisioningError(
                f"There is no database {options.database}.",
                f"There are: {', '.join(names.split())}.",
            )
        program = workspace.databases.program("psql")
        command = [program, "-d", options.database, *options.args]
        return _foreground(command, workspace.env())


def _foreground(command: list[str], env: dict[str, str]) -> int:
    sys.stderr.flush()
    process = subprocess.Popen(command, env=env)
    try:
        return process.wait()
    except KeyboardInterrupt:  # Ctrl-C reached it too: let it end in its own way
        process.terminate()
        return process.wait()


def clean(_options: argparse.Namespace) -> int:
    """Remove the cache folder, and nothing that we did not make."""
    settings = Settings.from_environment()
    if not settings.cache.exists():
        print(f"There is no {settings.cache}.")
        return 0
    if not (settings.cache / MARKER).exists():
        raise ProvisioningError(
            f"{settings.cache} was not made by this command ({MARKER} is missing).",
            "Check FCB_HOME. Remove the folder yourself if you are sure.",
        )
    progress = Progress()
    stop(_options)
    with exclusive(settings.cache / "lock", progress, "provisioning"):
        Postgres(settings, progress).remove()
        try:
            remove_tree(settings.cache)
        except OSError as error:
            owner = os.stat(error.filename or settings.cache).st_uid
            raise ProvisioningError(
                f"{error.filename} cannot be removed: {error.strerror}.",
                f"It belongs to user id {owner}: run this as that user, or as root.",
            ) from error
    print(f"Removed {settings.cache}.")
    if settings.pg_host:
        print(f"Databases named fcb_* on {settings.pg_host} were left alone.")
    return 0
