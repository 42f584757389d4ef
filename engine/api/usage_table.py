"""Usage events as rows of a table that people keep: columns, times, decimals, CSV.

What a row says becomes an event as an app would send it, so that one validation reads
both. Nothing is guessed: a cell that can be read in two ways is refused.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timezone
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ..billing.periods import day_start_utc
from ..errors import BillingError
from .refused import KEPT_KEYS as COLUMNS

REQUIRED = ("metric_code", "quantity", "period_start", "period_end")
# Of what this software hands out itself; they are passed over when it comes back.
RESULT_COLUMNS = ("row", "result", "code", "column", "reason")
ENCODINGS = ("utf-8", "windows-1252", "utf-16")
MAX_CELL = 10_000
_DELIMITERS = ",;\t|"
_LOCAL = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[Tt ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?))?", re.ASCII
)
# How a cell begins that a spreadsheet would run as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class BadCell(NamedTuple):
    """A cell of a spreadsheet that says nothing that can be taken for sure."""

    reason: str


def read_csv(raw: bytes, encoding: str) -> list[list[str]]:
    """Return the rows of a CSV file; the delimiter is that of its first line.

    :param encoding: one of :data:`ENCODINGS`; a byte order mark counts before it
    :raises BillingError: ``invalid_file``, with what is wrong and in which line
    """
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif raw.startswith(b"\xef\xbb\xbf"):
        encoding = "utf-8-sig"
    try:
        text = raw.decode(encoding)
    except UnicodeError:
        raise _bad_file(
            f"The file is not in {encoding}. Save it as CSV UTF-8, or choose the"
            " encoding that it has."
        ) from None
    first = text.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows = []
    try:
        for row in reader:
            rows.append(row)
    except csv.Error as error:
        raise _bad_file(f"Line {reader.line_num} cannot be read: {error}.") from None
    return rows


def read_header(cells: Sequence[object]) -> list[str | None]:
    """Return the key of each column, None for those that are passed over.

    :raises BillingError: ``invalid_file``: a column is unknown, missing or there twice
    """
    names = []
    for cell in cells:
        name = cell if isinstance(cell, str) else ""
        names.append(re.sub(r"[\s-]+", "_", name.strip().lower())[:60])
    while names and not names[-1]:
        names.pop()
    known = [name for name in names if name in COLUMNS]
    unknown = [n for n in names if n not in COLUMNS and n not in RESULT_COLUMNS]
    if unknown:
        listed = ", ".join(f"“{name}”" for name in unknown[:5])
        raise _bad_file(
            f"These columns are not known: {listed}. The first row names the columns:"
            f" {', '.join(COLUMNS)}."
        )
    missing = [name for name in REQUIRED if name not in known]
    if not {"subscription_external_id", "subscription_id"} & {*known}:
        missing.insert(0, "subscription_external_id or subscription_id")
    if missing:
        raise _bad_file(f"These columns are missing: {', '.join(missing)}.")
    if len({*known}) < len(known):
        raise _bad_file("A column is there twice.")
    return [name if name in COLUMNS else None for name in names]


def row_event(
    cells: Sequence[object],
    columns: Sequence[str | None],
    tz_name: str,
    decimal_comma: bool = False,
) -> dict:
    """Return the event that a row says, as an app would send it.

    An empty cell is a value that is not there.

    :param cells: texts, naive datetimes, dates, :class:`BadCell` or None
    :param columns: as :func:`read_header` returns them
    :param tz_name: zone of times that name none (IANA)
    :param decimal_comma: whether "1,5" is one and a half
    :raises BillingError: a cell says nothing for sure
    """
    event = {}
    for name, cell in zip(columns, cells, strict=False):
        if name is None or cell is None or cell == "":
            continue
        if isinstance(cell, BadCell):
            raise BillingError(f"invalid_{name}", cell.reason, name)
        if isinstance(cell, str):
            if len(cell) > MAX_CELL:
                raise BillingError(f"invalid_{name}", f"{name} is too long", name)
            cell = unquoted(cell)
        if name in ("period_start", "period_end"):
            cell = _instant(cell, name, tz_name)
        elif isinstance(cell, date):
            raise BillingError(f"invalid_{name}", f"{name} is a date", name)
        elif name == "quantity" and decimal_comma:
            if not re.fullmatch(r"-?[0-9]+(,[0-9]+)?", cell):
                raise BillingError("invalid_quantity", "invalid quantity", name)
            cell = cell.replace(",", ".")
        event[name] = cell
    return event


def _instant(cell, name, tz_name):
    """A time as the API takes it; one without a zone is of ``tz_name``."""
    if isinstance(cell, date) and not isinstance(cell, datetime):
        cell = cell.isoformat()
    if isinstance(cell, datetime):
        cell = cell.isoformat(sep=" ")
    match = _LOCAL.fullmatch(cell)
    if not match:
        return cell  # with a zone, or wrong: the validation says so
    try:
        day = date.fromisoformat(match[1])
        if not match[2]:
            return f"{day_start_utc(day, tz_name).isoformat()}Z"
        # Finer digits than microseconds are cut off, as the API does.
        local = datetime.fromisoformat(f"{match[1]} {match[2][:15]}")
    except (ValueError, OverflowError):
        return cell
    zone = ZoneInfo(tz_name)
    try:
        readings = {
            local.replace(tzinfo=zone, fold=fold).astimezone(timezone.utc)
            for fold in (0, 1)
        }
    except OverflowError:
        return cell
    if len(readings) > 1:
        raise BillingError(
            "invalid_period",
            f"{name} is when clocks change in {tz_name}: write it with its offset",
            name,
        )
    return readings.pop().replace(tzinfo=None).isoformat() + "Z"


def safe_cell(value: object) -> str:
    """Return a text that no spreadsheet runs as a formula."""
    text = "" if value is None or value is False else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def unquoted(text: str) -> str:
    """Undo :func:`safe_cell`, for a file of ours that comes back."""
    bare = text[1:]
    is_ours = text.startswith("'") and bare.lstrip(" ").startswith(_FORMULA)
    return bare if is_ours else text


def write_csv(rows: Iterable[Sequence[object]]) -> bytes:
    """Return rows as a CSV file that Excel opens as UTF-8, each cell a safe one."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    for row in rows:
        writer.writerow([safe_cell(value) for value in row])
    return b"\xef\xbb\xbf" + stream.getvalue().encode("utf-8", "backslashreplace")


def _bad_file(text):
    return BillingError("invalid_file", text, "file")
