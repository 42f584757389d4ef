"""How the document tells what can go wrong."""

from ...engine.api.errors import ERRORS, Error, error_body, status_of
from ...engine.errors import BillingError
from ...engine.shape import schema_of
from .operation import JSON

HEADERS = {
    "Retry-After": {
        "description": "Seconds to wait before the next request.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    },
    "Allow": {
        "description": "The methods this path has.",
        "required": True,
        "schema": {"type": "string"},
    },
    "X-Request-Id": {
        "description": "The request's, else one that was made for it.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,128}$"},
    },
    "RateLimit-Limit": {
        "description": "How many requests can come at once; absent without a limit.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "RateLimit-Remaining": {
        "description": "How many more can come now.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "RateLimit-Reset": {
        "description": "Seconds until as many as `RateLimit-Limit` can come again.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "ETag": {
        "description": "Names this very content; send it as `If-None-Match`.",
        "required": True,
        "schema": {"type": "string", "pattern": '^"[0-9a-f]{32}"$'},
    },
    "WWW-Authenticate": {
        "description": "How to send a key.",
        "required": True,
        "schema": {"const": "Bearer"},
    },
}

EXAMPLES = {
    code: {
        "summary": error.meaning,
        "value": error_body(BillingError(code, error.meaning)),
    }
    for code, error in ERRORS.items()
}

# Which header an answer with this code has.
_HEADER_OF = {
    "unauthorized": "WWW-Authenticate",
    "method_not_allowed": "Allow",
    "rate_limited": "Retry-After",
    "busy": "Retry-After",
}

_ANY = (
    "invalid_request",
    "not_found",
    "unknown_database",
    "method_not_allowed",
    "internal_error",
    "busy",
)
_WITH_KEY = ("unauthorized", "insufficient_scope", "rate_limited")
_WITH_BODY = (
    "body_too_slow",
    "incomplete_body",
    "invalid_json",
    "too_many_values",
    "unknown_field",
    "body_too_large",
    "unsupported_media_type",
)


def codes_of(route) -> list[str]:
    """Every code that an operation can answer, in the order of the error table.

    :param route: the ``Route``
    """
    operation = route.operation
    codes = {*_ANY, *operation.errors}
    if operation.unknown_in_path:
        codes.add(operation.unknown_in_path)
    if route.scope:
        codes.update(_WITH_KEY)
        if route.method == "GET":
            codes.add("unknown_parameter")
    if operation.query:
        codes.add("invalid_parameter")
    if "cursor" in operation.query:
        codes.add("invalid_cursor")
    if operation.request:
        codes.update(_WITH_BODY)
        if operation.request.required:
            codes.add("length_required")
    if unknown := codes - {*ERRORS}:
        raise KeyError(f"{operation.name}: not in the error table: {unknown}")
    return [code for code in ERRORS if code in codes]


LIMITS = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
SHARED = ("X-Request-Id", *LIMITS)


def shared_headers(route, status: str) -> list[str]:
    """The headers of an operation's answers that do not depend on its code.

    :param route: the ``Route``
    :param status: of the answer
    """
    names = [*SHARED] if route.scope else ["X-Request-Id"]
    if route.method == "GET" and status in ("200", "304"):
        names.append("ETag")
    return names


def refusals(route, schemas: dict[str, dict]) -> dict[str, dict]:
    """The error responses of an operation: status (text) -> response object.

    :param schemas: name -> schema; what the responses need is added
    """
    operation = route.operation
    groups: dict[int, list[str]] = {}
    for code in codes_of(route):
        in_path = code == operation.unknown_in_path
        groups.setdefault(status_of(code, in_path), []).append(code)
    return {
        str(status): _response(codes, operation if status == 400 else None, schemas)
        for status, codes in sorted(groups.items())
    }


def _response(codes, operation, schemas):
    """The response for one status, which says what its codes are."""
    of_these = {"type": "object", "properties": {"code": {"enum": codes}}}
    plain = {"allOf": [schema_of(Error, schemas), of_these]}
    examples = {code: {"$ref": f"#/components/examples/{code}"} for code in codes}
    refusal = operation and operation.refusal
    schema = plain
    if refusal:
        schema = {"anyOf": [schema_of(refusal, schemas), plain]}
        name = operation.refusal_example["code"]
        examples[f"{name} in a batch"] = {
            "summary": "One of several events was refused",
            "value": operation.refusal_example,
        }
    response = {
        "description": "; ".join(f"`{code}`: {ERRORS[code].meaning}" for code in codes),
        "content": {
            JSON: {
                "schema": schema,
                "examples": examples,
            }
        },
    }
    names = [_HEADER_OF.get(code) for code in codes]
    if any(names):
        response["headers"] = {
            name: {"$ref": f"#/components/headers/{name}"}
            if all(other == name for other in names)
            else HEADERS[name] | {"required": False}
            for name in filter(None, names)
        }
    return response
