"""Running other programs: quiet when fine, telling when not."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from .errors import ProvisioningError
from .files import open_private

# Variables that would make the Python programs we run read somebody else's code or
# configuration. PYTHONDONTWRITEBYTECODE doubles every start of Odoo.
UNWANTED = (
    "ODOO_RC",
    "OPENERP_SERVER",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "VIRTUAL_ENV",
)


def clean_env(**extra: str) -> dict[str, str]:
    """The environment without `UNWANTED`, with `extra` on top."""
    env = {name: value for name, value in os.environ.items() if name not in UNWANTED}
    return {**env, **extra}


def run(
    argv: Sequence[str | Path],
    *,
    what: str,
    hint: str = "",
    log: Path | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: str | None = None,
    timeout: float | None = None,
    **kwargs,
) -> str:
    """Run a program to its end and return what it printed.

    Standard error goes to `log` (with the output, when a log is given), never to the
    terminal. Raises ProvisioningError with `what` and `hint` when the program is
    missing, fails or takes longer than `timeout` seconds.
    """
    if log:
        log.parent.mkdir(parents=True, exist_ok=True)
    try:
        done = subprocess.run(
            [str(part) for part in argv],
            input=stdin if stdin is not None else "",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if log else subprocess.PIPE,
            text=True,
            errors="replace",
            env=dict(env) if env is not None else clean_env(),
            cwd=cwd,
            timeout=timeout,
            check=False,
            **kwargs,
        )
    except FileNotFoundError as error:
        raise ProvisioningError(f"{what}: {error}", hint) from error
    except subprocess.TimeoutExpired as error:
        raise ProvisioningError(
            f"{what}: no end after {timeout:.0f} s", hint, log
        ) from error
    if log:
        with open_private(log, "a") as stream:
            stream.write(f"$ {' '.join(map(str, argv))}\n{done.stdout}")
    if done.returncode:
        detail = "" if log else f"\n{(done.stderr or done.stdout).strip()[-2000:]}"
        raise ProvisioningError(
            f"{what} (exit code {done.returncode}){detail}", hint, log
        )
    return done.stdout
