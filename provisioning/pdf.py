"""wkhtmltopdf, which Odoo makes PDF files with: from a wheel, where that runs.

The wheel has the build with patched Qt, which prints headers and footers; it needs some
libraries of a desktop (Chromium's package brings them). PDF files stay optional:
without them Odoo says so, and everything else works.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from .process import clean_env
from .progress import Phase

PROGRAM = "wkhtmltopdf-pack"  # what the wheel calls it
# Its Qt looks for an OpenSSL of long ago and complains, though reports come by http.
WRAPPER = """#!/bin/bash
exec "{program}" "$@" 2> >(grep -v '^QSslSocket: cannot ' >&2)
"""


def get_bin_path(python: Path, phase: Phase) -> Path | None:
    """The folder with `wkhtmltopdf`, for `bin_path` of odoo.conf; None without one.

    :param python: of the virtual environment that the wheel is in
    """
    program = python.parent / PROGRAM
    if not runs(program):
        phase.note("no PDF files: wkhtmltopdf does not run here")
        return None
    folder = python.parent.parent / "pdf"
    folder.mkdir(exist_ok=True)
    wrapper = folder / "wkhtmltopdf"
    temporary = folder / f".{os.getpid()}"
    temporary.write_text(WRAPPER.format(program=program), encoding="utf-8")
    temporary.chmod(0o755)
    temporary.rename(wrapper)
    return folder


def runs(program: Path) -> bool:
    """Whether the program starts: there, for this processor, with its libraries."""
    try:
        done = subprocess.run(
            [program, "--version"], env=clean_env(), capture_output=True, check=False
        )
    except OSError:
        return False
    return done.returncode == 0
