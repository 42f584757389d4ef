"""Answers of the API as dataclasses: by the types of their fields, checked."""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Mapping
from datetime import date, datetime, timezone
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from .errors import SetupError

T = TypeVar("T")


def decode(kind: type[T], data: object) -> T:
    """Make a dataclass of a JSON object; keys it does not know are left out, so that
    the API can grow.

    :raises SetupError: a key is missing, or has another type than the API says
    """
    if not isinstance(data, Mapping):
        raise SetupError(f"the answer holds no {kind.__name__}")
    values: dict[str, Any] = {}
    for name, hint, required in _fields(typing.cast(Any, kind)):
        if name in data:
            try:
                values[name] = _convert(hint, data[name])
            except (TypeError, ValueError, InvalidOperation) as error:
                text = f"{kind.__name__}.{name} is not as the API says"
                raise SetupError(text) from error
        elif required:
            raise SetupError(f"the answer has no {kind.__name__}.{name}")
    return kind(**values)


@functools.cache
def _fields(kind: type[Any]) -> list[tuple[str, Any, bool]]:
    """Name and type of each field, and whether an answer must have it."""
    hints = typing.get_type_hints(kind)
    missing = dataclasses.MISSING
    return [
        (
            field.name,
            hints[field.name],
            field.default is missing and field.default_factory is missing,
        )
        for field in dataclasses.fields(kind)
    ]


def _convert(hint: Any, value: Any) -> Any:
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        if value is None:
            return None
        [hint] = [part for part in typing.get_args(hint) if part is not type(None)]
        origin = typing.get_origin(hint)
    if origin is list:
        [item] = typing.get_args(hint)
        return [_convert(item, part) for part in _checked(list, value)]
    if origin is dict:
        return _checked(dict, value)
    if dataclasses.is_dataclass(hint):
        return decode(typing.cast(type, hint), value)
    if hint is Decimal:
        return Decimal(_checked(str, value))
    if hint is datetime:
        return _instant(_checked(str, value))
    if hint is date:
        return date.fromisoformat(_checked(str, value))
    return _checked(hint, value)


def _checked(kind: type, value: Any) -> Any:
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise TypeError(f"{type(value).__name__} instead of {kind.__name__}")
    return value


def _instant(text: str) -> datetime:
    """Python 3.10 does not read "Z"."""
    moment = datetime.fromisoformat(text.removesuffix("Z"))
    return moment.replace(tzinfo=timezone.utc) if text.endswith("Z") else moment
