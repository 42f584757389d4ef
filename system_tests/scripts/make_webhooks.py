"""Makes services that webhooks are sent to.

`args`: `url`, of the receiver; `paths`: code -> what comes behind it. Prints the ids.
"""

import json

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


def main(env, args):
    services = env["fusion.billing.service"].create(
        [
            {
                "name": code,
                "code": code,
                "webhook_url": args["url"] + path,
                "webhook_secret": SECRET,
            }
            for code, path in args["paths"].items()
        ]
    )
    env.cr.commit()
    print(json.dumps({service.code: service.id for service in services}))


main(env, args)  # noqa: F821 (both are given by the shell)
