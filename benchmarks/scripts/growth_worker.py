"""Subscriptions of a year, and as much usage of them as is asked for.

Runs in `odoo shell`. `args`: `size` (subscriptions), `seed`, `address` and `key` of who
tells it what to do, `repo`.
"""

import sys
from datetime import datetime, time

sys.path.append(args["repo"])  # noqa: F821 (given by the shell)

from benchmarks.scripts.serving import serve
from benchmarks.scripts.usage_world import UsageWorld

INVOICED = 11  # windows of each subscription, before the open one


class Worker:
    def __init__(self, env, args):
        self.env = env
        self.size = args["size"]
        self.world = UsageWorld(env, args, windows=(INVOICED,))

    def set_up(self):
        """Make the subscriptions, invoiced but for the open window; returns the key
        to come in with. Their external ids are 0-1, 0-2 and so on."""
        self.world.set_up()
        self.world.copy(0, self.size)
        # What the pattern has used is not of the events that are counted.
        self.env.cr.execute(
            "TRUNCATE fusion_billing_usage, fusion_billing_rating_queue"
        )
        key = self.world.service.action_generate_api_key()
        self.env.cr.commit()
        return key

    def fill(self, first, last, total):
        """Make some of the events of the year; see UsageWorld.fill."""
        orders = self.env["sale.order"].search(
            [("fc_external_id", "=like", "0-%")], order="id"
        )
        begin = datetime.combine(self.world.start_of(0), time())
        self.world.fill(orders.ids, begin, first, last, total)
        self.env.cr.commit()


serve(Worker(env, args), env, args)  # noqa: F821 (both are given by the shell)
