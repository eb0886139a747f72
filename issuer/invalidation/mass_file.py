"""A list of what to invalidate, as .xlsx or .csv: a number, and per row or for all 无效事由, 依据, 生效日期.

The number is an e-certificate's or a paper certificate's management number, a paper certificate's serial, or, where
there is no certificate, an admission number (with 考次 beside it where it stands in several sittings: R9).

Columns are found by their heads, in any order and on any sheet; others are left alone.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from issuer.errors import InputError, Words
from issuer.invalidation.grounds import GROUND_WORDS, parse_ground
from issuer.roster.findings import Finding
from issuer.roster.xlsx_reading import Cell
from issuer.rules.terms import InvalidationGround
from issuer.tables import ListKind, day_of, lost_digits, lost_digits_of, open_list, text_of

MAX_FILE_BYTES = 16 * 1024 * 1024
MAX_ROWS = 20_000
_NUMBER = re.compile(r"[0-9A-Z-]{4,40}")

NUMBER, GROUND, BASIS, DAY = "管理号", "无效事由", "依据", "生效日期"
ADMISSION, SITTING = "准考证号", "考次"
HEADS = {
    "management_no": (
        NUMBER,
        "证书管理号",
        "证书编号",
        "编号",
        "印刷编号",
        "management_no",
        "managementno.",
        "serial",
    ),
    "admission_no": (ADMISSION, "admission_no", "admissionno."),
    "sitting": (SITTING, "考次代码", "考试批次", "sitting"),
    "ground": (GROUND, "事由", "ground"),
    "basis": (BASIS, "法律依据", "依据和认定事实", "basis"),
    "effective_on": (DAY, "effective_on"),
}
_KIND = ListKind(
    code="list",
    heads=HEADS,
    enough=lambda fields: bool(fields & {"management_no", "admission_no"}),
    no_header=Words("没有找到“管理号”或“准考证号”一列", "No column 管理号 (management_no) or 准考证号 was found"),
    remedy=Words(
        "表头应有“管理号”或“准考证号”，可另有“考次、无效事由、依据、生效日期”。",
        "The header needs 管理号 or 准考证号, and may have 考次, 无效事由, 依据, 生效日期.",
    ),
    smaller=Words("请只保留清单工作表。", "Keep the sheet with the list only."),
    max_bytes=MAX_FILE_BYTES,
    max_rows=MAX_ROWS,
    split=Words("请拆分后分别提交。", "Split the list."),
)
_GROUND_OF = {words.zh: ground for ground, words in GROUND_WORDS.items()}


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds for rows that do not say otherwise."""

    ground: InvalidationGround | None = None
    basis: str = ""
    effective_on: date | None = None


@dataclass(frozen=True, slots=True)
class MassRow:
    """One usable row; `row` counts from 1 as a spreadsheet shows it. `effective_on` None: the day of proposing.

    `management_no`: the number of any kind; `sitting` narrows an admission number, empty where the row names none.
    """

    row: int
    management_no: str
    ground: InvalidationGround
    basis: str
    effective_on: date | None
    sitting: str = ""


@dataclass(frozen=True, slots=True)
class MassFile:
    """A file's usable rows in order, what is wrong with the others, and the number each row names as it was typed."""

    rows: tuple[MassRow, ...]
    findings: tuple[Finding, ...]
    said: dict[int, str]


def read_list(path: Path, defaults: Defaults) -> MassFile:
    """Read a list; raises InputError or TooLargeError when it is none at all."""
    table = open_list(path, _KIND)
    rows: list[MassRow] = []
    findings: list[Finding] = []
    said: dict[int, str] = {}
    for number, cells in table.rows():
        _KIND.require_room(len(rows) + len(findings))
        named = table.named(cells)
        said[number] = text_of(_number_cell(named))[:40]
        row = _read_row(number, named, defaults)
        if isinstance(row, MassRow):
            rows.append(row)
        else:
            findings.append(row)
    return _without_repeats(rows, findings, said)


def _read_row(row: int, cells: dict[str, Cell], defaults: Defaults) -> MassRow | Finding:
    raw = _number_cell(cells)
    if lost_digits(raw):
        message, remedy = lost_digits_of(NUMBER)
        return _bad(row, NUMBER, "management_no_damaged", message, remedy)
    number = "".join(unicodedata.normalize("NFKC", text_of(raw)).split()).upper()
    if _NUMBER.fullmatch(number) is None:
        return _bad(
            row,
            NUMBER,
            "management_no_form",
            Words("管理号为空或格式不对", "the management number is empty or has the wrong form"),
            Words("按证书或准考证核对", "compare it with the certificate or the admission card"),
        )
    said = text_of(cells.get("ground", ""))
    try:
        ground = (_GROUND_OF.get(said) or parse_ground(said)) if said else defaults.ground
    except InputError:
        ground = None
    if ground is None:
        return _bad(
            row,
            GROUND,
            "ground_unknown" if said else "ground_missing",
            Words("无效事由为空或无法识别", "the ground is missing or unknown"),
            Words(f"填写代码之一：{'、'.join(InvalidationGround)}", f"one of: {', '.join(InvalidationGround)}"),
        )
    try:
        effective_on = day_of(cells.get("effective_on", "")) or defaults.effective_on
    except ValueError:
        return _bad(
            row,
            DAY,
            "effective_on_form",
            Words("生效日期应如 2026-01-31", "a day is written 2026-01-31"),
            Words("改为日期，或留空表示提议当日", "write a day, or leave it empty for the day of proposing"),
        )
    basis = text_of(cells.get("basis", "")) or defaults.basis.strip()
    return MassRow(row, number, ground, basis, effective_on, text_of(cells.get("sitting", ""))[:40])


def _number_cell(cells: dict[str, Cell]) -> Cell:
    """What names the row: its number, or where that cell is empty its admission number."""
    raw = cells.get("management_no", "")
    return raw if text_of(raw) else cells.get("admission_no", "")


def _without_repeats(rows: Sequence[MassRow], findings: list[Finding], said: dict[int, str]) -> MassFile:
    """A number that stands twice with the same words counts once; with different ones, not at all."""
    first: dict[tuple[str, str], MassRow] = {}
    contradicted: set[tuple[str, str]] = set()
    for row in rows:
        known = first.setdefault((row.management_no, row.sitting), row)
        if (known.ground, known.basis, known.effective_on) != (row.ground, row.basis, row.effective_on):
            contradicted.add((row.management_no, row.sitting))
    for row in rows:
        if (row.management_no, row.sitting) in contradicted:
            message = Words("同一管理号有不同的事由、依据或日期，均未采用", "this number stands with different words")
            remedy = Words("只保留正确的一行", "keep the right row only")
            findings.append(_bad(row.row, NUMBER, "contradiction", message, remedy))
    kept = tuple(row for number, row in first.items() if number not in contradicted)
    return MassFile(kept, tuple(sorted(findings, key=lambda finding: finding.row)), said)


def _bad(row: int, column: str, code: str, message: Words, remedy: Words) -> Finding:
    return Finding(row, column, code, "error", message, remedy)
