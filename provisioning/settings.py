"""Where things are: every path and every environment variable read, in one place.

Variables a user may set (all optional):

FCB_HOME            the cache folder, deletable; default
                    ${XDG_CACHE_HOME:-~/.cache}/fusion-centralized-billing
ODOO_PATH           an Odoo 19 checkout, or a folder that holds the `odoo` package
FCB_ODOO_SOURCE     `debian` or `git`: insist on one way of getting Odoo
FCB_POSTGRES        `system` or `wheel`: insist on one set of PostgreSQL binaries
PGHOST PGPORT PGUSER PGPASSWORD
                    use this PostgreSQL server; nothing is installed or started
FCB_CHROMIUM        path of a Chromium or Chrome for the browser tests
FCB_PYTHON          the Python (3.10 or newer) that `./fcb` runs with
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .errors import ProvisioningError

ADDON = "fusion_centralized_billing"
DROP_IN = "sale_subscription"
# Modules of Odoo that the tests of a module use and the module itself does not.
TESTS_NEED = {
    DROP_IN: ("payment_demo",),
    "website_sale_subscription": ("payment_demo",),
    ADDON: ("account_debit_note",),
}
REPO = Path(__file__).resolve().parent.parent
HERE = REPO / "provisioning"
CACHE_NAME = "fusion-centralized-billing"
MARKER = "made-by-fcb"
NEEDED_BYTES = 2_000_000_000


def default_cache(env: Mapping[str, str]) -> Path:
    """The cache folder for this environment; relative values are refused."""
    if env.get("FCB_HOME"):
        path = Path(env["FCB_HOME"]).expanduser()
    elif env.get("XDG_CACHE_HOME", "").startswith("/"):
        path = Path(env["XDG_CACHE_HOME"]) / CACHE_NAME
    else:
        # HOME may be missing in CI: expanduser then asks the password database
        path = Path("~").expanduser() / ".cache" / CACHE_NAME
    if not path.is_absolute():
        raise ProvisioningError(
            f"The cache folder {str(path)!r} is not an absolute path.",
            "Set FCB_HOME to an absolute path, e.g. FCB_HOME=/var/tmp/fcb ./fcb ...",
        )
    return path


@dataclass(frozen=True)
class Settings:
    """Paths of one checkout (`repo`) working in one cache."""

    cache: Path
    repo: Path = REPO
    odoo_path: Path | None = None
    odoo_source: str = ""
    postgres: str = ""
    pg_host: str = ""
    pg_port: str = ""
    pg_user: str = ""

    @classmethod
    def from_environment(cls, env: Mapping[str, str] | None = None) -> Settings:
        """Read the variables above; raises ProvisioningError for unusable ones."""
        env = os.environ if env is None else env
        for name, allowed in (
            ("FCB_ODOO_SOURCE", ("", "debian", "git")),
            ("FCB_POSTGRES", ("", "system", "wheel")),
        ):
            if env.get(name, "") not in allowed:
                raise ProvisioningError(
                    f"{name}={env[name]!r} is not known.",
                    f"Leave it unset or use one of: {', '.join(allowed[1:])}.",
                )
        odoo_path = env.get("ODOO_PATH", "")
        return cls(
            cache=default_cache(env),
            odoo_path=Path(odoo_path).expanduser().absolute() if odoo_path else None,
            odoo_source=env.get("FCB_ODOO_SOURCE", ""),
            postgres=env.get("FCB_POSTGRES", ""),
            pg_host=env.get("PGHOST", ""),
            pg_port=env.get("PGPORT", "") or "5432",
            pg_user=env.get("PGUSER", "") or "odoo",
        )

    @property
    def run_dir(self) -> Path:
        """Scratch folder of this checkout and this user: configuration, logs, pids.

        Several checkouts may share a cache, and root may share a user's.
        """
        key = hashlib.sha256(f"{self.repo}\0{os.geteuid()}".encode()).hexdigest()[:8]
        return self.cache / "run" / key

    @property
    def logs(self) -> Path:
        return self.run_dir / "logs"

    @property
    def state(self) -> Path:
        """Databases and filestore; one for each user, as files carry an owner."""
        return self.cache / f"state-{os.geteuid()}"

    @property
    def data_dir(self) -> Path:
        return self.state / "odoo-data"

    @property
    def addon_links(self) -> Path:
        """Folder for the addons path holding the repository under its Odoo name."""
        return self.run_dir / "addons"

    def venv(self, requirements: Path) -> Path:
        """Virtual environment for a requirements file and the running Python."""
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        key = hashlib.sha256(requirements.read_bytes() + sys.base_prefix.encode())
        name = requirements.stem.replace("requirements", "venv")
        return self.cache / f"{name}-py{version}-{key.hexdigest()[:8]}"
