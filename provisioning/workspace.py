"""What other code uses: an Odoo ready to run, databases, servers, scripts.

    workspace = Workspace(Settings.from_environment(), Progress())
    with workspace:                        # stops PostgreSQL again if we started it
        workspace.ensure()                 # Odoo, Python packages, PostgreSQL
        workspace.fresh_database("mine", ["fusion_centralized_billing"])
        with workspace.start_server("mine") as server:
            ... server.url ...
        workspace.run_script("mine", path, args={"a": 1}, at=datetime(2030, 1, 1))

`./fcb demo` calls `demo.run.main(workspace, argv)` and `./fcb bench NAME` calls
`benchmarks.NAME.main(workspace, argv)`; both return an exit code.
"""

from __future__ import annotations

import copy
import os
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

from . import odoo_source, pdf, python_env
from .addons import AddonsPath, addons_path
from .cache import prepare_cache, remove_leftovers
from .databases import Databases, template_key
from .files import open_private
from .lock import exclusive
from .postgres import Connection, Postgres
from .process import clean_env, run
from .progress import Progress
from .scripts import ASSETS, SCRIPT, clock_env, script_env
from .server import HOST, Server, free_port, started_at
from .settings import ADDON, HERE, Settings

DEMO_DATABASE = "fcb_demo"
TEMPLATE_MODULES = ("sale_management",)


class Workspace:
    """One checkout working in one cache. Call `ensure` before anything else."""

    def __init__(
        self, settings: Settings, progress: Progress, extra_addons: Sequence[Path] = ()
    ) -> None:
        self.settings = settings
        self.progress = progress
        self.extra_addons = [path.absolute() for path in extra_addons]
        self.repo = settings.repo
        self.cache = settings.cache
        self.run_dir = settings.run_dir
        self.logs = settings.logs
        self.phase = progress.phase
        self.say = progress.say
        self.postgres = Postgres(settings, progress)
        # what Odoo is run with where nothing else is said
        self.conf = settings.run_dir / "odoo.conf"
        self._python: Path | None = None
        self._pdf: Path | None = None  # the folder with wkhtmltopdf
        self._odoo: odoo_source.OdooTree | None = None
        self._addons: AddonsPath | None = None
        self._databases: Databases | None = None

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, *_error) -> None:
        self.postgres.leave()

    # --------------------------------------------------------------- provisioning

    def ensure(self) -> None:
        """Provision everything and start PostgreSQL; a second call does nothing."""
        if self._databases:
            return
        prepare_cache(self.settings)
        with self.provisioning_lock():
            remove_leftovers(self.cache)
            with ThreadPoolExecutor() as pool:
                tree = pool.submit(odoo_source.get_odoo, self.settings, self.progress)
                packages = pool.submit(self._get_packages)
                self._python = packages.result()
                self._odoo = tree.result()
            self._addons = addons_path(
                self.settings, self._odoo.addons_paths, self.extra_addons
            )
            connection = self._get_postgres()
            self._databases = Databases(connection, self.settings.data_dir)
        if self.settings.pg_host:
            with self.phase("PostgreSQL: yours") as phase:
                version = self._databases.sql("postgres", "SHOW server_version")
                phase.note(f"{self.settings.pg_host}, version {version}")
        self.write_conf("odoo")

    def on(self, connection: Connection) -> Workspace:
        """The same on another PostgreSQL server, which somebody else looks after."""
        other = copy.copy(self)
        other._databases = Databases(connection, self.settings.data_dir)
        return other

    def provisioning_lock(self):
        return exclusive(self.cache / "lock", self.progress, "provisioning")

    def _get_packages(self) -> Path:
        with self.phase("Python packages") as phase:
            python = python_env.get_venv(
                self.settings, python_env.ODOO_REQUIREMENTS, phase, "python-packages"
            )
            self._pdf = pdf.get_bin_path(self.settings, python, phase)
            return python

    def _get_postgres(self) -> Connection:
        settings = self.settings
        if not settings.pg_host:
            return self.postgres.start(self.postgres.provision(self.python))
        psql = python_env.system_program("psql")
        bindir = psql.parent if psql else self.postgres.provision(self.python)
        return Connection(settings.pg_host, settings.pg_port, settings.pg_user, bindir)

    # ----------------------------------------------------------------- what is there

    @property
    def python(self) -> Path:
        """The virtual environment's Python: has Odoo's packages and freezegun."""
        return _ready(self._python)

    @property
    def odoo(self) -> odoo_source.OdooTree:
        return _ready(self._odoo)

    @property
    def addons(self) -> AddonsPath:
        return _ready(self._addons)

    @property
    def databases(self) -> Databases:
        return _ready(self._databases)

    # -------------------------------------------------------------------- running Odoo

    def odoo_command(self, *args: str | Path) -> list[str]:
        """Command line that runs Odoo with `args`; needs `env()`."""
        script = HERE / "odoo_main.py"
        return [str(self.python), str(script), *map(str, args)]

    def env(self, conf: Path | None = None, **extra: str) -> dict[str, str]:
        """Environment for `odoo_command`: the tree, the configuration, PostgreSQL."""
        path = os.environ.get("PATH", os.defpath)
        connection = self.databases.connection
        if connection.bindir:
            path = f"{connection.bindir}{os.pathsep}{path}"
        ours = {
            "PATH": path,
            "PYTHONPATH": str(self.odoo.root),
            "PYTHONSAFEPATH": "1",
            "ODOO_RC": str(conf or self.conf),
        }
        return clean_env(**(ours | connection.env() | extra))

    def write_conf(
        self,
        name: str,
        options: Mapping[str, object] | None = None,
        sections: Mapping[str, Mapping[str, object]] | None = None,
    ) -> Path:
        """Write `NAME.conf` for Odoo and return its path.

        :param options: more for [options], or other values
        :param sections: further sections by name
        """
        connection = self.databases.connection
        defaults = {
            "addons_path": ",".join(map(str, self.addons.folders)),
            "data_dir": self.settings.data_dir,
            "db_host": connection.host,
            "db_port": connection.port,
            "db_user": connection.user,
            "http_interface": HOST,
            "max_cron_threads": 0,
            # a long request on a slow machine must not restart the server
            "limit_time_real": 3600,
        }
        if self._pdf:
            defaults["bin_path"] = self._pdf
        lines = []
        everything = {"options": {**defaults, **(options or {})}, **(sections or {})}
        for section, values in everything.items():
            lines += [f"[{section}]", *(f"{k} = {v}" for k, v in values.items())]
        path = self.run_dir / f"{name}.conf"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        path.chmod(0o600)
        return path

    def run_odoo(
        self,
        *args: str | Path,
        what: str,
        log: str,
        conf: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
    ) -> str:
        """Run Odoo to its end; returns its output, kept in logs/LOG.log too.

        Raises ProvisioningError when it fails.
        """
        path = self.logs / f"{log}.log"
        path.unlink(missing_ok=True)
        return run(
            self.odoo_command(*args),
            what=what,
            hint="Read the log; the first error in it is usually the cause.",
            log=path,
            env=self.env(conf, **(env or {})),
            cwd=self.run_dir,
            stdin=stdin,
        )

    def run_script(
        self,
        db: str,
        path: Path,
        args: object = None,
        at: datetime | None = None,
        conf: Path | None = None,
        name: str | None = None,
    ) -> str:
        """Run a Python file in `odoo shell`; returns what it printed.

        The file sees `env` and `args`, and commits with `env.cr.commit()`.

        :param args: anything JSON can carry
        :param at: naive UTC time at which the process believes to start
        :param name: names its logs; two that run at once need two names
        """
        name = name or Path(path).stem
        return self.run_odoo(
            *self._script_arguments(db, name),
            what=f"Script {Path(path).name} on database {db}",
            log=name,
            conf=conf,
            env=script_env(path, args, at),
            stdin=SCRIPT,
        )

    def start_script(
        self,
        db: str,
        path: Path,
        args: object = None,
        at: datetime | None = None,
        name: str | None = None,
    ) -> subprocess.Popen:
        """Start what `run_script` runs and return at once; what it prints is kept in
        logs/NAME.log. Whoever starts it must see to its end."""
        name = name or Path(path).stem
        with open_private(self.logs / f"{name}.log") as stream:
            process = subprocess.Popen(
                self.odoo_command(*self._script_arguments(db, name)),
                stdin=subprocess.PIPE,
                stdout=stream,
                stderr=subprocess.STDOUT,
                env=self.env(**script_env(path, args, at)),
                cwd=self.run_dir,
                text=True,
            )
        process.stdin.write(SCRIPT)
        process.stdin.close()
        return process

    def _script_arguments(self, db: str, name: str) -> list[str | Path]:
        # our log goes to a file, so that the output is the script's alone
        logfile = self.logs / f"{name}-odoo.log"
        logfile.unlink(missing_ok=True)
        return ["shell", "-d", db, "--no-http", "--logfile", logfile]

    def start_server(
        self,
        db: str,
        port: int | None = None,
        sections: Mapping[str, Mapping[str, object]] | None = None,
        options: Mapping[str, object] | None = None,
        *,
        at: datetime | None = None,
        cron_threads: int = 0,
        name: str = "server",
        background: bool = False,
    ) -> Server:
        """Start Odoo on one database and wait until it answers.

        :param at: naive UTC time at which it believes to start
        :param background: let it, and PostgreSQL, outlive this run
        """
        port = port or free_port()
        settings = {
            "http_port": port,
            "gevent_port": free_port(),
            "db_name": db,
            "dbfilter": f"^{db}$",
            "max_cron_threads": cron_threads,
            # before any database is loaded: its API answers in JSON from the start
            "server_wide_modules": f"base,rpc,web,{ADDON}",
            **(options or {}),
        }
        conf = self.write_conf(name, settings, sections)
        log = self.logs / f"{name}.log"
        keep = self.postgres.another_user() if background else None
        parent = {} if background else {"FCB_PARENT": str(os.getpid())}
        with open_private(log) as stream:
            process = subprocess.Popen(
                self.odoo_command("server"),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                env=self.env(conf, **parent, **clock_env(at)),
                cwd=self.run_dir,
                start_new_session=background,
                pass_fds=[keep] if keep is not None else [],
            )
        if keep is not None:
            os.close(keep)
        server = Server(process.pid, port, db, log, started_at(process.pid), process)
        try:
            server.wait_until_ready()
        except BaseException:
            server.stop()
            raise
        return server

    # ----------------------------------------------------------------------- databases

    def fresh_database(
        self, name: str, modules: Sequence[str] = (ADDON,), with_demo: bool = False
    ) -> None:
        """Make database `name` anew with `modules` installed, from a template.

        :param with_demo: with the demo data of every module
        """
        template = self.template(modules, with_demo)
        with self.phase(f"Database {name}: copy of the template"):
            self.databases.copy(template, name)
        if not modules:
            return
        with self.phase(f"Database {name}: install {', '.join(modules)}"):
            flags = ["--with-demo"] if with_demo else []
            self.run_odoo(
                *("server", "-d", name, "-i", ",".join(modules), *flags),
                *("--stop-after-init", "--no-http", "--log-level=warn"),
                what=f"Installing {', '.join(modules)}",
                log=f"install-{name}",
            )

    def template(self, modules: Sequence[str], with_demo: bool = False) -> str:
        """Template database holding the standard modules that `modules` need."""
        standard = self.addons.needed_by([*TEMPLATE_MODULES, *modules])
        requirements = python_env.ODOO_REQUIREMENTS.read_text(encoding="utf-8")
        key = template_key(
            [self.odoo.fingerprint, requirements, *standard, f"demo={with_demo}"]
        )
        with self.provisioning_lock():
            return self.databases.template(
                key, lambda name: self._build_template(name, standard, with_demo)
            )

    def _build_template(self, name: str, modules: list[str], with_demo: bool) -> None:
        flags = ["--with-demo"] if with_demo else []
        text = " with demo data" if with_demo else ""
        with self.phase(f"Template database{text}: {', '.join(modules)}"):
            self.run_odoo(
                *("server", "-d", name, "-i", ",".join(modules), *flags),
                *("--stop-after-init", "--no-http", "--log-level=warn"),
                what="Building the template database",
                log="template",
            )
        with self.phase("Template database: web assets"):
            self.run_odoo(
                *("shell", "-d", name, "--no-http", "--log-level=error"),
                what="Generating the web assets",
                log="template-assets",
                stdin=ASSETS,
            )

    def database_exists(self, name: str) -> bool:
        return self.databases.exists(name)

    def drop_database(self, name: str) -> None:
        self.databases.drop(name)

    def psql(self, db: str, sql: str) -> str:
        """Rows of a query: unaligned, fields separated by `|`."""
        return self.databases.sql(db, sql)


def _ready(value):
    if value is None:
        raise RuntimeError("call Workspace.ensure() first")
    return value
