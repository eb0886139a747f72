"""R9, 一（三）¶1: found ineligible, registration, all subjects of the sitting and certificate fall together."""

from datetime import date

import pytest
from sqlalchemy import select

from issuer.invalidation.overview import plan_invalidation
from issuer.invalidation.service import approve, overturn, propose
from issuer.invalidation.subject import Seat
from issuer.issuance.plan import plan_issue
from issuer.records.certificates import ECertificate, StatusEvent
from issuer.records.people import Registration, Score
from issuer.rules.eligibility import may_issue
from issuer.rules.invalidation import consequences, may_decide, may_propose, may_reinstate
from issuer.rules.terms import InvalidationGround, ReviewOutcome, Role
from tests.factories.paper_office import PaperDesk
from tests.factories.small_world import SmallWorld, admission_no, staff
from tests.regulation.clause import Clause
from tests.regulation.conftest import Refusal
from tests.regulation.staff import BODY, CHIEF, CLERK, STRANGER, move_to

CLAUSE = Clause(
    "R9",
    "一（三）¶1",
    (
        "在核查或日常监管中发现不符合考试报名条件的，考试报名无效，已缴费用不予退还；取得成绩的，当次全部科目考试成绩无效；"
        "取得资格证书或者成绩证明的，资格证书或者成绩证明无效。",
    ),
    rules=(consequences, may_propose, may_decide, may_reinstate, may_issue),
    screens=(
        "/console/certificates/{management_no}/invalidate",
        "/console/cases/{case_id}/approve",
        "/console/lists",
    ),
    commands=("revoke", "revoke-many", "invalidation approve", "reinstate"),
    events={
        "invalidation.propose": "R9",
        "invalidation.approve": "R9",
        "invalidation.apply": "R9",
        "reinstatement.apply": "R9",
    },
    more_tests=(
        "tests/issuer/invalidation/test_invalidation.py",
        "tests/issuer/invalidation/test_mass_invalidation.py",
        "tests/issuer/invalidation/test_without_certificate.py",
        "tests/issuer/rules/test_r9_r10_invalidation.py",
    ),
)
GROUND = InvalidationGround.INELIGIBLE_IN_SUPERVISION
BASIS = "日常监管中发现工作年限不符合报名条件"


@pytest.fixture
def number(small: SmallWorld) -> str:
    """A certificate of somebody with two subjects."""
    (registration,) = small.register(1, outcome=ReviewOutcome.ELIGIBLE)
    with small.context.database.write() as session:
        sealed = small.context.data_key.seal("scores.score", b"66")
        session.add(Score(registration_id=registration, subject="法规", score=sealed, passed=True))
    move_to(small, date(2025, 11, 20))
    return small.certificate(registration)


def standing(small: SmallWorld) -> tuple[str | None, bool, list[bool]]:
    """(status of the certificate, registration void, each score void)"""
    with small.context.database.read() as session:
        certificate = session.scalars(select(ECertificate)).one()
        registration = session.get_one(Registration, certificate.registration_id)
        scores = [score.void_since is not None for score in session.scalars(select(Score))]
        return certificate.status, registration.void_since is not None, scores


def test_r09_registration_all_subjects_and_certificate_fall_at_once(
    small: SmallWorld, number: str, refusal: Refusal
) -> None:
    assert standing(small) == ("valid", False, [False, False])
    plan = plan_invalidation(small.context, CLERK, number, GROUND)
    assert (plan.subjects_void, plan.status_then, plan.clause) == (2, "invalid", "R9")
    case = propose(small.context, BODY, number, GROUND, BASIS)
    assert standing(small) == ("valid", False, [False, False]), "a proposal changes nothing"
    approve(small.context, CHIEF, case)
    assert standing(small) == ("invalid", True, [True, True])
    again = lambda: propose(small.context, CLERK, number, GROUND, BASIS)  # noqa: E731
    assert refusal(again) == ("already-invalid", "R9")
    with small.context.database.read() as session:
        (refused,) = plan_issue(session, small.context.clock, small.sitting, "https://v.example").refused
    assert (refused.code, refused.clause) == ("registration-void", "R9"), "and no other certificate takes its place"
    CLAUSE.require(small.context, "invalidation.propose", "invalidation.approve", "invalidation.apply")


def test_r09_no_fee_is_refunded_whatever_the_ground() -> None:
    assert not any(consequences(ground).fee_refunded for ground in InvalidationGround)


def test_r09_two_people_and_only_within_reach(small: SmallWorld, number: str, refusal: Refusal) -> None:
    assert refusal(lambda: propose(small.context, STRANGER, number, GROUND, BASIS))[1] == "R1"
    both = staff("both", Role.AUTHORITY_ISSUER, Role.AUTHORITY_APPROVER)
    case = propose(small.context, both, number, GROUND, BASIS)
    assert refusal(lambda: approve(small.context, both, case)) == ("same-person", "R9")
    assert refusal(lambda: approve(small.context, BODY, case))[0] == "role-missing"
    assert standing(small)[0] == "valid"


def test_r09_after_a_successful_appeal_all_stands_again_and_nothing_is_forgotten(
    small: SmallWorld, number: str, refusal: Refusal
) -> None:
    approve(small.context, CHIEF, propose(small.context, CLERK, number, GROUND, BASIS))
    second = staff("second-chief", Role.AUTHORITY_APPROVER)
    appeal = overturn(small.context, CLERK, number, "复核认定原决定有误")
    assert refusal(lambda: approve(small.context, CHIEF, appeal)) == ("same-person", "R9"), "not who invalidated it"
    approve(small.context, second, appeal)
    assert refusal(lambda: overturn(small.context, CLERK, number, "复核认定原决定有误")) == ("not-invalid", "R9")
    assert standing(small) == ("valid", False, [False, False])
    with small.context.database.read() as session:
        history = [row.status for row in session.scalars(select(StatusEvent).order_by(StatusEvent.sequence))]
    assert history == ["valid", "invalid", "valid"]
    CLAUSE.require(small.context, "reinstatement.apply")


def test_r09_a_paper_certificate_and_a_bare_score_report_fall_the_same_way(desk: PaperDesk) -> None:
    ctx = desk.ctx
    (serial, *_) = desk.printed()
    (alone,) = desk.world.register(1, outcome=ReviewOutcome.ELIGIBLE)
    seat = Seat(desk.sitting, admission_no(len(desk.registrations) + 1))
    for reference in (serial, seat):
        approve(ctx, CHIEF, propose(ctx, CLERK, reference, GROUND, BASIS))
    assert desk.sheet(serial).state == "void"
    for registration in (desk.sheet(serial).registration_id, alone):
        with ctx.database.read() as session:
            assert session.get_one(Registration, registration).void_since is not None
            scores = session.scalars(select(Score).where(Score.registration_id == registration)).all()
            assert scores and all(score.void_since is not None for score in scores)
