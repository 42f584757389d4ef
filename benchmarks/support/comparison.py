"""The modules that others wrote, had from the Python package index."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from provisioning.files import remove_tree
from provisioning.process import clean_env, run
from provisioning.python_env import HINT
from provisioning.workspace import Workspace

REQUIREMENTS = Path(__file__).parent.parent / "requirements.txt"


def comparison_addons(workspace: Workspace) -> Path:
    """The folder of modules to compare with, installed into the cache when missing.

    They never enter the environment that Odoo itself runs from.
    """
    digest = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:8]
    target = workspace.cache / f"bench-addons-{digest}"
    addons = target / "odoo" / "addons"
    if target.exists():
        return addons
    with (
        workspace.phase("Modules to compare with"),
        workspace.provisioning_lock(),
        tempfile.TemporaryDirectory(prefix=".bench.", dir=workspace.cache) as folder,
    ):
        unfinished = Path(folder) / "addons"
        run(
            [
                *(workspace.python, "-m", "pip", "install", "--quiet", "--no-deps"),
                *("--no-compile", "--require-hashes", "--target", unfinished),
                *("-r", REQUIREMENTS),
            ],
            what="Installing the modules to compare with",
            hint=HINT,
            log=workspace.logs / "bench-packages.log",
            env=clean_env(
                PIP_CACHE_DIR=str(workspace.cache / "downloads" / "pip"),
                PIP_DISABLE_PIP_VERSION_CHECK="1",
                PIP_NO_INPUT="1",
            ),
        )
        # complete or absent: a run that is killed leaves nothing half done
        remove_tree(target)
        os.rename(unfinished, target)
    return addons


def pinned_versions() -> dict[str, str]:
    """Module name -> version, as pinned."""
    pins = {}
    for line in REQUIREMENTS.read_text(encoding="utf-8").splitlines():
        name, found, version = line.partition("==")
        if found:
            pins[name.removeprefix("odoo-addon-")] = version.split()[0]
    return pins
