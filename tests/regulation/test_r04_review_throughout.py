"""R4, 一（二）¶4: all who passed are reviewed, publicity and two rounds; without it there is no certificate."""

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from issuer.issuance.facts import Case, load_cases, load_examination
from issuer.issuance.plan import plan_issue
from issuer.records.people import Score
from issuer.review.service import Candidate, take_back_finding
from issuer.rules.eligibility import may_issue
from issuer.rules.review import START, TRANSITIONS, transition
from issuer.rules.taking_back import take_back
from issuer.rules.terms import ReviewOutcome, ReviewRound
from tests.factories.small_world import SmallWorld, admission_no
from tests.regulation.clause import Clause
from tests.regulation.staff import BODY, decide, move_to

CLAUSE = Clause(
    "R4",
    "一（二）¶4",
    (
        "资格核查部门依法依规对考生进行考前、考中、考后全程核查,以考后核查为主。"
        "考后资格核查的对象为在我省参加专业技术人员职业资格考试且成绩合格人员。"
        "考后资格核查采取“公示公告、两轮核查(资格核查和补充资格核查)”制。",
    ),
    rules=(may_issue, transition, take_back),
    screens=("/console/sittings/{code}", "/console/sittings/{code}/issue", "/console/findings"),
    commands=("review decide", "review status", "review take-back", "issue"),
    events={"review.decide": "R4", "review.take-back": "R4"},
    more_tests=(
        "tests/issuer/rules/test_r4_to_r9_review.py",
        "tests/issuer/review/test_taking_back.py",
        "tests/issuer/test_notice_machine.py",
    ),
    not_covered=(
        "review before and during the examination: candidates enter the program with the released scores; what was "
        "compared or promised before comes with its own day (R2, R3), but no decision is taken before",
    ),
)
NOTICE_OVER = date(2025, 10, 1)
"""The notice has run out, and the certificates are approved."""


@pytest.mark.parametrize("outcome", [outcome for outcome in ReviewOutcome if outcome != ReviewOutcome.ELIGIBLE])
def test_r04_nobody_gets_a_certificate_without_an_eligible_review(small: SmallWorld, outcome: ReviewOutcome) -> None:
    (registration,) = small.register(1, outcome=outcome)
    move_to(small, NOTICE_OVER)
    with small.context.database.read() as session:
        plan = plan_issue(session, small.context.clock, small.sitting, "https://v.example")
    (refused,) = plan.refused
    clause = "R7" if outcome is ReviewOutcome.DEEMED_WAIVED else "R4"
    assert (refused.registration, refused.clause, plan.new) == (registration, clause, ())


def test_r04_a_subject_not_passed_leads_to_no_certificate(small: SmallWorld, tmp_path: Path) -> None:
    small.register(1)
    assert decide(small, tmp_path, {1: "合格"}).moved == {"合格": 1}
    with small.context.database.write() as session:
        session.scalars(select(Score)).one().passed = False
    move_to(small, NOTICE_OVER)
    with small.context.database.read() as session:
        (refused,) = plan_issue(session, small.context.clock, small.sitting, "https://v.example").refused
    assert (refused.code, refused.clause) == ("not-passed", "R4")
    CLAUSE.require(small.context, "review.decide")


def test_r04_there_are_two_rounds_and_no_way_back_to_the_first() -> None:
    assert set(ReviewRound) == {ReviewRound.FIRST, ReviewRound.SUPPLEMENTARY}
    for (before, _), move in TRANSITIONS.items():
        assert not (before.round is ReviewRound.SUPPLEMENTARY and move.to.round is ReviewRound.FIRST)


def test_r04_a_slip_is_taken_back_before_anything_rests_on_it(small: SmallWorld, tmp_path: Path) -> None:
    small.register(1)
    decide(small, tmp_path, {1: "不合格"})
    who = Candidate(admission_no=admission_no(1))
    assert take_back_finding(small.context, BODY, small.sitting, who, why="录入错误") == START
    CLAUSE.require(small.context, "review.decide", "review.take-back")


def test_r04_an_eligible_passer_may_be_issued_to(small: SmallWorld) -> None:
    (registration,) = small.register(1, outcome=ReviewOutcome.ELIGIBLE)
    move_to(small, NOTICE_OVER)
    with small.context.database.read() as session:
        examination = load_examination(session, small.sitting)
        (case,) = load_cases(session, examination, [registration])
        assert isinstance(case, Case)
        case.require_issuable(examination, small.context.clock.today())
