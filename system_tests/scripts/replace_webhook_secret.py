"""Replaces the webhook secret of a service and has a test event written.

`args`: `service`, its code; `overlap`, hours, or None to replace nothing. Prints the
new secret.
"""

import json


def main(env, args):
    service = env["fusion.billing.service"].search([("code", "=", args["service"])])
    secret = None
    if args["overlap"] is not None:
        secret = service._replace_webhook_secret(args["overlap"])
    service.action_send_test_webhook()
    env.cr.commit()
    print(json.dumps(secret))


main(env, args)  # noqa: F821 (both are given by the shell)
