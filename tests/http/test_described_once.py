"""The shapes of answers, against all that must not say it a second time."""

import ast
import dataclasses
import importlib
import sys
import types
import typing
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from odoo.tests import BaseCase, tagged

from ...controllers.meta import document
from ...controllers.openapi.operation import JSON
from ...controllers.route import ROUTES
from ...engine.api import answers
from ...engine.api.errors import Error
from ...engine.shape import Shape, field_types, taken_apart

ADDON = Path(__file__).resolve().parents[2]
CLIENT = ADDON / "clients" / "python" / "src"
# What the client makes of each answer; of a list, of its items.
MADE_OF = {
    answers.Customer: "CustomerLink",
    answers.CustomerDetails: "Customer",
    answers.Catalog: "Catalog",
    answers.SubscriptionCreated: "NewSubscription",
    answers.Subscription: "Subscription",
    answers.SubscriptionUsage: "SubscriptionUsage",
    answers.SubscriptionCancelled: "Cancellation",
    answers.UsageAnswer: "UsageResult",
    answers.UsageRefusal: "UsageResult",
    answers.VoidAnswer: "VoidResult",
    answers.VoidRefusal: "VoidResult",
    answers.Usage: "Usage",
    answers.Invoice: "Invoice",
    answers.InvoiceDetails: "InvoiceWithLines",
    answers.Reconciliation: "Reconciliation",
    answers.Event: "WebhookEvent",
    answers.EventState: "EventSending",
}
LISTS = {
    answers.UsageList: answers.Usage,
    answers.InvoiceList: answers.Invoice,
    answers.EventList: answers.Event,
}
# An exception of the client's has these, or the client asks no more than the status.
NOT_MADE = {answers.Health: set(), Error: {"error", "code", "field"}}
# The message of the exception, and what its ``result`` says of each event.
OF_THE_EXCEPTION = {"error", "code", "errors"}


def client_module(name):
    """A module of the client, which is no part of the addon."""
    sys.path.insert(0, str(CLIENT))
    try:
        return importlib.import_module(f"fusion_billing.{name}")
    finally:
        sys.path.remove(str(CLIENT))


def client_type(hint):
    """(type without None, whether None is one of its values)"""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        [bare] = [part for part in typing.get_args(hint) if part is not type(None)]
        return bare, True
    return hint, False


def differences(shape, kind, place=""):
    """What a dataclass of the client does not take as the shape gives it."""
    place = place or kind.__name__
    hints = typing.get_type_hints(kind)
    given = {name: taken_apart(hint) for name, hint in field_types(shape).items()}
    known = {field.name: field for field in dataclasses.fields(kind)}
    for name in given.keys() - known.keys() - OF_THE_EXCEPTION:
        yield f"{place} lacks {name}"
    for name, field in known.items():
        has_default = (
            field.default is not dataclasses.MISSING
            or field.default_factory is not dataclasses.MISSING
        )
        if name not in given or given[name].is_left_out:
            if not has_default:
                yield f"{place}.{name} is not always there"
        if name in given:
            yield from _differences(given[name], hints[name], f"{place}.{name}")


def _differences(given, hint, place):
    taken, is_nullable = client_type(hint)
    if given.is_nullable and not given.is_left_out and not is_nullable:
        yield f"{place} can be null"
    if typing.get_origin(given.bare) is list:
        [item] = typing.get_args(given.bare)
        if typing.get_origin(taken) is not list:
            yield f"{place} is a list"
        else:
            yield from _differences(
                taken_apart(item), *typing.get_args(taken), f"{place}[]"
            )
    elif isinstance(given.bare, type) and issubclass(given.bare, Shape):
        yield from differences(given.bare, taken, place)
    else:
        bare = str if typing.get_origin(given.bare) is Literal else given.bare
        if (typing.get_origin(taken) or taken) is not bare:
            yield f"{place} is {bare.__name__}"


@tagged("post_install", "-at_install")
class TestDescribedOnce(BaseCase):
    """An answer is a shape: a handler builds it, the document and the client follow."""

    def answers(self):
        """Each shape that a route of ours answers."""
        operations = [route.operation for route in ROUTES]
        found = {operation.answer for operation in operations}
        found |= {operation.refusal for operation in operations} - {None}
        shapes = {shape for shape in found if isinstance(shape, type)}
        self.assertGreater(len(shapes), 15)
        ours = Shape.__module__.removesuffix(".shape")
        return {s for s in shapes if s.__module__.startswith(ours)} | {Error}

    def test_the_client_takes_every_answer_as_it_is(self):
        results = client_module("results")
        self.assertEqual(
            self.answers() - {*LISTS, *NOT_MADE}, {*MADE_OF} - {*LISTS.values()}
        )
        for shape, name in MADE_OF.items():
            with self.subTest(name):
                found = [*differences(shape, getattr(results, name))]
                self.assertEqual(found, [])

    def test_the_client_takes_every_page_as_it_is(self):
        end = client_module("routes")._PageEnd
        for shape, item in LISTS.items():
            with self.subTest(shape.__name__):
                hints = field_types(shape)
                name, *rest = hints
                self.assertEqual(
                    typing.get_args(taken_apart(hints[name]).bare), (item,)
                )
                self.assertEqual(rest, [f.name for f in dataclasses.fields(end)])

    def test_a_difference_is_found(self):
        @dataclasses.dataclass(frozen=True)
        class Part(Shape):
            at: datetime

        @dataclasses.dataclass(frozen=True)
        class Given(Shape):
            number: Decimal
            name: Annotated[str | None, "Of it."]
            parts: list[Part]
            more: int

        @dataclasses.dataclass
        class TakenPart:
            at: date

        @dataclasses.dataclass
        class Taken:
            number: float
            name: str
            parts: list[TakenPart]
            missing: int

        # get_type_hints does not see classes of a function
        Given.__annotations__["parts"] = list[Part]
        self.assertEqual(
            sorted(differences(Given, Taken)),
            [
                "Taken lacks more",
                "Taken.missing is not always there",
                "Taken.name can be null",
                "Taken.number is Decimal",
                "Taken.parts[].at is datetime",
            ],
        )

    def test_every_example_is_read_by_the_client(self):
        """So it has the keys of its answer, and values of their types."""
        results, decode = client_module("results"), client_module("decode").decode
        examples = 0
        for route in ROUTES:
            operation = route.operation
            for shape, example in (
                (operation.answer, operation.example),
                (operation.refusal, operation.refusal_example),
            ):
                items = [example]
                if shape in LISTS:
                    items = example[next(iter(field_types(shape)))]
                    shape = LISTS[shape]
                if shape not in MADE_OF:
                    continue
                for item in items:
                    with self.subTest(route.path):
                        keys = {"status"} if shape._status else set()
                        keys |= {*field_types(shape)}
                        self.assertEqual({*item}, keys)
                        decode(getattr(results, MADE_OF[shape]), item)
                        examples += 1
        self.assertGreater(examples, 15)

    def test_no_handler_writes_an_answer_by_hand(self):
        """Of what is there, "status" is written by the shapes alone."""
        found = []
        for folder in ("models", "controllers"):
            for path in sorted((ADDON / folder).rglob("*.py")):
                for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                    if isinstance(node, ast.Return) and isinstance(
                        node.value, ast.Dict
                    ):
                        keys = [getattr(key, "value", None) for key in node.value.keys]
                        if "status" in keys:
                            found.append(f"{path.name}:{node.lineno}")
        self.assertEqual(found, [])

    def test_every_answer_in_json_is_a_shape(self):
        """But the document itself."""
        for route in ROUTES:
            operation = route.operation
            if operation.media == JSON and operation.name != "getDescription":
                with self.subTest(route.path):
                    self.assertTrue(issubclass(operation.answer, Shape))
                    name = operation.answer.__name__
                    self.assertIn(name, document()["components"]["schemas"])
