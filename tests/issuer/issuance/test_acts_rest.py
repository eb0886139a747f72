"""Acts on many certificates rest and go on: renewals of files and invalidation by list; by page, API and command."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from issuer.cli import run
from issuer.clock import SimulatedClock
from issuer.errors import ConflictError, NotAllowedError, NotFoundError
from issuer.invalidation import mass
from issuer.invalidation.mass_file import Defaults
from issuer.invalidation.mass_report import show_many
from issuer.issuance import extensions
from issuer.issuance.extensions import plan_extensions, progress_of, request_extensions
from issuer.jobs.large_acts import unfinished_acts, work_act
from issuer.jobs.pausing import pause_act, resume_act
from issuer.records.ledger import AuditEvent
from issuer.rules.terms import InvalidationGround
from tests.factories.office import CSRF, Office
from tests.factories.world import APPROVER, AUDITOR, PROPOSER, World

DEFAULTS = Defaults(InvalidationGround.INELIGIBLE_IN_SUPERVISION, "豫人社函〔2024〕25号一（三）：不符合报考条件")


@pytest.fixture
def later(world_copy: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Eight certificates, ten months on; acts work on three at a time."""
    age(world_copy)
    monkeypatch.setattr(extensions, "CHUNK", 3)
    monkeypatch.setattr(mass, "CHUNK", 3)
    return world_copy


def settle(world: World) -> None:
    """Wait for what the one thread of the embedded engine has been given, and what that has given it again."""
    for _ in range(2):
        world.ctx.jobs._executor.submit(int).result(timeout=120)  # type: ignore[attr-defined]


def age(world: World) -> None:
    clock = world.clock
    assert isinstance(clock, SimulatedClock)
    clock.move_to(clock.today() + timedelta(days=300))


def test_a_renewal_rests_before_the_next_files_and_goes_on_there(later: World) -> None:
    ctx = later.ctx
    act = request_extensions(ctx, PROPOSER, sitting_code=later.sitting, background=False)
    assert act is not None

    def rest(finished: int, _: int) -> None:
        if finished == 3:
            pause_act(ctx, PROPOSER, act)

    extensions.work(ctx, act, rest)
    now = progress_of(ctx, PROPOSER, act)
    assert (now["state"], now["paused"], now["counts"]["done"]) == ("running", True, 3)
    assert unfinished_acts(ctx) == [], "no engine takes it up"
    work_act(ctx, act)
    assert progress_of(ctx, PROPOSER, act)["counts"]["done"] == 3, "nor does whoever is asked to"
    with pytest.raises(ConflictError):
        pause_act(ctx, PROPOSER, act)
    for other in (APPROVER, AUDITOR):
        with pytest.raises(NotAllowedError):
            resume_act(ctx, other, act)
    with pytest.raises(NotFoundError):
        resume_act(ctx, PROPOSER, act, mass.KIND)
    resume_act(ctx, PROPOSER, act)
    settle(later)
    done = progress_of(ctx, PROPOSER, act)
    assert (done["state"], done["paused"], done["counts"]["done"]) == ("done", False, 8)
    with pytest.raises(ConflictError):
        resume_act(ctx, PROPOSER, act)
    with ctx.database.read() as session:
        acts = select(AuditEvent.act).where(AuditEvent.subject == f"large-act:{act}").order_by(AuditEvent.sequence)
        told = list(session.scalars(acts))
    assert told == ["extensions.open", "large-act.pause", "large-act.resume", "extensions.close"]


def test_a_list_rests_in_every_step_and_only_what_was_approved_falls(later: World, tmp_path: Path) -> None:
    ctx = later.ctx
    path = tmp_path / "list.csv"
    path.write_text("\n".join(["管理号", *(row.management_no for row in later.certificates())]), encoding="utf-8")
    digest = mass.plan_many(ctx, PROPOSER, path, DEFAULTS).digest
    act = mass.propose_many(ctx, PROPOSER, path, DEFAULTS, digest, background=False)
    assert act is not None
    mass.work(ctx, act, lambda finished, _: pause_act(ctx, APPROVER, act) if finished == 3 else None)
    view = show_many(ctx, PROPOSER, act)
    assert (view.state, view.paused, view.counts["proposed"]) == ("proposing", True, 3)
    resume_act(ctx, PROPOSER, act)
    settle(later)
    assert show_many(ctx, PROPOSER, act).state == "proposed"
    mass.decide_many(ctx, APPROVER, act, "approve", background=False)
    mass.work(ctx, act, lambda finished, _: pause_act(ctx, PROPOSER, act) if finished == 6 else None)
    fallen = [row.status for row in later.certificates()].count("invalid")
    assert fallen == 6
    assert later.ctx.jobs.resume() == 0
    assert show_many(ctx, PROPOSER, act).paused, "a restart does not wake it"


def test_by_api(office: Office) -> None:
    issuer, auditor = office.as_("issuer"), office.as_("auditor")
    answer = issuer.get("/api/v1/extensions/plan", params={"sitting": office.world.sitting})
    plan = answer.json()
    assert (answer.status_code, plan.get("due")) == (200, 8), plan
    asked = {"sitting": office.world.sitting, "digest": plan["digest"]}
    assert auditor.post("/api/v1/extensions", json=asked).status_code == 403
    assert issuer.post("/api/v1/extensions", json=asked | {"digest": "0" * 16}).status_code == 409
    begun = issuer.post("/api/v1/extensions", json=asked, headers={"Idempotency-Key": "x"})
    again = issuer.post("/api/v1/extensions", json=asked, headers={"Idempotency-Key": "x"})
    assert (begun.status_code, begun.json()) == (202, again.json())
    settle(office.world)
    number = begun.json()["act"]
    shown = auditor.get(f"/api/v1/extensions/{number}").json()
    assert (shown["state"], shown["counts"]["done"]) == ("done", 8)
    assert [one["act"] for one in auditor.get("/api/v1/extensions").json()["items"]] == [number]
    assert issuer.post(f"/api/v1/extensions/{number}/pause").status_code == 409
    assert issuer.get("/api/v1/extensions/999").status_code == 404
    assert issuer.get("/api/v1/extensions/plan").status_code == 422
    one = issuer.post("/api/v1/extensions/one", json={"management_no": office.world.certificates()[0].management_no})
    assert one.json()["outcome"] == "unchanged", "within a day nothing is added"


def test_the_kept_answer_to_a_pause_says_that_it_rests(office: Office) -> None:
    issuer, ctx = office.as_("issuer"), office.world.ctx
    act = request_extensions(ctx, PROPOSER, sitting_code=office.world.sitting, background=False)
    for verb, rests in (("pause", True), ("resume", False)):
        path, key = f"/api/v1/extensions/{act}/{verb}", {"Idempotency-Key": verb}
        first, again = issuer.post(path, headers=key), issuer.post(path, headers=key)
        assert (first.status_code, first.json()["paused"]) == (200, rests), verb
        assert (again.json(), again.headers["Idempotent-Replayed"]) == (first.json(), "true")
    settle(office.world)


def test_by_console(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    world = office.world
    age(world)
    desk, form = office.desk("issuer"), {"csrf": CSRF}
    number = world.certificates()[0].management_no
    answer = desk.post("/console/extensions/one", data=form | {"management_no": number})
    assert answer.headers["location"].endswith("?renewed=extended")
    assert "已加存档时间戳" in desk.get(answer.headers["location"]).text
    refused = desk.post("/console/extensions/plan", data=form | {"older_than_days": "soon"})
    assert refused.status_code == 422
    page = desk.post("/console/extensions/plan", data=form | {"sitting": world.sitting}).text
    assert "续签这 7 份" in page
    digest = plan_extensions(world.ctx, PROPOSER, sitting_code=world.sitting).digest
    monkeypatch.setattr(type(world.ctx.jobs), "enqueue_act", lambda *_: None)  # nobody is at work
    begun = desk.post("/console/extensions", data=form | {"sitting": world.sitting, "digest": digest})
    address = begun.headers["location"]
    assert ">暂停 " in desk.get(address).text
    assert desk.post(f"{address}/pause", data=form).status_code == 303
    assert 'data-state="paused"' in desk.get(f"{address}/progress").text
    looking = office.desk("auditor")
    assert "<button" not in looking.get(f"{address}/progress").text
    assert looking.post(f"{address}/resume", data=form).status_code == 403
    assert desk.post(f"{address}/resume", data=form).status_code == 303
    assert desk.post(f"{address}/resume", data=form).status_code == 409


def test_by_command(later: World, capsys: pytest.CaptureFixture[str]) -> None:
    act = request_extensions(later.ctx, PROPOSER, sitting_code=later.sitting, background=False)
    later.close()

    def ask(*words: str, code: int = 0) -> dict[str, object]:
        capsys.readouterr()
        assert run([*words, "--data-dir", str(later.folder), "--json"]) == code
        return json.loads(capsys.readouterr().out or "{}")  # type: ignore[no-any-return]

    assert ask("act", "pause", str(act)) == {"act": act, "paused": True}
    ask("act", "pause", str(act), code=2)
    assert ask("act", "resume", str(act)) == {"act": act, "paused": False}
    world = World(later.folder, later.clock, later.people)
    assert progress_of(world.ctx, PROPOSER, act or 0)["state"] == "done", "the command stays until it is done"
    world.close()
