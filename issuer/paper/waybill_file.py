"""A courier's file of tracking numbers: .xlsx or .csv with 管理号 and 运单号, other columns left alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from issuer.errors import Words
from issuer.paper.sheets import scanned
from issuer.roster.findings import Finding
from issuer.roster.xlsx_reading import Cell
from issuer.tables import ListKind, lost_digits, lost_digits_of, open_list, text_of

MAX_FILE_BYTES = 16 * 1024 * 1024
MAX_ROWS = 50_000
HEADS = {
    "management_no": ("管理号", "证书管理号", "management_no"),
    "waybill": ("运单号", "快递单号", "物流单号", "邮件号", "waybill"),
    "revision": ("地址版本", "revision"),
}
_KIND = ListKind(
    code="waybills",
    heads=HEADS,
    enough=lambda fields: fields >= {"management_no", "waybill"},
    no_header=Words("没有找到“管理号”和“运单号”两列", "The columns 管理号 and 运单号 were not found"),
    remedy=Words("用导出的邮寄清单填写运单号。", "Fill the waybills into the exported list."),
    smaller=Words("请只保留运单工作表。", "Keep the sheet of waybills only."),
    max_bytes=MAX_FILE_BYTES,
    max_rows=MAX_ROWS,
)

_WORDS: dict[str, tuple[Words, Words]] = {
    "number-damaged": lost_digits_of("编号"),
    "management-no-missing": (
        Words("管理号为空", "the management number is empty"),
        Words("填写管理号", "fill it in"),
    ),
    "waybill-form": (
        Words("运单号应为 6 至 40 位字母、数字或连字符", "a waybill has 6 to 40 letters, digits or hyphens"),
        Words("按面单填写", "copy it from the label"),
    ),
    "paper-unknown": (
        Words("本考次没有该管理号的纸质证书", "this sitting has no paper certificate with that number"),
        Words("核对管理号", "check the number"),
    ),
    "waybill-taken": (
        Words("该运单号已属于另一份证书", "this waybill belongs to another certificate"),
        Words("核对运单号，一单一证", "check it: one waybill for each certificate"),
    ),
    "not-booked": (
        Words("该证书没有待寄的预约", "no mail is waiting for this certificate"),
        Words("删除该行，或核对管理号", "remove the row, or check the number"),
    ),
    "has-waybill": (
        Words("该预约已有有效的运单号", "this booking has a waybill that counts"),
        Words(
            "核对是否重复下单；改地址后旧单自动作废",
            "check for a double order; a change of address voids the old one",
        ),
    ),
    "address-changed": (
        Words("导出之后地址已修改，该面单的地址已过时", "the address has changed since the list was exported"),
        Words("重新导出该行并换面单", "export again and print a new label"),
    ),
    "twice-in-file": (
        Words("同一管理号或运单号在文件中重复且不一致", "a number stands twice in the file with different partners"),
        Words("只保留正确的一行", "keep the right row only"),
    ),
}
CODES = frozenset(_WORDS)


@dataclass(frozen=True, slots=True)
class WaybillRow:
    """One usable row; `row` counts from 1 as a spreadsheet shows it; `revision` of the address, where it is given."""

    row: int
    management_no: str
    waybill: str
    revision: int | None = None


def bad_row(row: int, column: str, code: str) -> Finding:
    """A finding that keeps a row out (R12)."""
    message, remedy = _WORDS[code]
    return Finding(row, column, code, "error", message, remedy, "R12")


def read_waybills(path: Path) -> tuple[tuple[WaybillRow, ...], tuple[Finding, ...]]:
    """The usable rows and what is wrong with the others; raises InputError, TooLargeError when it is no such file."""
    table = open_list(path, _KIND)
    rows: list[WaybillRow] = []
    findings: list[Finding] = []
    for number, cells in table.rows():
        _KIND.require_room(len(rows) + len(findings))
        read = _read(number, table.named(cells))
        if isinstance(read, Finding):
            findings.append(read)
        elif read is not None:
            rows.append(read)
    return _without_contradictions(rows, findings)


def _read(row: int, cells: dict[str, Cell]) -> WaybillRow | Finding | None:
    for field in ("management_no", "waybill"):
        if lost_digits(cells[field]):
            return bad_row(row, HEADS[field][0], "number-damaged")
    number, waybill = scanned(text_of(cells["management_no"])), scanned(text_of(cells["waybill"]))
    if not waybill:
        return None  # exported, and not sent by the courier yet
    if not number:
        return bad_row(row, "管理号", "management-no-missing")
    if len(waybill) < 6 or waybill != text_of(cells["waybill"]).upper().replace(" ", ""):
        return bad_row(row, "运单号", "waybill-form")
    revision = text_of(cells.get("revision", ""))
    return WaybillRow(row, number, waybill, int(revision) if revision.isascii() and revision.isdigit() else None)


def _without_contradictions(
    rows: Sequence[WaybillRow], findings: list[Finding]
) -> tuple[tuple[WaybillRow, ...], tuple[Finding, ...]]:
    numbers: dict[str, set[str]] = {}
    waybills: dict[str, set[str]] = {}
    for row in rows:
        numbers.setdefault(row.management_no, set()).add(row.waybill)
        waybills.setdefault(row.waybill, set()).add(row.management_no)
    kept: dict[str, WaybillRow] = {}
    for row in rows:
        if len(numbers[row.management_no]) > 1 or len(waybills[row.waybill]) > 1:
            findings.append(bad_row(row.row, "运单号", "twice-in-file"))
        else:
            kept.setdefault(row.management_no, row)
    return tuple(kept.values()), tuple(sorted(findings, key=lambda finding: finding.row))
