"""R9 and R10: what falls, who may make it fall, what stands up again; all at once or not at all."""

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

import issuer.invalidation.effects as effects
from issuer.access.actor import SYSTEM
from issuer.errors import ConflictError, InputError, NotAllowedError, NotFoundError
from issuer.invalidation.overview import list_cases, plan_invalidation, require_plan, show_case
from issuer.invalidation.service import approve, overturn, propose, reject, withdraw
from issuer.records.certificates import ECertificate, Invalidation, StatusEvent
from issuer.records.database import make_engine
from issuer.records.ledger import AuditEvent, OutboxEvent
from issuer.records.people import Registration, Score
from issuer.rules.terms import InvalidationGround, ReviewOutcome, Role
from tests.factories.small_world import SmallContext, SmallWorld, small_context, staff

CLERK = staff("clerk", Role.AUTHORITY_ISSUER)
CHIEF = staff("chief", Role.AUTHORITY_APPROVER)
SECOND_CHIEF = staff("second-chief", Role.AUTHORITY_APPROVER)
BOTH = staff("clerk", Role.AUTHORITY_ISSUER, Role.AUTHORITY_APPROVER)
BASIS = "豫人社函〔2024〕25号一（三）：经核实不符合报考条件"
R9 = InvalidationGround.INELIGIBLE_IN_SUPERVISION


@pytest.fixture
def context(tmp_path: Path) -> SmallContext:
    engine = make_engine(f"sqlite:///{tmp_path / 'issuer.sqlite3'}")
    return small_context(engine, tmp_path, today=date(2025, 11, 20))


@pytest.fixture
def world(context: SmallContext) -> SmallWorld:
    return SmallWorld(context).build()


@pytest.fixture
def number(world: SmallWorld) -> str:
    (registration,) = world.register(1, outcome=ReviewOutcome.ELIGIBLE)
    return world.certificate(registration)


def standing(context: SmallContext, number: str) -> tuple[str | None, str, bool, bool]:
    """(status, slot, registration void, every score void)"""
    with context.database.write() as session:
        certificate = session.scalars(select(ECertificate).where(ECertificate.management_no == number)).one()
        registration = session.get_one(Registration, certificate.registration_id)
        scores = session.scalars(select(Score).where(Score.registration_id == registration.id)).all()
        return (
            certificate.status,
            certificate.slot,
            registration.void_since is not None,
            all(score.void_since is not None for score in scores),
        )


def history(context: SmallContext) -> list[tuple[int, str, str | None]]:
    with context.database.read() as session:
        found = session.scalars(select(StatusEvent).order_by(StatusEvent.sequence))
        return [(event.sequence, event.status, event.reason_class) for event in found]


def acts(context: SmallContext) -> list[tuple[str, str]]:
    with context.database.read() as session:
        return [
            (event.act, event.outcome) for event in session.scalars(select(AuditEvent).order_by(AuditEvent.sequence))
        ]


def invalidate(context: SmallContext, number: str) -> int:
    case = propose(context, CLERK, number, R9, BASIS)
    approve(context, CHIEF, case)
    return case


STANDING = ("valid", "live", False, False)
FALLEN = ("invalid", "ended", True, True)


def test_registration_scores_and_certificate_fall_together_and_are_published(
    context: SmallContext, number: str
) -> None:
    case = propose(context, CLERK, number, R9, BASIS)
    assert standing(context, number) == STANDING, "a proposal alone changes nothing"
    assert context.published == 0
    view = approve(context, CHIEF, case)
    assert standing(context, number) == FALLEN
    assert (view.state, view.proposed_by, view.decided_by, view.clause) == ("applied", "clerk", "chief", "R9")
    assert context.published == 1
    assert history(context) == [(0, "valid", None), (1, "invalid", "found-ineligible")]
    with context.database.read() as session:
        (news,) = session.scalars(select(OutboxEvent)).all()
        assert (news.kind, news.payload["status"], news.payload["sequence"]) == ("status", "invalid", 1)
    assert acts(context) == [
        ("invalidation.propose", "done"),
        ("invalidation.approve", "done"),
        ("invalidation.apply", "intent"),
        ("invalidation.apply", "done"),
    ]


def test_misconduct_is_shown_as_misconduct_and_cites_r10(context: SmallContext, number: str) -> None:
    case = propose(context, CLERK, number, "R10", BASIS, effective_on=date(2025, 10, 5))
    view = approve(context, CHIEF, case)
    assert (view.ground, view.clause) == ("false-materials", "R10")
    assert history(context)[-1] == (1, "invalid", "misconduct")


@pytest.mark.parametrize("actor", [BOTH, staff("CLERK", Role.AUTHORITY_APPROVER)])
def test_nobody_approves_their_own_proposal(context: SmallContext, number: str, actor: object) -> None:
    case = propose(context, CLERK, number, R9, BASIS)
    for decide in (lambda: approve(context, actor, case), lambda: reject(context, actor, case, "不成立的提议")):  # type: ignore[arg-type]
        with pytest.raises(NotAllowedError) as refused:
            decide()
        assert (refused.value.code, refused.value.clause) == ("same-person", "R9")
    assert standing(context, number) == STANDING
    assert acts(context)[1:] == [("invalidation.approve", "refused"), ("invalidation.reject", "refused")]


def test_the_database_itself_refuses_one_person_in_both_parts(context: SmallContext, number: str) -> None:
    case = propose(context, CLERK, number, R9, BASIS)
    with pytest.raises(IntegrityError, match="two_people"), context.database.write() as session:
        row = session.get_one(Invalidation, case)
        row.state, row.decided_by = "applied", "clerk"


def test_roles_and_the_software_itself(context: SmallContext, number: str) -> None:
    for actor in (CHIEF, staff("auditor", Role.AUDITOR), SYSTEM):
        with pytest.raises(NotAllowedError):
            propose(context, actor, number, R9, BASIS)
    case = propose(context, CLERK, number, R9, BASIS)
    for actor in (staff("other", Role.AUTHORITY_ISSUER), SYSTEM):
        with pytest.raises(NotAllowedError):
            approve(context, actor, case)


def test_a_review_body_reaches_its_own_programmes_and_city_only(context: SmallContext, number: str) -> None:
    ours = staff("body", Role.REVIEW_BODY, programmes=frozenset({"EJJZ"}))
    for stranger in (
        staff("other", Role.REVIEW_BODY, programmes=frozenset({"OTHER"})),
        staff("city", Role.REVIEW_BODY, programmes=frozenset({"EJJZ"}), cities=frozenset({"别市"})),
    ):
        with pytest.raises(NotAllowedError) as refused:
            propose(context, stranger, number, R9, BASIS)
        assert refused.value.clause == "R1"
        with pytest.raises(NotAllowedError):
            plan_invalidation(context, stranger, number, R9)
    case = propose(context, ours, number, R9, BASIS)
    assert [view.id for view in list_cases(context, ours)] == [case]
    assert list_cases(context, staff("other", Role.REVIEW_BODY, programmes=frozenset({"OTHER"}))) == []


def test_suspension_shows_at_once_and_is_lifted_when_the_case_ends_without_effect(
    context: SmallContext, number: str
) -> None:
    first = propose(context, CLERK, number, R9, BASIS, suspend=True)
    assert standing(context, number) == ("suspended", "live", False, False)
    assert context.published == 1
    withdraw(context, CLERK, first, "提议有误，撤回")
    assert standing(context, number) == STANDING
    second = propose(context, CLERK, number, R9, BASIS, suspend=True)
    view = reject(context, CHIEF, second, "证据不足，不予批准")
    assert (view.state, view.decision_note) == ("rejected", "证据不足，不予批准")
    third = propose(context, CLERK, number, R9, BASIS, suspend=True)
    approve(context, CHIEF, third)
    assert standing(context, number) == FALLEN
    assert [status for _, status, _ in history(context)] == [
        "valid", "suspended", "valid", "suspended", "valid", "suspended", "invalid",
    ]  # fmt: skip
    assert context.published == 6


def test_only_the_proposer_withdraws(context: SmallContext, number: str) -> None:
    case = propose(context, CLERK, number, R9, BASIS)
    with pytest.raises(ConflictError) as refused:
        withdraw(context, staff("colleague", Role.AUTHORITY_ISSUER), case, "不是我的提议")
    assert refused.value.code == "not-the-proposer"


def test_reinstatement_restores_what_fell_by_that_very_case(context: SmallContext, number: str) -> None:
    with context.database.write() as session:  # a subject that was void before, for another reason
        registration = session.scalars(select(Registration)).one()
        session.add(
            Score(
                registration_id=registration.id,
                subject="法规",
                score=context.data_key.seal("scores.score", b"80"),
                passed=True,
                void_since=context.clock.now(),
                void_by=None,
            )
        )
    fallen = invalidate(context, number)
    case = overturn(context, CLERK, number, "申诉成立，撤销原决定")
    assert standing(context, number) == FALLEN
    with pytest.raises(NotAllowedError) as refused:
        approve(context, CHIEF, case)
    assert refused.value.code == "same-person", "who approved the invalidation does not decide on the appeal"
    view = approve(context, SECOND_CHIEF, case)
    assert (view.kind, view.state, view.overturns_id) == ("reinstate", "applied", fallen)
    assert standing(context, number) == ("valid", "live", False, False)
    original = show_case(context, CLERK, fallen)
    assert (original.state, original.overturned_by) == ("overturned", "second-chief")
    assert history(context)[-1] == (2, "valid", "reinstated")
    with context.database.read() as session:
        void = session.scalars(select(Score.subject).where(Score.void_since.is_not(None))).all()
    assert void == ["法规"]
    invalidate(context, number)
    assert standing(context, number) == FALLEN, "it may fall again"


def test_reinstatement_waits_for_the_slot(world: SmallWorld, context: SmallContext, number: str) -> None:
    invalidate(context, number)
    case = overturn(context, CLERK, number, "申诉成立，撤销原决定")
    with context.database.write() as session:
        fallen = session.scalars(select(ECertificate)).one()
        values = {c.key: getattr(fallen, c.key) for c in ECertificate.__mapper__.column_attrs if c.key != "id"}
        values |= {"management_no": "OTHER", "token": "T" * 26, "list_index": 77, "status": "valid", "slot": "live"}
        session.add(ECertificate(**values))
    with pytest.raises(ConflictError) as refused:
        approve(context, SECOND_CHIEF, case)
    assert refused.value.code == "other-certificate-live"
    assert standing(context, number) == FALLEN


@pytest.mark.parametrize(
    ("status", "slot", "code"), [("invalid", "ended", "already-invalid"), ("superseded", "ended", "superseded")]
)
def test_what_is_not_live_cannot_fall(world: SmallWorld, status: str, slot: str, code: str) -> None:
    (registration,) = world.register(1, outcome=ReviewOutcome.ELIGIBLE)
    number = world.certificate(registration, status=status, slot=slot)
    with pytest.raises(ConflictError) as refused:
        propose(world.context, CLERK, number, R9, BASIS)
    assert refused.value.code == code


def successor_of(context: SmallContext, number: str, *, state: str, slot: str) -> None:
    with context.database.write() as session:
        old = session.scalars(select(ECertificate).where(ECertificate.management_no == number)).one()
        values = {c.key: getattr(old, c.key) for c in ECertificate.__mapper__.column_attrs if c.key != "id"}
        values |= {"management_no": "CORRECTED1", "token": "S" * 26, "list_index": 99, "supersedes_id": old.id}
        values |= {"state": state, "slot": slot, "status": "valid" if state == "published" else None}
        if state == "published":
            old.status, old.slot = "superseded", "ended"
            session.flush()
        session.add(ECertificate(**values))


def test_a_superseded_certificate_points_to_its_successor(context: SmallContext, number: str) -> None:
    successor_of(context, number, state="published", slot="live")
    with pytest.raises(ConflictError) as refused:
        propose(context, CLERK, number, R9, BASIS)
    assert refused.value.remedy is not None and "CORRECTED1" in refused.value.remedy.zh
    invalidate(context, "CORRECTED1")
    assert standing(context, "CORRECTED1")[0] == "invalid"


def test_a_correction_that_is_being_made_stops_neither_invalidation_nor_reinstatement(
    context: SmallContext, number: str
) -> None:
    case = propose(context, CLERK, number, R9, BASIS)
    successor_of(context, number, state="sealed", slot="pending")
    approve(context, CHIEF, case)
    assert standing(context, number) == FALLEN
    approve(context, SECOND_CHIEF, overturn(context, CLERK, number, "申诉成立，撤销原决定"))
    assert standing(context, number) == STANDING


def test_a_failing_outbox_leaves_everything_as_it_was(
    context: SmallContext, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = propose(context, CLERK, number, R9, BASIS)
    before = (standing(context, number), history(context), acts(context))

    def fail(*_: object, **__: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(effects, "announce_status", fail)
        with pytest.raises(OSError, match="disk is full"):
            approve(context, CHIEF, case)
    assert (standing(context, number), history(context), acts(context)) == before
    assert show_case(context, CLERK, case).state == "proposed" and context.published == 0
    approve(context, CHIEF, case)
    assert standing(context, number) == FALLEN


def test_proposals_that_cannot_be(context: SmallContext, number: str) -> None:
    for kwargs, code in (
        ({"basis": " "}, "basis-missing"),
        ({"effective_on": date(2025, 12, 1)}, "effective-in-future"),
        ({"effective_on": date(2025, 1, 1), "from_beginning": False}, "effective-before-approval"),
        ({"effective_on": date(1999, 1, 1)}, "effective-before-exam"),
    ):
        with pytest.raises(ConflictError) as refused:
            propose(context, CLERK, number, **{"ground": R9, "basis": BASIS, **kwargs})  # type: ignore[arg-type]
        assert refused.value.code == code
    with pytest.raises(InputError) as unknown:
        propose(context, CLERK, number, "R12", BASIS)
    assert unknown.value.remedy is not None and "false-materials" in unknown.value.remedy.en
    with pytest.raises(NotFoundError):
        propose(context, CLERK, "NOSUCH", R9, BASIS)
    first = propose(context, CLERK, number, R9, BASIS)
    with pytest.raises(ConflictError) as open_already:
        propose(context, CLERK, number, R9, BASIS)
    assert open_already.value.remedy is not None and str(first) in open_already.value.remedy.zh
    with pytest.raises(ConflictError) as not_invalid:
        overturn(context, CLERK, number, BASIS)
    assert not_invalid.value.code == "not-invalid"


def test_a_plan_changes_nothing_and_its_digest_follows_the_state(context: SmallContext, number: str) -> None:
    plan = plan_invalidation(context, CLERK, number, "R9")
    assert (plan.subjects_void, plan.status_now, plan.status_then) == (1, "valid", "invalid")
    require_plan(context, CLERK, number, "R9", plan.digest)
    assert standing(context, number) == STANDING and acts(context) == []
    propose(context, CLERK, number, R9, BASIS)
    with pytest.raises(ConflictError) as moved:
        require_plan(context, CLERK, number, "R9", plan.digest)
    assert moved.value.code == "plan-out-of-date"


def test_basis_rests_encrypted_and_stays_out_of_the_audit(context: SmallContext, number: str) -> None:
    propose(context, CLERK, number, R9, "张三提供虚假学历")
    with context.database.read() as session:
        assert "张三" not in str(session.scalars(select(AuditEvent.details)).all())
        raw = session.connection().exec_driver_sql("SELECT basis FROM invalidations").scalar_one()
        assert "张三".encode() not in raw
