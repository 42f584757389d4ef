"""A command to try an operation with."""

import json
from collections.abc import Mapping
from urllib.parse import quote, urlencode

JSON = "application/json"


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
