"""The environment of the tests of the OpenAPI document: schemathesis, jsonschema."""

from __future__ import annotations

from pathlib import Path

from provisioning import python_env
from provisioning.lock import exclusive
from provisioning.settings import HERE
from provisioning.workspace import Workspace

REQUIREMENTS = HERE / "requirements-openapi.txt"


def get_bin(workspace: Workspace) -> Path:
    """The folder of its programs, `python` among them."""
    with (
        exclusive(workspace.cache / "lock", workspace.progress, "provisioning"),
        workspace.phase("OpenAPI tests: packages") as phase,
    ):
        return python_env.get_venv(
            workspace.settings, REQUIREMENTS, phase, "openapi-packages"
        ).parent
