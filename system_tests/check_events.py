"""Holds webhook events against the OpenAPI document; run with jsonschema at hand.

    python check_events.py < FILE

FILE is JSON: `document`, and `events`, a list of bodies. Prints each mistake in a line;
a key that the document does not name is one, too, though apps are to bear it.
"""

import json
import sys

from jsonschema import Draft202012Validator


def closed(schema):
    """The same, without room for keys that are not named."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: closed(value) for key, value in schema.items()}
    if found.get("type") == "object" and "properties" in found:
        found["additionalProperties"] = False
    return found


def main():
    given = json.load(sys.stdin)
    document = given["document"]
    components = closed(document["components"])
    checks = {}
    for code, item in document["webhooks"].items():
        content = item["post"]["requestBody"]["content"]["application/json"]
        checks[code] = Draft202012Validator(
            {**content["schema"], "components": components},
            format_checker=Draft202012Validator.FORMAT_CHECKER,
        )
        given["events"].append(content["example"])
    for event in given["events"]:
        for error in checks[event["type"]].iter_errors(event):
            sys.stdout.write(f"{event['type']} {error.json_path}: {error.message}\n")


main()
