"""A renewed archive timestamp: the new file counts, the old one still leads to the truth, a kill loses nothing."""

import hashlib
import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from issuer.cli import run
from issuer.clock import SimulatedClock
from issuer.errors import ConflictError, UnavailableError, Words
from issuer.invalidation import service
from issuer.issuance import extension
from issuer.issuance.extension import extend_certificate, remove_lost_extensions
from issuer.issuance.extensions import plan_extensions, progress_of, request_extensions, work
from issuer.issuance.leftovers import remove_lost_files
from issuer.jobs.large_acts import unfinished_acts
from issuer.records.ledger import ARCHIVE, AuditEvent, OutboxEvent, SealIntent
from tests.factories.world import APPROVER, PROPOSER, World
from verifier.record.tables import files, log_leaves
from verifier.record.verdict import Verdict


class Killed(BaseException):
    """The process ends here, as by SIGKILL: nothing of ours runs after it."""


@pytest.fixture
def later(world_copy: World) -> World:
    """Eight certificates, ten months on."""
    clock = world_copy.clock
    assert isinstance(clock, SimulatedClock)
    clock.move_to(clock.today() + timedelta(days=300))
    return world_copy


def archived(world: World) -> list[SealIntent]:
    with world.ctx.database.read() as session:
        return list(session.scalars(select(SealIntent).where(SealIntent.seal_kid == ARCHIVE)))


def public_files(world: World, token: str) -> dict[str, str]:
    with world.ctx.register_engine.connect() as connection:
        rows = connection.execute(select(files.c.sha256, files.c.kind).where(files.c.token == token))
        return {sha256: kind for sha256, kind in rows}  # noqa: C416


def test_both_files_of_a_renewed_certificate_are_good_and_both_fall_with_it(later: World) -> None:
    row = later.certificates()[0]
    old = later.pdf(row)
    done = extend_certificate(later.ctx, PROPOSER, row.management_no)
    fresh = later.certificate(row.management_no)
    new = later.pdf(fresh)
    assert (done.outcome, done.sha256, done.previous_sha256) == ("extended", fresh.file_sha256, row.file_sha256)
    assert new.startswith(old) and len(new) > len(old)
    assert new.count(b"/DocTimeStamp") == old.count(b"/DocTimeStamp") + 1
    assert public_files(later, row.token) == {done.previous_sha256: "original", done.sha256: "extended"}
    checker = later.checker()
    for pdf in (old, new):
        assert checker.check_pdf(pdf).verdict is Verdict.VALID
        assert checker.check_file_digest(hashlib.sha256(pdf).hexdigest()).verdict is Verdict.VALID
    with later.ctx.register_engine.connect() as connection:
        leaves = connection.execute(select(log_leaves.c.leaf).where(log_leaves.c.token == row.token)).all()
    assert len(leaves) == 2
    with later.ctx.database.read() as session:
        events = session.scalars(select(AuditEvent).where(AuditEvent.act == "certificate.extend")).all()
    assert [event.outcome for event in events] == ["intent", "done"]
    case = service.propose(later.ctx, PROPOSER, row.management_no, "false-materials", "示例依据")
    service.approve(later.ctx, APPROVER, case)
    for pdf in (old, new):
        assert later.checker().check_pdf(pdf).verdict is Verdict.INVALID
    with pytest.raises(ConflictError) as refused:
        extend_certificate(later.ctx, PROPOSER, row.management_no)
    assert refused.value.code == "not-extendable"


def test_the_same_command_twice_adds_one_timestamp_and_another_year_adds_another(later: World) -> None:
    number = later.certificates()[0].management_no
    first = extend_certificate(later.ctx, PROPOSER, number)
    again = extend_certificate(later.ctx, PROPOSER, number)
    assert (again.outcome, again.sha256) == ("unchanged", first.sha256)
    assert len(archived(later)) == 1
    clock = later.clock
    assert isinstance(clock, SimulatedClock)
    clock.move_to(clock.today() + timedelta(days=30))
    third = extend_certificate(later.ctx, PROPOSER, number)
    assert (third.outcome, third.previous_sha256) == ("extended", first.sha256)
    assert later.checker().check_pdf(later.pdf(later.certificate(number))).verdict is Verdict.VALID


@pytest.mark.parametrize("step", ["timestamp", "store", "stored", "record"])
def test_killed_at_any_step_it_is_as_it_was_and_the_next_run_renews_it(
    later: World, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    row = later.certificates()[0]
    storage = later.ctx.storage
    kept = set(storage.list("certificates"))

    def dies(*_: object, **__: object) -> None:
        raise Killed

    def dies_after_storing(key: str, content: bytes) -> None:
        put(key, content)
        raise Killed

    put = storage.put
    with monkeypatch.context() as patched:
        if step == "timestamp":
            patched.setattr(later.ctx.room(), "extend", dies)
        elif step == "store":
            patched.setattr(storage, "put", dies)
        elif step == "stored":
            patched.setattr(storage, "put", dies_after_storing)
        else:
            patched.setattr(extension, "announce_file", dies)
        with pytest.raises(Killed):
            extend_certificate(later.ctx, PROPOSER, row.management_no)
    assert later.certificate(row.management_no).file_sha256 == row.file_sha256
    assert later.checker().check_pdf(later.pdf(row)).verdict is Verdict.VALID
    remove_lost_files(later.ctx)  # what workers sweep leaves a renewal under way alone
    left = set(storage.list("certificates")) - kept
    assert len(left) == (1 if step in ("stored", "record") else 0)
    done = extend_certificate(later.ctx, PROPOSER, row.management_no)
    assert done.outcome == "extended"
    assert set(public_files(later, row.token).values()) == {"original", "extended"}
    clock = later.clock
    assert isinstance(clock, SimulatedClock)
    clock.move_to(clock.today() + timedelta(days=1))
    assert remove_lost_extensions(later.ctx) == 1
    assert len(set(storage.list("certificates")) - kept) == 1, "only the file that counts is left"
    assert later.checker().check_pdf(later.pdf(later.certificate(row.management_no))).verdict is Verdict.VALID
    assert sorted(each.outcome for each in archived(later)) == ["lost", "sealed"]


def test_who_is_overtaken_changes_nothing(later: World, monkeypatch: pytest.MonkeyPatch) -> None:
    number = later.certificates()[0].management_no
    room = later.ctx.room()
    real, asked, nested = room.extend, [], []

    def another_is_quicker(pdf: bytes) -> bytes:
        asked.append(pdf)
        if len(asked) == 1:
            nested.append(extend_certificate(later.ctx, PROPOSER, number))
        return real(pdf)

    monkeypatch.setattr(room, "extend", another_is_quicker)
    late = extend_certificate(later.ctx, PROPOSER, number)
    assert (nested[0].outcome, late.outcome) == ("extended", "unchanged")
    assert later.certificate(number).file_sha256 == nested[0].sha256
    assert sorted(each.outcome for each in archived(later)) == ["lost", "sealed"]
    with later.ctx.database.read() as session:
        assert len(session.scalars(select(OutboxEvent).where(OutboxEvent.kind == "file")).all()) == 1


def test_a_failing_time_service_leaves_everything_as_it_was(later: World, monkeypatch: pytest.MonkeyPatch) -> None:
    row = later.certificates()[0]

    def fails(_: bytes) -> bytes:
        raise UnavailableError("time-service", Words("时间戳服务不可用", "the time service is down"))

    monkeypatch.setattr(later.ctx.room(), "extend", fails)
    with pytest.raises(UnavailableError):
        extend_certificate(later.ctx, PROPOSER, row.management_no)
    assert [each.outcome for each in archived(later)] == ["failed"]
    monkeypatch.setattr(later.ctx.room(), "extend", lambda pdf: pdf + b"% more")
    with pytest.raises(UnavailableError) as refused:
        extend_certificate(later.ctx, PROPOSER, row.management_no)
    assert refused.value.code == "extension-check-failed"
    assert later.certificate(row.management_no).file_sha256 == row.file_sha256


def test_a_sitting_is_renewed_by_plan_and_goes_on_after_a_kill(later: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ctx = later.ctx
    assert plan_extensions(ctx, PROPOSER, older_than_days=400).certificate_ids == ()
    plan = plan_extensions(ctx, PROPOSER, sitting_code=later.sitting, older_than_days=200)
    assert len(plan.certificate_ids) == 8
    with pytest.raises(ConflictError) as moved:
        request_extensions(ctx, PROPOSER, sitting_code=later.sitting, older_than_days=200, expected_digest="0" * 16)
    assert moved.value.code == "plan-moved"
    chosen = {"sitting_code": later.sitting, "older_than_days": 200, "background": False}
    act = request_extensions(ctx, PROPOSER, expected_digest=plan.digest, **chosen)  # type: ignore[arg-type]
    assert act is not None
    real, calls = extension._record, []

    def dies_at_the_fourth(*words: object) -> object:
        calls.append(words)
        if len(calls) == 4:
            raise Killed
        return real(*words)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(extension, "_record", dies_at_the_fourth)
        with pytest.raises(Killed):
            work(ctx, act)
    assert progress_of(ctx, PROPOSER, act)["finished"] == 3
    assert unfinished_acts(ctx) == [act]
    assert request_extensions(ctx, PROPOSER, **chosen) == act  # type: ignore[arg-type]
    work(ctx, act)
    report = progress_of(ctx, PROPOSER, act)
    assert (report["state"], report["counts"]) == ("done", {"waiting": 0, "done": 8, "refused": 0})
    assert unfinished_acts(ctx) == []
    assert request_extensions(ctx, PROPOSER, **chosen) is None  # type: ignore[arg-type]
    assert all(later.checker().check_pdf(later.pdf(row)).verdict is Verdict.VALID for row in later.certificates())


def test_extending_by_command(world_copy: World, capsys: pytest.CaptureFixture[str]) -> None:
    number = world_copy.certificates()[0].management_no
    world_copy.close()

    def ecert(*words: str) -> tuple[int, str]:
        code = run(["certificate", "extend", *words, "--data-dir", str(world_copy.folder), "--json"])
        return code, capsys.readouterr().out

    code, out = ecert(number)
    assert (code, json.loads(out)["outcome"]) == (0, "extended")
    assert json.loads(ecert(number)[1])["outcome"] == "unchanged"
    plan = json.loads(ecert("--sitting", world_copy.sitting, "--plan")[1])
    assert plan["due"] == 7
    assert json.loads(ecert("--sitting", world_copy.sitting, "--apply", "f" * 16)[1])["error"]["code"] == "plan-moved"
    done = json.loads(ecert("--sitting", world_copy.sitting, "--apply", plan["digest"])[1])
    assert (done["state"], done["counts"]["done"]) == ("done", 7)
    assert json.loads(ecert("--older-than", "30")[1])["state"] == "nothing-to-do"
    assert ecert()[0] == ecert("NO-SUCH-NUMBER")[0] == ecert(number, "--plan")[0] == 2
