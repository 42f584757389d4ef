"""The document as a page to read: one file, nothing from elsewhere.

It works without scripts; with them it has a filter and buttons that copy.
"""

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path

from markupsafe import Markup

from .html import element, prose
from .operations import anchor, operation_section
from .schemas import schema_sections, table
from .webhooks import webhook_sections

_HERE = Path(__file__).parent
WEBHOOKS = "Webhooks"
METHODS = ("get", "post", "put", "patch", "delete")


def page(document: Mapping) -> tuple[str, str]:
    """Return the page, and the Content-Security-Policy it is to be sent with.

    :param document: as :func:`..document.document` makes it
    """
    style = (_HERE / "docs.css").read_text(encoding="utf-8")
    script = (_HERE / "docs.js").read_text(encoding="utf-8")
    title = f"{document['info']['title']} API"
    html = element(
        "html",
        element(
            "head",
            element("meta", charset="utf-8"),
            element(
                "meta", name="viewport", content="width=device-width, initial-scale=1"
            ),
            element("title", title),
            element("style", Markup(style)),
        ),
        element(
            "body",
            element("a", "Skip to the content", class_="skip", href="#content"),
            _navigation(document),
            element("main", _content(document), id="content"),
            element("script", Markup(script)),
        ),
        lang="en",
    )
    policy = "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_hash(style)}'",
            f"script-src '{_hash(script)}'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )
    return f"<!DOCTYPE html>\n{html}\n", policy


def _hash(text):
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _operations(document):
    """(method, path, operation) of each, in the order of the document."""
    for path, item in document["paths"].items():
        for method in item:
            if method in METHODS:
                yield method, path, item[method]


def _navigation(document):
    groups = [
        element(
            "li",
            element("a", tag["name"], href=f"#{anchor(tag['name'])}", class_="group"),
            element(
                "ul",
                [
                    element(
                        "li",
                        element(
                            "a",
                            element("b", method, class_=f"method {method}"),
                            element("span", _breakable(path)),
                            href=f"#{operation['operationId']}",
                        ),
                    )
                    for method, path, operation in _operations(document)
                    if tag["name"] in operation["tags"]
                ],
            ),
        )
        for tag in document["tags"]
    ]
    others = [
        element("li", element("a", text, href=href, class_="group"))
        for text, href in (("Errors", "#errors"), ("Schemas", "#schemas"))
    ]
    info = document["info"]
    return element(
        "nav",
        element(
            "a",
            element("strong", info["title"]),
            element("small", f"HTTP API, addon {info['version']}"),
            href="#content",
            class_="brand",
        ),
        # opens the list on small screens, without a script
        element("input", type="checkbox", id="menu", aria_label="Show the contents"),
        element("label", "Contents", for_="menu"),
        element(
            "input",
            type="search",
            id="filter",
            placeholder="Filter",
            aria_label="Filter the contents",
            hidden=True,
        ),
        element("ul", groups, others),
        aria_label="Contents",
    )


def _breakable(path):
    """A path that may be broken before a slash, and nowhere else."""
    parts = path.split("/")
    return Markup("<wbr>/").join(parts)


def _content(document):
    info, base = document["info"], document["servers"][0]["url"]
    setup = (
        f"export FCB=https://odoo.example.com{base}\n"
        "export KEY=fcb_...        # shown once when it is issued"
    )
    return [
        element(
            "header",
            element("h1", info["title"], " API"),
            element("p", info["summary"], ". Base path ", element("code", base), "."),
            prose(info["description"]),
            element("p", "The examples below need two variables:"),
            element("pre", element("code", setup)),
            element(
                "p",
                "For programs the same is in ",
                element("a", "openapi.json", href="openapi.json"),
                ", an OpenAPI 3.1 document.",
            ),
            class_="intro",
        ),
        [_group(document, tag) for tag in document["tags"]],
        _errors(document),
        element(
            "section",
            element("h2", "Schemas"),
            schema_sections(document),
            id="schemas",
        ),
    ]


def _group(document, tag):
    return element(
        "section",
        element("h2", tag["name"]),
        prose(tag["description"]),
        [
            operation_section(document, method, path, operation)
            for method, path, operation in _operations(document)
            if tag["name"] in operation["tags"]
        ],
        webhook_sections(document) if tag["name"] == WEBHOOKS else None,
        id=anchor(tag["name"]),
    )


def _errors(document):
    rows = [
        (
            _statuses(error),
            element("code", code, id=f"error-{code}"),
            prose(error["meaning"]),
        )
        for code, error in document["x-errors"].items()
    ]
    return element(
        "section",
        element("h2", "Errors"),
        prose(
            'Every refusal is `{"status": "error", "error": ..., "code": ...}`, and'
            " often names the key to blame in `field`. `code` is stable, for programs;"
            " `error` is for people."
        ),
        table(("HTTP", "Code", "Meaning"), rows, class_="errors"),
        id="errors",
    )


def _statuses(error):
    also = error.get("status_in_path")
    return f"{error['status']}, {also} in a path" if also else str(error["status"])
