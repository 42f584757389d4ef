"""One operation as a section: what it takes, what it answers, what can go wrong."""

from collections.abc import Mapping

from markupsafe import Markup

from .curl import JSON, curl
from .html import element, json_block, prose
from .schemas import keys, name_of, properties, table


def anchor(text: str) -> str:
    """What a heading is linked by."""
    return text.lower().replace(" ", "-")


def operation_section(
    document: Mapping, method: str, path: str, operation: Mapping
) -> Markup:
    """The section of one operation."""
    schemas = document["components"]["schemas"]
    scope = operation["security"][0]["key"][0] if operation["security"] else None
    return element(
        "article",
        element(
            "h3",
            element("b", method, class_=f"method {method}"),
            " ",
            element("code", path),
            element(
                "a", "#", href=f"#{operation['operationId']}", aria_label="Link to this"
            ),
        ),
        element(
            "div",
            element(
                "div",
                element(
                    "p",
                    element("strong", operation["summary"]),
                    " ",
                    element(
                        "em", f"scope {scope}" if scope else "no key", class_="scope"
                    ),
                ),
                prose(operation.get("description", "")),
                _parameters(operation, "path", "In the path"),
                _parameters(operation, "query", "Query parameters"),
                _request(schemas, operation),
                _answer(schemas, operation),
                class_="text",
            ),
            element("div", _samples(method, path, operation), class_="samples"),
            class_="columns",
        ),
        _errors(operation),
        id=operation["operationId"],
    )


def _parameters(operation, place, title):
    rows = [
        (
            parameter["name"],
            None,
            {k: v for k, v in parameter["schema"].items() if "Length" not in k},
            parameter["description"],
        )
        for parameter in operation.get("parameters", ())
        if parameter["in"] == place
    ]
    return rows and [element("h4", title), keys(rows)]


def _request(schemas, operation):
    request = operation.get("requestBody")
    if not request:
        return None
    name = name_of(request["content"][JSON]["schema"])
    title = element("h4", "Request ", _link(name))
    if not schemas[name].get("properties"):
        return [title, prose(schemas[name]["description"])]
    return [title, properties(schemas[name], for_request=True)]


def _answer(schemas, operation):
    [(media, content)] = operation["responses"]["200"]["content"].items()
    name = name_of(content["schema"])
    title = element("h4", "Answer 200 ", _link(name) if media == JSON else media)
    if schemas[name].get("properties"):
        return [title, properties(schemas[name])]
    return title


def _link(name):
    return element("a", name, href=f"#schema-{name}")


def _samples(method, path, operation):
    [(media, content)] = operation["responses"]["200"]["content"].items()
    command = element("pre", element("code", curl(method, path, operation)))
    answer = json_block(content["example"]) if media == JSON else element("p", media)
    bad = operation["responses"].get("400", {"content": {JSON: {"examples": {}}}})
    batch = [
        [element("h4", "Answer 400"), json_block(example["value"])]
        for example in bad["content"][JSON]["examples"].values()
        if "value" in example  # the others are like all errors
    ]
    return [
        element("h4", "Try it"),
        command,
        element("h4", "Answer 200"),
        answer,
        batch,
    ]


def _errors(operation):
    rows = []
    for status, response in operation["responses"].items():
        if status == "200":
            continue
        headers = ", ".join(response.get("headers", ()))
        examples = response["content"][JSON]["examples"]
        links = [
            [element("a", element("code", code), href=f"#error-{code}"), " "]
            for code, example in examples.items()
            if "$ref" in example
        ]
        rows.append((status, links, headers))
    return element(
        "details",
        element("summary", "Errors"),
        table(("HTTP", "Codes", "Headers"), rows),
    )
