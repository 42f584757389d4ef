"""The webhook events that an app receives: when, to whom, and what they hold."""

from collections.abc import Mapping
from dataclasses import dataclass

from ...engine.shape import Shape, schema_of
from ...engine.webhook import event_types
from .operation import JSON
from .values import ref

TAG = "Webhooks"
_EVENT = "evt_0c3a5d1f9b6e4a7d8c2b1f0e9d8c7b6a"
_OWN = "The app that created the subscription; else every app of the customer."


@dataclass(frozen=True)
class EventType:
    """A type of event.

    :param code: as ``invoice.posted``
    :param when: a sentence
    :param to: which apps, a sentence
    :param data: the shape of its ``data``
    :param example: such ``data``
    :param numbered: whether it is of one subscription, and so has a ``sequence``
    """

    code: str
    when: str
    to: str
    data: type[Shape]
    example: Mapping[str, object]
    numbered: bool

    @property
    def schema(self):
        """Name of the schema of the whole event: ``InvoicePostedEvent``."""
        words = self.code.replace("_", ".").split(".")
        return "".join(word.capitalize() for word in words) + "Event"

    @property
    def envelope(self):
        """An example of the whole event."""
        return {
            "api_version": "2026-01-01",
            "id": _EVENT,
            "type": self.code,
            "created_at": "2026-02-01T06:00:00Z",
            "sequence": 7 if self.numbered else None,
            "service": "nexacloud",
            "data": self.example,
        }


_SUBSCRIPTION_EXAMPLE = {
    "subscription_id": 17,
    "external_id": "workspace-1",
    "name": "S00017",
    "external_customer_id": "acc-1",
    "plan_id": 3,
    "subscription_state": "3_progress",
    "start_date": "2026-01-01",
    "next_invoice_date": "2026-02-01",
}
_INVOICE_EXAMPLE = {
    "invoice_id": 88,
    "number": "INV/2026/00012",
    "type": "out_invoice",
    "external_customer_id": "acc-1",
    "subscription_ids": [17],
    "date": "2026-02-01",
    "due_date": "2026-03-03",
    "currency": "USD",
    "amount_untaxed": "35.00",
    "amount_total": "40.25",
}
_WINDOW_EXAMPLE = {
    "window_start": "2026-01-01T00:00:00Z",
    "window_end": "2026-02-01T00:00:00Z",
}
_TO_PAYERS = (
    "Each subscription's app, the one that created it, else every app of its customer;"
    " where it bills no subscription, every app of the customer. Each is told of its"
    " own subscriptions and what they come to."
)

TYPES = (
    EventType(
        "customer.linked",
        "An account of your app got its customer, by your request or by hand.",
        "The account's app.",
        event_types.CustomerLinkedData,
        {"external_id": "acc-1", "partner_id": 42},
        numbered=False,
    ),
    EventType(
        "customer.updated",
        "Name or e-mail of a customer changed, by your request, by another app's or in"
        " Odoo; or finance tied the account to another contact.",
        "The account's app.",
        event_types.CustomerUpdatedData,
        {
            "external_id": "acc-1",
            "partner_id": 42,
            "name": "Sample Customer",
            "email": "billing@example.com",
            "changed": ["email"],
        },
        numbered=False,
    ),
    EventType(
        "subscription.created",
        "A subscription runs for the first time; a renewal is one, too.",
        _OWN,
        event_types.SubscriptionData,
        _SUBSCRIPTION_EXAMPLE,
        numbered=True,
    ),
    EventType(
        "subscription.updated",
        "A subscription that has run changed, by your request, on the portal or in"
        " Odoo: its state (paused, resumed, renewed, ended), plan, dates or quantities."
        " `changes` says what.",
        _OWN,
        event_types.SubscriptionUpdatedData,
        {
            **_SUBSCRIPTION_EXAMPLE,
            "subscription_state": "4_paused",
            "previous_state": "3_progress",
            "changes": {
                "subscription_state": {"before": "3_progress", "after": "4_paused"},
                "resume_date": {"before": None, "after": "2026-02-10"},
            },
        },
        numbered=True,
    ),
    EventType(
        "usage.threshold_reached",
        "Rated usage reached a share of the quota, once for each share and"
        " window. 80 and 100 % unless the service says otherwise.",
        _OWN,
        event_types.ThresholdReachedData,
        {
            "subscription_id": 17,
            "external_id": "workspace-1",
            "metric": "api_calls",
            **_WINDOW_EXAMPLE,
            "threshold_percent": 80,
            "quantity": "84",
            "included_quota": "100",
        },
        numbered=True,
    ),
    EventType(
        "rating.closed",
        "The usage of a subscription went on a posted invoice. Not again when the"
        " invoice is reset to draft and posted anew.",
        _OWN,
        event_types.RatingClosedData,
        {
            "invoice_id": 88,
            "subscription_id": 17,
            "external_id": "workspace-1",
            "ratings": [
                {
                    "metric": "api_calls",
                    **_WINDOW_EXAMPLE,
                    "revision": 0,
                    "quantity": "150",
                    "billable": "50",
                    "amount": "25.00",
                    "currency": "USD",
                }
            ],
        },
        numbered=True,
    ),
    EventType(
        "invoice.posted",
        "An invoice or a credit note was posted. Again when it is reset to draft and"
        " posted anew.",
        _TO_PAYERS,
        event_types.InvoiceEventData,
        _INVOICE_EXAMPLE,
        numbered=False,
    ),
    EventType(
        "invoice.paid",
        "An invoice was paid in full.",
        _TO_PAYERS,
        event_types.InvoiceEventData,
        _INVOICE_EXAMPLE,
        numbered=False,
    ),
    EventType(
        "invoice.cancelled",
        "An invoice was cancelled; its usage is billed on another one.",
        _TO_PAYERS,
        event_types.InvoiceEventData,
        _INVOICE_EXAMPLE,
        numbered=False,
    ),
    EventType(
        "reconciliation.mismatch",
        "The totals that you declared of a window differ from ours.",
        "The app that declared them.",
        event_types.MismatchData,
        {
            "reconciliation_id": 5,
            "subscription_id": 17,
            "external_id": "workspace-1",
            "metric": "api_calls",
            **_WINDOW_EXAMPLE,
        },
        numbered=True,
    ),
    EventType(
        "webhook.test",
        "Somebody pressed **Send Test Webhook**, or you called `POST /webhooks/test`.",
        "The service of the button.",
        event_types.TestData,
        {},
        numbered=False,
    ),
)


def schemas(found: dict[str, dict]) -> None:
    """Add the schemas of the events of each type, and of what they hold.

    :param found: name -> schema
    """
    schema_of(event_types.EventPayload, found)
    for kind in TYPES:
        data = schema_of(kind.data, found)
        envelope = found[event_types.EventPayload.__name__]
        properties = {**envelope["properties"], "type": {"const": kind.code}}
        found[kind.schema] = envelope | {
            "properties": {**properties, "data": data},
            "required": list(properties),
            "description": kind.when,
        }


_HEADERS = {
    "webhook-id": "The event's id, as Standard Webhooks 1.0 has it.",
    "webhook-timestamp": "When this attempt was made, in seconds since 1970.",
    "webhook-signature": "`v1,` and the HMAC-SHA256 of `id.timestamp.body` in base64;"
    " several, with a space between them, while a secret is replaced.",
    "X-Fusion-Event-Id": "The event's id.",
    "X-Fusion-Event-Type": "The event's type.",
    "X-Fusion-Signature": "`sha256=` and the HMAC-SHA256 of the body in hex.",
}


def webhooks() -> dict[str, dict]:
    """The ``webhooks`` of the document: type -> path item."""
    return {
        kind.code: {
            "post": {
                "operationId": f"on{kind.schema}",
                "tags": [TAG],
                "security": [],  # it is signed
                "summary": kind.when,
                "description": f"Sent to: {kind.to}",
                "parameters": [
                    {
                        "name": name,
                        "in": "header",
                        "required": True,
                        "description": description,
                        "schema": {"type": "string"},
                    }
                    for name, description in _HEADERS.items()
                ],
                "requestBody": {
                    "required": True,
                    "content": {
                        JSON: {"schema": ref(kind.schema), "example": kind.envelope}
                    },
                },
                "responses": {
                    "2XX": {"description": "Taken; the body is not read."},
                    "410": {"description": "Send nothing more to this address."},
                    "default": {"description": "It is sent again later."},
                },
            }
        }
        for kind in TYPES
    }
