"""A decision file: who was found what, row by row, as .xlsx or .csv.

Needs a column of admission numbers (准考证号) and one of findings (核查结果 or 结论: 合格, 不合格, 待核查);
原因代码 and 说明 may follow. Other columns are left alone, so the exported template comes back as it is.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

from issuer.errors import InputError, TooLargeError, Words
from issuer.roster.csv_reading import CsvSheet, open_csv
from issuer.roster.findings import Finding
from issuer.roster.reading import Sheet
from issuer.roster.xlsx_reading import open_workbook

MAX_FILE_BYTES = 64 * 1024 * 1024
MAX_ROWS = 200_000
MAX_NOTE = 1000
_SEARCH_ROWS = 30

HEADS = {
    "admission_no": ("准考证号", "准考证号码", "admission_no"),
    "finding": ("核查结果", "结论", "资格核查结果", "finding"),
    "reason_code": ("原因代码", "reason_code"),
    "note": ("说明", "备注", "note"),
}
_FIELD_OF = {head: field for field, heads in HEADS.items() for head in heads}
_NEEDED = ("admission_no", "finding")
_ADMISSION = re.compile(r"[0-9A-Za-z-]{4,40}")
_REASON = re.compile(r"[\w.\-]{1,40}")
_KEPT_FLOAT = 10**15
"""From here on a number cell has lost digits."""


class Found(StrEnum):
    """What a review body writes in the column of findings."""

    ELIGIBLE = "合格"
    INELIGIBLE = "不合格"
    PENDING = "待核查"


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """One usable row; `row` counts from 1 as a spreadsheet shows it."""

    row: int
    admission_no: str
    found: Found
    reason_code: str | None
    note: str | None


@dataclass(frozen=True, slots=True)
class DecisionFile:
    """A file's usable rows and what is wrong with the others."""

    rows: tuple[DecisionRow, ...]
    findings: tuple[Finding, ...]
    total: int


def read_decisions(path: Path) -> DecisionFile:
    """Read a decision file; raises InputError or TooLargeError when it is none at all."""
    sheet, header_row, columns = _find_table(_sheets(path))
    rows: list[DecisionRow] = []
    findings: list[Finding] = []
    total = 0
    for number, cells in enumerate(sheet.rows(), 1):
        if number <= header_row or not any(_text(cell) for cell in cells):
            continue
        total += 1
        if total > MAX_ROWS:
            raise TooLargeError(
                "decisions-too-many-rows",
                Words(
                    f"文件超过 {MAX_ROWS} 行，未作任何更改。",
                    f"More than {MAX_ROWS} rows; nothing was changed.",
                ),
                remedy=Words("请拆分后分别提交。", "Split the file."),
            )
        row = _read_row(number, {field: _cell(cells, index) for field, index in columns.items()})
        if isinstance(row, DecisionRow):
            rows.append(row)
        else:
            findings.append(row)
    return _without_contradictions(rows, findings, total)


def bad_row(row: int, column: str, code: str, message: Words, remedy: Words, clause: str | None = None) -> Finding:
    """A finding that keeps a row out."""
    return Finding(row, column, code, "error", message, remedy, clause)


def _read_row(row: int, cells: dict[str, Any]) -> DecisionRow | Finding:
    admission = cells["admission_no"]
    if isinstance(admission, int | float) and abs(admission) >= _KEPT_FLOAT:
        return bad_row(
            row,
            "准考证号",
            "admission_no_damaged",
            Words("准考证号以数字格式存放，末尾数字已丢失", "the number cell has lost its last digits"),
            Words("将该列设为“文本”格式后重新填写", "format the column as text and type it again"),
        )
    number = unicodedata.normalize("NFKC", _text(admission)).replace(" ", "").upper()
    if _ADMISSION.fullmatch(number) is None:
        return bad_row(
            row,
            "准考证号",
            "admission_no_form",
            Words("准考证号为空或格式不对", "the admission number is empty or has the wrong form"),
            Words("按准考证核对", "compare it with the admission card"),
        )
    try:
        found = Found(_text(cells["finding"]))
    except ValueError:
        return bad_row(
            row,
            "核查结果",
            "finding_unknown",
            Words("核查结果只能是合格、不合格或待核查", "the finding is one of 合格, 不合格, 待核查"),
            Words("改为三者之一", "use one of the three"),
        )
    reason, note = _text(cells.get("reason_code", "")), _text(cells.get("note", ""))
    if reason and _REASON.fullmatch(reason) is None:
        return bad_row(
            row,
            "原因代码",
            "reason_code_form",
            Words(
                "原因代码应为 1 至 40 位文字、数字、点或连字符", "a reason code has 1 to 40 letters, digits, . or -"
            ),
            Words("改用原因代码，文字说明填入“说明”列", "use a code; put words into the column 说明"),
        )
    if len(note) > MAX_NOTE or any(unicodedata.category(char) in _HIDDEN and char not in "\r\n\t" for char in note):
        return bad_row(
            row,
            "说明",
            "note_unusable",
            Words("说明过长或含不可见字符", "the note is too long or has invisible characters"),
            Words(f"不超过 {MAX_NOTE} 个可见字符", f"at most {MAX_NOTE} visible characters"),
        )
    if found is Found.INELIGIBLE and not reason and not note:
        return bad_row(
            row,
            "原因代码",
            "reason_missing",
            Words("不合格必须写明原因，以便告知本人", "who is found ineligible must be told why"),
            Words("填写原因代码或说明", "fill in a reason code or a note"),
            "R7",
        )
    return DecisionRow(row, number, found, reason or None, note or None)


_HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn")


def _without_contradictions(rows: Sequence[DecisionRow], findings: list[Finding], total: int) -> DecisionFile:
    """A number that stands twice: the same finding counts once, different findings count not at all."""
    first: dict[str, DecisionRow] = {}
    contradicted: set[str] = set()
    for row in rows:
        known = first.setdefault(row.admission_no, row)
        if known.found is not row.found:
            contradicted.add(row.admission_no)
    for row in rows:
        if row.admission_no in contradicted:
            findings.append(
                bad_row(
                    row.row,
                    "准考证号",
                    "contradiction",
                    Words(
                        "同一准考证号有不同的核查结果，均未采用",
                        "this admission number has different findings; none was taken",
                    ),
                    Words("只保留正确的一行", "keep the right row only"),
                )
            )
    kept = tuple(row for number, row in first.items() if number not in contradicted)
    return DecisionFile(kept, tuple(sorted(findings, key=lambda finding: finding.row)), total)


def _sheets(path: Path) -> Sequence[Sheet]:
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8192)
    except OSError:
        _refuse("decisions-not-found", "文件不存在或无法打开", "The file is not there or cannot be opened")
    if not start.strip():
        _refuse("decisions-empty", "文件是空的", "The file is empty")
    if size > MAX_FILE_BYTES:
        raise TooLargeError(
            "decisions-too-large",
            Words(
                f"文件超过 {MAX_FILE_BYTES >> 20} MB，未作任何更改。",
                f"Larger than {MAX_FILE_BYTES >> 20} MB; nothing was changed.",
            ),
            remedy=Words("请只保留核查结果工作表。", "Keep the sheet of findings only."),
        )
    if start.startswith(b"PK"):
        return open_workbook(path)
    (plain,) = open_csv(path, start, ())
    return [CsvSheet(path, plain.encoding, delimiter) for delimiter in (",", "\t", ";")]


def _find_table(sheets: Sequence[Sheet]) -> tuple[Sheet, int, dict[str, int]]:
    for sheet in sheets:
        for number, cells in enumerate(islice(sheet.rows(), _SEARCH_ROWS), 1):
            columns: dict[str, int] = {}
            for index, cell in enumerate(cells):
                field = _FIELD_OF.get("".join(_text(cell).split()).lower().rstrip("*"))
                if field is not None:
                    columns.setdefault(field, index)
            if all(field in columns for field in _NEEDED):
                return sheet, number, columns
    return _refuse(
        "decisions-header-missing",
        "没有找到“准考证号”和“核查结果”两列",
        "The columns 准考证号 and 核查结果 were not found",
    )


def _refuse(code: str, zh: str, en: str) -> NoReturn:
    raise InputError(
        code,
        Words(f"{zh}，未作任何更改。", f"{en}; nothing was changed."),
        remedy=Words("用 ecert review export 导出模板后填写。", "Fill in the template: ecert review export"),
    )


def _cell(cells: Sequence[Any], index: int) -> Any:
    return cells[index] if index < len(cells) else ""


def _text(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return str(cell).strip().strip("\ufeff")
