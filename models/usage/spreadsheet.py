"""A spreadsheet as rows of cells: each number as it is shown, not as it is stored."""

import io
import re
import zipfile
from datetime import datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal

from openpyxl import load_workbook

from ...engine.api.usage_table import BadCell
from ...engine.errors import BillingError

# A small file can unpack to more than the memory there is.
MAX_UNPACKED = 512 * 2**20
_PLAIN = re.compile(r"#?,?#*0(?:\.(0+))?(?:_.)?")
_LARGE = 10**15


def read_xlsx(raw, most):
    """Return the rows of the first sheet, and its name.

    :param bytes raw: the file
    :param int most: rows beyond it are not read, but for one, by which it shows
    :return: (list of lists of text, datetime, ``BadCell`` or None; str)
    :raises BillingError: ``invalid_file``
    """
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > MAX_UNPACKED:
            raise BillingError("invalid_file", "The spreadsheet is too large.", "file")
        book = load_workbook(io.BytesIO(raw), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        rows = []
        for row in sheet.iter_rows():
            rows.append([_shown(cell) for cell in row])
            if len(rows) > most:
                break
        return rows, sheet.title
    except BillingError:
        raise
    except Exception:  # whatever a broken file makes of openpyxl
        raise BillingError(
            "invalid_file", "The file is no spreadsheet that can be read.", "file"
        ) from None


def _shown(cell):
    """The value of a cell as people see it, as far as that is one value."""
    value = cell.value
    if value is None or isinstance(value, str):
        if cell.data_type == "e":
            return BadCell(f"the cell is an error ({value})")
        return value
    if isinstance(value, bool):
        return BadCell("the cell is true or false")
    if isinstance(value, datetime):
        # Stored as a fraction of days, which is off by some microseconds.
        return (value + timedelta(microseconds=500_000)).replace(microsecond=0)
    if isinstance(value, time | timedelta):
        return BadCell("the cell is a time without a day")
    if isinstance(value, int | float):
        return _number(value, cell.number_format or "General")
    return value


def _number(value, shape):
    if abs(value) >= _LARGE:
        # More digits than a spreadsheet keeps: they may have been others.
        return BadCell("the number has more than 15 digits: make the cell a text")
    number = Decimal(value if isinstance(value, int) else format(value, ".15g"))
    if shape in ("General", "@"):
        return f"{number:f}"
    match = _PLAIN.fullmatch(shape.replace("#,##0", "0").split(";")[0])
    if not match:
        return BadCell(f"the number is shown as “{shape}”: make it a plain one")
    step = Decimal(1).scaleb(-len(match[1] or ""))
    return f"{number.quantize(step, ROUND_HALF_UP):f}"
