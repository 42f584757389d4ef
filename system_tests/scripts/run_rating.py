"""Runs the rating job in small batches, as one of several processes.

`args`: `ready` and `go`, two paths: the first file is made when the process is ready,
and it begins when the second is there; `slow`, seconds to wait after each batch before
it is committed. Prints how many subscriptions it rated.
"""

import time
from pathlib import Path
from unittest.mock import patch

from odoo.addons.fusion_centralized_billing.models.rating import run

BATCH = 10


def main(env, args):
    Run = env.registry["fusion.billing.rating.run"]
    original, rated = Run._rate_isolated, []

    def rate(records, batch):
        original(records, batch)
        time.sleep(args["slow"])
        rated.append(len(batch))

    env.cr.commit()
    Path(args["ready"]).touch()
    while not Path(args["go"]).exists():
        time.sleep(0.005)
    with (
        patch.object(run, "BATCH", BATCH),
        patch.object(Run, "_rate_isolated", rate),
    ):
        env["sale.order"]._cron_fc_rate_usage()
    env.cr.commit()
    print(sum(rated))


main(env, args)  # noqa: F821 (both are given by the shell)
