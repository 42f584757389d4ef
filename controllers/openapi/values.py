"""The vocabulary of the schemas of requests: JSON Schema 2020-12, as dicts.

Those of answers come from their shapes, see engine/api/answers.
"""

from ...engine.api.events import MAX_TEXT, TEXT_PATTERN
from ...engine.api.payload import EMAIL_PATTERN, MAX_EMAIL
from ...engine.billing.quantity import DECIMALS, WHOLE_DIGITS
from ...engine.shape import described, reference_to

SCHEMAS = {
    "Text": {
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_TEXT,
        "pattern": f"^{TEXT_PATTERN}$",
        "description": "1 to 255 characters; not only spaces, no control characters.",
    },
    "OptionalText": {
        "type": ["string", "null"],
        "maxLength": MAX_TEXT,
        "pattern": f"^({TEXT_PATTERN})?$",
        "description": "As Text. Left out, null and empty are the same.",
    },
    "Email": {
        "type": ["string", "null"],
        "maxLength": MAX_EMAIL,
        "pattern": f"^({EMAIL_PATTERN})?$",
        "description": "One e-mail address. Null and empty take away what was there.",
    },
    "DecimalInput": {
        "anyOf": [
            {
                "type": "string",
                "pattern": rf"^[0-9]{{1,{WHOLE_DIGITS}}}(\.[0-9]{{1,{DECIMALS}}})?$",
            },
            {
                "type": "number",
                "minimum": 0,
                "exclusiveMaximum": 10**WHOLE_DIGITS,
            },
        ],
        "description": "Decimal text or a number: zero or more, below 10^16, at most 10"
        " decimals. Both are read exactly; no float is involved.",
    },
    "InstantInput": {
        "type": "string",
        "format": "date-time",
        "description": "ISO 8601 with an offset, of the years 2000 to 2099. A date"
        " alone (its midnight in UTC) and `YYYY-MM-DD HH:MM:SS` (UTC) are taken, too.",
    },
    "SubscriptionReference": {
        "anyOf": [
            {"$ref": "#/components/schemas/OptionalText"},
            {"$ref": "#/components/schemas/Id"},
        ],
        "description": "The subscription's `external_id`; 80 and `80` are the same. An"
        " app that has never given a subscription an `external_id` names it by its"
        " `subscription_id` here.",
    },
    "OdooReference": {
        "anyOf": [
            {"type": ["string", "null"], "pattern": "^([1-9][0-9]{0,9})?$"},
            {"$ref": "#/components/schemas/Id"},
        ],
        "description": "The `subscription_id` that answers have, instead of"
        " `subscription_external_id`. Give both only where they mean the same.",
    },
}


def ref(name: str, description: str = "") -> dict:
    """A schema of the document by its name."""
    return described(reference_to(name), description)


def or_null(schema: dict) -> dict:
    """The same, or null."""
    description = schema.get("description")
    bare = {key: value for key, value in schema.items() if key != "description"}
    [bare] = bare.get("allOf", [bare])
    either = {"anyOf": [bare, {"type": "null"}]}
    return either | ({"description": description} if description else {})


def flag(description: str) -> dict:
    return {"type": "boolean", "description": description}


def one_of(*values: str, description: str = "") -> dict:
    found = {"type": "string", "enum": list(values)}
    return found | ({"description": description} if description else {})


def list_of(items: dict, description: str = "", **limits: int) -> dict:
    found = {"type": "array", "items": items, **limits}
    return found | ({"description": description} if description else {})


def an_object(
    properties: dict, optional: tuple[str, ...] = (), description: str = ""
) -> dict:
    """An object; all keys are there but the optional ones, and no others."""
    found = {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }
    return found | ({"description": description} if description else {})


def names_subscription(content: dict) -> dict:
    """An object that names a subscription, by one of the two keys or by both.

    Which of them is needed is left to words: of `anyOf` generators of clients make
    classes that nobody can use.
    """
    keys = ("subscription_external_id", "subscription_id")
    required = [name for name in content["required"] if name not in keys]
    text = "Names its subscription by one of the two keys, or by both."
    return content | {"required": required, "description": text}
