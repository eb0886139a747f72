"""Looking into a workbook before it is opened: bombs, giant rectangles, passwords, formulas.

The reader (calamine) keeps a sheet's whole bounding rectangle in memory, so one cell in the last corner of a
sheet would cost gigabytes. Every part is therefore inflated once here, piece by piece, and measured.
"""

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import BinaryIO, NoReturn

from issuer.roster.limits import (
    MAX_CELLS,
    MAX_OTHER_XML,
    MAX_ROWS,
    MAX_SHEET_XML,
    MAX_STRINGS_XML,
    MAX_TEXT_BYTES,
    refuse_large,
    refuse_unreadable,
)
from issuer.roster.xlsx_strings import StringLengths

_PIECE = 1 << 20
_OVERLAP = 1 << 16
_SMALL, _MAX_RATIO = 32 << 20, 250
"""No list of people packs 250 to 1: a part beyond both is a bomb, and need not be inflated to its end."""
_CELL = re.compile(rb'<(?:[a-z]+:)?c\b[^>]*?\br="([A-Z]{1,4})[0-9]', re.ASCII)
_BARE_CELL = re.compile(rb"<(?:[a-z]+:)?c[ />]")
_ROW = re.compile(rb'<(?:[a-z]+:)?row\b[^>]*?\br="([0-9]{1,9})"', re.ASCII)
_CELL_ROW = re.compile(rb'<(?:[a-z]+:)?c\b[^>]*?\br="[A-Z]{1,4}([0-9]{7,})"', re.ASCII)
_FORMULA = re.compile(
    rb'<(?:[a-z]+:)?c\b[^>]*?\br="([A-Z]{1,4})([0-9]{1,7})"[^>]*>\s*<(?:[a-z]+:)?f(?:\s[^>]*)?>([^<]{1,8192})'
    rb"</(?:[a-z]+:)?f>\s*(?:<(?:[a-z]+:)?v\s*/>|<(?:[a-z]+:)?v></(?:[a-z]+:)?v>)?\s*</(?:[a-z]+:)?c>",
    re.ASCII,
)
_MAX_FORMULAS = 50_000


@dataclass(slots=True)
class SheetMeasure:
    """What one sheet part holds. formulas: (row from 1, column from 0) → text of a formula without a stored value."""

    cells: int = 0
    rows: int = 0
    last_row: int = 0
    widest: int = 0
    columns: set[bytes] = field(default_factory=set)
    formulas: dict[tuple[int, int], str] = field(default_factory=dict)


def measure_workbook(path: Path) -> dict[str, SheetMeasure]:
    """Inflate and measure every part of the .xlsx at `path`; part name of a sheet → its measure.

    Raises InputError when it is no readable workbook, TooLargeError when a part or a sheet is over the limits.
    """
    try:
        with zipfile.ZipFile(path) as archive, path.open("rb") as raw:
            infos = archive.infolist()
            names = {info.filename for info in infos}
            if "xl/workbook.xml" not in {name.lstrip("/") for name in names}:
                _not_a_workbook()
            if len(infos) > 2000 or len(names) != len(infos):
                _not_a_workbook()
            measures = {}
            strings = StringLengths()
            for info in infos:
                measure = _measure_part(info, raw, strings)
                if measure is not None:
                    measures[info.filename] = measure
            if strings.longest * sum(measure.cells for measure in measures.values()) > MAX_TEXT_BYTES:
                for info in infos:
                    if info.filename in measures:
                        strings.spend(_inflate(info, raw))
            return measures
    except (zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError, NotImplementedError, ValueError):
        _not_a_workbook()


def _measure_part(info: zipfile.ZipInfo, raw: BinaryIO, strings: StringLengths) -> SheetMeasure | None:
    name = info.filename.lstrip("/")
    if info.flag_bits & 1:
        refuse_password()
    is_sheet = name.startswith("xl/worksheets/") and name.endswith(".xml")
    limit = MAX_SHEET_XML if is_sheet else MAX_STRINGS_XML if name == "xl/sharedStrings.xml" else MAX_OTHER_XML
    measure = SheetMeasure() if is_sheet else None
    size, tail = 0, b""
    for piece in _inflate(info, raw):
        size += len(piece)
        if size > limit or (size > _SMALL and size > info.compress_size * _MAX_RATIO):
            refuse_large(
                "roster-too-large",
                f"工作簿解压后过大（{size >> 20} MB 以上）",
                f"The workbook inflates to {size >> 20} MB or more",
            )
        if measure is not None:
            tail = _measure_piece(measure, tail + piece)
            _require_limits(measure)
        elif name == "xl/sharedStrings.xml":
            strings.feed(piece)
    if measure is not None:
        _measure_piece(measure, tail, last=True)
        _require_limits(measure)
    return measure


def _inflate(info: zipfile.ZipInfo, raw: BinaryIO) -> Iterator[bytes]:
    """The part's bytes, inflated without trusting the size its directory entry claims."""
    raw.seek(info.header_offset)
    header = raw.read(30)
    name_length, extra_length = struct.unpack("<26xHH", header)
    raw.seek(info.header_offset + 30 + name_length + extra_length)
    left = info.compress_size
    if info.compress_type == zipfile.ZIP_STORED:
        while left > 0:
            piece = raw.read(min(_PIECE, left))
            if not piece:
                raise EOFError
            left -= len(piece)
            yield piece
        return
    if info.compress_type != zipfile.ZIP_DEFLATED:
        _not_a_workbook()
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    while not inflater.eof:
        data = inflater.unconsumed_tail
        if not data:
            data = raw.read(min(_PIECE, left))
            left -= len(data)
            if not data:
                raise EOFError
        piece = inflater.decompress(data, _PIECE)
        if piece:
            yield piece


def _measure_piece(measure: SheetMeasure, data: bytes, *, last: bool = False) -> bytes:
    """Measure up to the last complete cell or row of `data`; returns the rest, to be put before the next piece."""
    cut = len(data) if last else max(data.rfind(b"</row>"), data.rfind(b"</x:row>"))
    if cut <= 0:
        # No row ended here: keep only so much as one cell may take.
        cut = len(data) - _OVERLAP if len(data) > 8 * _PIECE else 0
    part, rest = data[:cut], data[cut:]
    if part:
        columns = _CELL.findall(part)
        bare = len(_BARE_CELL.findall(part))
        measure.cells += bare
        if bare != len(columns):  # cells without references stand side by side
            lines = part.split(b"</row>")
            measure.rows += len(lines)
            measure.widest = max(measure.widest, max(len(_BARE_CELL.findall(line)) for line in lines))
        measure.columns.update(columns)
        rows = _ROW.findall(part) + _CELL_ROW.findall(part)
        measure.last_row = max(measure.last_row, max(map(int, rows), default=0))
        if b"f>" in part:
            for column, row, text in _FORMULA.findall(part):
                if len(measure.formulas) < _MAX_FORMULAS:
                    formula = unescape(text.decode("utf-8", "replace"))
                    measure.formulas[int(row), column_index(column.decode()) - 1] = f"={formula}"
    return rest


def _require_limits(measure: SheetMeasure) -> None:
    last_column = max((column_index(name.decode()) for name in measure.columns), default=0)
    last_column = max(last_column, measure.widest)
    # The rectangle is what will be held.
    area = max(measure.cells, max(measure.last_row, measure.rows) * last_column if measure.cells else 0)
    if area > MAX_CELLS:
        refuse_large(
            "roster-too-many-cells",
            f"工作表过大（{area} 个以上单元格，上限 {MAX_CELLS}）",
            f"The sheet is too large ({area} cells or more, limit {MAX_CELLS})",
        )
    if measure.last_row > MAX_ROWS and measure.cells > MAX_ROWS:
        refuse_large(
            "roster-too-many-rows",
            f"工作表超过 {MAX_ROWS} 行",
            f"The sheet has more than {MAX_ROWS} rows",
        )


def column_index(letters: str) -> int:
    """Number of a column from its letters: A is 1."""
    number = 0
    for char in letters:
        number = number * 26 + ord(char) - 64
    return number


def refuse_password() -> NoReturn:
    """Raise InputError: the file asks for a password."""
    refuse_unreadable(
        "roster-password-protected",
        "文件设有打开密码",
        "The file asks for a password",
        "取消密码后另存为 .xlsx 重新提交",
        "Save it again without the password",
    )


def _not_a_workbook() -> NoReturn:
    refuse_unreadable(
        "roster-unreadable",
        "文件不是可读取的 .xlsx 工作簿（损坏或格式不符）",
        "The file is not a readable .xlsx workbook (damaged, or another format)",
        "用电子表格软件打开后另存为 .xlsx 重新提交",
        "Open it in a spreadsheet program, save it as .xlsx and send it again",
    )
