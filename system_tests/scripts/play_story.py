"""Plays a story on the world of make_story_world.py, and commits it.

``args``: "at", the instant at which it begins, and "steps", [name, ...] each. A
document is named by its place among all of them.
"""

import json
from datetime import datetime, timedelta

from freezegun import freeze_time

from odoo import fields


class Story:
    def __init__(self, env, clock):
        self.env = env(context=dict(env.context, tracking_disable=True))
        self.clock = clock
        orders = self.env["sale.order"].search([("fc_external_id", "in", ("a", "b"))])
        self.orders = {order.fc_external_id: order for order in orders}
        self.service = orders.fc_service_id

    def play(self, steps):
        for name, *args in steps:
            getattr(self, name)(*args)
            self.env.flush_all()
        self.env.cr.commit()

    def move(self, number):
        return self.env["account.move"].search([], order="id")[number]

    # -- steps -------------------------------------------------------------------

    def wait(self, hours):
        self.clock.move_to(fields.Datetime.now() + timedelta(hours=hours))

    def usage(self, *events):
        raw = [
            {
                "subscription_external_id": sub,
                "metric_code": metric,
                "idempotency_key": key,
                "quantity": quantity,
                "period_start": start,
                "period_end": start,
                **({"unique_key": unique} if unique else {}),
            }
            for sub, metric, key, quantity, start, unique in events
        ]
        self.check(self.service._api_record_usage({"events": raw}))

    def void(self, sub, metric, key):
        event = {
            "subscription_external_id": sub,
            "metric_code": metric,
            "idempotency_key": key,
        }
        self.check(
            self.service._api_void_usage({"reason": "by mistake", "events": [event]})
        )

    def rate(self):
        self.env["sale.order"]._cron_fc_rate_usage()

    def invoice(self):
        self.env["sale.order"]._cron_recurring_create_invoice()

    def close(self, sub):
        self.orders[sub].set_close()

    def price(self, metric, values):
        charge = self.env["fusion.billing.charge"].search(
            [("metric_id.code", "=", metric)]
        )
        charge.write(values)

    def credit(self, number, modify):
        """Credit an invoice in full; its usage is billed again."""
        move = self.move(number)
        wizard = (
            self.env["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=move.ids)
            .create(
                {
                    "journal_id": move.journal_id.id,
                    "reason": "by test",
                    "fc_usage_choice": "again_today",
                }
            )
        )
        before = move.reversal_move_ids
        if modify:
            wizard.modify_moves()
            return
        wizard.refund_moves()
        (move.reversal_move_ids - before).action_post()

    @staticmethod
    def check(answer):
        if answer["status"] != "ok":
            raise ValueError(json.dumps(answer))


with freeze_time(datetime.fromisoformat(args["at"])) as clock:  # noqa: F821 (shell)
    Story(env, clock).play(args["steps"])  # noqa: F821 (given by the shell)
