"""Makes webhooks that wait for their next attempt due now, instead of in minutes."""

from odoo import fields


def main(env):
    waiting = env["fusion.billing.webhook"].search([("state", "=", "pending")])
    waiting.write({"next_attempt_at": fields.Datetime.now()})
    env.cr.commit()  # the job works in a transaction of its own
    env.ref("fusion_centralized_billing.cron_deliver_webhooks").method_direct_trigger()
    env.cr.commit()


main(env)  # noqa: F821 (given by the shell)
