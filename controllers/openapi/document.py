"""The OpenAPI 3.1 document: what is written here, and what the code says itself."""

import re
from collections.abc import Mapping, Sequence

from ...engine.api.errors import ERRORS, Error
from ...engine.shape import Currency, Day, Id, Instant, Number, schema_of
from . import errors, values, webhooks
from .operation import JSON

TAGS = {
    "Customers": "An account of your app, and the customer in Odoo who pays for it.",
    "Subscriptions": "What a customer pays for, period by period.",
    "Usage": "What your app counts: events, sent in batches, stored once.",
    "Catalog": "What things cost.",
    "Invoices": "What your customers were billed.",
    "Reconciliation": "Your totals of a window beside ours.",
    "Webhook events": "What your webhook receiver was told.",
    webhooks.TAG: "What your receiver is sent: a `POST` to the webhook address of your"
    " service. Verify the signature, answer any 2xx within 15 seconds, and expect an"
    " event more than once and in no promised order.",
    "About the API": "These need no key.",
}
SCOPES = {
    "usage": "send, void and reconcile usage",
    "read": "every `GET`",
    "manage": "customers, subscriptions, webhooks",
}
DESCRIPTION = """
JSON in, JSON out, errors too. The one exception is an invoice's PDF.

**Keys.** Send `Authorization: Bearer fcb_...`. A billing administrator issues keys;
each has one or more scopes: {scopes}. Without the scope it needs, a request gets 403.

**Retry.** A request that got no answer, 429 or 503 can be sent again as it is:
nothing is stored twice. After 429 wait as many seconds as `Retry-After` says.

**Values.** Instants are `2026-01-10T09:00:00Z`. Quantities and amounts come as
decimal text; you may send numbers or decimal text, and both are read exactly. A key
that a request does not have is refused; to answers keys may be added. In paths,
percent-encode what holds a `/`.

**Each request has a name.** Answers say it as `X-Request-Id`; where you send one (up to
128 letters, digits, `.`, `_`, `-`), it is yours. People find it in the API log.

**What you have already.** Send the `ETag` of an answer to a `GET` as `If-None-Match`:
304 while it is the same.

**Lists.** They come in pages of `limit` items. While `has_more` is true, give
`next_cursor` back as `cursor`, with the same filters. Names that end in `_from` are
inclusive, those in `_until` exclusive. An unknown query parameter is refused: a
misspelt filter would otherwise answer everything.
"""
VARIABLE = re.compile(r"{(\w+)}")
DATABASE = {
    "name": "X-Odoo-Database",
    "in": "header",
    "required": False,
    "description": "The database, where Odoo does not know it by other means (one"
    " database, or a filter by host name).",
    "schema": {"type": "string"},
    "example": "billing",
}


def document(routes: Sequence, version: str, prefix: str) -> dict:
    """Return the OpenAPI document.

    :param routes: the ``Route`` objects of the API
    :param version: of the addon
    :param prefix: path that all routes begin with
    :raises KeyError: a tag, something in a path or an error code is not described
    """
    paths: dict[str, dict] = {}
    schemas = dict(values.SCHEMAS)
    for hint in (Id, Number, Instant, Day, Currency, Error):
        schema_of(hint, schemas)
    order = {tag: place for place, tag in enumerate(TAGS)}
    for route in sorted(routes, key=lambda route: order[route.operation.tag]):
        item = paths.setdefault(
            route.path, {"parameters": [{"$ref": "#/components/parameters/Database"}]}
        )
        item[route.method.lower()] = _operation(route, schemas)
    webhooks.schemas(schemas)
    scopes = "; ".join(f"`{name}` for {what}" for name, what in SCOPES.items())
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Fusion Centralized Billing",
            "version": version,
            "summary": "Usage-based billing inside Odoo",
            "description": DESCRIPTION.strip().format(scopes=scopes),
            "license": {"name": "LGPL-3.0", "identifier": "LGPL-3.0-only"},
        },
        "servers": [{"url": prefix, "description": "This server"}],
        "tags": [{"name": name, "description": TAGS[name]} for name in TAGS],
        "paths": paths,
        "webhooks": webhooks.webhooks(),
        "components": {
            "schemas": schemas,
            "parameters": {"Database": DATABASE},
            "headers": errors.HEADERS,
            "examples": errors.EXAMPLES,
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key of your service.",
                }
            },
        },
        "x-errors": {
            code: {"status": error.status, "meaning": error.meaning}
            | ({"status_in_path": 404} if error.in_path else {})
            for code, error in ERRORS.items()
        },
    }


def _operation(route, schemas):
    """One operation object; the schemas it needs are added."""
    operation = route.operation
    if operation.request:
        schemas |= operation.request.schemas
    found = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.description.strip(),
        "deprecated": bool(operation.deprecation),
        "security": [{"key": [route.scope]}] if route.scope else [],
        "parameters": [*_path(route), *_query(operation)],
        "responses": _responses(route, schemas),
    }
    if request := operation.request:
        found["requestBody"] = {
            "required": request.required,
            "content": {
                JSON: {
                    "schema": values.ref(request.schema),
                    "examples": _examples(request.examples),
                }
            },
        }
    return {key: value for key, value in found.items() if value or key == "security"}


def _responses(route, schemas):
    found = {"200": _answer(route.operation, schemas)}
    if route.method == "GET":
        found["304"] = {"description": "You have it already: the `ETag` is the same."}
    found |= errors.refusals(route, schemas)
    for status, response in found.items():
        names = errors.shared_headers(route, status)
        shared = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
        response["headers"] = shared | response.get("headers", {})
    return found


def _path(route):
    for name in VARIABLE.findall(route.path):
        parameter = route.operation.path[name]
        yield {
            "name": name,
            "in": "path",
            "required": True,
            "description": parameter.description,
            "schema": dict(parameter.schema),
            "example": parameter.example,
        }


def _query(operation):
    for name, parameter in operation.query.items():
        yield {
            "name": name,
            "in": "query",
            "required": False,
            "description": parameter.description,
            "schema": {**parameter.read.accepts, **parameter.schema},
        } | ({} if parameter.example is None else {"example": parameter.example})


def _answer(operation, schemas):
    content = {"schema": schema_of(operation.answer, schemas)}
    if operation.example is not None:
        content["example"] = operation.example
    found = {"description": "Done.", "content": {operation.media: content}}
    if operation.links:
        found["links"] = {
            name: {
                "operationId": link.operation,
                "parameters": dict(link.parameters),
            }
            for name, link in operation.links.items()
        }
    return found


def _examples(examples: Mapping[str, object]) -> dict:
    return {
        title.lower().replace(" ", "_"): {"summary": title, "value": value}
        for title, value in examples.items()
    }
