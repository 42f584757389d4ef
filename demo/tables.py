"""Plain-text tables for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows of text under headings; a heading that begins with `>` aligns right."""
    names = [heading.lstrip(">") for heading in headings]
    right = [heading.startswith(">") for heading in headings]
    widths = [max(map(len, column)) for column in zip(names, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        padded = (
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(cells, widths, right, strict=True)
        )
        return ("  " + "  ".join(padded)).rstrip()

    rule = "  " + "  ".join("-" * width for width in widths)
    return "\n".join([line(names), rule, *map(line, rows)])


def heading(text: str) -> str:
    return f"\n{text}\n{'=' * len(text)}"


def money(value: Decimal) -> str:
    """An amount with thousands separated: 1,234.50."""
    return f"{value:,.2f}"


def number(value: Decimal) -> str:
    """A quantity in full, with thousands separated and no trailing zeros."""
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
