"""Schemas as tables."""

import json
from collections.abc import Iterable, Mapping, Sequence

from markupsafe import Markup

from .html import element, inline, prose

_LIMITS = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minimum": "from {}",
    "maximum": "up to {}",
    "exclusiveMaximum": "below {}",
    "maxItems": "at most {} items",
    "default": "by default {}",
    "pattern": "pattern {}",
}


def table(
    heads: Sequence[str], rows: Iterable[Sequence[object]], class_: str | None = None
) -> Markup:
    """A table that scrolls by itself where the screen is narrow."""
    head = element("tr", [element("th", text) for text in heads])
    body = [element("tr", [element("td", cell) for cell in row]) for row in rows]
    return element(
        "div",
        element("table", element("thead", head), element("tbody", body), class_=class_),
        class_="table",
        tabindex="0",
    )


def name_of(schema: Mapping) -> str:
    """The name of the schema that is referred to, or an empty text."""
    return schema.get("$ref", "").rpartition("/")[2]


def type_of(schema: Mapping) -> list[object]:
    """What a value is, in a few words, with links to schemas."""
    if name := name_of(schema):
        return [element("a", name, href=f"#schema-{name}")]
    if "const" in schema:
        return [element("code", json.dumps(schema["const"]))]
    if "enum" in schema:
        return _between(", ", [element("code", value) for value in schema["enum"]])
    either = schema.get("anyOf")
    if either and any("$ref" in s or "type" in s for s in either):
        return _between(" or ", map(type_of, either))
    if schema.get("type") == "array":
        return ["list of ", type_of(schema["items"])]
    types = schema.get("type", "any value")
    types = [types] if isinstance(types, str) else types
    formats = [s["format"] for s in (schema, *(either or ())) if "format" in s]
    return [" or ".join(types), f" ({' or '.join(formats)})" if formats else ""]


def limits_of(schema: Mapping) -> list[object]:
    """What else holds for a value, in words."""
    found = [
        _fill(text, schema[key])
        for key, text in _LIMITS.items()
        if key in schema and schema[key] is not None
    ]
    return element("span", _between("; ", found), class_="limits") if found else None


def _fill(text, value):
    before, _braces, after = text.partition("{}")
    return [before, element("code", json.dumps(value).strip('"')), after]


def _between(separator, parts):
    joined: list[object] = []
    for part in parts:
        joined += [separator, part] if joined else [part]
    return joined


def keys(rows: Iterable[tuple[str, object, Mapping, str]]) -> Markup:
    """Names with what they stand for; it fits the narrowest screen.

    :param rows: name, a mark beside it, JSON Schema, description
    """
    return element(
        "dl",
        [
            element(
                "div",
                element(
                    "dt",
                    element("code", name),
                    " ",
                    element("span", type_of(schema), class_="type"),
                    " ",
                    mark,
                ),
                element("dd", inline(description), " ", limits_of(schema)),
            )
            for name, mark, schema, description in rows
        ],
        class_="keys",
    )


def properties(schema: Mapping, for_request: bool = False) -> Markup:
    """The keys of an object.

    :param for_request: say which ones are required; in answers all are there, unless
        said
    """
    required = schema.get("required", ())

    def mark(name):
        if for_request and name in required:
            return element("em", "required", class_="required")
        if not for_request and name not in required:
            return element("em", "if any", class_="optional")
        return None

    return keys(
        (name, mark(name), value, value.get("description", ""))
        for name, value in schema["properties"].items()
    )


def schema_sections(document: Mapping) -> list[Markup]:
    """All schemas of the document, each with a heading to link to."""
    return [
        element(
            "section",
            element("h3", element("code", name)),
            prose(schema.get("description", "")),
            _shape(schema, for_request=name.endswith(("Request", "Event", "Key"))),
            id=f"schema-{name}",
            class_="schema",
        )
        for name, schema in document["components"]["schemas"].items()
    ]


def _shape(schema, for_request):
    if schema.get("properties"):
        return properties(schema, for_request)
    if len(schema.get("enum", ())) > 12:  # of error codes, which have their own table
        return element("p", "See ", element("a", "Errors", href="#errors"), ".")
    return element("p", type_of(schema), " ", limits_of(schema))
