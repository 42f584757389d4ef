"""Writing HTML: elements that escape what they hold, and a little CommonMark."""

import json
import re
from collections.abc import Iterable

from markupsafe import Markup, escape

_VOID = {"meta", "input", "br"}
_INLINE = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*")
_JSON = re.compile(
    r'(?P<key>"(?:[^"\\]|\\.)*")(?=:)|(?P<string>"(?:[^"\\]|\\.)*")'
    r"|(?P<other>-?\b\d[\d.]*\b|\btrue\b|\bfalse\b|\bnull\b)"
)


def element(name: str, /, *children: object, **attributes: object) -> Markup:
    """An element. Text in it is escaped, Markup is not; None is left out.

    :param children: text, Markup, or lists of them
    :param attributes: ``class_`` and ``for_`` for the words Python has; ``aria_label``
        for ``aria-label``; True for one without a value
    """
    written = Markup("").join(
        Markup(" {}").format(_attribute(key))
        if value is True
        else Markup(' {}="{}"').format(_attribute(key), value)
        for key, value in attributes.items()
        if value is not None
    )
    opening = Markup("<{}{}>").format(name, written)
    if name in _VOID:
        return opening
    return opening + _join(children) + Markup("</{}>").format(name)


def _attribute(key):
    return key.rstrip("_").replace("_", "-")


def _join(children: Iterable[object]) -> Markup:
    return Markup("").join(
        _join(child) if isinstance(child, (list, tuple)) else escape(child)
        for child in children
        if child is not None
    )


def prose(text: str) -> list[Markup]:
    """Paragraphs with `code` and **bold**; of CommonMark the document has no more."""
    return [
        element("p", inline(" ".join(paragraph.split())))
        for paragraph in text.strip().split("\n\n")
        if paragraph.strip()
    ]


def inline(text: str) -> list[object]:
    parts: list[object] = []
    end = 0
    for match in _INLINE.finditer(text):
        parts.append(text[end : match.start()])
        code, bold = match.groups()
        parts.append(element("code", code) if code else element("strong", bold))
        end = match.end()
    return [*parts, text[end:]]


def json_block(value: object) -> Markup:
    """A JSON value, indented and coloured."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    parts: list[object] = []
    end = 0
    for match in _JSON.finditer(text):
        parts.append(text[end : match.start()])
        parts.append(element("span", match.group(), class_=f"j-{match.lastgroup}"))
        end = match.end()
    return element("pre", element("code", [*parts, text[end:]]))
