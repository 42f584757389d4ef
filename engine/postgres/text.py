"""Many values for PostgreSQL as one text: array literals, and rows for COPY.

psycopg2 writes a Python list as ``ARRAY['a', 'b', ...]``, which the server parses as an
expression, element by element. The text form ``{"a","b"}`` is read by the array's own
input function, several times faster. COPY reads rows faster still.
"""

import io
from collections.abc import Collection, Iterable


def array_literal(values: Iterable[object]) -> str:
    """Return the literal of an array of numbers, instants, booleans or hex digits.

    :param values: whose ``str()`` has nothing in it that an array would read as its
        own; None is NULL
    """
    texts = ("NULL" if value is None else f'"{value}"' for value in values)
    return "{" + ",".join(texts) + "}"


def text_array_literal(values: Iterable[str | None]) -> str:
    """Return the literal of an array of any texts; None is NULL."""
    return "{" + ",".join(map(_quote, values)) + "}"


def _quote(text):
    if text is None:
        return "NULL"
    if "\\" in text or '"' in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def copy_file(columns: Collection[Iterable[object]]) -> io.StringIO:
    """Return the rows of these columns as COPY reads them in its text format.

    :param columns: values whose ``str()`` is what the database reads; texts, and None
        for NULL, come through :func:`copy_texts`
    """
    columns = [map(str, column) for column in columns]
    lines = map("\t".join, zip(*columns, strict=True))
    return io.StringIO("\n".join(lines) + "\n")


def copy_texts(values: Iterable[str | None]) -> Iterable[str]:
    """Yield texts as a column of COPY, None as NULL."""
    for value in values:
        if value is None:
            yield "\\N"
        else:
            for plain, escaped in _COPY_ESCAPES:
                if plain in value:
                    value = value.replace(plain, escaped)
            yield value


_COPY_ESCAPES = (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"))
