"""Odoo 19 Community: the user's own tree, Debian's package, or a git clone.

Why Debian's package comes first: docs/decisions/0001-odoo-from-debian.md.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

from . import debian
from .errors import ProvisioningError
from .files import complete_or_absent
from .process import clean_env, run
from .progress import Phase, Progress
from .settings import Settings

SERIES = "19.0"
SUITE = "sid"  # the only Debian suite that has the package
PACKAGE = "odoo-19"
# 41 links of the package point into these
DATA_PACKAGES = (
    "fonts-font-awesome",
    "fonts-roboto-unhinted",
    "fonts-montserrat",
    "fonts-inconsolata",
    "fonts-ocr-b",
    "libjs-jquery",
    "libjs-jquery-form",
    "libjs-underscore",
)
# Of 820 MB of translations, those of the languages that our modules speak, too. The
# patterns leave out what is not "de", "es" or "fr": tar knows no other way to say it.
LANGUAGES = ("de", "es", "fr")
# Also left out: a second, Python-only copy of every addon.
ODOO_EXCLUDES = (
    *("*/i18n/[!def]*.po", "*/i18n/??[!.]*.po", "*/i18n/*@*.po"),
    *("*/i18n/d[!e]*.po", "*/i18n/e[!s]*.po", "*/i18n/f[!r]*.po"),
    "./etc",
    "./usr/lib/python3/dist-packages/addons",
    "./usr/lib/python3/dist-packages/doc",
    "./usr/lib/python3/dist-packages/setup",
)
DATA_EXCLUDES = ("./usr/share/doc", "./etc", "./var")
DIST_PACKAGES = "usr/lib/python3/dist-packages"
REPOSITORY = "https://github.com/odoo/odoo"
RECORD = "source.json"
# Removed by Debian as not free, but still listed in the web client's assets: without
# the file every page logs an error and every browser test fails.
REMOVED_ASSET = "odoo/addons/mail/static/lib/selfie_segmentation/selfie_segmentation.js"


@dataclass(frozen=True)
class OdooTree:
    """An Odoo source tree that can be put on PYTHONPATH."""

    root: Path  # holds the package `odoo`
    origin: str  # where it came from, for people
    fingerprint: str  # changes when the code does

    @property
    def addons_paths(self) -> list[Path]:
        """A checkout keeps most addons beside the package, Debian inside it."""
        folders = [self.root / "odoo" / "addons", self.root / "addons"]
        return [f for f in folders if (f / "base").is_dir() or (f / "web").is_dir()]


def get_odoo(settings: Settings, progress: Progress) -> OdooTree:
    """The tree to use; downloaded when there is none yet. Hold the lock."""
    if settings.odoo_path:
        with progress.phase("Odoo: yours, from ODOO_PATH") as phase:
            tree = own_tree(settings.odoo_path)
            phase.note(tree.origin)
            return tree
    wanted = (settings.odoo_source,) if settings.odoo_source else ("debian", "git")
    for source in wanted:
        if tree := cached_tree(settings.cache / f"odoo-{source}"):
            with progress.phase("Odoo: in the cache") as phase:
                phase.note(tree.origin)
            return tree
    if "debian" in wanted:
        try:
            with progress.phase("Odoo: Debian package") as phase:
                return _from_debian(settings, phase)
        except debian.NotAvailable as error:
            if "git" not in wanted:
                raise ProvisioningError(
                    f"Odoo cannot be had from Debian: {error}.",
                    "Unset FCB_ODOO_SOURCE, or set ODOO_PATH to an Odoo 19 checkout.",
                    settings.logs / "odoo-source.log",
                ) from error
            progress.say(f"    {error}; cloning {REPOSITORY} instead")
    with progress.phase("Odoo: git clone") as phase:
        return _from_git(settings, phase)


def own_tree(path: Path) -> OdooTree:
    """The user's tree; raises ProvisioningError when it is not Odoo 19."""
    release = path / "odoo" / "release.py"
    if not release.is_file():
        raise ProvisioningError(
            f"ODOO_PATH={path} holds no Odoo: {release} is missing.",
            "Point it at an Odoo 19 checkout, or at the folder with the package odoo.",
        )
    text = release.read_text(encoding="utf-8")
    match = re.search(r"version_info = \((?:'saas~)?(\d+)'?, *(\d+)", text)
    version = ".".join(match.groups()) if match else "of unknown version"
    if version != SERIES:
        raise ProvisioningError(
            f"ODOO_PATH={path} is Odoo {version}, not {SERIES}.",
            f"Check out branch {SERIES} there, or unset ODOO_PATH.",
        )
    stamp = f"{path}\0{text}".encode()
    return OdooTree(path, f"Odoo {version} in {path}", _digest(stamp))


def cached_tree(folder: Path) -> OdooTree | None:
    """A tree an earlier run completed, with our languages (a clone has all)."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        if "sha256" in record and record.get("languages") != list(LANGUAGES):
            return None
        root = folder / record["root"]
        return OdooTree(root, record["origin"], record["fingerprint"])
    except (OSError, ValueError, KeyError):
        return None


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _from_debian(settings: Settings, phase: Phase) -> OdooTree:
    target = settings.cache / "odoo-debian"
    log = settings.logs / "odoo-source.log"
    with debian.apt_root(settings.cache, SUITE, log) as apt:
        debs = apt.download([PACKAGE, *DATA_PACKAGES])
        hashes = {
            deb.name: hashlib.sha256(deb.read_bytes()).hexdigest() for deb in debs
        }
        with complete_or_absent(target) as work:
            for deb in debs:
                is_odoo = deb.name.startswith(f"{PACKAGE}_")
                excludes = ODOO_EXCLUDES if is_odoo else DATA_EXCLUDES
                debian.unpack(deb, work, excludes, log)
            stub = work / DIST_PACKAGES / REMOVED_ASSET
            if not stub.exists():
                stub.parent.mkdir(parents=True, exist_ok=True)
                stub.write_text("/* not in the Debian package */\n")
            name = next(deb for deb in hashes if deb.startswith(f"{PACKAGE}_"))
            version = name.split("_")[1].replace("%3a", ":")
            record = {
                "root": DIST_PACKAGES,
                "origin": f"Debian {SUITE} {PACKAGE} {version}",
                "fingerprint": _digest(json.dumps(hashes, sort_keys=True).encode()),
                "sha256": hashes,
                "languages": LANGUAGES,
            }
            _keep_record(work, record)
    phase.note(record["origin"])
    return cached_tree(target)


def _from_git(settings: Settings, phase: Phase) -> OdooTree:
    target = settings.cache / "odoo-git"
    with complete_or_absent(target) as work:
        run(
            [
                *("git", "clone", "--quiet", "--depth", "1", "--single-branch"),
                *("-b", SERIES, REPOSITORY, work / "odoo"),
            ],
            what=f"git clone of Odoo {SERIES}",
            hint="Check that git is installed and the network reaches github.com, or"
            " set ODOO_PATH to an Odoo 19 checkout of yours.",
            log=settings.logs / "odoo-source.log",
            env=clean_env(GIT_TERMINAL_PROMPT="0"),
        )
        head = run(
            ["git", "-C", work / "odoo", "rev-parse", "HEAD"], what="git rev-parse"
        ).strip()
        record = {
            "root": "odoo",
            "origin": f"{REPOSITORY} branch {SERIES} at {head[:12]}",
            "fingerprint": _digest(head.encode()),
        }
        _keep_record(work, record)
    phase.note(record["origin"])
    return cached_tree(target)


def _keep_record(work: Path, record: dict) -> None:
    text = json.dumps(record, indent=1, sort_keys=True)
    (work / RECORD).write_text(text + "\n", encoding="utf-8")
