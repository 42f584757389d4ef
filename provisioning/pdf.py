"""wkhtmltopdf, which Odoo makes PDF files with: from a wheel, where that runs.

The wheel has the build with patched Qt, which prints headers and footers. It needs some
libraries of a desktop; where the machine lacks them they come from Debian. PDF files
stay optional: without them Odoo says so, and everything else works.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from . import debian
from .errors import ProvisioningError
from .files import complete_or_absent
from .process import clean_env
from .progress import Phase
from .settings import Settings

PROGRAM = "wkhtmltopdf-pack"  # what the wheel calls it
# What it is linked with beyond a bare Debian 12, and a font.
LIBRARIES = (
    "fonts-dejavu-core",
    "libbrotli1",
    "libbsd0",
    "libexpat1",
    "libfontconfig1",
    "libfreetype6",
    "libpng16-16",
    "libx11-6",
    "libxau6",
    "libxcb1",
    "libxdmcp6",
    "libxext6",
    "libxrender1",
)
EXCLUDES = ("./usr/share/doc", "./etc", "./var")
FONTS = "fonts.conf"
FONTS_CONF = """<fontconfig>
<dir>{root}/usr/share/fonts</dir>
<dir>/usr/share/fonts</dir>
<cachedir>{root}/font-cache</cachedir>
</fontconfig>
"""
# Its Qt looks for an OpenSSL of long ago and complains, though reports come by http.
WRAPPER = """#!/bin/bash
{exports}exec "{program}" "$@" 2> >(grep -v '^QSslSocket: cannot ' >&2)
"""


def get_bin_path(settings: Settings, python: Path, phase: Phase) -> Path | None:
    """The folder with `wkhtmltopdf`, for `bin_path` of odoo.conf; None without one.

    Hold the lock.

    :param python: of the virtual environment that the wheel is in
    """
    program = python.parent / PROGRAM
    if not program.exists():
        phase.note("no PDF files: wkhtmltopdf is not to be had for this platform")
        return None
    env: dict[str, str] = {}
    if not runs(program):
        try:
            env = _library_env(settings)
        except (debian.NotAvailable, ProvisioningError) as error:
            phase.note(f"no PDF files: wkhtmltopdf lacks libraries, and {error}")
            return None
        if not runs(program, env):
            phase.note("no PDF files: wkhtmltopdf does not run here")
            return None
    folder = python.parent.parent / "pdf"
    folder.mkdir(exist_ok=True)
    exports = "".join(f'export {name}="{value}"\n' for name, value in env.items())
    temporary = folder / f".{os.getpid()}"
    text = WRAPPER.format(program=program, exports=exports)
    temporary.write_text(text, encoding="utf-8")
    temporary.chmod(0o755)
    temporary.rename(folder / "wkhtmltopdf")
    return folder


def runs(program: Path, env: dict[str, str] | None = None) -> bool:
    """Whether the program starts: there, for this processor, with its libraries."""
    try:
        done = subprocess.run(
            [program, "--version"],
            env=clean_env(**(env or {})),
            capture_output=True,
            check=False,
        )
    except OSError:
        return False
    return done.returncode == 0


def _library_env(settings: Settings) -> dict[str, str]:
    """Variables that let the program find Debian's libraries, unpacked into the cache.

    Raises debian.NotAvailable.
    """
    codename = debian.os_release().get("VERSION_CODENAME", "stable")
    root = settings.cache / f"pdf-{codename}"
    if not root.exists():
        log = settings.logs / "pdf.log"
        with (
            debian.apt_root(settings.cache, codename, log) as apt,
            complete_or_absent(root) as work,
        ):
            for deb in apt.download(LIBRARIES):
                debian.unpack(deb, work, EXCLUDES, log)
            text = FONTS_CONF.format(root=root)
            (work / FONTS).write_text(text, encoding="utf-8")
    folders = [root / part / "x86_64-linux-gnu" for part in ("usr/lib", "lib")]
    return {
        "LD_LIBRARY_PATH": ":".join(map(str, folders)),
        "FONTCONFIG_FILE": str(root / FONTS),
    }
