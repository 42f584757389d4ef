"""The webhook events as sections: when they come, and what they hold."""

from collections.abc import Mapping

from markupsafe import Markup

from .html import element, json_block, prose
from .schemas import keys, name_of, properties

JSON = "application/json"


def webhook_sections(document: Mapping) -> list[Markup]:
    """A section for what all have in common, and one for each type."""
    schemas = document["components"]["schemas"]
    operations = {code: item["post"] for code, item in document["webhooks"].items()}
    first = next(iter(operations.values()))
    headers = [
        (parameter["name"], None, parameter["schema"], parameter["description"])
        for parameter in first["parameters"]
    ]
    envelope = schemas[name_of(first["requestBody"]["content"][JSON]["schema"])]
    return [
        element("h4", "Headers"),
        keys(headers),
        element("h4", "Body"),
        properties(
            {
                **envelope,
                "properties": {
                    **envelope["properties"],
                    "type": {"type": "string", "description": "As below."},
                    "data": {"type": "object", "description": "As below."},
                },
            }
        ),
        *[_section(schemas, code, operations[code]) for code in operations],
    ]


def _section(schemas, code, operation):
    content = operation["requestBody"]["content"][JSON]
    event = schemas[name_of(content["schema"])]
    data = schemas[name_of(event["properties"]["data"])]
    return element(
        "article",
        element(
            "h3",
            element("code", code),
            element(
                "a", "#", href=f"#{operation['operationId']}", aria_label="Link to this"
            ),
        ),
        element(
            "div",
            element(
                "div",
                prose(operation["summary"]),
                prose(operation["description"]),
                element("h4", "data"),
                properties(data) if data["properties"] else prose("Empty."),
                class_="text",
            ),
            element("div", json_block(content["example"]), class_="samples"),
            class_="columns",
        ),
        id=operation["operationId"],
    )
