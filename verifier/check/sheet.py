"""The rows of a spreadsheet somebody sent, read where a file may do no harm (`verifier.check.sandbox`)."""

import io
from typing import Any, Final

try:
    import python_calamine
except ImportError:  # an installation that checks PDFs only
    python_calamine = None  # type: ignore[assignment]

MOST_ROWS: Final = 1_050
MOST_COLUMNS: Final = 40
LONGEST: Final = 200
_EXACT: Final = 10**15
"""From here on a number in a cell has lost its last digits: Excel keeps fifteen."""


def read_rows(xlsx: bytes) -> list[list[str]]:
    """The first sheet's rows as text, as many and as long as are taken; raises ValueError for what is no workbook.

    A number too long for a numeric cell is the empty text: what was typed is not known any more.
    """
    if python_calamine is None:
        raise ValueError("spreadsheets are not read here")
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(xlsx))
        rows = book.get_sheet_by_index(0).iter_rows()
        return [[_text(cell) for cell in row[:MOST_COLUMNS]] for _, row in zip(range(MOST_ROWS), rows, strict=False)]
    except Exception as error:  # calamine's errors are many, and a Rust panic is a BaseException of its own
        raise ValueError("not a workbook that can be read") from error


def _text(cell: Any) -> str:
    if isinstance(cell, float):
        cell = ("" if abs(cell) >= _EXACT else int(cell)) if cell.is_integer() else cell
    elif isinstance(cell, int) and abs(cell) >= _EXACT:
        return ""
    return " ".join(str(cell).split())[:LONGEST]
