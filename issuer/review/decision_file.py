"""A decision file: who was found what, row by row, as .xlsx or .csv.

Needs a column of admission numbers (准考证号) and one of findings (核查结果 or 结论: 合格, 不合格, 待核查);
原因代码 and 说明 may follow. Other columns are left alone, so the exported template comes back as it is.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from issuer.errors import Words
from issuer.roster.findings import Finding
from issuer.roster.xlsx_reading import Cell
from issuer.tables import ListKind, lost_digits, lost_digits_of, open_list, text_of

MAX_FILE_BYTES = 64 * 1024 * 1024
MAX_ROWS = 200_000
MAX_NOTE = 1000

HEADS = {
    "admission_no": ("准考证号", "准考证号码", "admission_no"),
    "finding": ("核查结果", "结论", "资格核查结果", "finding"),
    "reason_code": ("原因代码", "reason_code"),
    "note": ("说明", "备注", "note"),
}
_KIND = ListKind(
    code="decisions",
    heads=HEADS,
    enough=lambda fields: fields >= {"admission_no", "finding"},
    no_header=Words("没有找到“准考证号”和“核查结果”两列", "The columns 准考证号 and 核查结果 were not found"),
    remedy=Words("用 ecert review export 导出模板后填写。", "Fill in the template: ecert review export"),
    smaller=Words("请只保留核查结果工作表。", "Keep the sheet of findings only."),
    max_bytes=MAX_FILE_BYTES,
    max_rows=MAX_ROWS,
)
_ADMISSION = re.compile(r"[0-9A-Za-z-]{4,40}")
_REASON = re.compile(r"[\w.\-]{1,40}")


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
    table = open_list(path, _KIND)
    rows: list[DecisionRow] = []
    findings: list[Finding] = []
    total = 0
    for number, cells in table.rows():
        _KIND.require_room(total)
        total += 1
        row = _read_row(number, table.named(cells))
        if isinstance(row, DecisionRow):
            rows.append(row)
        else:
            findings.append(row)
    return _without_contradictions(rows, findings, total)


def bad_row(row: int, column: str, code: str, message: Words, remedy: Words, clause: str | None = None) -> Finding:
    """A finding that keeps a row out."""
    return Finding(row, column, code, "error", message, remedy, clause)


def _read_row(row: int, cells: dict[str, Cell]) -> DecisionRow | Finding:
    admission = cells["admission_no"]
    if lost_digits(admission):
        message, remedy = lost_digits_of("准考证号")
        return bad_row(row, "准考证号", "admission_no_damaged", message, remedy)
    number = unicodedata.normalize("NFKC", text_of(admission)).replace(" ", "").upper()
    if _ADMISSION.fullmatch(number) is None:
        return bad_row(
            row,
            "准考证号",
            "admission_no_form",
            Words("准考证号为空或格式不对", "the admission number is empty or has the wrong form"),
            Words("按准考证核对", "compare it with the admission card"),
        )
    try:
        found = Found(text_of(cells["finding"]))
    except ValueError:
        return bad_row(
            row,
            "核查结果",
            "finding_unknown",
            Words("核查结果只能是合格、不合格或待核查", "the finding is one of 合格, 不合格, 待核查"),
            Words("改为三者之一", "use one of the three"),
        )
    reason, note = text_of(cells.get("reason_code", "")), text_of(cells.get("note", ""))
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
