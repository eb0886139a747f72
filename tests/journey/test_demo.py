"""`ecert demo`: what it leaves on disk, how independent judges see it, and that one port serves all of it."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pytest

from keys.public.keyset import load_key_set
from tests.factories import pdf_judges as judges
from tests.factories.command_line import CommandLine, Said
from tests.factories.scanning import page_text, scanned

PEOPLE = 24
HTML = {"Accept": "text/html"}


@dataclass(frozen=True)
class Demo:
    """A finished demo: its folder, what it said, its summary, and how long the whole command took."""

    ecert: CommandLine
    said: Said
    seconds: float
    summary: dict[str, Any]

    @property
    def valid(self) -> list[dict[str, Any]]:
        """Lines of the summary whose certificate is valid."""
        return [line for line in self.summary["certificates"] if line["verdict"] == "valid"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    ecert = CommandLine(tmp_path_factory.mktemp("demo") / "data")
    begun = time.monotonic()
    said = ecert.run("demo", "--no-serve", "--people", PEOPLE, "--data-dir", ecert.folder)
    seconds = time.monotonic() - begun
    summary = json.loads((ecert.folder / "summary.json").read_text(encoding="utf-8"))
    return Demo(ecert, said, seconds, summary)


@pytest.fixture(scope="module")
def web(demo: Demo) -> Iterator[httpx.Client]:
    with demo.ecert.serving() as base_url, httpx.Client(base_url=base_url, timeout=200) as web:
        yield web


def test_every_desk_for_paper_has_something_on_it(demo: Demo) -> None:
    said = demo.ecert.run("paper", "queues", "--as", "demo-proposer", "--data-dir", demo.ecert.folder)
    assert said.code == 0
    for queue in ("waiting for a waybill: 1", "in the post: 1", "address to be mended: 1", "in safekeeping: 3"):
        assert queue in said.out


def test_the_summary_is_as_promised(demo: Demo) -> None:
    summary = demo.summary
    assert demo.said.code == 0 and "Traceback" not in demo.said.err
    assert {"people", "issued", "rejected", "seconds_issue", "certificates", "invalidated", "paper_refused"} <= set(
        summary
    )
    assert summary["people"] == PEOPLE == summary["issued"] + summary["rejected"]
    assert summary["issued"] == len(summary["certificates"]) >= PEOPLE // 2
    assert 0 < summary["seconds_issue"] < demo.seconds
    for line in summary["certificates"]:
        assert {"management_no", "name", "pdf", "qr_text", "verify_url", "verdict"} <= set(line)
        assert Path(line["pdf"]).read_bytes().startswith(b"%PDF-1.7")
        assert line["verify_url"].upper() == line["qr_text"].split("#")[0]
    numbers = [line["management_no"] for line in summary["certificates"]]
    assert len(set(numbers)) == len(numbers) == len({line["qr_text"] for line in summary["certificates"]})
    (fallen,) = summary["invalidated"]
    verdicts = {line["management_no"]: line["verdict"] for line in summary["certificates"]}
    assert {number for number, verdict in verdicts.items() if verdict != "valid"} == {fallen["management_no"]}
    assert (verdicts[fallen["management_no"]], fallen["clause"]) == ("invalid", "R9")
    assert fallen["proposed_by"] != fallen["approved_by"]
    (refused,) = summary["paper_refused"]
    assert refused["clause"] == "R14" and refused["management_no"] in verdicts


def test_it_ends_by_telling_where_everything_is(demo: Demo) -> None:
    base_url = demo.ecert.base_url
    for told in (f"{base_url}/console/", f"{base_url}/my/", f"{base_url}/", str(demo.ecert.folder / "summary.json")):
        assert told in demo.said.out
    assert demo.valid[0]["qr_text"] in demo.said.out


def test_a_second_time_it_opens_the_same_demo_and_does_not_touch_another_folder(demo: Demo, tmp_path: Path) -> None:
    folder = demo.ecert.folder
    assert demo.ecert.look("demo", "--no-serve", "--people", PEOPLE)["certificates"] == demo.summary["certificates"]
    (tmp_path / "mine.txt").write_text("x")
    refused = demo.ecert.run("demo", "--no-serve", "--people", 5, "--data-dir", tmp_path)
    assert refused.code == 2 and refused.err.count("\n") == 1 and "Traceback" not in refused.err, refused
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    private = {path: path.stat().st_mode & 0o077 for path in (folder, folder / "summary.json", folder / "demo.json")}
    assert set(private.values()) == {0}, private


def test_independent_judges_accept_the_certificates(demo: Demo, tmp_path: Path) -> None:
    """poppler, openssl, qpdf, ZXing on the page's picture, and outloud, on a rare name and an ordinary one."""
    key_set = load_key_set(demo.ecert.folder / "keys")
    rare = next(line for line in demo.valid if any(ord(char) > 0xFFFF for char in line["name"]))
    for line in (rare, demo.valid[-1]):
        pdf = Path(line["pdf"])
        assert judges.poppler(pdf).count("Signature is Valid.") == 1
        openssl = judges.openssl(pdf.read_bytes(), key_set, tmp_path)
        assert openssl.returncode == 0, openssl.stderr
        qpdf = judges.run("qpdf", "--check", pdf)
        assert qpdf.returncode == 0 and "No syntax or stream encoding errors found" in qpdf.stdout
        assert scanned(pdf, tmp_path) == line["qr_text"]
        text = page_text(pdf)
        assert line["management_no"] in text and line["name"].replace(" ", "") in text
    accessible = judges.outloud(Path(rare["pdf"]))
    assert accessible.returncode == 0 and "0 error(s)" in accessible.stdout


def test_each_file_holds_the_person_of_its_line_and_nobody_else(demo: Demo) -> None:
    everybody = {line["name"].replace(" ", "") for line in demo.summary["certificates"]}
    for line in demo.summary["certificates"]:
        text = page_text(Path(line["pdf"]))
        own = line["name"].replace(" ", "")
        held = {name for name in everybody if name in text}
        assert own in held and all(name in own for name in held), line["management_no"]
        assert [other for other in demo.summary["certificates"] if other["management_no"] in text] == [line]


def test_one_port_serves_verifier_holder_and_console(demo: Demo, web: httpx.Client) -> None:
    for line in (demo.valid[0], *(line for line in demo.summary["certificates"] if line["verdict"] == "invalid")):
        address = line["verify_url"].removeprefix(demo.ecert.base_url)
        assert web.get(address, headers={"Accept": "application/json"}).json()["verdict"] == line["verdict"]
        page = web.get(address, headers=HTML)
        assert page.status_code == 200 and f'data-verdict="{line["verdict"]}"' in page.text
    for address, words in (("/", "查验"), ("/my/", "准考证号"), ("/console/sign-in", "密码")):
        page = web.get(address, headers=HTML)
        assert page.status_code == 200 and words in page.text, address
        assert page.headers["x-content-type-options"] == "nosniff" and "content-security-policy" in page.headers
    assert web.get("/console/", headers=HTML).status_code == 303
    assert web.get("/api/v1/sittings").status_code == 401
    keys = web.get("/.well-known/ecert-keys.json").json()
    assert {key["use"] for key in keys["keys"]} >= {"document-seal", "qr-credential", "status-list"}


def test_a_holder_of_the_demo_finds_and_downloads_the_certificate(demo: Demo, web: httpx.Client) -> None:
    """With the facts of the exam centre's file, as the demo's last lines say; in ranges, by a Chinese file name."""
    line = demo.valid[0]
    book = openpyxl.load_workbook(demo.ecert.folder / "exam-centre" / "roster.xlsx")
    rows = list(book.worksheets[0].iter_rows(values_only=True))
    heads = rows[1]
    person = next(dict(zip(heads, row, strict=True)) for row in rows[2:] if row[1] == line["name"])
    facts = {"id_no": person["证件号码"], "name": person["姓名"], "admission_no": person["准考证号"]}
    with httpx.Client(base_url=demo.ecert.base_url, timeout=200) as holder:
        assert holder.post("/my/sign-in", data=facts).status_code == 303
        assert line["management_no"] in holder.get("/my/").text
        file = holder.get(f"/my/certificates/{line['management_no']}.pdf")
        assert file.content == Path(line["pdf"]).read_bytes()
        assert "filename*=UTF-8''" in file.headers["content-disposition"]
        part = holder.get(f"/my/certificates/{line['management_no']}.pdf", headers={"Range": "bytes=0-99"})
        assert (part.status_code, part.content) == (206, file.content[:100])
        other = demo.valid[1]["management_no"]
        assert holder.get(f"/my/certificates/{other}.pdf").status_code == 404


def test_staff_sign_in_to_the_console_with_the_passwords_it_printed(demo: Demo, web: httpx.Client) -> None:
    password = re.search(r"demo-approver\s+(\S+)", demo.said.out)
    assert password is not None
    with httpx.Client(base_url=demo.ecert.base_url, headers=HTML, timeout=200) as console:
        form = console.get("/console/sign-in").text
        hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
        facts = hidden | {"username": "demo-approver", "password": password[1]}
        opened = console.post("/console/sign-in", data=facts)
        assert opened.status_code == 303, opened.text
        desk = console.get("/console/")
        assert desk.status_code == 200 and "demo-approver" in desk.text
