"""Every error code of the HTTP API: its status, and what it means.

The one table. The controllers take their statuses from it; the OpenAPI description
and docs/api.md are checked against it. Codes are public: they are added, not changed.
"""

from dataclasses import dataclass
from typing import Annotated

from ..errors import BillingError
from ..shape import IF_ANY, Format, Refusal


@dataclass(frozen=True)
class ApiError:
    """What a code means.

    :param status: HTTP status of an answer with this code; 404 instead where the path
        itself names what is unknown
    :param meaning: for developers of source apps; in docs and OpenAPI
    :param in_path: it can be about what the path names
    """

    status: int
    meaning: str
    in_path: bool = False


ERRORS: dict[str, ApiError] = {
    # The request as such
    "invalid_request": ApiError(400, "the request is not well-formed HTTP"),
    "incomplete_body": ApiError(400, "the body ended before its Content-Length"),
    "invalid_json": ApiError(
        400,
        "the body is not strict JSON in UTF-8 (keys given twice, NaN and a byte order"
        " mark are refused, too); `error` says what and where",
    ),
    "too_many_values": ApiError(
        400, "the body has far more keys and values than such a request needs"
    ),
    "invalid_payload": ApiError(400, "the body is no JSON object"),
    "missing_field": ApiError(
        400, "a required key is missing, null or empty; `field` names it"
    ),
    "unknown_field": ApiError(
        400, "a key that such an object does not have; `field` is its path"
    ),
    "unknown_parameter": ApiError(
        400, "a query parameter that this route does not have; `field` names it"
    ),
    "invalid_parameter": ApiError(
        400, "a query parameter has a bad value, or is given twice; `field` names it"
    ),
    "invalid_cursor": ApiError(
        400, "`cursor` is not a `next_cursor` of this list; begin without one"
    ),
    "unauthorized": ApiError(
        401, "no API key in `Authorization`, or an unknown, expired or revoked one"
    ),
    "insufficient_scope": ApiError(
        403, "this API key has no scope for this request; ask for one that has"
    ),
    "not_found": ApiError(404, "no such route"),
    "unknown_database": ApiError(
        404, "no such database here; name yours in the header X-Odoo-Database"
    ),
    "method_not_allowed": ApiError(405, "method not allowed; see the header `Allow`"),
    "body_too_slow": ApiError(
        408,
        "the body came too slowly: it has 5 seconds to get going, then 64 KiB must come"
        " in each second, and all of it within a minute",
    ),
    "length_required": ApiError(411, "no Content-Length"),
    "body_too_large": ApiError(413, "the body is over 8 MiB; send smaller batches"),
    "unsupported_media_type": ApiError(
        415, "not application/json, not UTF-8, or compressed; `error` says which"
    ),
    "rate_limited": ApiError(
        429, "too many requests; wait as many seconds as `Retry-After` says"
    ),
    "internal_error": ApiError(500, "our fault; nothing was stored"),
    "busy": ApiError(
        503,
        "too many requests at once, of yours or for the same records; nothing was"
        " stored, send it again after `Retry-After`",
    ),
    # Customers
    "invalid_external_id": ApiError(
        400,
        "`external_id` is not text of 1 to 255 characters; of a subscription, also not"
        " `id:` with a number",
    ),
    "invalid_name": ApiError(
        400, "`name` is not text of 1 to 255 characters; it cannot be cleared"
    ),
    "invalid_email": ApiError(
        400, "`email` is not one e-mail address of at most 254 characters"
    ),
    "unknown_customer": ApiError(
        400, "no customer of yours has this external id", in_path=True
    ),
    # Subscriptions
    "invalid_external_customer_id": ApiError(
        400, "`external_customer_id` is not text of 1 to 255 characters"
    ),
    "invalid_plan_id": ApiError(400, "`plan_id` is not one of the catalog"),
    "invalid_start_date": ApiError(
        400, "`start_date` is no YYYY-MM-DD, or over ten years away"
    ),
    "invalid_billed_until": ApiError(
        400,
        "`billed_until` is no YYYY-MM-DD, or not the first day of a period from"
        " `start_date` up to the next; `error` names one",
    ),
    "invalid_lines": ApiError(400, "`lines` is no list"),
    "invalid_line": ApiError(
        400,
        "a line is no {product_id, quantity} of a product that is sold, or, in a"
        " change, no {line_id or product_id, quantity} of what is billed each period;"
        " `field` says which line, and what of it",
    ),
    "too_many_lines": ApiError(400, "over 200 lines"),
    "external_id_conflict": ApiError(
        400,
        "the subscription's `external_id` stands for one that was made with other"
        " content; `error` says what differs",
    ),
    "subscription_refused": ApiError(400, "Odoo refused it; `error` says why"),
    "invalid_when": ApiError(400, "`when` is none of the words that it can be"),
    "invalid_date": ApiError(
        400,
        "`date` is no YYYY-MM-DD of the next ten years, or not a day on which this can"
        " happen; `error` says why",
    ),
    "invalid_from": ApiError(
        400, "`from` is no YYYY-MM-DD from today up to ten years ahead"
    ),
    "invalid_until": ApiError(
        400,
        "`until` is no YYYY-MM-DD after today and `from`, up to ten years ahead",
    ),
    "not_available": ApiError(
        400,
        "the subscriptions of this Odoo cannot do that: what only the module for"
        " Community can, on Odoo Enterprise",
    ),
    "invalid_reason": ApiError(400, "`reason` is not text of 1 to 255 characters"),
    # Usage
    "invalid_events": ApiError(400, "`events` is no list"),
    "invalid_atomic": ApiError(400, "`atomic` is neither true nor false"),
    "too_many_events": ApiError(400, "more events than one request may have"),
    "events_refused": ApiError(400, "several events were refused; see `errors`"),
    "invalid_event": ApiError(400, "the event is no JSON object"),
    "invalid_subscription_external_id": ApiError(
        400,
        "no text of 1 to 255 characters; of an app that has never given a subscription"
        " an `external_id`, no `subscription_id`",
    ),
    "invalid_subscription_id": ApiError(
        400, "`subscription_id` is not the id of a subscription in Odoo"
    ),
    "subscription_mismatch": ApiError(
        400,
        "`subscription_external_id` and `subscription_id` mean two subscriptions; give"
        " one of them",
    ),
    "unknown_subscription": ApiError(
        400, "not a subscription of a customer of yours", in_path=True
    ),
    "invalid_metric_code": ApiError(
        400, "`metric_code` is not text of 1 to 255 characters"
    ),
    "unknown_metric": ApiError(400, "no active metric has this code"),
    "invalid_quantity": ApiError(
        400, "no plain decimal from 0 up to 10^16 with at most 10 decimals"
    ),
    "invalid_period": ApiError(
        400, "no ISO 8601 time of the years 2000 to 2099; `field` says which"
    ),
    "period_order": ApiError(400, "`period_end` is before `period_start`"),
    "period_in_future": ApiError(
        400, "`period_start` is further ahead than the tolerance (24 hours as shipped)"
    ),
    "invalid_idempotency_key": ApiError(
        400, "`idempotency_key` is not text of 1 to 255 characters"
    ),
    "idempotency_conflict": ApiError(
        400, "`idempotency_key` was used with other content; nothing was changed"
    ),
    "invalid_unique_key": ApiError(
        400, "`unique_key` is not text of 1 to 255 characters"
    ),
    # Invoices, reconciliations, webhook events
    "unknown_invoice": ApiError(
        400, "not a posted invoice of a customer of yours", in_path=True
    ),
    "pdf_unavailable": ApiError(
        503, "the server cannot make PDF files now; `error` says why"
    ),
    "shared_invoice": ApiError(
        400, "the invoice bills subscriptions of another app, too; its PDF shows them"
    ),
    "invalid_window": ApiError(400, "`window_end` is not after `window_start`"),
    "invalid_declared_quantity": ApiError(
        400, "`declared_quantity` is no decimal from 0 up to 10^16"
    ),
    "invalid_declared_count": ApiError(
        400, "`declared_count` is no whole number from 0 up to 2^31"
    ),
    "invalid_declared_amount": ApiError(
        400, "`declared_amount` is no decimal from 0 up to 10^16"
    ),
    "invalid_complete": ApiError(400, "`complete` is neither true nor false"),
    "unknown_event": ApiError(400, "no such event of yours", in_path=True),
    "no_webhook_url": ApiError(400, "the service has no webhook address to send to"),
}


def status_of(code: str, in_path: bool = False) -> int:
    """HTTP status of an answer with this code.

    :param in_path: it is about what the path of the request names
    """
    error = ERRORS[code]
    return 404 if in_path and error.in_path else error.status


ErrorCode = Annotated[
    str,
    Format(
        {
            "type": "string",
            "enum": list(ERRORS),
            "description": "Stable, for programs; see the table of errors.",
        },
        "ErrorCode",
    ),
]


@dataclass(frozen=True)
class Error(Refusal):
    error: Annotated[str, "What is wrong, for people."]
    code: ErrorCode
    field: Annotated[
        str | None, IF_ANY, "Which key or query parameter is to blame, where one is."
    ] = None


def error_body(error: BillingError) -> dict:
    """The answer to a request that was refused as a whole."""
    return Error(error.message, error.code, error.field or None).as_json()
