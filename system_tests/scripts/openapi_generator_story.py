"""An app with the client that openapi-generator makes for Python.

python openapi_generator_story.py URL KEY INVOICE_ID
"""

import json
import sys
from datetime import datetime, timedelta, timezone

import openapi_client as client

url, key, invoice = sys.argv[1:]
configuration = client.Configuration(host=url, access_token=key)
start = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(hours=2)


def event(quantity, number):
    return client.UsageEvent(
        subscription_external_id=client.SubscriptionReference("sub-1"),
        metric_code="calls",
        quantity=client.DecimalInput(quantity),
        period_start=start,
        period_end=start + timedelta(hours=1),
        idempotency_key=f"openapi-generator-{number}",
    )


with client.ApiClient(configuration) as api:
    usage = client.UsageApi(api)
    request = client.UsageRequest(events=[event("1.25", 1), event(2, 2)])
    recorded = usage.record_usage(request)
    try:
        usage.record_usage(client.UsageRequest(events=[event("3", 1)]))
        refused = ""
    except client.ApiException as error:
        refused = json.loads(error.body)["code"]
    listed = usage.list_usage(idempotency_key="openapi-generator-1").events
    types = {e.event_type for e in client.WebhookEventsApi(api).list_events().events}
    pdf = client.InvoicesApi(api).get_invoice_pdf(int(invoice))
    print(
        json.dumps(
            {
                "accepted": recorded.accepted,
                "refused": refused,
                "quantities": [item.quantity for item in listed],
                "starts": [item.period_start == start for item in listed],
                "types": sorted(types),
                "pdf": bytes(pdf[:4]).decode(),
            }
        )
    )
