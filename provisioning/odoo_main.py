"""Starts Odoo, whichever way its tree was had (Debian's has no odoo-bin).

Run by the virtual environment's Python with the tree on PYTHONPATH. As a script file,
not `-m odoo`, it keeps the current folder off sys.path: a folder named `odoo` there
would merge into the namespace package.
"""

import ctypes
import datetime
import logging
import os
import re
import signal
import sys

here = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [path for path in sys.path if os.path.abspath(path or ".") != here]

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>

# A server that belongs to one run must not outlive it, not even a killed one: the
# next run would drop the database under it.
if (parent := os.environ.pop("FCB_PARENT", "")) and sys.platform == "linux":
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(parent):  # it ended before the line above
        sys.exit(1)

if at := os.environ.pop("FCB_AT", ""):
    import freezegun

    # the clock runs on from there: code that measures durations keeps working
    freezegun.freeze_time(datetime.datetime.fromisoformat(at), tick=True).start()

QUERY = re.compile(r"\?.*(?= HTTP/\d)|\?.*", re.DOTALL)


def without_query(record):
    """Leave query strings out of the log of requests: they hold tokens of all kinds."""
    if isinstance(record.args, tuple):
        record.args = tuple(
            QUERY.sub("", value) if isinstance(value, str) else value
            for value in record.args
        )
    return True


logging.getLogger("werkzeug").addFilter(without_query)

import odoo.cli  # noqa: E402  (the path and the clock come first)

if __name__ == "__main__":
    sys.exit(odoo.cli.main())
