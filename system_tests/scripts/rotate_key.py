"""Replaces a service's key, with an overlap. `args`: `service` (id).

Prints the new `key`, and the ids of those it has `replaced`.
"""

import json


def main(env, args):
    keys = env["fusion.billing.api.key"].search([("service_id", "=", args["service"])])
    service = env["fusion.billing.service"].browse(args["service"])
    raw_key = service.action_generate_api_key(overlap_hours=1)
    env.cr.commit()
    print(json.dumps({"key": raw_key, "replaced": keys.ids}))


main(env, args)  # noqa: F821 (both are given by the shell)
