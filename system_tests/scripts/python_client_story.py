"""An app with the client that openapi-python-client makes.

python python_client_story.py URL KEY INVOICE_ID
"""

import json
import sys
from datetime import datetime, timedelta, timezone

from billing_client import AuthenticatedClient
from billing_client.api.invoices import get_invoice_pdf
from billing_client.api.usage import list_usage, record_usage
from billing_client.api.webhook_events import list_events
from billing_client.models import UsageEvent, UsageRequest

url, key, invoice = sys.argv[1:]
start = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(hours=2)


def event(quantity, number):
    return UsageEvent(
        subscription_external_id="sub-1",
        metric_code="calls",
        quantity=quantity,
        period_start=start,
        period_end=start + timedelta(hours=1),
        idempotency_key=f"python-client-{number}",
    )


with AuthenticatedClient(base_url=url, token=key) as client:
    request = UsageRequest(events=[event("1.25", 1), event(2, 2)])
    recorded = record_usage.sync(client=client, body=request)
    request = UsageRequest(events=[event("3", 1)])
    refused = record_usage.sync(client=client, body=request)
    listed = list_usage.sync(client=client, idempotency_key="python-client-1").events
    types = {e.event_type for e in list_events.sync(client=client).events}
    pdf = get_invoice_pdf.sync(int(invoice), client=client)
    print(
        json.dumps(
            {
                "accepted": recorded.accepted,
                "refused": refused.code.value,
                "quantities": [item.quantity for item in listed],
                "starts": [item.period_start == start for item in listed],
                "types": sorted(types),
                "pdf": pdf.payload.read(4).decode(),
            }
        )
    )
