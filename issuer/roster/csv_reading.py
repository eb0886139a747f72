"""A .csv roster: encoding and separator found by trying, quoted line breaks kept inside their cell."""

import codecs
import csv
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from issuer.errors import InputError
from issuer.roster.columns import SEARCH_ROWS, find_header
from issuer.roster.limits import refuse_unreadable

_FIELD_LIMIT = 131_072
_DELIMITERS = (",", "\t", ";", "|", "，")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_PIECE = 1 << 20
_CONTROLS = "\0\x01\x02\x03\x04\x05\x06\x0e\x0f\x10\x11\x12"


class CsvSheet:
    """The one table of a .csv file."""

    def __init__(self, path: Path, encoding: str, delimiter: str) -> None:
        self.name = "csv"
        self.encoding = encoding
        self.delimiter = delimiter
        self._path = path

    def size(self) -> int:
        """Not measured: 0."""
        return 0

    def rows(self) -> Iterator[list[Any]]:
        """All records from the first on; a cell written `="0123"` (text forced in a spreadsheet) is 0123."""
        csv.field_size_limit(_FIELD_LIMIT)
        try:
            with self._path.open("r", encoding=self.encoding, newline="") as file:
                for record in csv.reader(file, delimiter=self.delimiter, strict=False):
                    yield [_plain(cell) for cell in record]
        except csv.Error:
            refuse_unreadable(
                "roster-unreadable",
                "CSV 文件的引号或单元格无法读取",
                "The CSV file's quotes or cells cannot be read",
                "用电子表格软件打开后另存为 .xlsx 重新提交",
                "Open it in a spreadsheet program, save it as .xlsx and send it again",
            )


def open_csv(path: Path, start: bytes, subjects: Sequence[str]) -> list[CsvSheet]:
    """The file at `path` as a table; `start` is its first bytes. Raises InputError when it is no text."""
    encoding = encoding_of(path, start)
    sheets = [CsvSheet(path, encoding, delimiter) for delimiter in _DELIMITERS]
    for sheet in sheets:
        if _has_header(sheet, subjects):
            return [sheet]
    return sheets[:1]


def _has_header(sheet: CsvSheet, subjects: Sequence[str]) -> bool:
    try:
        return find_header(list(islice(sheet.rows(), SEARCH_ROWS)), subjects) is not None
    except InputError:
        # A header that lacks a roster's column: whoever reads the table says so, if it is to be a roster.
        return True


def encoding_of(path: Path, start: bytes) -> str:
    """The encoding in which the whole file is text; `start` is its first bytes. Raises InputError when it is none."""
    candidates = [name for bom, name in _BOMS if start.startswith(bom)] or ["utf-8", "gb18030"]
    found = next((name for name in candidates if _decodes(path, name)), None)
    if found is not None:
        return found
    return refuse_unreadable(
        "roster-unreadable",
        "文件既不是 .xlsx，也不是 UTF-8 或 GB18030 编码的 CSV 文本",
        "The file is neither .xlsx nor CSV text in UTF-8 or GB18030",
        "另存为 .xlsx，或另存为 UTF-8 编码的 CSV",
        "Save it as .xlsx, or as CSV in UTF-8",
    )


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                # Control characters are no part of a list: this is some other kind of file.
                text = decoder.decode(piece)
                if any(char in text for char in _CONTROLS):
                    return False
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _plain(cell: str) -> str:
    if len(cell) > 3 and cell.startswith('="') and cell.endswith('"') and '"' not in cell[2:-1]:
        return cell[2:-1]
    return cell
