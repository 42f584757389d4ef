"""Makes what takes long: a file of usage that was checked, and a period to compute.

`args`: `rows`, how many rows the file has. Prints the ids of import and period.
"""

import base64
import json
from unittest.mock import patch

from odoo.addons.fusion_centralized_billing.models.usage import imports

HEADER = "subscription_external_id,metric_code,quantity,period_start,period_end"


def main(env, args):
    rows = [
        f"a,calls,1,2026-01-05 00:00:00,2026-01-05 00:00:00,row-{number}"
        for number in range(args["rows"])
    ]
    content = "\n".join([f"{HEADER},idempotency_key", *rows])
    record = env["fusion.billing.usage.import"].create(
        {
            "service_id": env["fusion.billing.service"]
            .search([("code", "=", "app")])
            .id,
            "filename": "usage.csv",
            "file": base64.b64encode(content.encode()),
        }
    )
    record.action_check()
    Job = env.registry["fusion.billing.job"]
    with patch.object(imports, "AT_ONCE", 1):
        record.action_import()
    control = env["fusion.billing.control"].create(
        {"date_start": "2026-01-01", "date_end": "2026-01-31"}
    )
    with patch.object(Job, "_has_many_events", lambda records, most: True):
        control.action_compute()
    env.cr.commit()
    print(json.dumps([record.id, control.id]))


main(env, args)  # noqa: F821 (both are given by the shell)
