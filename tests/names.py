"""Which names modules add to models, read from their source."""

import ast
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

NOT_LOADED = {"tests", "migrations", "community", "system_tests", "benchmarks", "demo"}


class Member(NamedTuple):
    """A method or field that a class adds to a model.

    ``place``: the module, and where in it
    """

    model: str
    name: str
    calls_super: bool
    place: str


def members(module: Path, models: Collection[str] = ()) -> set[Member]:
    """What the classes of a module add to models, those of its own included.

    What a mixin of the module adds is added to each of its models that has it as a
    base, too.

    :param models: read only files in which one of these names is found
    """
    found, bases = set(), {}
    for path in sorted(module.rglob("*.py")):
        if NOT_LOADED & {*path.relative_to(module).parts}:
            continue
        text = path.read_text(encoding="utf-8")
        if models and not any(model in text for model in models):
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ClassDef):
                place = f"{module.name}/{path.relative_to(module)}"
                name, parents, own = _read(node, place)
                bases.setdefault(name, []).extend(parents)
                found |= {
                    member._replace(model=model)
                    for model in ([name] if name else parents)
                    for member in own
                }
    return found | {
        member._replace(model=model)
        for model, parents in bases.items()
        for member in found
        if model and member.model in parents
    }


def _read(node, place):
    """Of a class: its ``_name``, its ``_inherit``, what is defined in it."""
    name, parents, found = "", [], []
    for item in node.body:
        if isinstance(item, ast.FunctionDef):
            found.append(Member("", item.name, _calls_super(item), place))
        elif isinstance(item, ast.Assign) and isinstance(item.targets[0], ast.Name):
            target = item.targets[0].id
            if target == "_name":
                name = "".join(_texts(item.value))
            elif target == "_inherit":
                parents = _texts(item.value)
            elif isinstance(item.value, ast.Call):  # a field, an index, a constraint
                found.append(Member("", target, False, place))
    return name, parents, found


def _calls_super(function):
    nodes = [*ast.walk(function)]
    return any(isinstance(n, ast.Name) and n.id == "super" for n in nodes) and any(
        isinstance(n, ast.Attribute) and n.attr == function.name for n in nodes
    )


def _texts(value):
    nodes = value.elts if isinstance(value, ast.List | ast.Tuple) else [value]
    return [node.value for node in nodes if isinstance(node, ast.Constant)]
