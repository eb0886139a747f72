"""A person's whole history with every look at it; the auditor's pack and what it proves; exports without formulas."""

import hashlib
import io
import json
import re
import zipfile
from datetime import UTC, datetime
from typing import Any

from openpyxl import load_workbook
from sqlalchemy import select

from issuer.audit import GENESIS
from issuer.records.ledger import AuditEvent
from issuer.records.people import Registration
from tests.factories.office import CSRF, Office
from tests.factories.review_desk import reopen_review


def person_of(office: Office, number: int) -> tuple[int, str, str]:
    """(person id, name, ID number) of one of the world's people."""
    who = office.world.people[number]
    with office.world.ctx.database.read() as session:
        row = session.scalars(select(Registration).where(Registration.admission_no == who.admission_no)).one()
        return row.person_id, who.name, who.id_no


def test_every_look_is_recorded_and_shown_and_operators_are_refused(office: Office) -> None:
    number, name, id_no = person_of(office, 2)
    desk = office.desk("reviewer")
    found = desk.post("/console/people/search", data={"csrf": CSRF, "id_no": id_no})
    assert f"/console/people/{number}" in found.text
    assert id_no not in found.text
    page = desk.get(f"/console/people/{number}").text
    assert name in page
    assert id_no not in page
    assert "本次查看已记入审计记录" in page
    again = office.desk("auditor").get(f"/console/people/{number}").text
    looks = again.split('id="looks"')[1]
    assert re.findall(r"<strong>(\w+)</strong>", looks) == ["auditor", "reviewer"]
    for certificate in office.world.certificates():
        if f"/console/certificates/{certificate.management_no}" in again:
            break
    else:
        raise AssertionError("the history names no certificate")
    assert office.desk("operator").get(f"/console/people/{number}").status_code == 403
    outside = office.desk("stranger").get(f"/console/people/{number}")
    assert (outside.status_code, "R1" in outside.text) == (403, True)
    nothing = desk.post("/console/people/search", data={"csrf": CSRF})
    assert (nothing.status_code, 'role="alert"' in nothing.text) == (422, True)
    with office.world.ctx.database.read() as session:
        looks_on_record = select(AuditEvent).where(AuditEvent.act.startswith("person.")).order_by(AuditEvent.sequence)
        events = session.scalars(looks_on_record).all()
        assert [event.actor for event in events] == ["reviewer", "reviewer", "auditor"]
        assert not any(name in str(event.details) or id_no in str(event.details) for event in events)


def test_the_pack_proves_what_it_says(office: Office) -> None:
    number, name, _ = person_of(office, 1)
    answer = office.desk("auditor").get(f"/console/people/{number}/pack.zip")
    assert answer.status_code == 200
    assert name not in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        files = {entry: archive.read(entry) for entry in archive.namelist()}
    sums = dict(reversed(line.split("  ")) for line in files.pop("SHA256SUMS").decode().splitlines())
    assert files.pop("SHA256SUMS.signed").startswith(b"127.0.0.1:8000/pack\n")
    assert sums == {entry: hashlib.sha256(content).hexdigest() for entry, content in files.items()}
    summary = json.loads(files["summary.json"])
    assert summary["person"]["names"] == [name]
    documents, verified = json.loads(files["documents.json"]), json.loads(files["verification.json"])
    assert [row["recorded_sha256"] for row in documents] == [row["stored_sha256"] for row in documents]
    assert [row["verdict"] for row in verified] == ["valid"]
    events = [json.loads(line) for line in files["events.jsonl"].splitlines()]
    links = [json.loads(line) for line in files["chain.jsonl"].splitlines()]
    report = json.loads(files["chain-report.json"])
    assert report["intact"]
    assert events[-1]["act"] == "person.look"
    assert all(event in links for event in events)
    require_chain(links)
    assert report["head"] == f"{links[-1]['sequence']}:{links[-1]['event_hash']}"
    for username in ("reviewer", "issuer", "approver", "operator"):
        assert office.desk(username).get(f"/console/people/{number}/pack.zip").status_code == 403


def require_chain(links: list[dict[str, Any]]) -> None:
    """What somebody with the pack alone can do: recompute every hash, each upon the one before it."""
    previous = links[0]["previous_hash"] if links[0]["sequence"] > 1 else GENESIS.hex()
    for link in links:
        assert link["previous_hash"] == previous
        content = {key: value for key, value in link.items() if key != "event_hash"}
        at = datetime.fromisoformat(link["at"]).astimezone(UTC)
        content["at"] = at.isoformat(timespec="microseconds")
        canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        previous = hashlib.sha256(canonical.encode()).hexdigest()
        assert previous == link["event_hash"]


def test_a_case_of_invalidation_has_its_own_pack(office: Office) -> None:
    number = office.world.certificates()[0].management_no
    proposed = office.as_("issuer").post(
        "/api/v1/invalidations", json={"management_no": number, "ground": "false-materials", "basis": "示例依据"}
    )
    case = proposed.json()["id"]
    desk = office.desk("supervisor")
    assert f"/console/cases/{case}/pack.zip" in desk.get(f"/console/cases/{case}").text
    with zipfile.ZipFile(io.BytesIO(desk.get(f"/console/cases/{case}/pack.zip").content)) as archive:
        acts = {json.loads(line)["act"] for line in archive.read("events.jsonl").splitlines()}
        assert json.loads(archive.read("summary.json"))["case"] == case
    assert any(act.startswith("invalidation.") for act in acts)
    assert desk.get("/console/cases/999/pack.zip").status_code == 404
    queue = office.desk("approver").get("/console/queues/invalidations").text
    assert f"/console/work/invalidation/{case}" in queue
    taken = office.desk("approver").post(f"/console/work/invalidation/{case}/claim", data={"csrf": CSRF})
    assert taken.status_code == 303
    held = office.desk("second").post(f"/console/cases/{case}/approve", data={"csrf": CSRF})
    assert (held.status_code, "approver 正在办理" in held.text) == (409, True)
    assert office.desk("approver").post(f"/console/cases/{case}/approve", data={"csrf": CSRF}).status_code == 303


def test_an_export_shows_what_the_list_shows_and_no_formula(office: Office) -> None:
    reopen_review(office.world)
    with office.world.ctx.database.write() as session:
        for row in session.scalars(select(Registration).order_by(Registration.id)):
            row.city = '=HYPERLINK("http://evil.example","x")'
    desk = office.desk("issuer")
    everything = desk.get("/console/queues/first-round.xlsx")
    sheet = load_workbook(io.BytesIO(everything.content)).active
    assert sheet is not None
    rows = list(sheet.iter_rows(min_row=2))
    assert len(rows) == 5
    assert all(cell.data_type in ("s", "n") and cell.hyperlink is None for row in rows for cell in row)
    assert str(rows[0][3].value).startswith("=HYPERLINK")
    desk.post("/console/queues/first-round/next", data={"csrf": CSRF})
    mine = load_workbook(io.BytesIO(desk.get("/console/queues/first-round.xlsx?hold=mine").content)).active
    assert mine is not None
    assert mine.max_row == 2
    listed = desk.get("/console/queues/first-round?hold=mine").text
    assert len(re.findall(r'href="/console/work/review/\d+', listed)) == 1
