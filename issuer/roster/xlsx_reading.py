"""Sheets of an .xlsx file, read by calamine after `xlsx_guard` has measured them."""

import posixpath
import struct
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
    ZipError,
)

from issuer.roster.limits import MAX_MERGED, refuse_unreadable
from issuer.roster.xlsx_guard import SheetMeasure, measure_workbook, refuse_password

Cell = str | float | int | bool | date | datetime | time | timedelta
_DAMAGE = (
    *(CalamineError, ZipError, zipfile.BadZipFile, zlib.error, ParseError, DefusedXmlException),
    *(OSError, EOFError, LookupError, ValueError, NotImplementedError, RuntimeError, struct.error),
)
"""What calamine, zipfile and the XML parser raise for damaged files."""
_REL = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


class XlsxSheet:
    """One visible sheet. Merged cells repeat their value downwards; formulas without a value are text."""

    def __init__(self, sheet: CalamineSheet, measure: SheetMeasure | None) -> None:
        self.name = sheet.name
        self._sheet = sheet
        self._formulas = measure.formulas if measure else {}
        self._merged = _vertical_merges(sheet)
        self._formula_rows = {row for row, _ in self._formulas}

    def size(self) -> int:
        """Cells of the sheet's bounding rectangle."""
        return self._sheet.height * self._sheet.width

    def rows(self) -> Iterator[list[Cell]]:
        """All rows from row 1 on, columns from A."""
        start = self._sheet.start
        if start is None:
            return
        pad: list[Cell] = [""] * start[1]
        kept: dict[tuple[int, int], Cell] = {}
        for number, cells in enumerate(self._sheet.iter_rows(), 1):
            row: list[Cell] = pad + cells
            if number in self._formula_rows:
                for column, cell in enumerate(row):
                    if cell == "" and (formula := self._formulas.get((number, column))):
                        row[column] = formula
            for source, column in self._merged.get(number, ()):
                if source == number:
                    kept[source, column] = row[column] if column < len(row) else ""
                elif column < len(row) and row[column] == "":
                    row[column] = kept.get((source, column), "")
            yield row


def open_workbook(path: Path) -> list[XlsxSheet]:
    """The visible work sheets of the workbook at `path`, in order; raises InputError, TooLargeError."""
    measures = measure_workbook(path)
    try:
        book = CalamineWorkbook.from_path(path)
        parts = _sheet_parts(path)
        wanted = [
            meta.name
            for meta in book.sheets_metadata
            if meta.typ == SheetTypeEnum.WorkSheet and meta.visible == SheetVisibleEnum.Visible
        ]
        return [XlsxSheet(book.get_sheet_by_name(name), measures.get(parts.get(name, ""))) for name in wanted]
    except PasswordError:
        refuse_password()
    except _DAMAGE:
        refuse_unreadable(
            "roster-unreadable",
            "工作簿已损坏，无法读取",
            "The workbook is damaged and cannot be read",
            "用电子表格软件打开后另存为 .xlsx 重新提交",
            "Open it in a spreadsheet program, save it as .xlsx and send it again",
        )


def _sheet_parts(path: Path) -> dict[str, str]:
    """Sheet name → name of its part in the package."""
    with zipfile.ZipFile(path) as archive:
        book = fromstring(archive.read("xl/workbook.xml"))
        relations = fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    targets = {rel.get("Id"): rel.get("Target", "") for rel in relations}
    parts = {}
    for element in book.iter():
        target = targets.get(element.get(_REL))
        if element.tag.endswith("}sheet") and target:
            full = target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"xl/{target}")
            parts[element.get("name", "")] = full
    return parts


def _vertical_merges(sheet: CalamineSheet) -> dict[int, list[tuple[int, int]]]:
    """Row (from 1) → (first row of the merge, column) for cells merged downwards."""
    merged: dict[int, list[tuple[int, int]]] = {}
    for (top, left), (bottom, _right) in (sheet.merged_cell_ranges or [])[:MAX_MERGED]:
        if bottom > top and bottom - top <= MAX_MERGED:
            for row in range(top, bottom + 1):
                merged.setdefault(row + 1, []).append((top + 1, left))
    return merged
