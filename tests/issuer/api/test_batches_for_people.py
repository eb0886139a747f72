"""A batch as people meet it: watched as it goes, held and let go on, the outcome per person, a retry."""

import io
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from httpx import Response
from openpyxl import load_workbook
from sqlalchemy import update

from issuer.cli import run
from issuer.issuance import batches
from issuer.jobs.embedded import EmbeddedJobs
from issuer.records.certificates import Batch
from issuer.records.people import Registration
from issuer.records.reviews import EligibilityReview
from tests.factories.office import CSRF, Office
from tests.factories.world import PROPOSER

FORMULA = '=HYPERLINK("http://x.example")'


def find(office: Office, index: int, outcome: str, *, name: str | None = None) -> int:
    """What the review found of one registration."""
    number = office.world.registrations()[index].id
    with office.world.ctx.database.write() as session:
        session.execute(
            update(EligibilityReview).where(EligibilityReview.registration_id == number).values(outcome=outcome)
        )
        if name is not None:
            session.get_one(Registration, number).name = name
    return number


def begin(office: Office, **more: object) -> int:
    answer = office.as_("issuer").post("/api/v1/batches", json={"sitting": office.world.sitting, **more})
    assert answer.status_code == 202, answer.text
    return int(answer.json()["batch"])


def ended(office: Office, batch: int) -> dict[str, Any]:
    """The batch once it has ended."""
    client, limit = office.as_("supervisor"), time.monotonic() + 200
    while (now := client.get(f"/api/v1/batches/{batch}").json())["state"] in ("running", "paused"):
        assert time.monotonic() < limit
        time.sleep(0.05)
    return dict(now)


@dataclass
class Midway:
    """A batch that stands still at its first step from `reached` until `go_on`, however fast it would be."""

    reached: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def midway(monkeypatch: pytest.MonkeyPatch) -> Iterator[Midway]:
    """Whatever batch is begun is met under way."""
    place, look = Midway(), EmbeddedJobs._stop_when_closing

    def wait(jobs: EmbeddedJobs, step: str) -> None:
        place.reached.set()
        assert place.go_on.wait(120)
        look(jobs, step)

    monkeypatch.setattr(EmbeddedJobs, "_stop_when_closing", wait)
    yield place
    place.go_on.set()


def until_idle(office: Office) -> None:
    """Wait until nothing is being done in the background."""
    office.world.ctx.jobs._executor.submit(int).result(timeout=120)  # type: ignore[attr-defined]


def told(answer: Response) -> list[tuple[str, dict[str, Any]]]:
    """(event, data) of a stream."""
    assert answer.headers["content-type"].startswith("text/event-stream")
    blocks = [dict(line.split(": ", 1) for line in block.splitlines()) for block in answer.text.split("\n\n")]
    return [(block["event"], json.loads(block["data"])) for block in blocks if "event" in block]


def test_a_running_batch_tells_every_change_until_it_ends(eligible_office: Office) -> None:
    batch = begin(eligible_office)
    events = told(eligible_office.as_("operator").get(f"/api/v1/batches/{batch}/events"))
    assert {name for name, _ in events[:-1]} == {"progress"}
    finished = [data["finished"] for _, data in events]
    assert finished == sorted(finished)
    name, last = events[-1]
    assert (name, last["state"], last["total"], last["counts"]["published"]) == ("end", "done", 8, 8)
    again = told(eligible_office.desk("auditor").get(f"/console/batches/{batch}/events"))
    assert [name for name, _ in again] == ["progress", "end"]
    assert eligible_office.as_("issuer").get("/api/v1/batches/99/events").status_code == 404
    assert eligible_office.as_("reviewer").get(f"/api/v1/batches/{batch}/events").status_code == 403


@pytest.mark.parametrize("stops", [False, True])
def test_a_batch_is_held_and_let_go_on_and_nobody_is_left_out(
    eligible_office: Office, midway: Midway, stops: bool
) -> None:
    issuer = eligible_office.as_("issuer")
    batch = begin(eligible_office)
    assert midway.reached.wait(120)
    held = issuer.post(f"/api/v1/batches/{batch}/pause", headers={"Idempotency-Key": "hold"})
    assert (held.status_code, held.json()["state"]) == (200, "paused")
    assert issuer.post(f"/api/v1/batches/{batch}/pause").json()["code"] == "batch-state"
    for _ in range(3):  # however quickly one follows the other
        assert issuer.post(f"/api/v1/batches/{batch}/resume").json()["state"] == "running"
        assert issuer.post(f"/api/v1/batches/{batch}/pause").json()["state"] == "paused"
    if stops:
        midway.go_on.set()
        until_idle(eligible_office)
    desk = eligible_office.desk("issuer")
    assert "继续" in desk.get(f"/console/batches/{batch}").text
    assert desk.post(f"/console/batches/{batch}/resume", data={"csrf": CSRF}).status_code == 303
    midway.go_on.set()
    done = ended(eligible_office, batch)
    assert (done["state"], done["counts"]) == ("done", {"published": 8})


def test_a_batch_let_go_on_while_its_run_is_ending_is_taken_up_again(
    eligible_office: Office, midway: Midway, monkeypatch: pytest.MonkeyPatch
) -> None:
    office, real, resumed = eligible_office, batches.unfinished, threading.Event()

    def unfinished(*asked: Any, **more: Any) -> list[tuple[int, str, str]]:
        found = real(*asked, **more)
        if midway.go_on.is_set() and not found and not resumed.is_set():  # it rests: now somebody says otherwise
            resumed.set()
            batches.resume_batch(office.world.ctx, PROPOSER, batch)
        return found

    monkeypatch.setattr(batches, "unfinished", unfinished)
    batch = begin(office)
    assert midway.reached.wait(120)
    assert office.as_("issuer").post(f"/api/v1/batches/{batch}/pause").status_code == 200
    midway.go_on.set()
    assert resumed.wait(120)
    assert ended(office, batch)["counts"] == {"published": 8}


def test_the_outcome_names_each_person_with_the_reason_and_only_failures_are_retried(
    eligible_office: Office,
) -> None:
    office = eligible_office
    refused = find(office, 2, "ineligible", name=FORMULA)
    batch = begin(office)
    assert ended(office, batch)["counts"] == {"published": 7, "refused": 1}
    people = office.as_("auditor").get(f"/api/v1/batches/{batch}/outcome.json").json()["people"]
    assert [row["registration"] for row in people] == [row.id for row in office.world.registrations()]
    (failed,) = [row for row in people if row["result"] == "refused"]
    assert (failed["registration"], failed["code"], failed["clause"]) == (refused, "not-eligible", "R4")
    assert (failed["name"], failed["message_en"]) == (FORMULA, "not found eligible")
    answer = office.as_("issuer").get(f"/api/v1/batches/{batch}/outcome.xlsx")
    sheet = load_workbook(io.BytesIO(answer.content)).worksheets[0]
    rows = list(sheet.iter_rows(min_row=2))
    assert len(rows) == 8
    assert {cell.data_type for row in rows for cell in row if cell.value is not None} == {"s"}
    assert rows[2][2].value == FORMULA
    assert rows[2][2].quotePrefix
    assert [row[8].value for row in rows if row[3].value == "published"] == [
        row.management_no for row in office.world.certificates()
    ]
    for name, status in (("operator", 403), ("reviewer", 403), ("supervisor", 200)):
        assert office.as_(name).get(f"/api/v1/batches/{batch}/outcome.xlsx").status_code == status
        assert office.desk(name).get(f"/console/batches/{batch}/outcome.xlsx").status_code == status
    still = office.as_("issuer").post(f"/api/v1/batches/{batch}/retry")
    assert (still.status_code, still.json()["code"]) == (409, "nothing-to-retry")
    assert "not-eligible [R4]" in still.json()["detail"]
    find(office, 2, "eligible", name="陈八")
    key = {"Idempotency-Key": "r"}
    again = [office.as_("issuer").post(f"/api/v1/batches/{batch}/retry", headers=key) for _ in range(2)]
    second = again[0].json()["batch"]
    assert (again[0].status_code, again[1].json()["batch"]) == (202, second)
    done = ended(office, second)
    assert (done["kind"], done["counts"]) == ("retry", {"published": 1})
    assert len(office.world.certificates()) == 8


def test_an_urgent_certificate_is_made_and_nobody_elses_with_it(eligible_office: Office) -> None:
    office = eligible_office
    number = office.world.registrations()[5].id
    batch = begin(office, registration=number)
    done = ended(office, batch)
    assert (done["kind"], done["counts"]) == ("urgent", {"published": 1})
    assert [row.registration_id for row in office.world.certificates()] == [number]
    twice = office.as_("issuer").post(
        "/api/v1/batches", json={"sitting": office.world.sitting, "registration": number}
    )
    assert (twice.status_code, twice.json()["code"]) == (409, "nothing-to-issue")


def test_who_was_left_behind_by_a_stop_can_be_retried_from_the_console(eligible_office: Office) -> None:
    office = eligible_office
    batch = begin(office)
    ended_batch = ended(office, batch)
    assert ended_batch["state"] == "done"
    desk = office.desk("issuer")
    with office.world.ctx.database.write() as session:
        session.get_one(Batch, batch).state = "cancelled"
    page = desk.post(f"/console/batches/{batch}/retry", data={"csrf": CSRF})
    assert (page.status_code, "没有可以重试的人员" in page.text, 'role="alert"' in page.text) == (409, True, True)
    for act in ("pause", "resume", "cancel"):
        refused = desk.post(f"/console/batches/{batch}/{act}", data={"csrf": CSRF})
        assert (refused.status_code, 'role="alert"' in refused.text) == (409, True), act
    urgent = desk.post(f"/console/batches/{batch}/urgent", data={"csrf": CSRF, "registration": "1"})
    assert urgent.status_code == 409
    assert office.desk("auditor").post(f"/console/batches/{batch}/retry", data={"csrf": CSRF}).status_code == 403


def test_batches_by_command(eligible_office: Office, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    office = eligible_office
    find(office, 0, "ineligible")
    batch = begin(office)
    ended(office, batch)
    office.world.close()

    def ecert(*words: str) -> tuple[int, str, str]:
        code = run([*words, "--data-dir", str(office.world.folder)])
        said = capsys.readouterr()
        return code, said.out, said.err

    code, out, _ = ecert("batch", "show", str(batch), "--watch", "--json")
    assert (code, json.loads(out)["counts"]["refused"]) == (0, 1)
    workbook = tmp_path / "outcome.xlsx"
    assert ecert("batch", "outcome", str(batch), "--xlsx", str(workbook))[0] == 0
    assert load_workbook(workbook).worksheets[0].max_row == 9
    people = json.loads(ecert("batch", "outcome", str(batch), "--json")[1])["people"]
    assert [row["code"] for row in people if row["code"]] == ["not-eligible"]
    assert "not-eligible [R4]" in ecert("batch", "outcome", str(batch))[1]
    code, _, err = ecert("batch", "outcome", str(batch), "--xlsx", str(tmp_path / "no" / "x.xlsx"))
    assert (code, "cannot be written" in err, err.count("\n")) == (2, True, 1)
    code, _, err = ecert("batch", "retry", str(batch))
    assert (code, "not-eligible" in err, err.count("\n")) == (2, True, 1)
