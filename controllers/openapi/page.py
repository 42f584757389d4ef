"""The document as a page to read: what its template (views/api_docs.xml) calls.

One file, nothing from elsewhere, no script.
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, urlencode

from markupsafe import Markup, escape

from .errors import SHARED
from .operation import JSON

STYLE = Path(__file__).parents[2] / "static" / "api_docs" / "api_docs.css"
TEMPLATE = "fusion_centralized_billing.api_docs"
METHODS = ("get", "post", "put", "patch", "delete")

_INLINE = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*")
_TOKEN = re.compile(
    r'(?P<key>"(?:[^"\\]|\\.)*")(?=:)|(?P<string>"(?:[^"\\]|\\.)*")'
    r"|(?P<other>-?\b\d[\d.]*\b|\btrue\b|\bfalse\b|\bnull\b)"
)
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


def page_values(document: Mapping) -> dict:
    """What the template is rendered with.

    :param document: as :func:`.document.document` makes it
    """
    return {
        "doc": document,
        "schemas": document["components"]["schemas"],
        "style": Markup(STYLE.read_text(encoding="utf-8")),
        "JSON": JSON,
        "SHARED": SHARED,
        "anchor": anchor,
        "curl": curl,
        "inline": inline,
        "json_block": json_block,
        "limits_of": limits_of,
        "name_of": name_of,
        "operations": lambda tag: operations(document, tag),
        "prose": prose,
    }


def security_policy(style: str) -> str:
    """The Content-Security-Policy of the page: its own style, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src 'sha256-{digest}'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )


def operations(document: Mapping, tag: str) -> Iterator[tuple[str, str, Mapping]]:
    """(method, path, operation) of each of a group, in the order of the document."""
    for path, item in document["paths"].items():
        for method in item:
            if method in METHODS and tag in item[method]["tags"]:
                yield method, path, item[method]


def anchor(text: str) -> str:
    """What a heading is linked by."""
    return text.lower().replace(" ", "-")


def name_of(schema: Mapping) -> str:
    """The name of the schema that is referred to, or an empty text."""
    return schema.get("$ref", "").rpartition("/")[2]


def limits_of(schema: Mapping) -> list[tuple[str, str, str]]:
    """What else holds for a value: words, a value, words."""
    found = []
    for key, text in _LIMITS.items():
        if schema.get(key) is not None:
            before, _braces, after = text.partition("{}")
            found.append((before, json.dumps(schema[key]).strip('"'), after))
    return found


def prose(text: str) -> Markup:
    """Paragraphs with `code` and **bold**; of CommonMark the document has no more."""
    return Markup("").join(
        Markup("<p>{}</p>").format(inline(" ".join(paragraph.split())))
        for paragraph in text.strip().split("\n\n")
        if paragraph.strip()
    )


def inline(text: str) -> Markup:
    return _marked(_INLINE, text, lambda match: ("strong", "code")[bool(match[1])])


def json_block(value: object) -> Markup:
    """A JSON value, indented and coloured."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return _marked(_TOKEN, text, lambda match: f'span class="j-{match.lastgroup}"')


def _marked(pattern, text, tag_of):
    """Text with what matches in an element: the last group, or all of it."""
    parts, end = [], 0
    for match in pattern.finditer(text):
        tag = tag_of(match)
        parts += [
            escape(text[end : match.start()]),
            Markup(f"<{tag}>"),
            escape(match[match.lastindex]),
            Markup(f"</{tag.split()[0]}>"),
        ]
        end = match.end()
    return Markup("").join([*parts, escape(text[end:])])


def curl(method: str, path: str, operation: Mapping) -> str:
    """The command line of an operation's example.

    :param method: in lower case
    """
    query = {}
    for parameter in operation.get("parameters", ()):
        example = parameter.get("example")
        if parameter["in"] == "path":
            value = quote(str(example), safe="")
            path = path.replace(f"{{{parameter['name']}}}", value)
        elif example is not None:
            query[parameter["name"]] = example
    url = f"$FCB{path}"
    if query:
        url = f'"{url}?{urlencode(query, safe=":")}"'
    parts = [f"curl -sS {url}"]
    body = _body(operation)
    if method == "post" and not body:
        parts = [f"curl -sS -X POST {url}"]
    if operation["security"]:
        parts.append('-H "Authorization: Bearer $KEY"')
    if body:
        text = json.dumps(body, indent=2, ensure_ascii=False).replace("'", r"'\''")
        text = text.replace("\n", "\n  ")  # as far in as the rest
        parts += [f"-H 'Content-Type: {JSON}'", f"-d '{text}'"]
    if "application/pdf" in operation["responses"]["200"]["content"]:
        parts.append("-o invoice.pdf")
    return " \\\n  ".join(parts)


def _body(operation):
    content = operation.get("requestBody", {}).get("content", {}).get(JSON, {})
    examples = list(content.get("examples", {}).values())
    return examples[0]["value"] if examples else None
