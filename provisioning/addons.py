"""Which modules there are, what they need, and the addons path."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .errors import ProvisioningError
from .settings import ADDON, DROP_IN, Settings


def manifest(folder: Path) -> dict:
    """A module's manifest; raises ProvisioningError when it cannot be read."""
    path = folder / "__manifest__.py"
    try:
        data = ast.literal_eval(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError) as error:
        raise ProvisioningError(f"{path} cannot be read: {error}", "Fix it.") from error
    return data


def modules_in(folder: Path) -> dict[str, Path]:
    """Modules lying directly in an addons folder, by name."""
    return {p.parent.name: p.parent for p in sorted(folder.glob("*/__manifest__.py"))}


@dataclass(frozen=True)
class AddonsPath:
    """The order matters twice: the first folder with a module wins, and Odoo's string
    export takes community/ for a part of the addon unless it comes before it."""

    odoo: Sequence[Path]
    extra: Sequence[Path] = ()
    ours: Sequence[Path] = ()
    drop_in_elsewhere: Path | None = None
    modules: dict[str, Path] = field(default_factory=dict)

    @property
    def folders(self) -> list[Path]:
        return [*self.odoo, *self.extra, *self.ours]

    def needed_by(self, names: Iterable[str]) -> list[str]:
        """Standard modules that `names` depend on: what a template should hold.

        Those that another one brings along are left out, so that different modules
        with the same needs share a template.
        """
        standard: dict[str, Path] = {}
        for folder in reversed(self.odoo):
            standard.update(modules_in(folder))
        everything = {**standard, **self.modules}
        needed = {n for n in closure(names, everything) if n not in self.modules}
        # a module that does not exist is left to the install, which says so
        needed &= {*standard}
        brought = set()
        for name in needed:
            brought |= closure([name], standard) - {name}
        return sorted(needed - brought)


def closure(names: Iterable[str], folders: dict[str, Path]) -> set[str]:
    """`names` and everything they depend on, as far as `folders` has it."""
    queue, seen = list(names), set()
    while queue:
        name = queue.pop()
        if name not in seen:
            seen.add(name)
            if name in folders:
                queue += manifest(folders[name]).get("depends", ["base"])
    return seen


def addons_path(
    settings: Settings, odoo: Sequence[Path], extra: Sequence[Path] = ()
) -> AddonsPath:
    """Compose the path and make the repository available under its Odoo name.

    community/ is left out where `extra` or Odoo itself has a sale_subscription
    (Enterprise's): both carry the same name.
    """
    for folder in extra:
        if not folder.is_dir():
            raise ProvisioningError(f"There is no folder {folder}.", "Check the path.")
        if (folder / "__manifest__.py").exists():
            raise ProvisioningError(
                f"{folder} is a module, not a folder of modules.",
                f"Give the folder that contains it: {folder.parent}",
            )
    link = settings.addon_links / ADDON
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.is_symlink() or link.readlink() != settings.repo:
        link.unlink(missing_ok=True)
        link.symlink_to(settings.repo)
    elsewhere = next(
        (f for f in [*odoo, *extra] if (f / DROP_IN / "__manifest__.py").exists()), None
    )
    ours = [settings.addon_links]
    community = settings.repo / "community"
    if elsewhere is None and community.is_dir():
        ours.insert(0, community)
    modules: dict[str, Path] = {}
    for folder in [*extra, *ours]:
        modules = {**modules_in(folder), **modules}
    return AddonsPath(list(odoo), list(extra), ours, elsewhere, modules)
