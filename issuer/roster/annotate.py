"""Rows that were kept out, as the sender's own workbook: same layout and heads, so that it can be sent again.

Only the rows to mend are in it. Each faulty cell is marked and carries a comment; two columns at the end say
what is wrong and what to do. Whatever looks like a formula stays text.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.cell import Cell as SheetCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from issuer.errors import Words
from issuer.roster.cells import cell_text
from issuer.roster.columns import ANNOTATION_HEADS
from issuer.roster.findings import Finding
from issuer.roster.reading import RosterTable, open_roster
from issuer.roster.report import RosterReport
from issuer.roster.xlsx_reading import Cell

_MARK = PatternFill("solid", fgColor="FFFFE0B2")
_NOTE = PatternFill("solid", fgColor="FFFFF8E1")
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_STYLED_CELLS = 400_000
"""Larger workbooks come back without their looks: opening them for styles would take gigabytes."""
_MAX_TEXT = 32_000


def annotated_workbook(content: Path, report: RosterReport, out: Path) -> int:
    """Write the rejected rows of the roster at `content` to the .xlsx `out`; returns how many.

    Writes nothing and returns 0 when no row was rejected. A .csv roster
    comes back as .xlsx too, all cells as text.
    """
    wanted = report.rejected_rows
    if not wanted:
        return 0
    table = open_roster(content, report.subjects)
    findings: dict[int, list[Finding]] = {}
    for finding in report.findings:
        if finding.row in wanted:
            findings.setdefault(finding.row, []).append(finding)
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = re.sub(r"[\\/*?:\[\]]", "_", table.sheet.name)[:31] or "roster"
    style = _styles(content, table, sheet)
    heads = table.columns.heads
    kept = [i for i in range(len(heads)) if heads[i] not in ANNOTATION_HEADS]
    _write_lead(sheet, table, kept, style)
    places = {heads[i]: at for at, i in enumerate(kept, 1) if heads[i]}
    line = table.columns.first_data_row
    for number, cells in table.data_rows():
        if number in wanted:
            _write_row(sheet, line, number, cells, kept, style)
            _annotate(sheet, line, findings[number], places, len(kept))
            line += 1
    sheet.freeze_panes = f"A{table.columns.first_data_row}"
    book.save(out)
    return line - table.columns.first_data_row


_Style = Callable[[SheetCell, int, int], None]


def _styles(content: Path, table: RosterTable, sheet: Worksheet) -> _Style:
    """A function that gives a cell the looks of (row, column from 1) in the sender's sheet."""

    def plain(cell: SheetCell, row: int, column: int) -> None:
        return None

    cells = table.sheet.size() if table.kind == "xlsx" else _STYLED_CELLS + 1
    if cells > _STYLED_CELLS:
        return plain
    source = load_workbook(content, keep_links=False)[table.sheet.name]
    if not isinstance(source, Worksheet):
        return plain
    for letter, dimension in source.column_dimensions.items():
        sheet.column_dimensions[letter].width = dimension.width

    def styled(cell: SheetCell, row: int, column: int) -> None:
        model: Any = source.cell(row, column)
        if model.has_style:
            cell.font, cell.fill, cell.border = copy(model.font), copy(model.fill), copy(model.border)
            cell.alignment, cell.number_format = copy(model.alignment), model.number_format

    return styled


def _write_lead(sheet: Worksheet, table: RosterTable, kept: Sequence[int], style: _Style) -> None:
    lead = table.lead_rows()
    for line, cells in enumerate(lead, 1):
        _write_row(sheet, line, line, cells, kept, style)
    header = table.columns.header_row
    for at, head in enumerate(ANNOTATION_HEADS, len(kept) + 1):
        cell = sheet.cell(header, at, head)
        cell.font = Font(bold=True)
        sheet.column_dimensions[get_column_letter(at)].width = 46


def _write_row(
    sheet: Worksheet, line: int, number: int, cells: Sequence[Cell], kept: Sequence[int], style: _Style
) -> None:
    for at, index in enumerate(kept, 1):
        if index < len(cells) and cells[index] != "":
            cell = sheet.cell(line, at)
            assert isinstance(cell, SheetCell)  # nothing is merged in a sheet made here
            style(cell, number, index + 1)
            _put(cell, cells[index])


def _put(cell: SheetCell, value: Cell) -> None:
    """The value as the sender had it; text never becomes a formula, long numbers never lose digits."""
    if isinstance(value, bool | datetime | date | time):
        cell.value = value
    elif isinstance(value, int | float) and abs(value) < 1e15:
        cell.value = int(value) if float(value).is_integer() else value
    else:
        cell.value = None
        _put_text(cell, cell_text(value))


def _put_text(cell: SheetCell, text: str) -> None:
    cell.value = _ILLEGAL.sub("\ufffd", text)[:_MAX_TEXT]
    cell.data_type = "s"
    if re.match(r"[=+\-@\t\r]", text):
        set_prefix: Any = cell
        set_prefix.quotePrefix = True


def _annotate(sheet: Worksheet, line: int, findings: Iterable[Finding], places: dict[str, int], width: int) -> None:
    problems, remedies = [], []
    comments: dict[int, list[str]] = {}
    for finding in findings:
        if finding.level == "error":
            problems.append(f"{finding.column}：{_both(finding.message)}")
            if finding.remedy.zh:
                remedies.append(_both(finding.remedy))
        at = places.get(finding.column)
        if at is not None:
            cell = sheet.cell(line, at)
            if finding.level == "error" or at not in comments:
                cell.fill = _MARK if finding.level == "error" else _NOTE
            comments.setdefault(at, []).append(f"{finding.code}: {_both(finding.message)}")
    for at, lines in comments.items():
        comment = Comment("\n".join(lines), "ecert", width=320, height=120)
        sheet.cell(line, at).comment = comment
    for at, lines in ((width + 1, problems), (width + 2, remedies)):
        cell = sheet.cell(line, at)
        assert isinstance(cell, SheetCell)
        _put_text(cell, "\n".join(dict.fromkeys(lines)))
        cell.alignment = Alignment(wrap_text=True, vertical="top")


def _both(words: Words) -> str:
    return f"{words.zh}（{words.en}）" if words.en else words.zh
