"""The webhook events that an app receives: when, to whom, and what they hold."""

from collections.abc import Mapping
from dataclasses import dataclass

from .operation import JSON
from .subscription_schemas import EXTERNAL_ID, STATE, SUBSCRIPTION_ID
from .values import an_object, count, list_of, one_of, or_null, ref, text

TAG = "Webhooks"
_EVENT = "evt_0c3a5d1f9b6e4a7d8c2b1f0e9d8c7b6a"
_OWN = "The app that created the subscription; else every app of the customer."

_METRIC = text("The metric's code.")
_WINDOW = {
    "window_start": ref("Instant", "First instant of the window."),
    "window_end": ref("Instant", "First instant after it."),
}
_SUBSCRIPTION = {
    "subscription_id": SUBSCRIPTION_ID,
    "external_id": EXTERNAL_ID,
    "name": text("As the customer knows it."),
    "external_customer_id": or_null(text("The customer's id in your app.")),
    "plan_id": ref("Id", "From the catalog."),
    "subscription_state": STATE,
    "start_date": or_null(ref("Day", "Its first day.")),
    "next_invoice_date": or_null(ref("Day", "When it is billed next.")),
}


@dataclass(frozen=True)
class EventType:
    """A type of event.

    :param code: as ``invoice.posted``
    :param when: a sentence
    :param to: which apps, a sentence
    :param data: name of the schema of its ``data``
    :param example: such ``data``
    :param numbered: whether it is of one subscription, and so has a ``sequence``
    """

    code: str
    when: str
    to: str
    data: str
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
        "CustomerLinkedData",
        {"external_id": "acc-1", "partner_id": 42},
        numbered=False,
    ),
    EventType(
        "subscription.created",
        "A subscription runs for the first time; a renewal is one, too.",
        _OWN,
        "SubscriptionData",
        _SUBSCRIPTION_EXAMPLE,
        numbered=True,
    ),
    EventType(
        "subscription.updated",
        "The state of a subscription that has run changed: paused, resumed, renewed,"
        " ended.",
        _OWN,
        "SubscriptionUpdatedData",
        {
            **_SUBSCRIPTION_EXAMPLE,
            "subscription_state": "4_paused",
            "previous_state": "3_progress",
        },
        numbered=True,
    ),
    EventType(
        "usage.threshold_reached",
        "Rated usage reached a share of the quota, once for each share and"
        " window. 80 and 100 % unless the service says otherwise.",
        _OWN,
        "ThresholdReachedData",
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
        "RatingClosedData",
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
        "InvoiceEventData",
        _INVOICE_EXAMPLE,
        numbered=False,
    ),
    EventType(
        "invoice.paid",
        "An invoice was paid in full.",
        _TO_PAYERS,
        "InvoiceEventData",
        _INVOICE_EXAMPLE,
        numbered=False,
    ),
    EventType(
        "invoice.cancelled",
        "An invoice was cancelled; its usage is billed on another one.",
        _TO_PAYERS,
        "InvoiceEventData",
        _INVOICE_EXAMPLE,
        numbered=False,
    ),
    EventType(
        "reconciliation.mismatch",
        "The totals that you declared of a window differ from ours.",
        "The app that declared them.",
        "MismatchData",
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
        "TestData",
        {},
        numbered=False,
    ),
)

_DATA = {
    "CustomerLinkedData": an_object(
        {
            "external_id": text("The account's id in your app."),
            "partner_id": ref("Id", "The customer in Odoo."),
        }
    ),
    "SubscriptionData": an_object(_SUBSCRIPTION),
    "SubscriptionUpdatedData": an_object(
        {
            **_SUBSCRIPTION,
            "previous_state": {**STATE, "description": "The state before."},
        }
    ),
    "ThresholdReachedData": an_object(
        {
            "subscription_id": SUBSCRIPTION_ID,
            "external_id": EXTERNAL_ID,
            "metric": _METRIC,
            **_WINDOW,
            "threshold_percent": count("The share of the quota, in percent."),
            "quantity": ref("Decimal", "What was used in the window until then."),
            "included_quota": ref("Decimal", "What the plan includes."),
        }
    ),
    "RatingClosedData": an_object(
        {
            "invoice_id": ref("Id", "The invoice in Odoo."),
            "subscription_id": SUBSCRIPTION_ID,
            "external_id": EXTERNAL_ID,
            "ratings": list_of(ref("ClosedRating"), "One for each window billed."),
        }
    ),
    "ClosedRating": an_object(
        {
            "metric": _METRIC,
            **_WINDOW,
            "revision": count("0; 1 and up for usage that came after its invoice."),
            "quantity": or_null(ref("Decimal", "All that was used in the window.")),
            "billable": or_null(ref("Decimal", "Of it, what no quota covers.")),
            "amount": ref("Decimal", "What the invoice bills, without taxes."),
            "currency": ref("Currency", "Its code, as `USD`."),
        }
    ),
    "InvoiceEventData": an_object(
        {
            "invoice_id": ref("Id", "The invoice in Odoo."),
            "number": text("As the customer knows it."),
            "type": one_of(
                "out_invoice", "out_refund", description="`out_refund`: a credit note."
            ),
            "external_customer_id": or_null(
                text(
                    "The customer's id in your app: the account of its first"
                    " subscription."
                )
            ),
            "subscription_ids": list_of(
                ref("Id"), "The subscriptions of yours it bills."
            ),
            "date": or_null(ref("Day", "Of the invoice.")),
            "due_date": or_null(ref("Day", "When it is to be paid.")),
            "currency": ref("Currency", "Its code, as `USD`."),
            "amount_untaxed": ref("Decimal", "Without taxes."),
            "amount_total": ref("Decimal", "With taxes."),
        }
    ),
    "MismatchData": an_object(
        {
            "reconciliation_id": ref("Id", "The comparison in Odoo."),
            "subscription_id": SUBSCRIPTION_ID,
            "external_id": EXTERNAL_ID,
            "metric": _METRIC,
            **_WINDOW,
        }
    ),
    "TestData": an_object({}, description="Nothing."),
}
ENVELOPE = {
    "api_version": text(
        "A date, as `2026-01-01`; another one when something is taken away or changes"
        " its meaning."
    ),
    "id": text("The same in every attempt: your key to deduplicate."),
    "type": text("As `invoice.posted`."),
    "created_at": ref("Instant", "When it happened."),
    "sequence": or_null(
        count(
            "The number of the event among those of its subscription that your service"
            " is told of; null for an event of no one subscription."
        )
    ),
    "service": text("Code of your service."),
}
SCHEMAS = {
    **_DATA,
    **{
        kind.schema: an_object(
            {**ENVELOPE, "type": {"const": kind.code}, "data": ref(kind.data)},
            description=kind.when,
        )
        for kind in TYPES
    },
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
