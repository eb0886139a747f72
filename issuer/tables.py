"""Lists that people fill in and send back, .xlsx or .csv: columns found by their heads, in any order, on any sheet.

The one reader of every such list (decisions, waybills, what to invalidate, registers' answers, watch lists). Rosters
of passers have a reader of their own (`issuer.roster.reading`), which knows subjects and headers of two rows.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import NoReturn

from issuer.errors import InputError, TooLargeError, Words
from issuer.roster.cells import cell_date, cell_text
from issuer.roster.columns import head_key
from issuer.roster.csv_reading import CsvSheet, encoding_of
from issuer.roster.reading import Sheet
from issuer.roster.xlsx_reading import Cell, open_workbook

SEARCH_ROWS = 30
"""The header stands among the first so many rows of its sheet."""
_START = 8192
_DELIMITERS = (",", "\t", ";")
REFUSALS: Mapping[str, Words] = MappingProxyType(
    {
        "not-found": Words("文件不存在或无法打开", "The file is not there or cannot be opened"),
        "empty": Words("文件是空的", "The file is empty"),
        "too-large": Words("文件超过 … MB", "Larger than … MB"),
        "too-many-rows": Words("文件超过 … 行", "More than … rows"),
    }
)
"""Endings of a list's codes and what they say, `…` for what is filled in; `issuer.mending` makes their pages."""
_SPLIT = Words("请拆分后分别提交。", "Split the file.")
_EXACT = 10**15
"""From here on a number in a cell has lost its last digits: spreadsheets keep fifteen."""


@dataclass(frozen=True, slots=True)
class ListKind:
    """What a list must hold and how its refusals read.

    code: its refusals are `code-not-found`, `-empty`, `-too-large`, `-too-many-rows`, `-header-missing`.
    heads: field → the heads it may stand under. enough: whether a row with these fields is the header.
    no_header: what was not found, without full stop. remedy: how the file should look.
    smaller: what to do when there are too many bytes.
    """

    code: str
    heads: Mapping[str, Sequence[str]]
    enough: Callable[[Set[str]], bool]
    no_header: Words
    remedy: Words
    smaller: Words
    max_bytes: int
    max_rows: int
    split: Words = _SPLIT

    def reject(self, what: str, words: Words) -> NoReturn:
        """Raise InputError `code-what`; nothing was changed."""
        raise InputError(f"{self.code}-{what}", _unchanged(words), remedy=self.remedy)

    def require_room(self, count: int) -> None:
        """Raise TooLargeError when `count` rows were taken and there is one more than may be."""
        if count >= self.max_rows:
            raise TooLargeError(
                f"{self.code}-too-many-rows", _unchanged(REFUSALS["too-many-rows"], self.max_rows), remedy=self.split
            )


@dataclass(frozen=True, slots=True)
class ListTable:
    """The table of a file. header_row counts from 1; columns: field → index of its column, the first of that head."""

    sheet: Sheet
    header_row: int
    header: tuple[Cell, ...]
    columns: Mapping[str, int]

    def rows(self) -> Iterator[tuple[int, list[Cell]]]:
        """(number from 1 as a spreadsheet shows it, cells) of every row below the header that is not blank."""
        for number, cells in enumerate(self.sheet.rows(), 1):
            if number > self.header_row and any(text_of(cell) for cell in cells):
                yield number, cells

    def named(self, cells: Sequence[Cell]) -> dict[str, Cell]:
        """Field → its cell; a row that ends before the column has an empty one."""
        return {field: cells[index] if index < len(cells) else "" for field, index in self.columns.items()}


def open_list(path: Path, kind: ListKind) -> ListTable:
    """Find the table in the file at `path`: the first visible sheet with its header.

    Raises InputError (not there, empty, no text and no workbook, no header) or TooLargeError; nothing was changed.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(_START)
    except OSError:
        kind.reject("not-found", REFUSALS["not-found"])
    if not start.strip():
        kind.reject("empty", REFUSALS["empty"])
    if size > kind.max_bytes:
        said = _unchanged(REFUSALS["too-large"], kind.max_bytes >> 20)
        raise TooLargeError(f"{kind.code}-too-large", said, remedy=kind.smaller)
    tables = (_table_of(sheet, kind) for sheet in _sheets(path, start))
    found = next((table for table in tables if table is not None), None)
    if found is None:
        kind.reject("header-missing", kind.no_header)
    return found


def text_of(cell: Cell) -> str:
    """The cell as text without outer blanks; whole numbers without `.0`, dates as ISO 8601."""
    return cell_text(cell).strip().strip("\ufeff")


def lost_digits(cell: Cell) -> bool:
    """Whether a number was typed into a number cell that cannot hold all its digits."""
    return isinstance(cell, int | float) and abs(cell) >= _EXACT


def lost_digits_of(column: str) -> tuple[Words, Words]:
    """Message and remedy for a cell of the column with this head, of which `lost_digits` is true."""
    return (
        Words(f"{column}以数字格式存放，末尾数字已丢失", "the number cell has lost its last digits"),
        Words("将该列设为“文本”格式后重新填写", "format the column as text and type it again"),
    )


def day_of(cell: Cell) -> date | None:
    """The date a cell stands for, None for an empty one; raises ValueError for what is no date."""
    day = cell_date(cell)
    if day is None and text_of(cell):
        raise ValueError("no date")
    return day


def _unchanged(words: Words, most: int | None = None) -> Words:
    zh, en = (text if most is None else text.replace("…", str(most)) for text in (words.zh, words.en))
    return Words(f"{zh}，未作任何更改。", f"{en}; nothing was changed.")


def _sheets(path: Path, start: bytes) -> Sequence[Sheet]:
    if start.startswith(b"PK"):
        return open_workbook(path)
    encoding = encoding_of(path, start)
    return [CsvSheet(path, encoding, delimiter) for delimiter in _DELIMITERS]


def _table_of(sheet: Sheet, kind: ListKind) -> ListTable | None:
    field_of = {head_key(head): field for field, heads in kind.heads.items() for head in heads}
    for number, cells in enumerate(islice(sheet.rows(), SEARCH_ROWS), 1):
        columns: dict[str, int] = {}
        for index, cell in enumerate(cells):
            field = field_of.get(head_key(cell))
            if field is not None:
                columns.setdefault(field, index)
        if kind.enough(columns.keys()):
            return ListTable(sheet, number, tuple(cells), columns)
    return None
