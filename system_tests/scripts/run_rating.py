"""Runs the rating job in small batches, as one of several processes.

`args`: `ready` and `go`, two paths: the first file is made when the process is ready,
and it begins when the second is there; `slow`, seconds to wait after each batch before
it is committed. Prints how many subscriptions it rated.
"""

import time
from pathlib import Path
from unittest.mock import patch

from odoo.addons.fusion_centralized_billing.models import sale_order_rating_cron

BATCH = 10


def main(env, args):
    orders = env.registry["sale.order"]
    original, rated = orders._fc_rate_isolated, []

    def rate(batch):
        original(batch)
        time.sleep(args["slow"])
        rated.append(len(batch))

    env.cr.commit()
    Path(args["ready"]).touch()
    while not Path(args["go"]).exists():
        time.sleep(0.005)
    with (
        patch.object(sale_order_rating_cron, "BATCH", BATCH),
        patch.object(orders, "_fc_rate_isolated", rate),
    ):
        env["sale.order"]._cron_fc_rate_usage()
    env.cr.commit()
    print(sum(rated))


main(env, args)  # noqa: F821 (both are given by the shell)
