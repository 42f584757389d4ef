"""What is fed to `odoo shell`: a few lines that run a Python file, and another one."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

SCRIPT = """\
import json as _json, os as _os
args = _json.loads(_os.environ["FCB_SCRIPT_ARGS"])
__file__ = _os.environ["FCB_SCRIPT"]
exec(compile(open(__file__, encoding="utf-8").read(), __file__, "exec"), globals())
"""
ASSETS = "env['ir.qweb']._pregenerate_assets_bundles(); env.cr.commit()\n"


def script_env(path: Path, args: object, at: datetime | None) -> dict[str, str]:
    """Environment of a run of `SCRIPT`.

    :param args: anything JSON can carry
    :param at: naive UTC time at which the process believes to start
    """
    extra = {"FCB_SCRIPT": str(path), "FCB_SCRIPT_ARGS": json.dumps(args)}
    return extra | clock_env(at)


def clock_env(at: datetime | None) -> dict[str, str]:
    """Environment of an Odoo that believes to start at a naive UTC time, if given."""
    return {"FCB_AT": at.isoformat()} if at else {}
