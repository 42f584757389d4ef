"""Small file helpers with one rule: a folder that exists under its name is complete."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO


@contextlib.contextmanager
def complete_or_absent(target: Path) -> Iterator[Path]:
    """Give a temporary folder beside `target`; rename it there when the block succeeds.

    A killed run leaves only the temporary folder, which the next one removes.
    Use under the lock.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    for stale in target.parent.glob(f".{target.name}.*"):
        shutil.rmtree(stale, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    work.chmod(0o755)
    try:
        yield work
        remove_tree(target)
        work.rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def open_private(path: Path, mode: str = "w") -> TextIO:
    """Open a text file to write, for nobody else on this machine to read.

    :param mode: w or a
    """

    def opener(name: str, flags: int) -> int:
        descriptor = os.open(name, flags, 0o600)
        os.fchmod(descriptor, 0o600)  # it may have been there, open to all
        return descriptor

    return open(path, mode, encoding="utf-8", opener=opener)


def remove_tree(path: Path) -> None:
    """Remove a folder, also when parts of it are write-protected or it is absent."""
    if path.is_symlink():
        path.unlink()
        return
    if not path.exists():
        return
    for folder, _folders, _files in os.walk(path):
        with contextlib.suppress(PermissionError):
            os.chmod(folder, 0o700)
    shutil.rmtree(path)


def hard_link_tree(source: Path, target: Path) -> None:
    """Copy a tree as hard links: right for an Odoo filestore, whose files are
    named by their content and never rewritten."""
    for folder, _folders, files in os.walk(source):
        to = target / Path(folder).relative_to(source)
        to.mkdir(parents=True, exist_ok=True)
        for name in files:
            os.link(os.path.join(folder, name), to / name)


def tree_size(path: Path) -> int:
    """Bytes on disk under `path`, hard-linked files counted once."""
    seen: set[tuple[int, int]] = set()
    total = 0
    for folder, _folders, files in os.walk(path):
        for name in files:
            with contextlib.suppress(OSError):
                stat = os.lstat(os.path.join(folder, name))
                if (stat.st_dev, stat.st_ino) not in seen:
                    seen.add((stat.st_dev, stat.st_ino))
                    total += stat.st_blocks * 512
    return total
