"""Packages from this machine's own Debian mirror, without root and without touching
the system's apt state.

A private apt root reads only the mirror that the machine already uses for the main
component of its release, so a broken third-party source does not matter and no host
name is needed here. Signatures are always checked.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from .errors import ProvisioningError
from .process import clean_env, run

KEYRINGS = (
    "/usr/share/keyrings/debian-archive-keyring.gpg",
    "/usr/share/keyrings/debian-archive-keyring.pgp",
)
ALIASES = ("stable", "oldstable", "testing", "unstable", "sid")
# On the command line: apt.conf.d is read after $APT_CONFIG and could relax them.
SECURE = (
    "-oAcquire::AllowInsecureRepositories=false",
    "-oAcquire::AllowWeakRepositories=false",
    "-oAcquire::AllowDowngradeToInsecureRepositories=false",
    "-oAPT::Get::AllowUnauthenticated=false",
)


class NotAvailable(Exception):
    """This machine, or its mirror, cannot give Debian packages; the text says why."""


def os_release(path: Path = Path("/etc/os-release")) -> dict[str, str]:
    """The fields of os-release(5); empty when the file is missing."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    pairs = (line.split("=", 1) for line in lines if "=" in line)
    return {name: value.strip("\"'") for name, value in pairs}


def pick_mirrors(index_targets: str, codename: str) -> list[str]:
    """URIs of the release's main component, from `apt-get indextargets` lines."""
    found = []
    for line in index_targets.splitlines():
        release, component, uri = (line.split() + ["", "", ""])[:3]
        wanted = release == codename or release in ALIASES
        if wanted and component == "main" and uri not in found:
            found.append(uri)
    return found


class AptRoot:
    """A private apt: `download` packages of `suite` and of the machine's release."""

    def __init__(self, root: Path, suite: str, log: Path) -> None:
        self.root = root
        self.suite = suite
        self.log = log
        self._env = clean_env(APT_CONFIG=str(root / "apt.conf"), LC_ALL="C.UTF-8")

    def download(self, packages: Sequence[str]) -> list[Path]:
        """Fetch .deb files (no dependencies); raises NotAvailable."""
        target = self.root / "debs"
        target.mkdir(exist_ok=True)
        before = set(target.glob("*.deb"))
        try:
            run(
                ["apt-get", *SECURE, "download", "-q", *packages],
                what="apt-get download",
                env=self._env,
                cwd=target,
                log=self.log,
            )
        except ProvisioningError as error:
            raise NotAvailable(
                f"the mirror does not give {', '.join(packages)} ({error})"
            ) from error
        return sorted(set(target.glob("*.deb")) - before)

    def update(self, mirrors: Sequence[str], keyring: str, codename: str) -> None:
        """Read the package lists of the first mirror that serves verified ones."""
        architecture = run(["dpkg", "--print-architecture"], what="dpkg").strip()
        options = f"[signed-by={keyring} arch={architecture}]"
        for mirror in mirrors:
            suites = dict.fromkeys((self.suite, codename))
            lines = [f"deb {options} {mirror} {name} main\n" for name in suites]
            (self.root / "etc/sources.list").write_text("".join(lines))
            with contextlib.suppress(ProvisioningError):
                run(
                    ["apt-get", *SECURE, "update", "-q", "--error-on=any"],
                    what="apt-get update",
                    env=self._env,
                    log=self.log,
                )
                return
            shutil.rmtree(self.root / "lists")
            (self.root / "lists/partial").mkdir(parents=True)
        raise NotAvailable(f"no configured mirror serves a verified {self.suite}")

    def write_configuration(self) -> None:
        for name in ("lists/partial", "archives/partial", "etc/none.d"):
            (self.root / name).mkdir(parents=True)
        (self.root / "status").touch()
        # The machine's own release wins where it has a package: newer font packages
        # no longer hold the files that Odoo's package links to.
        (self.root / "etc/preferences").write_text(
            f"Package: *\nPin: release n={self.suite}\nPin-Priority: 100\n"
        )
        try:
            user = pwd.getpwuid(os.geteuid()).pw_name
        except KeyError:
            user = "root"
        (self.root / "apt.conf").write_text(f"""\
Dir::State "{self.root}";
Dir::State::status "{self.root}/status";
Dir::State::lists "{self.root}/lists";
Dir::Cache "{self.root}";
Dir::Cache::archives "{self.root}/archives";
Dir::Cache::pkgcache "{self.root}/pkgcache.bin";
Dir::Cache::srcpkgcache "{self.root}/srcpkgcache.bin";
Dir::Etc::sourcelist "{self.root}/etc/sources.list";
Dir::Etc::sourceparts "{self.root}/etc/none.d";
Dir::Etc::preferences "{self.root}/etc/preferences";
Dir::Etc::preferencesparts "{self.root}/etc/none.d";
Dir::Etc::trusted "{self.root}/etc/none";
Dir::Etc::trustedparts "{self.root}/etc/none.d";
APT::Sandbox::User "{user}";
Acquire::Languages "none";
Acquire::Retries "3";
""")


@contextlib.contextmanager
def apt_root(parent: Path, suite: str, log: Path) -> Iterator[AptRoot]:
    """A ready AptRoot in a temporary folder under `parent`; raises NotAvailable."""
    missing = [n for n in ("apt-get", "dpkg", "dpkg-deb", "tar") if not shutil.which(n)]
    if missing:
        raise NotAvailable(f"this machine has no {', '.join(missing)}")
    release = os_release()
    if release.get("ID") != "debian":
        raise NotAvailable(f"this machine is not Debian but {release.get('ID', '?')}")
    keyring = next((path for path in KEYRINGS if os.access(path, os.R_OK)), None)
    if not keyring:
        raise NotAvailable("the package debian-archive-keyring is not installed")
    codename = release.get("VERSION_CODENAME", "")
    targets = run(
        [
            "apt-get",
            "indextargets",
            # without it nothing is printed before a first update
            "--no-release-info",
            "--format",
            "$(RELEASE) $(COMPONENT) $(REPO_URI)",
            "Created-By: Packages",
        ],
        what="apt-get indextargets",
    )
    mirrors = pick_mirrors(targets, codename)
    if not mirrors:
        raise NotAvailable(f"apt on this machine has no mirror for {codename} main")
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".apt.", dir=parent) as folder:
        root = AptRoot(Path(folder), suite, log)
        root.write_configuration()
        root.update(mirrors, keyring, codename)
        yield root


def unpack(deb: Path, target: Path, excludes: Sequence[str], log: Path) -> None:
    """Unpack a package's files under `target`, leaving out tar patterns."""
    target.mkdir(parents=True, exist_ok=True)
    tar = deb.with_suffix(".tar")
    flags = [f"--exclude={pattern}" for pattern in excludes]
    with tar.open("wb") as stream:
        # a file rather than a pipe: the exit codes of both programs are then seen
        _to_file(["dpkg-deb", "--fsys-tarfile", str(deb)], stream)
    run(
        ["tar", "-x", "--no-same-owner", "-f", tar, "-C", target, *flags],
        what=f"unpacking {deb.name}",
        hint="Check the free disk space, then run the command again.",
        log=log,
    )
    tar.unlink()


def _to_file(argv: Sequence[str], stream) -> None:
    done = subprocess.run(argv, stdout=stream, stderr=subprocess.PIPE, check=False)
    if done.returncode:
        raise ProvisioningError(
            f"{' '.join(argv)}: {done.stderr.decode(errors='replace').strip()}",
            "Check the free disk space, then run the command again.",
        )
