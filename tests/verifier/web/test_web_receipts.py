"""Receipts: given for what was asked, checked in every form, worthless once anything in them was changed."""

import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from keys.public.purposes import KeyPurpose
from tests.factories.pdf_judges import outloud, run
from tests.factories.public_register import PublicRegister
from tests.factories.scanning import scanned
from verifier import cli
from verifier.record.qr import b32, unb32
from verifier.record.receipt import Receipt, clean_label, encode_receipt, read_receipt
from verifier.record.receipt_page import split_page
from verifier.record.verdict import Verdict
from verifier.web.app import open_desk
from verifier.web.receipts import examined

PDF = {"Accept": "application/pdf"}
HOSTILE = '\u202e<script>alert(1)</script> #import "x" =HYPERLINK() \x00\x1b[31m{{7*7}} $x$ 档案'


def give(client: TestClient, subject: str, **more: str) -> bytes:
    answer = client.post("/api/v1/receipts", json={"subject": subject, **more})
    assert answer.status_code == 200, answer.text
    return answer.content


def check(client: TestClient, receipt: bytes) -> dict[str, object]:
    kind = "application/pdf" if receipt.startswith(b"%PDF") else "application/json"
    return dict(client.post("/api/v1/receipts/check", content=receipt, headers={"Content-Type": kind}).json())


def test_a_receipt_says_what_was_answered_and_checks(client: TestClient, register: PublicRegister) -> None:
    one = register.publish()
    register.log([one.token])
    document = json.loads(give(client, one.token, label="人事档案 2026-118"))
    said = document["statement"]
    assert (said["verdict"], said["label"], said["asked_about"]) == (
        "valid",
        "人事档案 2026-118",
        {"token": one.token},
    )
    assert said["log"]["tree_size"] == 1
    assert document["current"] == f"http://testserver/v/{one.token}"
    found = check(client, json.dumps(document).encode())
    assert (found["outcome"], found["now"]["verdict"]) == ("genuine", "valid")  # type: ignore[index]
    codes = [item["code"] for item in found["checks"]]  # type: ignore[attr-defined]
    assert codes == ["receipt-signed", "receipt-agrees", "receipt-in-log"]
    assert one.claims.name not in json.dumps(document, ensure_ascii=False)
    assert one.claims.management_no not in json.dumps(document)


def test_a_receipt_of_a_file_that_nobody_knows(client: TestClient) -> None:
    receipt = give(client, "ab" * 32)
    assert json.loads(receipt)["statement"]["verdict"] == "not_found"
    assert check(client, receipt)["outcome"] == "genuine"


def test_the_page_carries_all_of_it_and_its_code_leads_back(
    client: TestClient, register: PublicRegister, tmp_path: Path
) -> None:
    one = register.publish()
    register.log([one.token])
    pdf = give(client, one.token, label=HOSTILE, format="pdf")
    file = tmp_path / "receipt.pdf"
    file.write_bytes(pdf)
    assert run("qpdf", "--check", file).returncode == 0
    assert outloud(file).returncode == 0
    found = check(client, pdf)
    assert found["outcome"] == "genuine"
    assert "receipt-page-exact" in [item["code"] for item in found["checks"]]  # type: ignore[attr-defined]
    text = scanned(file, tmp_path, dpi=200)
    assert text.startswith("HTTP://TESTSERVER/RECEIPTS#")
    assert unb32(text.split("#")[1]) == split_page(pdf)[1]
    by_code = client.post(
        "/api/v1/receipts/check", content=text.split("#")[1], headers={"Content-Type": "text/plain"}
    ).json()
    assert by_code["outcome"] == "genuine"


def test_a_label_is_made_harmless() -> None:
    label = clean_label(HOSTILE)
    assert label == '<script>alert(1)</script> #import "x" =HYPERLINK() [31m{{7*7}} $x$ 档案'
    assert clean_label("  a\n\tb  ") == "a b"
    with pytest.raises(ValueError, match="80"):
        clean_label("长" * 81)


@pytest.mark.parametrize("form", ["json", "pdf"])
def test_every_changed_byte_is_seen(client: TestClient, register: PublicRegister, form: str) -> None:
    receipt = give(client, register.publish().token, label="x", format=form)
    desk = open_desk(register.settings)
    assert examined(desk, receipt).outcome == "genuine"
    for at in range(0, len(receipt), max(1, len(receipt) // 300)):
        changed = bytearray(receipt)
        changed[at] ^= 1
        if form == "pdf" or not same_json(receipt, bytes(changed)):
            assert examined(desk, bytes(changed)).outcome != "genuine", (at, receipt[at : at + 1])
    assert examined(desk, receipt + b"\n").outcome == ("malformed" if form == "pdf" else "genuine")


def same_json(one: bytes, other: bytes) -> bool:
    """Whether a change left the document as it was, as one blank for another does."""
    try:
        return bool(json.loads(one) == json.loads(other))
    except ValueError:
        return False


def test_what_is_not_ours_is_untrusted(client: TestClient, register: PublicRegister) -> None:
    one = register.publish()
    receipt, _ = read_receipt(unb32(json.loads(give(client, one.token))["signed"]))
    for purpose in (KeyPurpose.QR_CREDENTIAL, KeyPurpose.LOG):
        signer = register.bench.signer(purpose)
        signed = encode_receipt(receipt, signer.kid, signer.sign_raw)
        assert check(client, b32(signed).encode())["outcome"] == "untrusted"
    signer = register.bench.signer(KeyPurpose.RECEIPT)
    elsewhere = Receipt(
        **{name: getattr(receipt, name) for name in Receipt.__slots__} | {"origin": "https://evil.example"}
    )
    signed = encode_receipt(elsewhere, signer.kid, signer.sign_raw)
    assert check(client, b32(signed).encode())["outcome"] == "untrusted"


def test_a_stolen_key_cannot_contradict_the_record(client: TestClient, register: PublicRegister) -> None:
    one = register.publish()
    register.log([one.token])
    fallen = datetime(2025, 11, 1, tzinfo=UTC)
    register.change(one.token, "invalid", status_changed_at=fallen, effective_on=date(2025, 11, 1))
    honest, _ = read_receipt(unb32(json.loads(give(client, one.token))["signed"]))
    signer = register.bench.signer(KeyPurpose.RECEIPT)

    def forged(**changes: object) -> str:
        values = {name: getattr(honest, name) for name in Receipt.__slots__} | changes
        signed = encode_receipt(Receipt(**values), signer.kid, signer.sign_raw)  # type: ignore[arg-type]
        return str(check(client, b32(signed).encode())["outcome"])

    assert forged() == "genuine"
    assert forged(verdict=Verdict.VALID) == "contradicted"
    assert forged(verdict=Verdict.VALID, asked_at=fallen - timedelta(hours=1)) == "genuine"
    assert (
        forged(verdict=Verdict.VALID, asked_at=fallen + timedelta(seconds=30)) == "genuine"
    )  # publication takes a moment
    assert forged(log_size=1, log_root=b"\x07" * 32) == "contradicted"
    assert forged(log_size=99, log_root=b"\x07" * 32) == "contradicted"


def test_a_receipt_from_before_a_fall_stays_genuine_and_shows_the_present(
    client: TestClient, browser_client: TestClient, register: PublicRegister
) -> None:
    one = register.publish()
    receipt = give(client, one.token)
    register.change(one.token, "invalid", status_changed_at=datetime.now(UTC), effective_on=date(2026, 11, 1))
    found = check(client, receipt)
    assert (found["outcome"], found["receipt"]["verdict"], found["now"]["verdict"]) == ("genuine", "valid", "invalid")  # type: ignore[index]
    page = browser_client.post(
        "/api/v1/receipts/check", content=receipt, headers={"Content-Type": "application/json"}
    )
    assert 'data-tone="good"' not in page.text
    assert "此证书无效" in page.text


def test_without_the_register_nothing_is_given_and_nothing_confirmed(
    client: TestClient, register: PublicRegister
) -> None:
    one = register.publish()
    receipt = give(client, one.token)
    register.take_away()
    answer = client.post("/api/v1/receipts", json={"subject": one.token})
    assert (answer.status_code, answer.json()["verdict"]) == (503, "status_unknown")
    refused = client.post("/api/v1/receipts/check", content=receipt, headers={"Content-Type": "application/json"})
    assert (refused.status_code, refused.json()["outcome"]) == (503, "undetermined")


def test_without_a_key_no_receipt_and_all_else_as_before(client: TestClient, register: PublicRegister) -> None:
    one = register.publish()
    for file in (register.folder / "keys" / "receipt").iterdir():
        file.unlink()
    answer = client.post("/api/v1/receipts", json={"subject": one.token})
    assert (answer.status_code, answer.json()["type"].rsplit("/", 1)[1]) == (501, "no-receipts")
    assert client.get(f"/api/v1/certificates/{one.token}").json()["verdict"] == "valid"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"subject": "x"},
        {"subject": "A" * 26, "label": "长" * 81},
        {"subject": "A" * 26, "format": "exe"},
        {"subject": 7},
    ],
)
def test_a_request_that_is_none(client: TestClient, body: dict[str, object]) -> None:
    answer = client.post("/api/v1/receipts", json=body)
    assert (answer.status_code, answer.json()["type"].rsplit("/", 1)[1]) == (422, "bad-receipt-request")


@pytest.mark.parametrize(
    "data",
    [b"{}", b"[]", b"nonsense", b"%PDF-1.7\n%%EOF\n", b'{"format": "ecert-receipt-1", "signed": "AA"}', b"\xff\xfe"],
)
def test_what_is_no_receipt(client: TestClient, data: bytes) -> None:
    answer = client.post("/api/v1/receipts/check", content=data, headers={"Content-Type": "application/octet-stream"})
    assert (answer.status_code, answer.json()["outcome"]) == (422, "malformed")
    assert client.post("/api/v1/receipts/check", content=b"").status_code in (400, 415)


def test_a_form_and_an_upload_as_a_browser_sends_them(browser_client: TestClient, register: PublicRegister) -> None:
    one = register.publish()
    pdf = browser_client.post("/api/v1/receipts", data={"subject": one.token, "label": "甲", "format": "pdf"})
    assert pdf.headers["content-type"] == "application/pdf"
    assert "attachment" in pdf.headers["content-disposition"]
    page = browser_client.post(
        "/api/v1/receipts/check", files={"file": ("r.pdf", io.BytesIO(pdf.content), "application/pdf")}
    )
    assert 'data-outcome="genuine"' in page.text
    assert 'data-tone="none"' in page.text


@pytest.fixture
def printed(client: TestClient, register: PublicRegister, tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    one = register.publish()
    files = tmp_path / "r.json", tmp_path / "r.pdf"
    files[0].write_bytes(give(client, one.token))
    files[1].write_bytes(give(client, one.token, format="pdf"))
    yield files


def test_the_command_checks_a_receipt_in_both_forms(
    printed: tuple[Path, Path],
    register: PublicRegister,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("ECERT_VERIFY_BASE_URL", "http://testserver")
    folder = ("--data-dir", str(register.folder))
    for file in printed:
        assert cli.run([str(file), "--json", *folder]) == 0
        assert json.loads(capsys.readouterr().out)["outcome"] == "genuine"
    token = json.loads(printed[0].read_text())["statement"]["asked_about"]["token"]
    register.change(token, "invalid", status_changed_at=datetime.now(UTC))
    assert cli.run([str(printed[1]), *folder]) == 1
    assert "invalid" in capsys.readouterr().out
    printed[0].write_text(printed[0].read_text().replace('"valid"', '"invalid"', 1))
    assert cli.run([str(printed[0]), *folder]) == 1
    assert "altered" in capsys.readouterr().out
    assert cli.run([str(printed[0]), "--offline", *folder]) == 2
