"""How this addon becomes a Python package: by OCA's `whool`, of the addon's own files.

whool packs everything that git has in an addon's folder, and names the package after
the folder. Here the folder is the whole repository, under any name. So what belongs to
the addon is copied to a folder of its own, and whool works there. pip calls these
functions (PEP 517); see docs/decisions/0043-wheels.md.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from whool import buildapi

ADDON = "fusion_centralized_billing"
ADDON_PARTS = (
    *("__init__.py", "__manifest__.py", "LICENSE", "README.md", "CHANGELOG.md"),
    *("controllers", "data", "engine", "i18n", "migrations", "models", "security"),
    *("static", "views", "wizards"),
)
# The tests compare documents and play against tools that are in the repository alone.
LEFT_OUT = ("tests", "__pycache__", "*.pyc")
# For who builds a wheel from the source distribution: there, the folder is the addon's.
PYPROJECT = """\
[build-system]
requires = ["whool=={version}"]
build-backend = "whool.buildapi"

[tool.whool]
post_version_strategy_override = "none"
"""


@contextlib.contextmanager
def addon_alone():
    """Work in a copy of the addon without the rest of the repository."""
    root = Path.cwd()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / ADDON
        folder.mkdir()
        for name in ADDON_PARTS:
            source = root / name
            if source.is_dir():
                ignored = shutil.ignore_patterns(*LEFT_OUT)
                shutil.copytree(source, folder / name, ignore=ignored)
            else:
                shutil.copy(source, folder)
        text = PYPROJECT.format(version=buildapi.whool_version)
        (folder / "pyproject.toml").write_text(text, encoding="utf-8")
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(root)


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    target = os.path.abspath(wheel_directory)
    with addon_alone():
        return buildapi.build_wheel(target, config_settings, metadata_directory)


def build_sdist(sdist_directory, config_settings=None):
    target = os.path.abspath(sdist_directory)
    with addon_alone():
        return buildapi.build_sdist(target, config_settings)


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    target = os.path.abspath(metadata_directory)
    with addon_alone():
        return buildapi.prepare_metadata_for_build_wheel(target, config_settings)
