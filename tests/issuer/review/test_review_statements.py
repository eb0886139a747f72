"""Objections to the public notice (R5) and statements of defence (R7)."""

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from issuer.access.actor import Actor
from issuer.errors import ConflictError, InputError, NotAllowedError, NotFoundError
from issuer.records.database import make_engine
from issuer.records.ledger import AuditEvent
from issuer.records.people import Registration
from issuer.records.reviews import DefenceStatement, EligibilityReview, Objection
from issuer.review.service import (
    Candidate,
    decide_defence,
    file_defence,
    raise_objection,
    resolve_objection,
    sitting_progress,
)
from issuer.rules.review import ReviewState
from issuer.rules.terms import ReviewOutcome, ReviewRound, Role
from tests.factories.small_world import SmallWorld, admission_no, race, small_context, staff

BODY = staff("body", Role.REVIEW_BODY, programmes=frozenset({"EJJZ"}))
ONE = Candidate(admission_no=admission_no(1))


@pytest.fixture
def world(tmp_path: Path) -> SmallWorld:
    return SmallWorld(small_context(make_engine(f"sqlite:///{tmp_path / 'issuer.sqlite3'}"), tmp_path)).build()


def outcome(world: SmallWorld, registration: int) -> str:
    with world.context.database.read() as session:
        return session.get_one(EligibilityReview, registration).outcome


def test_an_objection_that_is_upheld_takes_eligibility_away(world: SmallWorld) -> None:
    (registration,) = world.register(1, outcome=ReviewOutcome.ELIGIBLE)
    objection = raise_objection(world.context, BODY, world.sitting, ONE, "群众反映其从业年限不足")
    assert sitting_progress(world.context, BODY, world.sitting).open_objections == (objection,)
    state = resolve_objection(world.context, BODY, objection, upheld=True, resolution="经核实属实")
    assert state == ReviewState(ReviewRound.FIRST, ReviewOutcome.INELIGIBLE)
    assert outcome(world, registration) == "ineligible"
    with pytest.raises(ConflictError):
        resolve_objection(world.context, BODY, objection, upheld=False, resolution="重复处理")
    with world.context.database.read() as session:
        assert "从业" not in str(session.scalars(select(AuditEvent.details)).all())
        assert "从业".encode() not in session.connection().exec_driver_sql("SELECT text FROM objections").scalar_one()


def test_an_objection_that_is_not_upheld_leaves_things_as_they_are(world: SmallWorld) -> None:
    (registration,) = world.register(1, outcome=ReviewOutcome.ELIGIBLE)
    objection = raise_objection(world.context, BODY, world.sitting, ONE, "年限存疑")
    assert resolve_objection(world.context, BODY, objection, upheld=False, resolution="查无实据") is None
    assert outcome(world, registration) == "eligible"
    assert sitting_progress(world.context, BODY, world.sitting).open_objections == ()


def test_objections_are_taken_while_the_notice_stands(world: SmallWorld) -> None:
    world.register(1, outcome=ReviewOutcome.ELIGIBLE)
    world.context.clock.move_to(date(2025, 9, 13))  # type: ignore[attr-defined]
    with pytest.raises(ConflictError) as late:
        raise_objection(world.context, BODY, world.sitting, ONE, "年限存疑")
    assert (late.value.code, late.value.clause) == ("notice-not-open", "R5")
    with world.context.database.read() as session:
        assert session.scalars(select(Objection)).all() == []


def test_an_upheld_objection_cannot_reach_past_a_certificate(world: SmallWorld) -> None:
    (registration,) = world.register(1, outcome=ReviewOutcome.ELIGIBLE)
    objection = raise_objection(world.context, BODY, world.sitting, ONE, "年限存疑")
    world.certificate(registration)
    with pytest.raises(ConflictError) as refused:
        resolve_objection(world.context, BODY, objection, upheld=True, resolution="经核实属实")
    assert refused.value.code == "certificate-exists"
    with world.context.database.read() as session:
        assert session.get_one(Objection, objection).resolved_at is None, "nothing was half done"


@pytest.mark.parametrize(("accepted", "ends"), [(True, "eligible"), (False, "ineligible")])
def test_a_defence_is_decided_once(world: SmallWorld, accepted: bool, ends: str) -> None:
    (registration,) = world.register(1, outcome=ReviewOutcome.INELIGIBLE)
    file_defence(world.context, BODY, world.sitting, ONE, "本人从业年限符合条件，附社保证明")
    assert outcome(world, registration) == "defence-open"
    assert sitting_progress(world.context, BODY, world.sitting).open_defences == 1
    with pytest.raises(ConflictError):
        file_defence(world.context, BODY, world.sitting, ONE, "再次申辩")
    decide_defence(world.context, BODY, world.sitting, ONE, accepted=accepted, note="经复核")
    assert outcome(world, registration) == ends
    with pytest.raises(ConflictError):
        file_defence(world.context, BODY, world.sitting, ONE, "第二次申辩")
    with world.context.database.read() as session:
        (statement,) = session.scalars(select(DefenceStatement)).all()
        assert statement.accepted is accepted and statement.decided_by == "body"


def test_a_defence_comes_in_time_or_not_at_all(world: SmallWorld) -> None:
    world.register(1, outcome=ReviewOutcome.INELIGIBLE)
    world.context.clock.move_to(date(2025, 11, 2))  # type: ignore[attr-defined]
    with pytest.raises(ConflictError) as late:
        file_defence(world.context, BODY, world.sitting, ONE, "迟到的申辩")
    assert (late.value.code, late.value.clause) == ("supplementary-closed", "R7")


def test_holders_speak_for_themselves_only(world: SmallWorld) -> None:
    mine, _ = world.register(2, outcome=ReviewOutcome.INELIGIBLE)
    with world.context.database.read() as session:
        me = session.get_one(Registration, mine).person_id
    holder = Actor("holder", frozenset(), "holder")
    for who, error in (
        (ONE, NotAllowedError),
        (Candidate(admission_no=admission_no(2), person_id=me), NotFoundError),
    ):
        with pytest.raises(error):
            file_defence(world.context, holder, world.sitting, who, "申辩")
    file_defence(world.context, holder, world.sitting, Candidate(person_id=me), "本人申辩")
    assert outcome(world, mine) == "defence-open"


@pytest.mark.parametrize("text", ["", " ", "x" * 4001, "\u202e倒"])
def test_texts_must_be_readable(world: SmallWorld, text: str) -> None:
    world.register(1, outcome=ReviewOutcome.ELIGIBLE)
    with pytest.raises(InputError):
        raise_objection(world.context, BODY, world.sitting, ONE, text)


def test_one_of_two_decisions_on_a_defence_wins(world: SmallWorld) -> None:
    (registration,) = world.register(1, outcome=ReviewOutcome.INELIGIBLE)
    file_defence(world.context, BODY, world.sitting, ONE, "本人申辩")
    results = race(
        lambda: decide_defence(world.context, BODY, world.sitting, ONE, accepted=True, note="经复核"),
        lambda: decide_defence(world.context, BODY, world.sitting, ONE, accepted=False, note="经复核"),
    )
    winners = [result for result in results if isinstance(result, ReviewState)]
    assert len(winners) == 1 and any(isinstance(result, ConflictError) for result in results), results
    assert outcome(world, registration) == winners[0].outcome
