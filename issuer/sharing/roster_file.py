"""A watcher's own list of certificates: .xlsx or .csv with columns for number and name, and maybe a label."""

from pathlib import Path
from typing import Final

from issuer.errors import InputError, TooLargeError, Words
from issuer.roster.limits import MAX_ROWS
from issuer.roster.xlsx_reading import Cell
from issuer.rules.watching import MAX_LABEL, ROSTER_ROWS
from issuer.sharing.watchers import Asked
from issuer.tables import ListKind, open_list, text_of

HEADS: Final = {
    "number": (
        "管理号",
        "证书编号",
        "证书管理号",
        "编号",
        "managementno",
        "managementno.",
        "management_no",
        "number",
    ),
    "name": ("姓名", "持证人", "持证人姓名", "name"),
    "label": ("备注", "工号", "label", "reference"),
}
_KIND: Final = ListKind(
    code="watch-list",
    heads=HEADS,
    enough=lambda fields: fields >= {"number", "name"},
    no_header=Words("没有找到“管理号”和“姓名”两列", "There are no columns 管理号 and 姓名"),
    remedy=Words("请在首行写明列名：管理号、姓名、备注（可选）。", "Name them in the first row: 管理号, 姓名, 备注."),
    smaller=Words("请只保留名单工作表。", "Keep the sheet with the list only."),
    max_bytes=16 * 1024 * 1024,
    max_rows=MAX_ROWS,
)


def read_list(path: Path) -> list[Asked]:
    """The lines below the header, blank ones left out; long cells are cut.

    Raises InputError (not readable, no such columns), TooLargeError (more lines than are taken).
    """
    try:
        return _lines(path)
    except InputError as refusal:
        if refusal.code != "roster-unreadable":
            raise
        raise InputError(
            "watch-list-unreadable",
            Words("名单无法读取，未作任何改动。", "The list cannot be read; nothing was changed."),
            remedy=Words("请另存为 .xlsx 或 UTF-8 编码的 .csv。", "Save it as .xlsx, or as .csv in UTF-8."),
        ) from None


def _lines(path: Path) -> list[Asked]:
    table = open_list(path, _KIND)
    out: list[Asked] = []
    for _, cells in table.rows():
        said = {field: _line(cell) for field, cell in table.named(cells).items()}
        if not said["number"] and not said["name"]:
            continue
        if len(out) >= ROSTER_ROWS:
            raise TooLargeError(
                "watch-list-too-long",
                Words(
                    f"名单超过 {ROSTER_ROWS} 行，未作任何改动。",
                    f"More than {ROSTER_ROWS} lines; nothing was changed.",
                ),
                remedy=Words("请拆分后分别上传。", "Split the list."),
            )
        label = said.get("label", "")[:MAX_LABEL] or None
        out.append(Asked(management_no=said["number"][:64], name=said["name"][:128], label=label))
    return out


def _line(cell: Cell) -> str:
    """On one line; a text forced as `="0123"` that a spreadsheet kept as a formula is 0123."""
    return " ".join(text_of(cell).split()).removeprefix('="').removesuffix('"')
