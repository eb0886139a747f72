"""A roster file as rows, whatever it is: .xlsx, or .csv in UTF-8 (BOM or not), UTF-16 or GB18030."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Protocol

from issuer.errors import InputError
from issuer.roster.columns import SEARCH_ROWS, ColumnMap, find_header
from issuer.roster.csv_reading import open_csv
from issuer.roster.limits import MAX_FILE_BYTES, MAX_ROWS, refuse_large, refuse_unreadable
from issuer.roster.xlsx_guard import refuse_password
from issuer.roster.xlsx_reading import Cell, open_workbook


class Sheet(Protocol):
    """One table of a file."""

    name: str

    def size(self) -> int:
        """How many cells it takes in memory, about."""
        ...

    def rows(self) -> Iterator[list[Cell]]:
        """All rows from row 1 on, each as wide as its cells; may be called again."""
        ...


@dataclass(frozen=True, slots=True)
class RosterTable:
    """The one table of a file that is the roster."""

    sheet: Sheet
    columns: ColumnMap
    kind: str
    """xlsx or csv."""
    skipped_sheets: tuple[str, ...] = field(default=())

    def data_rows(self) -> Iterator[tuple[int, list[Cell]]]:
        """(row number from 1, cells) of every row below the header that is not blank.

        Raises TooLargeError after MAX_ROWS of them.
        """
        count = 0
        for number, row in enumerate(self.sheet.rows(), 1):
            if number < self.columns.first_data_row or not any(
                cell != "" and (not isinstance(cell, str) or cell.strip()) for cell in row
            ):
                continue
            count += 1
            if count > MAX_ROWS:
                refuse_large(
                    "roster-too-many-rows", f"名单超过 {MAX_ROWS} 行", f"The list has more than {MAX_ROWS} rows"
                )
            yield number, row

    def lead_rows(self) -> list[list[Cell]]:
        """The rows down to the end of the header: titles and heads."""
        lead = []
        for number, row in enumerate(self.sheet.rows(), 1):
            if number >= self.columns.first_data_row:
                break
            lead.append(row)
        return lead


def open_roster(path: Path, subjects: Sequence[str]) -> RosterTable:
    """Find the roster in the file at `path`: the one visible sheet with its header.

    subjects: heads of the score columns. Raises InputError or TooLargeError with one clear text for
    anything that cannot be a roster; nothing has been changed then.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8192)
    except OSError:
        refuse_unreadable(
            "roster-not-found",
            "文件不存在或无法打开",
            "The file is not there or cannot be opened",
            "核对文件路径",
            "Check the path",
        )
    if not start.strip():
        refuse_unreadable("roster-empty", "文件是空的", "The file is empty", "重新导出名单", "Export the list again")
    if size > MAX_FILE_BYTES:
        mib = MAX_FILE_BYTES >> 20
        refuse_large("roster-too-large", f"文件超过 {mib} MB", f"The file is larger than {mib} MB")
    if start.startswith(b"PK"):
        return _choose(open_workbook(path), subjects, "xlsx")
    if start.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        if "EncryptedPackage".encode("utf-16-le") in _ends(path, size):
            refuse_password()
        refuse_unreadable(
            "roster-old-format",
            "文件是旧的 .xls 格式",
            "The file is in the old .xls format",
            "另存为 .xlsx 后重新提交",
            "Save it as .xlsx and send it again",
        )
    return _choose(open_csv(path, start, subjects), subjects, "csv")


def _ends(path: Path, size: int) -> bytes:
    # The directory of a compound file may stand anywhere; in practice near an end.
    with path.open("rb") as file:
        head = file.read(1 << 20)
        file.seek(max(0, size - (1 << 20)))
        return head + file.read()


def _choose(sheets: Sequence[Sheet], subjects: Sequence[str], kind: str) -> RosterTable:
    found: list[tuple[Sheet, ColumnMap]] = []
    faults: list[InputError] = []
    for sheet in sheets:
        try:
            columns = find_header(_first(sheet), subjects)
        except InputError as fault:
            faults.append(fault)
            continue
        if columns is not None:
            found.append((sheet, columns))
    if faults and not found:
        raise faults[0]
    tables = [RosterTable(sheet, columns, kind) for sheet, columns in found]
    filled = [table for table in tables if next(table.data_rows(), None) is not None]
    if not tables:
        refuse_unreadable(
            "roster-header-missing",
            "未找到名单表头（应有“准考证号、姓名、证件号码”等列）",
            "No header of a roster was found (it needs 准考证号, 姓名, 证件号码 and the subjects)",
            "确认文件和工作表正确，并保留表头行",
            "Make sure it is the right file and sheet, with its header row",
        )
    if not filled:
        refuse_unreadable(
            "roster-no-rows", "表头下没有数据", "There are no rows below the header", "核对文件", "Check the file"
        )
    if len(filled) > 1:
        refuse_unreadable(
            "roster-several-sheets",
            f"有 {len(filled)} 个工作表都像名单",
            f"{len(filled)} sheets look like a roster",
            "只保留一个名单工作表，或分别提交",
            "Keep one of them, or send them one by one",
        )
    chosen = filled[0]
    others = tuple(sheet.name for sheet in sheets if sheet is not chosen.sheet)
    return RosterTable(chosen.sheet, chosen.columns, kind, others)


def _first(sheet: Sheet) -> list[list[Cell]]:
    return list(islice(sheet.rows(), SEARCH_ROWS))
