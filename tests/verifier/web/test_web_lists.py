"""An employer's own list, as .csv or .xlsx: the verdicts of the single ways, and nothing a spreadsheet would run."""

import csv
import io
import zipfile

import pytest
import xlsxwriter
from starlette.testclient import TestClient

from tests.factories.public_register import PublicRegister
from verifier.web.lists import CSV, XLSX

HEAD = ("管理号", "姓名", "备注", "查验码")


def workbook(rows: list[tuple[object, ...]]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for at, row in enumerate(rows):
            sheet.write_row(at, 0, row)
    return out.getvalue()


def as_csv(rows: list[tuple[object, ...]], encoding: str = "utf-8-sig") -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode(encoding)


def sent(client: TestClient, content: bytes, kind: str, accept: str = "*/*") -> object:
    answer = client.post("/api/v1/checks", content=content, headers={"Content-Type": kind, "Accept": accept})
    assert answer.status_code == 200, answer.text
    return answer


def test_a_list_gets_the_verdicts_of_the_single_ways(client: TestClient, register: PublicRegister) -> None:
    good, fallen = register.publish(), register.publish()
    register.change(fallen.token, "invalid", reason_class="misconduct")
    rows: list[tuple[object, ...]] = [
        ("2025年新入职人员", "", "", ""),
        HEAD,
        (good.claims.management_no, good.claims.name, "0042", ""),
        (fallen.claims.management_no, fallen.claims.name, "", ""),
        ("", "", "", ""),
        (good.claims.management_no, "别人", "", ""),
        ("", "", "按码", good.token),
        (good.claims.management_no, "", "", ""),
    ]
    for content, kind in ((workbook(rows), XLSX), (as_csv(rows), CSV), (as_csv(rows, "gb18030"), CSV)):
        results = sent(client, content, kind).json()["results"]  # type: ignore[attr-defined]
        assert [one["verdict"] for one in results] == ["valid", "invalid", "not_found", "valid", "malformed"]
        assert results[0]["ref"] == "0042"


def test_a_number_that_excel_has_cut_is_not_looked_up(client: TestClient, register: PublicRegister) -> None:
    good = register.publish()
    rows: list[tuple[object, ...]] = [HEAD, (float("410000000000000123"), good.claims.name, "", "")]
    (one,) = sent(client, workbook(rows), XLSX).json()["results"]  # type: ignore[attr-defined]
    assert one["verdict"] == "malformed"


def test_no_cell_of_the_answer_is_a_formula(client: TestClient, register: PublicRegister) -> None:
    good = register.publish()
    nasty = ("=cmd|'/c calc'!A1", "@SUM(1)", "+1", "-2+3")
    rows: list[tuple[object, ...]] = [HEAD, *((text, text, text, "") for text in nasty)]
    rows.append((good.claims.management_no, good.claims.name, "=1+1", ""))
    answer = sent(client, as_csv(rows), CSV, accept=CSV)
    table = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))  # type: ignore[attr-defined]
    assert [row[5] for row in table[1:]] == ["not_found"] * 4 + ["valid"]
    assert not [cell for row in table for cell in row if cell.startswith(("=", "+", "-", "@"))]
    assert table[1][1] == "'" + nasty[0]
    assert all(row[6] and row[7] for row in table[1:]), "each says why"


def bomb() -> bytes:
    """A workbook of one kilobyte whose one sheet says it is as large as a sheet can be, filled to its last corner."""
    packed = workbook([("管理号", "姓名")])
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(packed)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.infolist():
            content = old.read(item)
            if item.filename == "xl/worksheets/sheet1.xml":
                far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
                content = content.replace(b"</sheetData>", far).replace(b"A1:B1", b"A1:XFD1048576")
            new.writestr(item.filename, content)
    return out.getvalue()


@pytest.mark.parametrize("case", ["garbage", "no-columns", "too-many", "bomb", "empty", "not-text"])
def test_what_cannot_be_used_is_refused_and_the_next_list_is_answered(
    client: TestClient, register: PublicRegister, case: str
) -> None:
    content, kind = {
        "garbage": (b"PK\x03\x04 not a workbook", XLSX),
        "no-columns": (as_csv([("甲", "乙"), ("1", "2")]), CSV),
        "too-many": (as_csv([HEAD, *((str(n), "某", "", "") for n in range(1001))]), CSV),
        "bomb": (bomb(), XLSX),
        "empty": (as_csv([HEAD]), CSV),
        "not-text": (b"\xff\xfe\x00\x81\xff", CSV),
    }[case]
    refused = client.post("/api/v1/checks", content=content, headers={"Content-Type": kind})
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (422, "bad-bulk-request")
    good = register.publish()
    rows: list[tuple[object, ...]] = [HEAD, (good.claims.management_no, good.claims.name, "", "")]
    (one,) = sent(client, workbook(rows), XLSX).json()["results"]  # type: ignore[attr-defined]
    assert one["verdict"] == "valid"
