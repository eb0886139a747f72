"""The page for a whole list: the verdicts of the single ways, a table to take away, and nothing that is kept."""

import base64
import csv
import io
import logging
import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser
from starlette.testclient import TestClient

from tests.factories.public_register import PublicRegister
from tests.verifier.web.test_web_lists import HEAD, as_csv, workbook
from verifier.web import bulk

ADDRESS = "/api/v1/checks"


def rows_of(register: PublicRegister) -> list[tuple[object, ...]]:
    """A good one, a fallen one, a wrong name, one by its code alone, and a row that cannot be asked."""
    good, fallen = register.publish(name="王小明"), register.publish(name="李小红")
    register.change(fallen.token, "invalid", reason_class="misconduct")
    return [
        HEAD,
        (good.claims.management_no, good.claims.name, "0042", ""),
        (fallen.claims.management_no, fallen.claims.name, "", ""),
        (good.claims.management_no, "别人", "", ""),
        ("", "", "", good.token),
        (good.claims.management_no, "", "", ""),
    ]


def downloaded(page: str, name: str) -> list[list[str]]:
    """The table a page holds for download."""
    found = re.search(rf'download="{name}" href="data:text/csv;charset=utf-8;base64,([^"]+)"', page)
    assert found is not None
    return list(csv.reader(io.StringIO(base64.b64decode(found[1]).decode("utf-8-sig"))))


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_every_row_gets_the_verdict_of_the_single_way(
    browser_client: TestClient, register: PublicRegister, kind: str
) -> None:
    rows = rows_of(register)
    content = workbook(rows) if kind == "xlsx" else as_csv(rows, "gb18030")
    answer = browser_client.post(ADDRESS, files={"file": (f"名单.{kind}", content)})
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert "共 5 行，1 行有效，另 1 行登记为有效" in answer.text
    assert 'data-tone="bad"' in answer.text
    table = downloaded(answer.text, "checked.csv")
    assert [row[5] for row in table[1:]] == ["valid", "invalid", "not_found", "valid", "malformed"]
    assert [row[4] for row in table[1:]] == ["0042", "", "", "", ""]


def test_a_code_alone_is_not_shown_as_a_valid_certificate(
    browser_client: TestClient, register: PublicRegister
) -> None:
    one = register.publish()
    answer = browser_client.post(ADDRESS, files={"file": ("a.csv", as_csv([HEAD, ("", "", "", one.token.lower())]))})
    assert "登记为有效，未核对姓名" in answer.text
    assert 'class="tone-good"' not in answer.text and 'data-tone="none"' in answer.text
    assert f'href="/v/{one.token}"' in answer.text
    assert one.claims.specialty and one.claims.specialty in answer.text, "what it is a certificate of"


def test_what_a_list_says_stays_text(browser_client: TestClient, register: PublicRegister) -> None:
    nasty = "<script>alert(1)</script>"
    rows = [HEAD, (nasty, '"><b>', "=1+1", "")]
    answer = browser_client.post(ADDRESS, files={"file": ("a.csv", as_csv(rows))})
    assert answer.status_code == 200
    assert "<script" not in answer.text and "<b>" not in answer.text
    assert downloaded(answer.text, "checked.csv")[1][4] == "'=1+1"


def test_a_program_gets_json_for_the_same_form(client: TestClient, register: PublicRegister) -> None:
    answer = client.post(ADDRESS, files={"file": ("a.csv", as_csv(rows_of(register)))})
    assert [one["verdict"] for one in answer.json()["results"]] == [
        "valid",
        "invalid",
        "not_found",
        "valid",
        "malformed",
    ]


def test_names_are_in_no_address_and_in_no_log(
    browser_client: TestClient, register: PublicRegister, caplog: pytest.LogCaptureFixture
) -> None:
    files = sorted(path.name for path in Path(register.folder).rglob("*"))
    with caplog.at_level(logging.DEBUG):
        answer = browser_client.post(ADDRESS, files={"file": ("王小明.csv", as_csv(rows_of(register)))})
    assert answer.url.path == ADDRESS and not answer.url.query
    assert "王小明" not in caplog.text and "别人" not in caplog.text
    assert not set(answer.headers) & {"set-cookie", "location"}
    left = {path.name for path in Path(register.folder).rglob("*")} - set(files)
    assert not [name for name in left if not name.startswith("register.sqlite3")]


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (b"", 400, "没有收到"),
        (b"PK\x03\x04 no workbook", 422, "批量核验的内容不对"),
        ("姓名,单位\n王小明,示例公司\n".encode(), 422, "批量核验的内容不对"),
        (b"token\n" + b"A" * 26 + (b"\n" + b"A" * 26) * bulk.MAX_ITEMS, 422, "批量核验的内容不对"),
        (b"x" * (bulk.MAX_BODY + 1), 413, ""),
    ],
)
def test_a_list_that_cannot_be_read_is_said_so_on_a_page(
    browser_client: TestClient, content: bytes, status: int, words: str
) -> None:
    answer = browser_client.post(ADDRESS, files={"file": ("a.xlsx", content)})
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (status, "text/html")
    assert words in answer.text and "王小明" not in answer.text


def test_names_are_counted_here_as_everywhere(browser_client: TestClient, register: PublicRegister) -> None:
    one = register.publish()
    guesses = [(one.claims.management_no, f"某{n}", "", "") for n in range(20)]
    rows: list[tuple[object, ...]] = [HEAD, *guesses, (one.claims.management_no, one.claims.name, "", "")]
    page = browser_client.post(ADDRESS, files={"file": ("a.csv", as_csv(rows))}).text
    verdicts = [row[5] for row in downloaded(page, "checked.csv")[1:]]
    assert verdicts == ["not_found"] * 10 + ["status_unknown"] * 11


def test_the_form_tells_its_limits_and_gives_a_blank_table(browser_client: TestClient) -> None:
    page = browser_client.get("/checks").text
    assert f"最多 {bulk.MAX_ITEMS} 行" in page
    assert downloaded(page, "list.csv") == [["管理号", "姓名", "查验码", "备注"]]
    assert 'href="/checks"' in browser_client.get("/").text


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (390, "dark"), (1280, "light")])
def test_on_a_phone_and_without_script_by_everybody(
    chromium: Browser, site: PublicRegister, tmp_path: Path, width: int, scheme: str
) -> None:
    path = tmp_path / "名单.xlsx"
    path.write_bytes(workbook([*rows_of(site), ("W" * 60, "阿卜杜拉·买买提艾力·" * 6, "很长的备注" * 16, "")]))
    context = chromium.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(site.base_url + "/checks")
    page.set_input_files("#file", path)
    with page.expect_navigation():
        page.click("form button")
    assert page.url == site.base_url + ADDRESS
    assert page.locator("table.rows tbody tr").count() == 6
    serious = [
        one["id"] for one in Axe().run(page).response["violations"] if one["impact"] in ("serious", "critical")
    ]
    assert serious == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    with page.expect_download() as taken:
        page.click("#table")
    table = list(csv.reader(io.StringIO(taken.value.path().read_text("utf-8-sig"))))
    assert (taken.value.suggested_filename, len(table)) == ("checked.csv", 7)
    context.close()
