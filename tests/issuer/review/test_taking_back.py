"""A finding recorded by mistake is taken back while nothing rests on it, and both stay in the history (R4–R8)."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from issuer.cli import run
from issuer.errors import ConflictError, DomainError, InputError
from issuer.queues.claims import claim
from issuer.queues.person import show_person
from issuer.records.announcements import Announcement
from issuer.records.certificates import Invalidation
from issuer.records.database import make_engine
from issuer.records.ledger import AuditEvent
from issuer.records.people import Registration
from issuer.records.reviews import EligibilityReview, ReviewEvent
from issuer.records.sittings import Programme
from issuer.review.service import Candidate, file_defence, own_findings, take_back_finding
from issuer.rules.policy import Policy
from issuer.rules.queues import CaseKind
from issuer.rules.review import ReviewAction, ReviewDates, ReviewState
from issuer.rules.taking_back import Followed, LastStep, take_back
from issuer.rules.terms import ReviewOutcome, ReviewRound, Role
from issuer.rules.violation import RuleViolation
from tests.factories.office import CSRF, Office
from tests.factories.review_desk import reopen_review
from tests.factories.small_world import SmallWorld, admission_no, small_context, staff
from tests.factories.world import World
from tests.regulation.staff import BODY, CLERK, SUPERVISOR, decide, move_to

ONE = Candidate(admission_no=admission_no(1))
DAY = date(2025, 9, 10)
DATES = ReviewDates(date(2025, 9, 1), date(2025, 9, 16), date(2025, 11, 1))
FIRST, SECOND = ReviewRound.FIRST, ReviewRound.SUPPLEMENTARY
AWAITING = ReviewState(FIRST, ReviewOutcome.AWAITING)


def step(
    action: ReviewAction = ReviewAction.FIND_INELIGIBLE,
    *,
    before: ReviewState = AWAITING,
    on: date = DAY,
    own: bool = True,
    objection: bool = False,
) -> LastStep:
    return LastStep(action, before, ReviewState(before.round, ReviewOutcome.INELIGIBLE), on, own, objection)


def test_the_rule_leads_back_to_where_the_finding_came_from() -> None:
    move = take_back(step(), Followed(), DATES, Policy(), DAY + timedelta(days=3))
    assert (move.to, move.clause) == (AWAITING, "R4")
    waiting = ReviewState(SECOND, ReviewOutcome.AWAITING)
    late = date(2025, 10, 31)
    move = take_back(step(before=waiting, on=late), Followed(), DATES, Policy(), date(2025, 11, 1))
    assert (move.to, move.clause) == (waiting, "R8")


@pytest.mark.parametrize(
    ("last", "followed", "policy", "on", "code", "clause"),
    [
        (step(own=False), Followed(), {}, DAY, "not-own-finding", "R4"),
        (step(objection=True), Followed(), {}, DAY, "nothing-to-take-back", "R4"),
        (step(ReviewAction.REJECT_DEFENCE), Followed(), {}, DAY, "nothing-to-take-back", "R4"),
        (step(ReviewAction.LAPSE), Followed(), {}, DAY, "nothing-to-take-back", "R4"),
        (step(), Followed(), {}, DAY + timedelta(days=4), "take-back-over", "R4"),
        (step(), Followed(), {"take_back_days": 0}, DAY, "take-back-over", "R4"),
        (step(on=date(2025, 9, 16)), Followed(), {}, date(2025, 9, 17), "results-reported", "R6"),
        (step(), Followed(announced=True), {}, DAY, "results-announced", "R7"),
        (step(), Followed(certificate=True), {}, DAY, "certificate-followed", "R11"),
        (step(), Followed(case_open=True), {}, DAY, "case-followed", "R9"),
        (step(), Followed(registration_void=True), {}, DAY, "case-followed", "R9"),
    ],
)
def test_the_rule_refuses_what_somebody_relies_on(
    last: LastStep, followed: Followed, policy: dict[str, int], on: date, code: str, clause: str
) -> None:
    with pytest.raises(RuleViolation) as caught:
        take_back(last, followed, DATES, Policy.from_dict(policy), on)
    assert (caught.value.code, caught.value.clause) == (code, clause)


@pytest.fixture
def world(tmp_path: Path) -> SmallWorld:
    made = SmallWorld(small_context(make_engine(f"sqlite:///{tmp_path / 'issuer.sqlite3'}"), tmp_path)).build()
    made.register(2)
    return made


def stands(world: SmallWorld) -> tuple[str, str, str | None, int]:
    with world.context.database.read() as session:
        row = session.scalars(select(EligibilityReview).order_by(EligibilityReview.registration_id)).first()
        assert row is not None
        return row.round, row.outcome, row.reason_code, row.version


def test_a_slip_is_taken_back_and_nothing_is_forgotten(world: SmallWorld, tmp_path: Path) -> None:
    decide(world, tmp_path, {1: "待核查"})
    pending = stands(world)
    decide(world, tmp_path, {1: "不合格"})
    state = take_back_finding(world.context, BODY, world.sitting, ONE, why="选错了考生")
    assert state == ReviewState(FIRST, ReviewOutcome.CONDITIONS_PENDING)
    assert stands(world) == (*pending[:3], 3)
    with world.context.database.read() as session:
        steps = session.scalars(select(ReviewEvent).order_by(ReviewEvent.version)).all()
        told = [(each.action, each.outcome_after, each.reason_code) for each in steps]
        assert told[1:] == [
            ("find-ineligible", "ineligible", "X"),
            ("take-back", "conditions-pending", "slip"),
        ]
        assert "选错了考生" in (steps[-1].note or "")
        event = session.scalars(select(AuditEvent).where(AuditEvent.act == "review.take-back")).one()
        assert (event.actor, event.clause) == ("body", "R4")
        assert "选错" not in str(event.details)
        person = session.scalars(select(Registration.person_id).order_by(Registration.id)).first()
    assert person is not None
    codes = [each.code for each in show_person(world.context, CLERK, person).happenings]
    assert codes.count("take-back") == 1 and "ineligible" in codes
    assert decide(world, tmp_path, {1: "合格"}).moved == {"合格": 1}


def test_an_old_file_is_not_taken_for_done_after_its_finding_was_taken_back(
    world: SmallWorld, tmp_path: Path
) -> None:
    decide(world, tmp_path, {1: "合格"})
    take_back_finding(world.context, BODY, world.sitting, ONE, why="录入错误")
    decide(world, tmp_path, {1: "不合格"})
    again = decide(world, tmp_path, {1: "合格"})
    assert (again.moved, again.unchanged, again.refused) == ({}, 0, 1)


def announce(world: SmallWorld, *, at: datetime) -> None:
    with world.context.database.write() as session:
        words = {"title": "公告", "title_en": "Announcement", "body": "内容", "body_en": "Text"}
        session.add(
            Announcement(
                sitting_code=world.sitting,
                kind="results",
                state="published",
                drafted_by="a",
                drafted_at=at,
                published_by="b",
                published_at=at,
                **words,
            )
        )


def invalidation(world: SmallWorld) -> None:
    now = world.context.clock.now()
    with world.context.database.write() as session:
        person = session.scalars(select(Registration).order_by(Registration.id)).first()
        assert person is not None
        session.add(
            Invalidation(
                registration_id=person.id,
                sequence=1,
                effective_on=DAY,
                kind="invalidate",
                ground="ineligible",
                clause="R9",
                basis="示例依据",
                state="proposed",
                proposed_by="other",
                proposed_at=now,
            )
        )


def void(world: SmallWorld) -> None:
    with world.context.database.write() as session:
        for row in session.scalars(select(Registration)):
            row.void_since = world.context.clock.now()


def defended(world: SmallWorld) -> None:
    file_defence(world.context, BODY, world.sitting, ONE, "本人年限足够")


def certified(world: SmallWorld) -> None:
    with world.context.database.write() as session:
        first = session.scalars(select(EligibilityReview).order_by(EligibilityReview.registration_id)).first()
        assert first is not None
        number = first.registration_id
    world.certificate(number)


def announced(world: SmallWorld) -> None:
    announce(world, at=world.context.clock.now() + timedelta(minutes=1))


def forbidden(world: SmallWorld) -> None:
    with world.context.database.write() as session:
        session.get_one(Programme, world.programme).policy = {"take_back_days": 0}


@pytest.mark.parametrize(
    ("found", "follow", "code"),
    [
        ("不合格", defended, "nothing-to-take-back"),
        ("不合格", announced, "results-announced"),
        ("不合格", invalidation, "case-followed"),
        ("不合格", void, "case-followed"),
        ("不合格", forbidden, "take-back-over"),
        ("合格", certified, "certificate-followed"),
    ],
)
def test_what_followed_holds_the_finding(
    world: SmallWorld, tmp_path: Path, found: str, follow: Callable[[SmallWorld], None], code: str
) -> None:
    decide(world, tmp_path, {1: found})
    follow(world)
    before = stands(world)
    with pytest.raises(ConflictError) as caught:
        take_back_finding(world.context, BODY, world.sitting, ONE, why="录入错误")
    assert caught.value.code == code
    assert stands(world) == before
    assert all(row.refusal is not None for row in own_findings(world.context, BODY))


def test_who_may_not_and_when_not(world: SmallWorld, tmp_path: Path) -> None:
    with pytest.raises(ConflictError) as nothing:
        take_back_finding(world.context, BODY, world.sitting, ONE, why="录入错误")
    assert nothing.value.code == "nothing-to-take-back"
    announce(world, at=datetime(2025, 9, 9, tzinfo=UTC))  # an older list does not hold a later finding
    decide(world, tmp_path, {1: "合格", 2: "不合格"})
    with pytest.raises(InputError):
        take_back_finding(world.context, BODY, world.sitting, ONE, why=" ")
    for actor, code in ((CLERK, "not-own-finding"), (SUPERVISOR, "role-missing")):
        with pytest.raises(DomainError) as caught:
            take_back_finding(world.context, actor, world.sitting, ONE, why="录入错误")
        assert caught.value.code == code
    assert [row.refusal for row in own_findings(world.context, BODY)] == [None, None]
    assert own_findings(world.context, CLERK) == []
    move_to(world, date(2025, 9, 17))
    with pytest.raises(ConflictError) as late:
        take_back_finding(world.context, BODY, world.sitting, ONE, why="录入错误")
    assert late.value.code == "take-back-over"


def test_a_case_in_other_hands_is_left_alone(world: SmallWorld, tmp_path: Path) -> None:
    decide(world, tmp_path, {1: "待核查"})
    with world.context.database.read() as session:
        number = session.scalars(select(ReviewEvent.registration_id)).one()
    claim(world.context, staff("clerk", Role.AUTHORITY_ISSUER), CaseKind.REVIEW, number)
    with pytest.raises(ConflictError) as held:
        take_back_finding(world.context, BODY, world.sitting, ONE, why="录入错误")
    assert held.value.code == "case-held"


def test_page_and_api_take_back_once(office: Office) -> None:
    reopen_review(office.world)
    sitting, people = office.world.sitting, office.world.people
    desk, api = office.desk("reviewer"), office.as_("reviewer")
    csv = f"准考证号,核查结果,原因代码\n{people[0].admission_no},待核查,X\n{people[1].admission_no},待核查,X\n"
    sent = {"file": ("decisions.csv", csv.encode(), "text/csv")}
    done = api.post(f"/api/v1/reviews/{sitting}/decisions", files=sent, data={"round": "first"})
    assert done.json()["moved"] == {"待核查": 2}
    page = desk.get("/console/findings")
    assert page.status_code == 200 and page.text.count("确认撤回，案件回到队列") == 2
    with office.world.ctx.database.read() as session:
        query = select(Registration.id).where(Registration.admission_no == people[0].admission_no)
        number = session.scalars(query).one()
    form = {"sitting": sitting, "registration": str(number), "why": "选错了考生"}
    assert desk.post("/console/findings/take-back", data=form | {"csrf": CSRF}).status_code == 303
    assert desk.get("/console/findings").text.count("确认撤回，案件回到队列") == 1
    refused = desk.post("/console/findings/take-back", data=form | {"csrf": CSRF})
    assert refused.status_code == 409 and "尚无" not in refused.text and "最近一步" in refused.text
    body = {"admission_no": people[1].admission_no, "why": "录入错误"}
    address, key = f"/api/v1/reviews/{sitting}/take-back", {"Idempotency-Key": "take-back-1"}
    first = api.post(address, json=body, headers=key)
    assert (first.status_code, first.json()) == (200, {"round": "first", "outcome": "awaiting"})
    assert api.post(address, json=body, headers=key).json() == first.json()
    assert api.post(address, json=body).json()["code"] == "nothing-to-take-back"
    assert office.desk("auditor").get("/console/findings").status_code == 403


def test_the_command(eligible_world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = eligible_world
    words = ["review", "take-back", "--sitting", world.sitting, "--admission-no", world.people[0].admission_no]
    folder = ["--data-dir", str(world.folder)]
    assert run([*words, "--why", "录入错误", *folder, "--json"]) == 2  # decided too long ago, or by somebody else
    assert "Traceback" not in capsys.readouterr().err
    reopen_review(world)
    file = tmp_path / "decisions.csv"
    file.write_text(f"准考证号,核查结果\n{world.people[0].admission_no},待核查\n", encoding="utf-8")
    decided = ["review", "decide", str(file), "--sitting", world.sitting, "--round", "first", *folder, "--json"]
    assert run(decided) == 0
    assert json.loads(capsys.readouterr().out)["moved"] == {"待核查": 1}
    assert run([*words, *folder]) == 2  # no reason given
    assert run([*words, "--why", "录入错误", *folder, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"round": "first", "outcome": "awaiting"}
    assert run([*words, "--why", "录入错误", *folder]) == 2
    assert "the last step is take-back" in capsys.readouterr().err
