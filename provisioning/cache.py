"""The cache folder: made at first use, tidied at each."""

from __future__ import annotations

import os
from pathlib import Path

from .errors import ProvisioningError
from .files import remove_tree
from .settings import MARKER, NEEDED_BYTES, Settings


def remove_leftovers(cache: Path) -> None:
    """Remove the temporary folders of killed runs: names with a dot. Hold the lock."""
    for path in cache.glob(".*"):
        remove_tree(path)


def prepare_cache(settings: Settings) -> None:
    """Make the cache folder; raises ProvisioningError when it cannot be used."""
    try:
        for folder in (settings.cache, settings.run_dir, settings.logs, settings.state):
            folder.mkdir(parents=True, exist_ok=True)
        settings.state.chmod(0o700)
        marker = settings.cache / MARKER
        if not marker.exists():
            marker.write_text("Cache of ./fcb. Delete it with: ./fcb clean\n")
        free = os.statvfs(settings.cache)
    except OSError as error:
        raise ProvisioningError(
            f"The cache folder {settings.cache} cannot be used: {error}.",
            "Set FCB_HOME to a folder you may write to, or change its owner.",
        ) from error
    fresh = not any(settings.cache.glob("odoo-*"))
    available = free.f_bavail * free.f_frsize
    if fresh and available < NEEDED_BYTES:
        raise ProvisioningError(
            f"{settings.cache} has {available / 1e9:.1f} GB free, of the"
            f" {NEEDED_BYTES / 1e9:.0f} GB needed.",
            "Free some space, or set FCB_HOME to a folder on a larger disk.",
        )
