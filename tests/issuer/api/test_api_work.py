"""A sitting's work over the API: define, roster, decisions, issue in the background, fetch files."""

import hashlib
import io
import time
from datetime import timedelta
from pathlib import Path

import pytest
from openpyxl import load_workbook

from issuer.bodies import limit_of
from tests.factories.candidates import invent, sitting_toml, write_files
from tests.factories.office import Office


def upload(path: Path, name: str | None = None) -> tuple[str, bytes, str]:
    return (name or path.name, path.read_bytes(), "application/octet-stream")


def test_a_sitting_is_defined_filled_and_shown(office: Office, tmp_path: Path) -> None:
    issuer = office.as_("issuer")
    toml = sitting_toml(office.world.clock.today(), code="TEST-NEW")
    made = issuer.post(
        "/api/v1/sittings", files={"file": ("sitting.toml", toml)}, headers={"Idempotency-Key": "define"}
    )
    assert (made.status_code, made.json()["code"]) == (201, "TEST-NEW")
    roster, photos = write_files(tmp_path / "source", invent(3))
    rows = roster.read_bytes()
    form = {"sitting": "TEST-NEW", "dry_run": "true"}
    files = {"file": upload(roster), "photos": upload(photos)}
    checked = issuer.post("/api/v1/rosters", data=form, files=files)
    assert (checked.status_code, checked.json()["dry_run"], checked.json()["imported"]) == (200, True, 3)
    assert issuer.get("/api/v1/sittings/TEST-NEW").json()["registrations"] == 0
    form["dry_run"] = "false"
    key = {"Idempotency-Key": "roster-1"}
    done = [issuer.post("/api/v1/rosters", data=form, files=files, headers=key) for _ in range(2)]
    assert done[0].json()["imported"] == 3
    assert done[1].json() == done[0].json()
    assert issuer.post("/api/v1/rosters", data=form, files=files).json()["unchanged"] == 3
    shown = office.as_("supervisor").get("/api/v1/sittings/TEST-NEW").json()
    assert (shown["registrations"], shown["progress"]["total"]) == (3, 3)
    assert {day["name"] for day in shown["progress"]["deadlines"]} >= {"notice-closes", "supplementary-closes"}
    codes = [row["code"] for row in issuer.get("/api/v1/sittings", params={"limit": 1}).json()["items"]]
    assert len(codes) == 1
    assert hashlib.sha256(rows).hexdigest() == done[0].json()["file_sha256"]


def test_bad_rows_come_back_in_the_senders_own_workbook(office: Office, tmp_path: Path) -> None:
    roster, _ = write_files(tmp_path / "source", invent(2))
    if roster.suffix == ".csv":
        text = roster.read_text(encoding="utf-8-sig").splitlines()
        damaged = "\n".join([*text, text[1].replace(invent(2)[0].id_no, "123")]).encode()
        name = "roster.csv"
    else:
        book = load_workbook(roster)
        sheet = book.worksheets[0]
        for row in sheet.iter_rows(min_row=2, max_row=2):
            for cell in row:
                if cell.value == invent(2)[0].id_no:
                    cell.value = "123"
        out = io.BytesIO()
        book.save(out)
        damaged, name = out.getvalue(), roster.name
    operator = office.as_("operator")
    answer = operator.post(
        "/api/v1/rosters",
        data={"sitting": office.world.sitting, "dry_run": "true"},
        files={"file": (name, damaged, "application/octet-stream")},
    )
    body = answer.json()
    assert (answer.status_code, body["rejected"]) == (200, 1)
    finding = next(finding for finding in body["findings"] if finding["level"] == "error")
    assert finding["message"] and finding["remedy_en"]
    returned = operator.get(body["annotated"])
    assert returned.status_code == 200
    assert "filename*=UTF-8''" in returned.headers["content-disposition"]
    sheet = load_workbook(io.BytesIO(returned.content)).worksheets[0]
    assert "123" in {str(cell.value) for row in sheet.iter_rows() for cell in row}
    for other in ("issuer", "auditor"):
        assert office.as_(other).get(body["annotated"]).status_code in (403, 404)
    assert not any(b"123" in office.world.ctx.storage.get(key) for key in office.world.ctx.storage.list("returned"))


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", 422), (b"\x00" * 4096, 422), (b"PK\x03\x04" + b"\xff" * 500, 422), (b"a,b\n1,2", 422)],
)
def test_unusable_files_are_clear_problems(office: Office, content: bytes, code: int) -> None:
    for address, form in (
        ("/api/v1/rosters", {"sitting": office.world.sitting}),
        (f"/api/v1/reviews/{office.world.sitting}/decisions", {"round": "first"}),
    ):
        answer = office.as_("issuer").post(address, data=form, files={"file": ("x.xlsx", content)})
        assert answer.status_code == code, (address, answer.text)
        assert answer.json()["detail"] and answer.json()["code"]


def test_a_body_over_the_limit_is_413_whether_declared_or_not(reading_office: Office) -> None:
    client = reading_office.as_("issuer")
    assert limit_of("/api/v1/paper/replacements") == 1024 * 1024

    def chunks() -> object:
        for _ in range(40):
            yield b" " * 65536

    for content in (b" " * (2 * 1024 * 1024), chunks()):
        answer = client.post(
            "/api/v1/paper/replacements",
            content=content,  # type: ignore[arg-type]
            headers={"Content-Type": "application/json"},
        )
        assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")
        assert answer.headers["connection"] == "close", "the rest of the body is still on this connection"


def test_a_review_goes_through_its_rounds(office: Office, tmp_path: Path) -> None:
    reviewer = office.as_("reviewer")
    today = office.world.clock.today()
    released = sitting_toml(today + timedelta(days=51), code="TEST-NEXT")
    office.as_("issuer").post("/api/v1/sittings", files={"file": ("sitting.toml", released)})
    roster, photos = write_files(tmp_path / "next", invent(3))
    files = {"file": upload(roster), "photos": upload(photos)}
    office.as_("issuer").post("/api/v1/rosters", data={"sitting": "TEST-NEXT"}, files=files)
    notice = reviewer.post("/api/v1/reviews/TEST-NEXT/open-notice")
    assert notice.status_code == 200
    objected = reviewer.post(
        "/api/v1/reviews/TEST-NEXT/objections",
        json={"admission_no": invent(3)[0].admission_no, "text": "工作年限不实"},
    )
    assert objected.status_code == 201
    number = objected.json()["id"]
    assert reviewer.get("/api/v1/reviews/TEST-NEXT").json()["open_objections"] == [number]
    stranger = office.as_("stranger").post(
        f"/api/v1/reviews/objections/{number}/resolve", json={"upheld": False, "resolution": "x"}
    )
    assert (stranger.status_code, stranger.json()["clause"]) == (403, "R1")
    resolved = reviewer.post(
        f"/api/v1/reviews/objections/{number}/resolve", json={"upheld": False, "resolution": "查无实据"}
    )
    assert resolved.json()["state"] == "resolved"
    template = reviewer.get("/api/v1/reviews/TEST-NEXT/template", params={"round": "first"})
    assert load_workbook(io.BytesIO(template.content)).worksheets[0].max_row == 4
    decisions = (
        "准考证号,核查结果\n" + "\n".join(f"{person.admission_no},合格" for person in invent(3)) + "\n999,合格"
    )
    form = {"round": "first", "dry_run": "true"}
    checked = reviewer.post(
        "/api/v1/reviews/TEST-NEXT/decisions", data=form, files={"file": ("d.csv", decisions.encode())}
    )
    assert (checked.status_code, checked.json()["refused"], sum(checked.json()["moved"].values())) == (200, 1, 3)
    early = reviewer.post("/api/v1/reviews/TEST-NEXT/lapse")
    assert (early.status_code, early.json()["clause"]) == (409, "R7")


def test_a_batch_runs_in_the_background_and_tells_of_everybody(eligible_office: Office) -> None:
    office = eligible_office
    issuer, sitting = office.as_("issuer"), office.world.sitting
    plan = issuer.get("/api/v1/batches/plan", params={"sitting": sitting}).json()
    assert (plan["new"], plan["refused"]) == (8, [])
    moved = issuer.post("/api/v1/batches", json={"sitting": sitting, "plan_digest": "0" * 16})
    assert (moved.status_code, moved.json()["code"]) == (409, "plan-moved")
    body = {"sitting": sitting, "plan_digest": plan["digest"]}
    begun = [issuer.post("/api/v1/batches", json=body, headers={"Idempotency-Key": "b"}) for _ in range(2)]
    assert [answer.status_code for answer in begun] == [202, 202]
    number = begun[0].json()["batch"]
    assert begun[1].json()["batch"] == number
    end = time.monotonic() + 200
    while (now := issuer.get(f"/api/v1/batches/{number}").json())["state"] == "running" and time.monotonic() < end:
        time.sleep(0.2)
    assert (now["state"], now["counts"]) == ("done", {"published": 8})
    page = issuer.get(f"/api/v1/batches/{number}/items", params={"limit": 5}).json()
    rest = issuer.get(f"/api/v1/batches/{number}/items", params={"limit": 5, "after": page["next"]}).json()
    numbers = [item["management_no"] for item in (*page["items"], *rest["items"])]
    assert (len(set(numbers)), rest["next"]) == (8, None)
    assert [row["batch"] for row in issuer.get("/api/v1/batches").json()["items"]] == [number]
    ended = issuer.post(f"/api/v1/batches/{number}/cancel")
    assert (ended.status_code, ended.json()["code"]) == (409, "batch-ended")


def test_certificates_by_page_number_person_and_range(reading_office: Office) -> None:
    auditor, world = reading_office.as_("auditor"), reading_office.world
    first = auditor.get("/api/v1/certificates", params={"limit": 5}).json()
    rest = auditor.get("/api/v1/certificates", params={"limit": 5, "before": first["next"]}).json()
    assert len({row["management_no"] for row in (*first["items"], *rest["items"])}) == 8
    assert world.people[0].name not in str(first)
    person = world.people[3]
    found = auditor.post("/api/v1/certificates/search", json={"id_no": person.id_no, "name": person.name}).json()
    assert len(found["items"]) == 1
    nobody = auditor.post("/api/v1/certificates/search", json={"id_no": person.id_no, "name": "别人"})
    assert nobody.json()["items"] == []
    assert auditor.post("/api/v1/certificates/search", json={}).status_code == 422
    number = found["items"][0]
    shown = auditor.get(f"/api/v1/certificates/{number}").json()
    assert (shown["name"], shown["status"]) == (person.name, "valid")
    whole = auditor.get(f"/api/v1/certificates/{number}/pdf")
    assert hashlib.sha256(whole.content).hexdigest() == shown["file_sha256"]
    part = auditor.get(f"/api/v1/certificates/{number}/pdf", headers={"Range": "bytes=0-7"})
    assert (part.status_code, part.content) == (206, whole.content[:8])
    missing = auditor.get("/api/v1/certificates/NONE")
    assert (missing.status_code, missing.headers["content-type"]) == (404, "application/problem+json")
