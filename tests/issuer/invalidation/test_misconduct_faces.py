"""The misconduct record on its pages, over the API and by command: considered, lifted by two, transferred (R10)."""

import hashlib
import json
from pathlib import Path

import pytest

from issuer.cli import run
from issuer.errors import ConflictError, NotAllowedError
from issuer.invalidation import lifting
from issuer.invalidation.misconduct import list_records
from issuer.invalidation.service import approve, overturn, propose
from issuer.rules.terms import Role
from tests.factories.office import CSRF, Office
from tests.factories.pdf_judges import openssl, outloud, poppler
from tests.factories.small_world import staff
from tests.factories.world import APPROVER, PROPOSER

BASIS = "查实提供虚假学历证明"
FACTS = "当事人提交伪造的学历证明，涉嫌伪造证件"
ONE, TWO = staff("approver", Role.AUTHORITY_APPROVER), staff("second", Role.AUTHORITY_APPROVER)


@pytest.fixture
def record(office: Office) -> int:
    """A running record, entered with an approved case."""
    number = office.world.certificates()[0].management_no
    approve(office.world.ctx, APPROVER, propose(office.world.ctx, PROPOSER, number, "false-materials", BASIS))
    (row,) = list_records(office.world.ctx, ONE)
    return row.id


def test_r10_two_people_lift_a_record_and_it_holds_nothing_back_afterwards(office: Office, record: int) -> None:
    ctx = office.world.ctx
    with pytest.raises(ConflictError) as early:
        lifting.decide_lift(ctx, TWO, record, approved=True)
    assert early.value.code == "lift-not-proposed"
    lifting.propose_lift(ctx, ONE, record, "期限认定有误，应予撤销")
    with pytest.raises(ConflictError):
        lifting.propose_lift(ctx, TWO, record, "重复提议撤销")
    with pytest.raises(NotAllowedError) as own:
        lifting.decide_lift(ctx, ONE, record, approved=True)
    assert (own.value.code, own.value.clause) == ("same-person", "R10")
    lifting.decide_lift(ctx, TWO, record, approved=False)
    assert list_records(ctx, ONE)[0].state == "running"
    lifting.propose_lift(ctx, ONE, record, "期限认定有误，应予撤销")
    lifting.decide_lift(ctx, TWO, record, approved=True)
    assert list_records(ctx, ONE)[0].state == "lifted"
    with pytest.raises(ConflictError) as over:
        lifting.propose_lift(ctx, ONE, record, "再次提议撤销")
    assert over.value.code == "record-not-running"
    number = office.world.certificates()[0].management_no
    approve(ctx, TWO, overturn(ctx, PROPOSER, number, "行政复议决定撤销原认定"))
    assert list_records(ctx, ONE)[0].state == "lifted", "its case can still be overturned"


def test_r10_on_the_pages(office: Office, record: int, tmp_path: Path) -> None:
    world, address = office.world, f"/console/misconduct/{record}"
    first, second = office.desk("approver"), office.desk("second")
    page = first.get(address)
    assert page.status_code == 200 and BASIS in page.text and "提议撤销" in page.text
    assert office.desk("issuer").get(address).status_code == 403
    reader = office.desk("auditor").get(address).text
    assert BASIS in reader and "提议撤销" not in reader, "who only reads is offered nothing"
    other = world.registrations()[1]
    form = {
        "csrf": CSRF,
        "sitting": world.sitting,
        "admission_no": other.admission_no,
        "note": "已查阅记录，同意制发",
    }
    assert first.post(f"{address}/consider", data=form).status_code == 409, "another person's registration"
    own = world.registrations()[0]
    form["admission_no"] = own.admission_no
    assert first.post(f"{address}/consider", data=form).status_code == 303
    assert "已查阅记录" in first.get(address).text
    assert first.post(f"{address}/lift", data={"csrf": CSRF, "reason": "期限认定有误"}).status_code == 303
    assert first.post(f"{address}/lift/approve", data={"csrf": CSRF}).status_code == 403
    assert "同意撤销" in second.get(address).text and "同意撤销" not in first.get(address).text
    assert second.post(f"{address}/lift/reject", data={"csrf": CSRF}).status_code == 303
    sent = {"csrf": CSRF, "to": "示例市公安局", "facts": FACTS}
    proof = [
        ("evidence", ("学历证明.pdf", b"scan", "application/pdf")),
        ("evidence", ("笔录.pdf", b"two", "application/pdf")),
    ]
    assert first.post(f"{address}/transfer", data=sent, files=proof).status_code == 303
    after = second.get(address).text
    number = after.partition("/console/misconduct/transfers/")[2].partition(".pdf")[0]
    assert number.startswith("YS-")
    pdf = second.get(f"/console/misconduct/transfers/{number}.pdf").content
    path = tmp_path / "note.pdf"
    path.write_bytes(pdf)
    assert "Signature is Valid" in poppler(path)
    assert openssl(pdf, world.key_set, tmp_path).returncode == 0
    assert outloud(path).returncode == 0


def test_r10_over_the_api_and_by_command(office: Office, record: int, capsys: pytest.CaptureFixture[str]) -> None:
    world = office.world
    first, second, auditor = (office.as_(name) for name in ("approver", "second", "auditor"))
    (row,) = auditor.get("/api/v1/misconduct?state=running").json()["items"]
    assert (row["id"], row["term"], row["facts"]) == (record, "five-years", BASIS)
    seat = {"sitting": world.sitting, "admission_no": world.registrations()[0].admission_no}
    assert [each["id"] for each in auditor.post("/api/v1/misconduct/search", json=seat).json()["items"]] == [record]
    assert auditor.post(f"/api/v1/misconduct/{record}/lift", json={"reason": "无权提议"}).status_code == 403
    considered = first.post(f"/api/v1/misconduct/{record}/consider", json={**seat, "note": "已查阅记录同意"})
    assert considered.json() == {"id": record, "act": "considered"}
    evidence = [{"what": "学历证明.pdf", "sha256": hashlib.sha256(b"scan").hexdigest()}]
    body = {"case": row["case_id"], "to": "示例市公安局", "facts": FACTS, "evidence": evidence}
    made = first.post("/api/v1/misconduct/transfers", json=body, headers={"Idempotency-Key": "t"})
    assert made.status_code == 201, made.text
    assert (
        first.post("/api/v1/misconduct/transfers", json=body, headers={"Idempotency-Key": "t"}).json() == made.json()
    )
    pdf = auditor.get(f"/api/v1/misconduct/transfers/{made.json()['number']}.pdf").content
    assert hashlib.sha256(pdf).hexdigest() == made.json()["sha256"]
    whole = auditor.get(f"/api/v1/misconduct/{record}").json()
    assert len(whole["considered"]) == len(whole["transfers"]) == 1
    assert first.post(f"/api/v1/misconduct/{record}/lift", json={"reason": "期限认定有误"}).status_code == 200
    refused = first.post(f"/api/v1/misconduct/{record}/lift/approve")
    assert (refused.status_code, refused.json()["code"]) == (403, "same-person")
    assert second.post(f"/api/v1/misconduct/{record}/lift/reject").json()["act"] == "kept"
    world.close()
    common = ["--data-dir", str(world.folder), "--json"]
    capsys.readouterr()
    assert run(["misconduct", "lift", str(record), "--reason", "期限认定有误", "--as", "approver", *common]) == 0
    assert run(["misconduct", "decide-lift", str(record), "--approve", "--as", "approver", *common]) == 2
    capsys.readouterr()
    assert run(["misconduct", "decide-lift", str(record), "--approve", "--as", "second", *common]) == 0
    assert json.loads(capsys.readouterr().out)["act"] == "lifted"
