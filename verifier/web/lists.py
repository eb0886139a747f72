"""An employer's own list to check: .xlsx or .csv in, the same rows with their verdicts out as .csv.

Columns are found by their names: 管理号 and 姓名, or 查验码; 备注 comes back with the answer.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any, Final

from verifier.web.problems import Problem

CSV: Final = "text/csv"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_COLUMNS: Final = {
    "management_no": frozenset({"管理号", "证书编号", "证书管理号", "management_no", "managementno", "number"}),
    "name": frozenset({"姓名", "持证人", "持证人姓名", "name"}),
    "token": frozenset({"查验码", "token"}),
    "ref": frozenset({"备注", "工号", "label", "ref", "reference"}),
}
HEADINGS: Final = ("管理号", "姓名", "查验码", "备注")
"""Of a blank table to fill in."""
_HEADER_ROWS: Final = 10
_LONGEST: Final = 80
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def csv_rows(content: bytes) -> list[list[str]]:
    """The rows of a .csv file in UTF-8 or GB 18030; raises Problem bad-bulk-request."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        delimiter = max(",\t;", key=text[:2000].count)
        try:
            return [
                [" ".join(cell.split()) for cell in row] for row in csv.reader(io.StringIO(text), delimiter=delimiter)
            ]
        except csv.Error:
            break
    raise Problem("bad-bulk-request")


def entries_of(rows: Iterable[Sequence[str]]) -> list[dict[str, str]]:
    """What each row below the header asks, as an entry of the bulk request; raises Problem bad-bulk-request."""
    places: dict[str, int] | None = None
    entries = []
    for number, row in enumerate(rows):
        if places is None:
            places = _places(row)
            if places is None and number >= _HEADER_ROWS:
                break
            continue
        entry = {name: row[at] for name, at in places.items() if at < len(row) and row[at]}
        if set(entry) - {"ref"}:
            entries.append(_one_way(entry))
    if places is None:
        raise Problem("bad-bulk-request")
    return entries


def answers_as_csv(entries: Sequence[Any], results: Iterable[dict[str, Any]]) -> bytes:
    """The rows that were asked with what was found, for Excel: UTF-8 with its mark, and no cell that is a formula."""
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(("序号 no", "管理号", "姓名", "查验码", "备注", "结论 verdict", "说明", "why"))
    for entry, result in zip(entries, results, strict=True):
        asked = entry if isinstance(entry, dict) else {}
        first = reason(result)
        cells = [asked.get(name, "") for name in ("management_no", "name", "token", "ref")]
        said = (result["verdict"], first["message"], first["message_en"])
        table.writerow([result["index"] + 1, *(_plain(cell) for cell in (*cells, *said))])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def reason(result: dict[str, Any]) -> dict[str, Any]:
    """The check that decided an answer: the first that failed or could not be made, else the last."""
    checks: list[dict[str, Any]] = result["checks"]
    return next((check for check in checks if check["ok"] is not True), checks[-1])


def _places(row: Sequence[str]) -> dict[str, int] | None:
    plain = ["".join(cell.split()).lower().replace(".", "") for cell in row]
    found = {
        name: at
        for name, names in _COLUMNS.items()
        for at in [next((i for i, c in enumerate(plain) if c in names), -1)]
    }
    places = {name: at for name, at in found.items() if at >= 0}
    usable = "token" in places or {"management_no", "name"} <= set(places)
    return places if usable else None


def _one_way(entry: dict[str, str]) -> dict[str, str]:
    """A row with a code is asked by it; number and name are for rows without."""
    ref = {"ref": entry["ref"][:_LONGEST]} if "ref" in entry else {}
    names = ("token",) if "token" in entry else ("management_no", "name")
    return {name: entry[name] for name in names if name in entry} | ref


def _plain(text: Any) -> str:
    """A cell no spreadsheet takes for a formula."""
    text = str(text)
    return f"'{text}" if text.startswith(_FORMULA) else text
