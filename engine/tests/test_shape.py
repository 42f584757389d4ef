import unittest
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal

from ..shape import (
    IF_ANY,
    LATER,
    Amount,
    Answer,
    Count,
    Currency,
    Day,
    Id,
    Instant,
    Number,
    OneOf,
    Refusal,
    Shape,
    Written,
    schema_of,
)

KINDS = {"small": 1}


@dataclass(frozen=True)
class Item(Shape):
    item_id: Id
    size: Annotated[str, OneOf(KINDS), "How large."]


@dataclass(frozen=True)
class Everything(Answer):
    """All there is, over
    two lines.
    """

    number: Number
    amount: Annotated[Amount | None, "Without taxes."]
    at: Instant
    on: Day | None
    currency: Currency
    items: Annotated[list[Item], "In order."]
    first: Item | None
    old: Annotated[dict, Written(Item)]
    kind: Literal["a", "b"]
    since: Annotated[Count | None, LATER, "How often."]
    note: Annotated[str | None, IF_ANY, "If there is one."] = None


@dataclass(frozen=True)
class More(Everything):
    flag: bool = False


@dataclass(frozen=True)
class No(Refusal):
    error: str


EVERYTHING = {
    "number": Decimal("1.500"),
    "amount": Decimal("15.00"),
    "at": datetime(2026, 1, 10, 9),
    "on": date(2026, 1, 31),
    "currency": "USD",
    "items": [Item(1, "small")],
    "first": Item(2, "small"),
    "old": {"item_id": 3},
    "kind": "a",
    "since": None,
}
WRITTEN = {
    "status": "ok",
    "number": "1.5",
    "amount": "15.00",
    "at": "2026-01-10T09:00:00Z",
    "on": "2026-01-31",
    "currency": "USD",
    "items": [{"item_id": 1, "size": "small"}],
    "first": {"item_id": 2, "size": "small"},
    "old": {"item_id": 3},
    "kind": "a",
    "since": None,
}


class TestAsJson(unittest.TestCase):
    def test_every_type(self):
        written = Everything(**EVERYTHING).as_json()
        self.assertEqual(written, WRITTEN)
        self.assertEqual([*written], [*WRITTEN])

    def test_nothing_where_there_may_be_nothing(self):
        nothing = {"amount": None, "on": None, "first": None, "items": []}
        written = Everything(**EVERYTHING | nothing).as_json()
        self.assertEqual(written, WRITTEN | nothing)

    def test_what_is_left_out_is_there_where_it_has_a_value(self):
        written = Everything(**EVERYTHING, note="").as_json()
        self.assertEqual(written, WRITTEN | {"note": ""})

    def test_a_refusal(self):
        self.assertEqual(No("bad").as_json(), {"status": "error", "error": "bad"})

    def test_a_large_and_a_small_number(self):
        for number, text in (("1E+3", "1000"), ("-0", "0"), ("1E-7", "0.0000001")):
            values = EVERYTHING | {"number": Decimal(number)}
            self.assertEqual(Everything(**values).as_json()["number"], text)

    def test_a_shape_does_not_change(self):
        with self.assertRaises(AttributeError):
            Item(1, "small").item_id = 2


class TestSchema(unittest.TestCase):
    def schema(self):
        found = {}
        reference = schema_of(Everything, found)
        self.assertEqual(reference, {"$ref": "#/components/schemas/Everything"})
        return found

    def test_what_it_consists_of_has_a_name(self):
        names = {"Everything", "Item", "Id", "Decimal", "Instant", "Day", "Currency"}
        self.assertEqual({*self.schema()}, names)

    def test_keys(self):
        schema = self.schema()["Everything"]
        self.assertEqual(schema["description"], "All there is, over two lines.")
        self.assertEqual([*schema["properties"]], [*WRITTEN, "note"])
        optional = {"since", "note"}
        self.assertEqual({*schema["required"]}, {*WRITTEN} - optional)
        self.assertIs(schema["additionalProperties"], True)

    def test_values(self):
        def to(name):
            return {"$ref": f"#/components/schemas/{name}"}

        null = {"type": "null"}
        properties = self.schema()["Everything"]["properties"]
        expected = {
            "status": {"const": "ok"},
            "number": to("Decimal"),
            "amount": {
                "anyOf": [to("Decimal"), null],
                "description": "Without taxes.",
            },
            "at": to("Instant"),
            "on": {"anyOf": [to("Day"), null]},
            "currency": to("Currency"),
            "items": {
                "type": "array",
                "items": to("Item"),
                "description": "In order.",
            },
            "first": {"anyOf": [to("Item"), null]},
            "old": to("Item"),
            "kind": {"type": "string", "enum": ["a", "b"]},
            "since": {
                "anyOf": [{"type": "integer", "minimum": 0}, null],
                "description": "How often.",
            },
            "note": {"type": "string", "description": "If there is one."},
        }
        self.assertEqual(properties, expected)

    def test_a_list_that_grew_is_read_anew(self):
        """A charge model of another module is in the document, too."""
        KINDS["large"] = 2
        self.addCleanup(KINDS.pop, "large")
        size = self.schema()["Item"]["properties"]["size"]
        self.assertEqual(size["enum"], ["small", "large"])

    def test_a_shape_has_what_its_base_has(self):
        found = {}
        schema_of(More, found)
        self.assertEqual([*found["More"]["properties"]], [*WRITTEN, "note", "flag"])
        self.assertNotIn("description", found["More"])

    def test_two_of_one_name(self):
        """The second would be described as the first, in silence."""
        other = dataclass(frozen=True)(
            type("Item", (Shape,), {"__annotations__": {"other": str}})
        )
        found = {}
        schema_of(Item, found)
        schema_of(Item, found)
        with self.assertRaisesRegex(ValueError, "two shapes are called Item"):
            schema_of(other, found)
