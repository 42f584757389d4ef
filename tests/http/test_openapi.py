import ast
import json
import re
from pathlib import Path

from freezegun import freeze_time

from odoo.tests import BaseCase, tagged

from ...controllers.envelope import HEADERS, PREFIX
from ...controllers.meta import document
from ...controllers.openapi import webhooks as webhook_types
from ...controllers.openapi.document import VARIABLE
from ...controllers.openapi.operation import JSON
from ...controllers.route import ROUTES
from ...engine.api.errors import ERRORS
from ...engine.webhook.event_types import EVENT_TYPES, TEST
from ..common import BillingCase
from .http_case import HttpApiCase

ADDON = Path(__file__).resolve().parents[2]
SOURCES = ("controllers", "engine", "engine/billing", "models")
RAISED = {"BillingError", "NotFoundError", "Refused"}


def schemas():
    return document()["components"]["schemas"]


def operations():
    """(method, path, operation) of everything in the document."""
    for path, item in document()["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                yield method.upper(), path, operation


def source_files():
    """The modules of the addon, in packages, too, without their tests."""
    paths = [p for folder in SOURCES for p in (ADDON / folder).rglob("*.py")]
    return [path for path in paths if "tests" not in path.relative_to(ADDON).parts]


def raised_codes():
    """Codes that the addon raises, read from its source: (literal, with a variable).

    The latter as patterns, since some codes are ``invalid_`` and the field's name.
    """
    literal, patterns = set(), set()
    for path in source_files():
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and call.args:
                name = getattr(call.func, "id", getattr(call.func, "attr", ""))
                if name in RAISED:
                    _sort(call.args[0], literal, patterns)
    return literal, patterns


def _sort(argument, literal, patterns):
    if isinstance(argument, ast.Constant):
        literal.add(argument.value)
    elif isinstance(argument, ast.JoinedStr):
        parts = [getattr(part, "value", None) for part in argument.values]
        patterns.add("".join(p if isinstance(p, str) else "[a-z_]+" for p in parts))


def texts_of_source():
    """Every text that stands in the source, but for the error table and the docs."""
    for path in source_files():
        if path.name != "api_errors.py":
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value


@tagged("post_install", "-at_install")
class TestDescription(BaseCase):
    """The document against the code, and docs/api.md against both."""

    def test_every_route_is_described_and_nothing_else(self):
        routes = {(route.method, route.path) for route in ROUTES}
        self.assertEqual({(m, path) for m, path, _operation in operations()}, routes)

    def test_every_parameter_is_described_and_nothing_else(self):
        for route in ROUTES:
            operation = route.operation
            with self.subTest(route.path):
                self.assertEqual({*operation.path}, {*VARIABLE.findall(route.path)})
                for parameter in (*operation.query.values(), *operation.path.values()):
                    self.assertTrue(parameter.description)

    def test_every_reader_of_a_query_parameter_says_what_it_takes(self):
        for route in ROUTES:
            for name, parameter in route.operation.query.items():
                with self.subTest(route=route.path, name=name):
                    self.assertTrue(parameter.read.accepts["type"])

    def test_every_operation_is_complete(self):
        for method, path, operation in operations():
            with self.subTest(f"{method} {path}"):
                self.assertTrue(operation["summary"])
                writes = method in ("POST", "PATCH")
                self.assertEqual("requestBody" in operation, writes)
                [(media, content)] = operation["responses"]["200"]["content"].items()
                self.assertEqual("example" in content, media == JSON)
                if writes:
                    body = operation["requestBody"]["content"][JSON]
                    self.assertTrue(body["examples"])
                for status, response in operation["responses"].items():
                    if status not in ("200", "304"):
                        self.assertTrue(response["content"][JSON]["examples"])
                self.assertEqual("304" in operation["responses"], method == "GET")

    def test_scopes(self):
        for method, path, operation in operations():
            [route] = [r for r in ROUTES if (r.method, r.path) == (method, path)]
            expected = [{"key": [route.scope]}] if route.scope else []
            with self.subTest(f"{method} {path}"):
                self.assertEqual(operation["security"], expected)
                self.assertEqual("401" in operation["responses"], bool(route.scope))

    def test_operation_ids_are_unique_and_links_lead_somewhere(self):
        ids = [operation["operationId"] for _m, _p, operation in operations()]
        self.assertEqual(len(ids), len({*ids}))
        parameters = {
            operation["operationId"]: {p["name"] for p in operation["parameters"]}
            for _method, _path, operation in operations()
            if "parameters" in operation
        }
        for _method, _path, operation in operations():
            for link in operation["responses"]["200"].get("links", {}).values():
                with self.subTest(operation["operationId"]):
                    taken = parameters[link["operationId"]]
                    self.assertLessEqual({*link["parameters"]}, taken)

    def test_headers_of_errors_are_described(self):
        for _method, _path, operation in operations():
            for status, response in operation["responses"].items():
                codes = response.get("content", {}).get(JSON, {}).get("examples", {})
                described = {*response.get("headers", ())}
                for code in codes if status != "200" else ():
                    with self.subTest(operation["operationId"], code=code):
                        self.assertLessEqual({*HEADERS.get(code, ())}, described)

    def test_references_lead_somewhere(self):
        text = json.dumps(document())
        components = document()["components"]
        for kind, name in re.findall(r'"\$ref": "#/components/(\w+)/([\w-]+)"', text):
            self.assertIn(name, components[kind])

    def test_every_object_says_whether_it_is_open(self):
        def check(schema):
            if isinstance(schema, dict):
                if schema.get("type") == "object":
                    self.assertIn("additionalProperties", schema)
                schema = schema.values()
            if not isinstance(schema, str):
                for part in schema if hasattr(schema, "__iter__") else ():
                    check(part)

        check(document()["components"]["schemas"])

    def test_every_error_of_an_operation_is_in_the_table_and_vice_versa(self):
        described = set()
        for _method, _path, operation in operations():
            for status, response in operation["responses"].items():
                examples = response.get("content", {}).get(JSON, {}).get("examples", {})
                for code, example in examples.items():
                    if status == "200" or "$ref" not in example:
                        continue
                    described.add(code)
                    allowed = {ERRORS[code].status, 404 if ERRORS[code].in_path else 0}
                    self.assertIn(int(status), allowed, code)
        self.assertEqual(described, {*ERRORS})

    def test_every_code_that_is_raised_is_in_the_table(self):
        """Codes of the backend alone (an address, a price, a file) are none of it."""
        backend = {
            "invalid_allow_list",
            "invalid_discount",
            "invalid_file",
            "invalid_price_terms",
            "invalid_timezone",
            "invalid_webhook_secret",
            "webhook_url_refused",
        }
        literal, patterns = raised_codes()
        self.assertLessEqual(literal, {*ERRORS} | backend)
        self.assertTrue(literal & {*ERRORS})
        for pattern in patterns:
            found = [code for code in ERRORS if re.fullmatch(pattern, code)]
            self.assertTrue(found, pattern)

    def test_every_code_of_the_table_can_be_raised(self):
        """By its name, or by that of the field after ``invalid_``."""
        known = {*texts_of_source()}
        for code in ERRORS:
            field = code.removeprefix("invalid_")
            with self.subTest(code):
                self.assertTrue(code in known or field != code and field in known)

    def test_api_md_names_every_route_and_code(self):
        text = (ADDON / "docs" / "api.md").read_text(encoding="utf-8")
        for route in ROUTES:
            self.assertIn(f"`{route.method} {route.path}`", text)
        rows = re.findall(r"^\| (\d+)(?:, (404) in a path)? \| `(\w+)` \|", text, re.M)
        documented = {code: (int(status), bool(also)) for status, also, code in rows}
        expected = {code: (e.status, e.in_path) for code, e in ERRORS.items()}
        self.assertEqual(documented, expected)


@tagged("post_install", "-at_install")
class TestWebhookDescription(BaseCase):
    """docs/webhook-events.md against the document."""

    def test_each_type_with_its_fields_and_example(self):
        page = (ADDON / "docs" / "webhook-events.md").read_text(encoding="utf-8")
        head, *sections = page.split("\n## ")
        self.assertTrue(head.startswith("# Webhook events"))
        sections = {text.split("\n")[0].strip("`"): text for text in sections}
        webhooks = document()["webhooks"]
        self.assertEqual({*sections}, {"All events", *webhooks})
        for code, item in webhooks.items():
            content = item["post"]["requestBody"]["content"][JSON]
            event = schemas()[content["schema"]["$ref"].rpartition("/")[2]]
            data = event["properties"]["data"]["$ref"].rpartition("/")[2]
            data = schemas()[data]
            with self.subTest(code):
                self.assertIn(item["post"]["summary"], sections[code])
                lines = sections[code].split("\n")
                example = [line for line in lines if line.startswith("    ")]
                self.assertEqual(json.loads("\n".join(example)), content["example"])
                fields = re.findall(r"^\| `(\w+)`", sections[code], re.MULTILINE)
                rated = data["properties"].get("ratings") and schemas()["ClosedRating"]
                self.assertEqual(
                    fields,
                    [*data["properties"], *(rated or {"properties": {}})["properties"]],
                )
        self.assertEqual(
            re.findall(r"^\| `(\w+)`", sections["All events"], re.MULTILINE),
            [*event["properties"]],
        )


@tagged("post_install", "-at_install")
class TestDescriptionOverHttp(HttpApiCase):
    """Served to everybody; and what it shows works."""

    def test_document_needs_no_key(self):
        response = self._request("GET", "/openapi.json", key=False)
        self.assertEqual(response.status_code, 200)
        self.assertEqual(response.json(), json.loads(json.dumps(document())))
        self.assertEqual(response.json()["servers"][0]["url"], PREFIX)
        self.assertNotIn("Set-Cookie", response.headers)

    def test_page_loads_nothing(self):
        response = self._request("GET", "/docs", key=False)
        self.assertEqual(response.status_code, 200)
        self.assertEqual(response.headers["Content-Type"], "text/html; charset=utf-8")
        self.assertTrue(
            response.headers["Content-Security-Policy"].startswith("default-src 'none'")
        )
        self.assertNotIn("Set-Cookie", response.headers)
        self.assertNotIn("<script", response.text)
        self.assertNotIn("script-src", response.headers["Content-Security-Policy"])
        self.assertFalse(re.search(r"\b(src|srcset|style|on\w+)=", response.text))
        self.assertEqual(
            {*re.findall(r'href="([^"#][^"]*)"', response.text)}, {"openapi.json"}
        )
        targets = {*re.findall(r'id="([^"]+)"', response.text)}
        self.assertLessEqual({*re.findall(r'href="#([^"]+)"', response.text)}, targets)

    def test_page_is_what_people_made_of_its_template(self):
        """It is kept, but not beyond a change of a view."""
        self._request("GET", "/docs", key=False)
        self.env["ir.ui.view"].create(
            {
                "name": "More of the API description",
                "type": "qweb",
                "mode": "extension",
                "inherit_id": self.env.ref("fusion_centralized_billing.api_docs").id,
                "arch": '<main position="inside"><p>A word of ours.</p></main>',
            }
        )
        response = self._request("GET", "/docs", key=False)
        self.assertIn("<p>A word of ours.</p>", response.text)

    def test_page_is_in_english_for_everybody(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        url = f"{self.base_url()}{PREFIX}/docs"
        pages = {
            self.url_open(url, headers={"Accept-Language": code}).text
            for code in ("en-US", "fr-FR")
        }
        self.assertEqual(len(pages), 1)

    def test_page_shows_every_operation_error_and_schema(self):
        text = self._request("GET", "/docs", key=False).text
        for _method, _path, operation in operations():
            self.assertIn(f'id="{operation["operationId"]}"', text)
        for code in ERRORS:
            self.assertIn(f'id="error-{code}"', text)
        for name in document()["components"]["schemas"]:
            self.assertIn(f'id="schema-{name}"', text)
        self.assertEqual(text.count("curl -sS"), len(ROUTES))

    @freeze_time("2026-01-10")
    def test_every_example_of_a_request_is_accepted(self):
        self.service.webhook_url = "https://example.com/hook"
        self._post("/usage", {"events": [self._event()]})
        event = self.env["fusion.billing.webhook"]._enqueue(
            self.service, "webhook.test", {}
        )
        plans = {"3": self.plan.id, "4": self._create_plan(name="Other").id}
        for method, path, operation in operations():
            if method not in ("POST", "PATCH"):
                continue
            path = path.replace("{subscription}", "sub-1")
            path = path.replace("{event_id}", event.event_id)
            content = operation["requestBody"]["content"][JSON]
            for title, example in content["examples"].items():
                body = json.dumps(example["value"])
                body = re.sub(
                    r'(?<="plan_id": )[34]\b', lambda m: str(plans[m[0]]), body
                )
                product = f'"product_id": {self.base_product.id}'
                body = body.replace('"product_id": 12', product)
                with self.subTest(path=path, example=title):
                    answer = self._post(path, json.loads(body), method)
                    expected = operation["responses"]["200"]["content"][JSON]
                    self.assertEqual({*answer}, {*expected["example"]})

    def test_every_example_of_a_query_is_accepted(self):
        self.order.write({"fc_service_id": self.service.id, "fc_external_id": "sub-1"})
        for method, path, operation in operations():
            query = {
                p["name"]: p["example"]
                for p in operation.get("parameters", ())
                if p["in"] == "query" and "example" in p
            }
            if method == "GET" and query:
                path = path.replace("{subscription}", "sub-1")
                with self.subTest(path):
                    text = "&".join(f"{name}={value}" for name, value in query.items())
                    response = self._request("GET", f"{path}?{text}")
                    self.assertEqual(response.status_code, 200, response.text[:300])

    def _post(self, path, body, method="POST"):
        response = self._request(method, path, body)
        self.assertEqual(response.status_code, 200, response.text[:300])
        return response.json()


@tagged("post_install", "-at_install")
class TestEventTypes(BillingCase):
    """One list says which kinds of webhook events there are."""

    def test_the_same_everywhere(self):
        told = [kind.code for kind in webhook_types.TYPES]
        self.assertEqual(told, [*EVENT_TYPES, TEST])
        kinds = self.env["fusion.billing.webhook.type"].with_context(lang="en_US")
        self.assertEqual(
            {kind.code: kind.description for kind in kinds.search([])}, EVENT_TYPES
        )
        text = (ADDON / "docs/webhook-events.md").read_text(encoding="utf-8")
        self.assertEqual([code for code in told if f"`{code}`" not in text], [])

    def test_an_unknown_one_is_refused(self):
        with self.assertRaisesRegex(ValueError, "unknown event type: invoice.lost"):
            self.env["fusion.billing.webhook"]._enqueue(
                self.service, "invoice.lost", {}
            )
