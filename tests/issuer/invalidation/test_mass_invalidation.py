"""Invalidation by list: planned row by row, two people, every row as a single certificate goes, resumable, once."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from sqlalchemy import func, select

from issuer.access.actor import Actor
from issuer.access.service import create_account
from issuer.cli import run
from issuer.errors import ConflictError, DomainError, InputError, NotAllowedError
from issuer.invalidation import mass, service
from issuer.invalidation.mass_file import Defaults
from issuer.invalidation.mass_report import items_of, list_many, show_many, write_workbook
from issuer.jobs.large_acts import unfinished_acts
from issuer.records.certificates import ECertificate, Invalidation
from issuer.records.ledger import AuditEvent
from issuer.records.people import Score
from issuer.rules.terms import InvalidationGround, Role
from tests.factories.world import APPROVER, AUDITOR, PROPOSER, World
from verifier.record.verdict import Verdict

BASIS = "豫人社函〔2024〕25号一（三）：不符合报考条件"
DEFAULTS = Defaults(InvalidationGround.INELIGIBLE_IN_SUPERVISION, BASIS)
BODY = Actor("body", frozenset({Role.REVIEW_BODY}), "cli", frozenset({"TEST"}))
STRANGER = Actor("stranger", frozenset({Role.REVIEW_BODY}), "cli", frozenset({"OTHER"}))


class Killed(BaseException):
    """The process ends here."""


def listing(folder: Path, *rows: object, head: str = "管理号", name: str = "list.csv") -> Path:
    path = folder / name
    path.write_text("\n".join([head, *map(str, rows)]), encoding="utf-8")
    return path


def numbers(world: World) -> list[str]:
    return [row.management_no for row in world.certificates()]


def proposed(world: World, path: Path, actor: Actor = PROPOSER, defaults: Defaults = DEFAULTS) -> int:
    """The list proposed, worked through."""
    plan = mass.plan_many(world.ctx, actor, path, defaults)
    act = mass.propose_many(world.ctx, actor, path, defaults, plan.digest, background=False)
    assert act is not None
    mass.work(world.ctx, act)
    return act


def verdicts(world: World) -> list[Verdict]:
    checker = world.checker()
    with world.ctx.database.read() as session:
        tokens = session.scalars(select(ECertificate.token).order_by(ECertificate.id)).all()
    return [checker.check_token(token).verdict for token in tokens]


def count(world: World, table: type) -> int:
    with world.ctx.database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_the_plan_says_row_by_row_what_would_fall_and_changes_nothing(world_copy: World, tmp_path: Path) -> None:
    first, second, third, fourth, *_ = numbers(world_copy)
    case = service.propose(world_copy.ctx, PROPOSER, third, "false-materials", BASIS)
    service.approve(world_copy.ctx, APPROVER, case)
    waiting = service.propose(world_copy.ctx, PROPOSER, fourth, "false-materials", BASIS)
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["2026年监督检查结果"])
    sheet.append(["序号", "管理号", "无效事由", "依据", "生效日期"])
    for row in (
        (1, first, "提供虚假证明材料", "伪造社保证明", None),
        (2, f" {second.lower()} ", "R9", None, None),
        (3, third, None, None, None),
        (4, fourth, None, None, None),
        (5, "NO-SUCH-99", None, None, None),
        (6, None, None, None, None),
        (7, 4120259904000127999, None, None, None),
        (8, first, "不知道", None, None),
        (9, second, None, None, "2099-01-01"),
        (10, second, None, None, "明天"),
    ):
        sheet.append(row)
    path = tmp_path / "list.xlsx"
    book.save(path)
    before = count(world_copy, Invalidation), count(world_copy, AuditEvent)
    plan = mass.plan_many(world_copy.ctx, PROPOSER, path, DEFAULTS)
    assert (count(world_copy, Invalidation), count(world_copy, AuditEvent)) == before
    by_row = {line.row: line for line in plan.lines}
    assert {row: line.finding.code for row, line in by_row.items() if line.finding} == {
        4: "contradiction",
        5: "already-invalid",
        6: "proposal-open",
        7: "certificate-not-found",
        8: "management_no_form",
        9: "management_no_damaged",
        10: "ground_unknown",
        11: "contradiction",
        12: "effective_on_form",
    }
    assert (by_row[3].effect, by_row[3].clause, by_row[3].basis) == ("invalidate", "R10", "伪造社保证明")
    assert by_row[3].touched.subjects == 2
    assert (by_row[6].effect, by_row[6].case) == ("unchanged", waiting)
    assert plan.counts == {"invalidate": 1, "unchanged": 2, "refused": 7}
    out = tmp_path / "back.xlsx"
    assert write_workbook(plan.lines, (), out) == 10
    back = load_workbook(out).worksheets[0]
    assert [cell.value for cell in back["B"]][1:4] == [first, second.lower(), third]
    assert {cell.data_type for row in back.iter_rows() for cell in row if cell.value is not None} == {"s"}


def test_two_people_and_everything_falls_as_it_does_for_one(world_copy: World, tmp_path: Path) -> None:
    wanted = numbers(world_copy)[:6]
    act = proposed(world_copy, listing(tmp_path, *wanted))
    view = show_many(world_copy.ctx, AUDITOR, act)
    assert (view.state, view.counts["proposed"], view.proposed_by) == ("proposed", 6, PROPOSER.username)
    assert set(verdicts(world_copy)) == {Verdict.VALID}
    both = Actor(PROPOSER.username.upper(), frozenset({Role.AUTHORITY_APPROVER}), "cli")
    with pytest.raises(NotAllowedError) as refused:
        mass.decide_many(world_copy.ctx, both, act, "approve", background=False)
    assert (refused.value.code, refused.value.clause) == ("same-person", "R9")
    for other in (BODY, AUDITOR):
        with pytest.raises(NotAllowedError):
            mass.decide_many(world_copy.ctx, other, act, "approve", background=False)
    mass.decide_many(world_copy.ctx, APPROVER, act, "approve", background=False)
    mass.work(world_copy.ctx, act)
    assert show_many(world_copy.ctx, AUDITOR, act).state == "done"
    assert verdicts(world_copy) == [Verdict.INVALID] * 6 + [Verdict.VALID] * 2
    with world_copy.ctx.database.read() as session:
        assert session.scalar(select(func.count()).where(Score.void_since.is_not(None))) == 12
        acts = session.scalars(select(AuditEvent.act).where(AuditEvent.subject == f"large-act:{act}")).all()
        deciders = set(session.execute(select(Invalidation.proposed_by, Invalidation.decided_by)).all())
    assert acts == [
        "mass-invalidation.propose",
        "mass-invalidation.close",
        "mass-invalidation.approve",  # refused: the proposer tried it
        "mass-invalidation.approve",
        "mass-invalidation.close",
    ]
    assert deciders == {(PROPOSER.username, APPROVER.username)}
    with pytest.raises(ConflictError):
        mass.decide_many(world_copy.ctx, APPROVER, act, "reject", "晚了一步了", background=False)


def test_the_same_file_twice_changes_nothing(world_copy: World, tmp_path: Path) -> None:
    path = listing(tmp_path, *numbers(world_copy)[:3])
    act = proposed(world_copy, path)
    for stage in ("proposed", "approved"):
        if stage == "approved":
            mass.decide_many(world_copy.ctx, APPROVER, act, "approve", background=False)
            mass.work(world_copy.ctx, act)
        plan = mass.plan_many(world_copy.ctx, PROPOSER, path, DEFAULTS)
        assert plan.counts == {"invalidate": 0, "unchanged": 3, "refused": 0}
        before = count(world_copy, AuditEvent)
        assert mass.propose_many(world_copy.ctx, PROPOSER, path, DEFAULTS, plan.digest, background=False) is None
        assert count(world_copy, AuditEvent) == before
    assert len(list_many(world_copy.ctx, PROPOSER)) == 1


def test_a_plan_that_no_longer_holds_is_refused(world_copy: World, tmp_path: Path) -> None:
    wanted = numbers(world_copy)[:3]
    path = listing(tmp_path, *wanted)
    plan = mass.plan_many(world_copy.ctx, PROPOSER, path, DEFAULTS)
    case = service.propose(world_copy.ctx, PROPOSER, wanted[0], "false-materials", BASIS)
    with pytest.raises(ConflictError) as moved:
        mass.propose_many(world_copy.ctx, PROPOSER, path, DEFAULTS, plan.digest)
    assert moved.value.code == "plan-moved"
    service.withdraw(world_copy.ctx, PROPOSER, case, "写错了管理号")
    assert mass.plan_many(world_copy.ctx, PROPOSER, path, DEFAULTS).digest == plan.digest
    other = Defaults(DEFAULTS.ground, "另一依据另一依据")
    assert mass.plan_many(world_copy.ctx, PROPOSER, path, other).digest != plan.digest


@pytest.mark.parametrize("step", ["propose", "approve"])
def test_killed_on_the_way_each_row_is_whole_or_untouched_and_the_rest_follows(
    world_copy: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    monkeypatch.setattr(mass, "CHUNK", 2)
    ctx, path = world_copy.ctx, listing(tmp_path, *numbers(world_copy)[:7])
    plan = mass.plan_many(ctx, PROPOSER, path, DEFAULTS)
    act = mass.propose_many(ctx, PROPOSER, path, DEFAULTS, plan.digest, background=False)
    assert act is not None
    if step == "approve":
        mass.work(ctx, act)
        mass.decide_many(ctx, APPROVER, act, "approve", background=False)
    real, calls = getattr(service, step), []

    def dies_at_the_fourth(*words: object, **more: object) -> object:
        calls.append(words)
        done = real(*words, **more)
        if len(calls) == 4:
            raise Killed
        return done

    with monkeypatch.context() as patched:
        patched.setattr(service, step, dies_at_the_fourth)
        with pytest.raises(Killed):
            mass.work(ctx, act)
    finished = "proposed" if step == "propose" else "done"
    assert show_many(ctx, PROPOSER, act).counts[finished] == 2
    with ctx.database.read() as session:
        state = "proposed" if step == "propose" else "applied"
        assert session.scalar(select(func.count()).where(Invalidation.state == state)) == 2
    assert unfinished_acts(ctx) == [act]
    again = (
        mass.propose_many(ctx, PROPOSER, path, DEFAULTS, plan.digest, background=False) if step == "propose" else act
    )
    assert again == act, "the same list, whose state has moved by its own half, is that act"
    mass.work(ctx, act)
    if step == "propose":
        assert show_many(ctx, PROPOSER, act).counts["proposed"] == 7
        return
    assert show_many(ctx, PROPOSER, act).state == "done"
    assert verdicts(world_copy).count(Verdict.INVALID) == 7
    with ctx.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Invalidation)) == 7
    assert unfinished_acts(ctx) == []


def test_a_row_decided_by_itself_meanwhile_is_told_and_the_others_go_on(world_copy: World, tmp_path: Path) -> None:
    act = proposed(world_copy, listing(tmp_path, *numbers(world_copy)[:3]))
    cases = [item.case for item in items_of(world_copy.ctx, PROPOSER, act)]
    service.reject(world_copy.ctx, APPROVER, cases[1] or 0, "证据不足，不予批准")
    mass.decide_many(world_copy.ctx, APPROVER, act, "approve", background=False)
    mass.work(world_copy.ctx, act)
    rows = items_of(world_copy.ctx, PROPOSER, act)
    assert [(row.result, row.code) for row in rows] == [("done", None), ("refused", "case-rejected"), ("done", None)]
    out = tmp_path / "back.xlsx"
    write_workbook((), rows, out)
    assert "该事项已单独否决" in {cell.value for cell in load_workbook(out).worksheets[0][3]}


@pytest.mark.parametrize("verb", ["reject", "withdraw"])
def test_a_rejected_or_withdrawn_list_leaves_every_certificate_good(
    world_copy: World, tmp_path: Path, verb: str
) -> None:
    act = proposed(world_copy, listing(tmp_path, *numbers(world_copy)[:3]))
    who = APPROVER if verb == "reject" else PROPOSER
    with pytest.raises(ConflictError) as silent:
        mass.decide_many(world_copy.ctx, who, act, verb, background=False)  # type: ignore[arg-type]
    assert silent.value.code == "basis-missing"
    mass.decide_many(world_copy.ctx, who, act, verb, "清单有误，重新核对", background=False)  # type: ignore[arg-type]
    mass.work(world_copy.ctx, act)
    assert show_many(world_copy.ctx, AUDITOR, act).state == {"reject": "rejected", "withdraw": "withdrawn"}[verb]
    assert set(verdicts(world_copy)) == {Verdict.VALID}
    assert (
        mass.plan_many(world_copy.ctx, PROPOSER, listing(tmp_path, *numbers(world_copy)[:3]), DEFAULTS).counts[
            "invalidate"
        ]
        == 3
    )


def test_a_review_body_proposes_for_its_own_programme_and_sees_its_own_lists(
    world_copy: World, tmp_path: Path
) -> None:
    path = listing(tmp_path, *numbers(world_copy)[:2])
    strange = mass.plan_many(world_copy.ctx, STRANGER, path, DEFAULTS)
    assert strange.counts["refused"] == 2
    assert {(line.finding.clause, line.status, line.sitting) for line in strange.lines if line.finding} == {
        ("R1", None, "")
    }
    act = proposed(world_copy, path, BODY)
    assert [view.id for view in list_many(world_copy.ctx, BODY)] == [act]
    assert list_many(world_copy.ctx, STRANGER) == []
    with pytest.raises(DomainError):
        show_many(world_copy.ctx, STRANGER, act)
    with pytest.raises(NotAllowedError):
        mass.plan_many(world_copy.ctx, AUDITOR, path, DEFAULTS)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "list-empty"),
        (b"a,b\n1,2", "list-header-missing"),
        (b"\x00\x01\x02", "roster-unreadable"),
        ("管理号\n".encode(), None),
    ],
)
def test_what_is_no_list_is_said_so(world_copy: World, tmp_path: Path, content: bytes, code: str | None) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    if code is None:
        assert mass.plan_many(world_copy.ctx, PROPOSER, path, DEFAULTS).lines == ()
        return
    with pytest.raises(InputError) as refused:
        mass.plan_many(world_copy.ctx, PROPOSER, path, DEFAULTS)
    assert refused.value.code == code
    with pytest.raises(InputError):
        mass.plan_many(world_copy.ctx, PROPOSER, tmp_path / "none.csv", DEFAULTS)


def test_by_command_from_plan_to_approval(
    world_copy: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = numbers(world_copy)[:4]
    with world_copy.ctx.database.write() as session:
        for username, role in (("clerk", Role.AUTHORITY_ISSUER), ("chief", Role.AUTHORITY_APPROVER)):
            create_account(
                session,
                world_copy.ctx.clock,
                username=username,
                display_name=username,
                password="correct horse battery",
                roles=[role],
            )
    world_copy.close()
    path = listing(tmp_path, *wanted, "NO-SUCH-99")
    words = ("revoke-many", str(path), "--ground", "R9", "--basis", BASIS)

    def ecert(*more: str, code: int = 0) -> dict[str, object]:
        assert run([*more, "--data-dir", str(world_copy.folder), "--json"]) == code, more
        return dict(json.loads(capsys.readouterr().out))

    plan = ecert(*words, "--plan")
    assert (plan["invalidate"], plan["refused"]) == (4, 1)
    assert ecert(*words, code=2)["error"]["code"] == "plan-or-apply"  # type: ignore[index]
    assert ecert(*words, "--apply", "0" * 16, "--as", "clerk", code=2)["error"]["code"] == "plan-moved"  # type: ignore[index]
    back = tmp_path / "back.xlsx"
    begun = ecert(*words, "--apply", str(plan["digest"]), "--as", "clerk", "--annotated", str(back))
    assert (begun["state"], begun["approvers"]) == ("proposed", ["chief"])
    assert load_workbook(back).worksheets[0].max_row == 6
    number = str(begun["list"])
    assert ecert("invalidation", "approve-many", number, "--by", "clerk", code=2)["error"]["code"] == "role-missing"  # type: ignore[index]
    done = ecert("invalidation", "approve-many", number, "--by", "chief")
    assert (done["state"], done["counts"]) == ("done", {"waiting": 0, "proposed": 0, "done": 4, "refused": 0})
    assert ecert("invalidation", "list-many")["lists"]
    assert ecert("invalidation", "show-many", number)["state"] == "done"
    assert ecert("revoke-many", str(path), "--ground", "R9", "--basis", BASIS, "--plan")["unchanged"] == 4
    assert verdicts(world_copy).count(Verdict.INVALID) == 4
    assert run(["revoke-many", str(path), "--ground", "R9", "--plan", "--data-dir", str(world_copy.folder)]) == 0
    assert "NO-SUCH-99: certificate-not-found" in capsys.readouterr().out


def test_days_of_the_plan_are_part_of_it(world_copy: World, tmp_path: Path) -> None:
    path = listing(tmp_path, numbers(world_copy)[0])
    before = mass.plan_many(world_copy.ctx, PROPOSER, path, DEFAULTS).digest
    clock = world_copy.clock
    clock.move_to(clock.today() + timedelta(days=1))  # type: ignore[attr-defined]
    assert mass.plan_many(world_copy.ctx, PROPOSER, path, DEFAULTS).digest != before
