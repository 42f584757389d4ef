"""Prints what the service "old-app" says of its webhooks; makes one service more."""

import json


def main(env):
    Service = env["fusion.billing.service"]
    service = Service.search([("code", "=", "old-app")])
    other = Service.create({"name": "New App", "code": "new-app"})
    if other.webhook_endpoint_id == service.webhook_endpoint_id:
        raise RuntimeError("two services have one endpoint")
    print(
        json.dumps(
            {
                "url": service.webhook_url,
                "secret": service.webhook_secret,
                "failures": service.webhook_failures,
                "health": service.webhook_health,
                "reason": service.webhook_disabled_reason,
                "types": sorted(service.webhook_type_ids.mapped("code")),
            }
        )
    )


main(env)  # noqa: F821 (given by the shell)
