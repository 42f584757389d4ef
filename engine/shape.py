"""Objects that go out as JSON, described once.

A shape is a frozen dataclass. The types of its fields say what a value is and how it is
written; from them come both the JSON (:meth:`Shape.as_json`) and its description
(:func:`schema_of`). Beside the type, ``Annotated`` holds a sentence for readers:

    @dataclass(frozen=True)
    class Customer(Answer):
        partner_id: Annotated[Id, "The customer in Odoo."]
        email: Annotated[str | None, "Where invoices go."]
"""

import inspect
import types
import typing
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, ClassVar, Literal

from .billing.money import format_decimal

MAX_ID = 2**31 - 1


@dataclass(frozen=True, eq=False)
class Format:
    """How values of a type are written and described.

    :param schema: JSON Schema
    :param name: of the schema in the document; None: it is written where it is used
    :param write: value -> JSON; None: the value is JSON
    """

    schema: dict
    name: str | None = None
    write: Callable | None = None


@dataclass(frozen=True, eq=False)
class OneOf:
    """A text of a list that can grow, read when it is described."""

    values: Iterable[str]


@dataclass(frozen=True, eq=False)
class Written:
    """A dict that was made as a shape before, and is passed on as it is."""

    shape: type


# Marks of keys that an object may lack: left out where the value is None; or there now,
# and not in what was written before there was such a key.
IF_ANY, LATER = object(), object()


def write_instant(moment: datetime) -> str:
    """A naive UTC datetime as text with its zone."""
    return f"{moment.isoformat()}Z"


def write_amount(amount: Decimal) -> str:
    """With the decimals it has: "15.00"."""
    return format(amount, "f")


_PLAIN = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    dict: {"type": "object", "additionalProperties": True},
}
_DECIMAL = {
    "type": "string",
    "pattern": r"^-?[0-9]+(\.[0-9]+)?$",
    "description": "A decimal as text: JSON numbers become floats in most languages.",
}
Id = Annotated[
    int,
    Format(
        {
            "type": "integer",
            "minimum": 1,
            "maximum": MAX_ID,
            "description": "Without a decimal point.",
        },
        "Id",
    ),
]
# A quantity, quota or price: in units, without zeros at its end.
Number = Annotated[Decimal, Format(_DECIMAL, "Decimal", format_decimal)]
# An amount of money, with the decimals of its currency.
Amount = Annotated[Decimal, Format(_DECIMAL, "Decimal", write_amount)]
Instant = Annotated[
    datetime,
    Format(
        {
            "type": "string",
            "format": "date-time",
            "description": "UTC, as `2026-01-10T09:00:00Z`.",
        },
        "Instant",
        write_instant,
    ),
]
Day = Annotated[
    date, Format({"type": "string", "format": "date"}, "Day", date.isoformat)
]
Currency = Annotated[
    str,
    Format(
        {
            "type": "string",
            "pattern": "^[A-Z]{3}$",
            "description": "ISO 4217, as `USD`.",
        },
        "Currency",
    ),
]
Count = Annotated[int, Format({"type": "integer", "minimum": 0})]


class Shape:
    """The base of all shapes. Its fields are written in the order they are declared.

    A docstring of it is for readers of the API.
    """

    _status: ClassVar[str | None] = None  # of an answer: its first key
    _description: ClassVar[str] = ""

    def __init_subclass__(cls):
        # before @dataclass writes one where there is none
        cls._description = " ".join((cls.__dict__.get("__doc__") or "").split())

    def as_json(self) -> dict:
        """What ``json.dumps`` takes: text, numbers, lists and dicts."""
        written = {"status": self._status} if self._status else {}
        for name, write, is_left_out in _writers(type(self)):
            value = getattr(self, name)
            if value is None and is_left_out:
                continue
            written[name] = value if value is None or not write else write(value)
        return written


class Answer(Shape):
    """The body of an answer that is no refusal."""

    _status = "ok"


class Refusal(Shape):
    """The body of a refusal."""

    _status = "error"


def field_types(shape: type[Shape]) -> dict[str, object]:
    """Name -> type of each field, with what ``Annotated`` says of it."""
    hints = typing.get_type_hints(shape, include_extras=True)
    return {field.name: hints[field.name] for field in fields(shape)}


@dataclass(frozen=True)
class Type:
    """A type of a field, taken apart.

    :param bare: without ``Annotated`` and null
    :param format: the :class:`Format`, :class:`OneOf` or :class:`Written` it has
    """

    bare: object
    format: Format | OneOf | Written | None
    description: str
    is_nullable: bool
    is_left_out: bool
    is_required: bool


def taken_apart(hint: object) -> Type:
    """:raises TypeError: a union of more than a type and None"""
    found, description, nullable = None, "", False
    marks: list[object] = []  # what stands outside comes last, and counts
    while True:
        if typing.get_origin(hint) is Annotated:
            hint, *inner = typing.get_args(hint)
            marks = [*inner, *marks]
        elif typing.get_origin(hint) in (typing.Union, types.UnionType):
            nullable = True
            [hint] = [p for p in typing.get_args(hint) if p is not type(None)]
        else:
            break
    for mark in marks:
        if isinstance(mark, str):
            description = mark
        elif isinstance(mark, (Format, OneOf, Written)):
            found = mark
    left_out = IF_ANY in marks
    required = not left_out and LATER not in marks
    return Type(hint, found, description, nullable, left_out, required)


@cache
def _writers(shape):
    """(name, how its value is written or None, whether it can be left out)."""
    return [
        (name, _writer(hint), taken_apart(hint).is_left_out)
        for name, hint in field_types(shape).items()
    ]


def _writer(hint):
    kind = taken_apart(hint)
    if isinstance(kind.format, Format):
        return kind.format.write
    if typing.get_origin(kind.bare) is list:
        [item] = typing.get_args(kind.bare)
        write = _writer(item)
        return write and (lambda values: [write(value) for value in values])
    if inspect.isclass(kind.bare) and issubclass(kind.bare, Shape):
        return kind.bare.as_json
    return None


def reference_to(name: str) -> dict:
    """A schema of the document by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def schema_of(hint: object, found: dict[str, dict]) -> dict:
    """JSON Schema of a value, a shape or another one.

    Objects are open: to answers keys may be added.

    :param hint: its type
    :param found: named schemas; those it consists of are added
    :raises ValueError: another shape has the name of one of them
    """
    kind = taken_apart(hint)
    schema = _bare_schema(kind, found)
    if kind.is_nullable and not kind.is_left_out:
        schema = {"anyOf": [schema, {"type": "null"}]}
    return described(schema, kind.description)


def described(schema: dict, description: str) -> dict:
    """The schema with this description.

    A reference is wrapped: beside it other keys may stand, but generators of clients
    take them for a mistake.
    """
    if not description:
        return schema
    return ({"allOf": [schema]} if "$ref" in schema else schema) | {
        "description": description
    }


def _bare_schema(kind, found):
    if isinstance(kind.format, OneOf):
        return {"type": "string", "enum": list(kind.format.values)}
    if isinstance(kind.format, Written):
        _describe(kind.format.shape, found)
        return reference_to(kind.format.shape.__name__)
    if kind.format:
        if kind.format.name is None:
            return kind.format.schema
        found.setdefault(kind.format.name, kind.format.schema)
        return reference_to(kind.format.name)
    if typing.get_origin(kind.bare) is Literal:
        return {"type": "string", "enum": list(typing.get_args(kind.bare))}
    if typing.get_origin(kind.bare) is list:
        [item] = typing.get_args(kind.bare)
        return {"type": "array", "items": schema_of(item, found)}
    if inspect.isclass(kind.bare) and issubclass(kind.bare, Shape):
        _describe(kind.bare, found)
        return reference_to(kind.bare.__name__)
    return dict(_PLAIN[kind.bare])


def _describe(shape, found):
    name = shape.__name__
    known = found.setdefault(name, {})  # stands before what it consists of
    hints = field_types(shape)
    properties = {"status": {"const": shape._status}} if shape._status else {}
    properties |= {key: schema_of(hint, found) for key, hint in hints.items()}
    schema = {
        "type": "object",
        "properties": properties,
        "required": [
            key
            for key in properties
            if key not in hints or taken_apart(hints[key]).is_required
        ],
        "additionalProperties": True,
    }
    if shape._description:
        schema["description"] = shape._description
    if known and known != schema:
        raise ValueError(f"two shapes are called {name}")
    found[name] = schema
