"""R7, 一（二）¶7: supplementary review and defence within two months; who does not come is deemed to give up."""

from datetime import date
from pathlib import Path

from issuer.access.actor import Actor
from issuer.announcements.service import draft_announcement, publish_announcement
from issuer.records.people import Registration
from issuer.review.service import (
    Candidate,
    close_first_round,
    decide_defence,
    file_defence,
    lapse_supplementary,
    open_supplementary,
)
from issuer.rules.announcements import names_shown_until
from issuer.rules.deadlines import supplementary_closes_on
from issuer.rules.policy import Policy
from issuer.rules.review import transition
from issuer.rules.terms import ReviewOutcome, ReviewRound
from tests.factories.small_world import RESULT_DAY, SmallWorld
from tests.factories.world import APPROVER, PROPOSER, World
from tests.regulation.clause import Clause
from tests.regulation.conftest import Refusal
from tests.regulation.staff import BODY, decide, move_to

CLAUSE = Clause(
    "R7",
    "一（二）¶7",
    (
        "省级资格核查部门发布考后资格核查结果公告，向成绩合格人员履行考后资格核查结果告知义务，并安排未核查人员，"
        "参加补充资格核查，接受核查结果为“不合格”人员的申辩。"
        "补充资格核查和接受申辩一般安排在考试成绩发布后两个月内集中完成。"
        "补充资格核查为当年度最后一次资格核查，逾期仍未按要求接受补充资格核查的，"
        "视为放弃考试资格，不再受理资格核查申请。",
    ),
    rules=(transition, supplementary_closes_on, names_shown_until),
    screens=(
        "/console/sittings/{code}/acts",
        "/console/sittings/{code}/defences/{registration_id}",
        "/my/defences",
        "/announcements/{number}",
        "/console/late",
    ),
    commands=("review open-supplementary", "review defend", "review decide-defence", "review lapse"),
    events={
        "review.open-supplementary": "R7",
        "review.file-defence": "R7",
        "review.accept-defence": "R7",
        "review.lapse": "R7",
        "announcement.draft": "R7",
        "announcement.publish": "R7",
    },
    more_tests=(
        "tests/issuer/review/test_review_rounds.py",
        "tests/issuer/holders/test_holder_pages.py",
        "tests/issuer/announcements/test_announcements.py",
    ),
)


def first_round_over(small: SmallWorld, tmp_path: Path) -> None:
    """1 eligible, 2 found ineligible, 3 and 4 not verified; called to the supplementary round."""
    small.register(4)
    decide(small, tmp_path, {1: "合格", 2: "不合格"})
    move_to(small, date(2025, 9, 16))
    close_first_round(small.context, BODY, small.sitting)
    assert open_supplementary(small.context, BODY, small.sitting).moved == 2


def test_r07_two_months_run_by_the_calendar() -> None:
    assert supplementary_closes_on(RESULT_DAY, Policy()) == date(2025, 11, 1)
    assert supplementary_closes_on(date(2025, 12, 31), Policy()) == date(2026, 2, 28)


def test_r07_who_does_not_come_is_deemed_to_give_up_for_good(
    small: SmallWorld, tmp_path: Path, refusal: Refusal
) -> None:
    first_round_over(small, tmp_path)
    ctx = small.context
    move_to(small, date(2025, 11, 1), hour=23)
    assert refusal(lambda: lapse_supplementary(ctx, BODY, small.sitting)) == ("supplementary-still-open", "R7")
    assert decide(small, tmp_path, {3: "合格"}, ReviewRound.SUPPLEMENTARY).moved == {"合格": 1}
    move_to(small, date(2025, 11, 2), hour=0)
    assert lapse_supplementary(ctx, BODY, small.sitting).moved == 1
    late = decide(small, tmp_path, {4: "合格"}, ReviewRound.SUPPLEMENTARY)
    assert [(finding.code, finding.clause) for finding in late.findings] == [("deemed-waived", "R7")]
    CLAUSE.require(ctx, "review.open-supplementary", "review.lapse")


def test_r07_the_ineligible_are_heard_once_and_in_time(small: SmallWorld, tmp_path: Path, refusal: Refusal) -> None:
    first_round_over(small, tmp_path)
    ctx, sitting = small.context, small.sitting
    who = Candidate(2)
    eligible = lambda: file_defence(ctx, BODY, sitting, Candidate(1), "申辩")  # noqa: E731
    assert refusal(eligible)[0] == "no-such-transition"
    file_defence(ctx, BODY, sitting, who, "从业年限证明已补齐")
    assert (
        decide_defence(ctx, BODY, sitting, who, accepted=False, note="材料不足").outcome is ReviewOutcome.INELIGIBLE
    )
    assert refusal(lambda: file_defence(ctx, BODY, sitting, who, "再次申辩")) == ("defence-already-decided", "R7")
    CLAUSE.require(ctx, "review.file-defence")


def test_r07_a_holder_speaks_for_themselves_and_may_be_believed(
    small: SmallWorld, tmp_path: Path, refusal: Refusal
) -> None:
    first_round_over(small, tmp_path)
    ctx, sitting = small.context, small.sitting
    with ctx.database.read() as session:
        person = session.get_one(Registration, 2).person_id
    holder = Actor(f"holder:{person}", frozenset(), "holder")
    other = lambda: file_defence(ctx, holder, sitting, Candidate(2, person_id=person + 1), "申辩")  # noqa: E731
    assert refusal(other)[0] == "candidate-not-found"
    file_defence(ctx, holder, sitting, Candidate(2, person_id=person), "从业年限证明已补齐")
    accepted = decide_defence(ctx, BODY, sitting, Candidate(2), accepted=True, note="证明属实")
    assert accepted.outcome is ReviewOutcome.ELIGIBLE
    CLAUSE.require(ctx, "review.accept-defence")


def test_r07_after_two_months_no_defence_is_taken(small: SmallWorld, tmp_path: Path, refusal: Refusal) -> None:
    first_round_over(small, tmp_path)
    move_to(small, date(2025, 11, 2), hour=0)
    late = lambda: file_defence(small.context, BODY, small.sitting, Candidate(2), "申辩")  # noqa: E731
    assert refusal(late) == ("supplementary-closed", "R7")


def test_r07_the_results_are_announced_by_two_people(eligible_world: World, refusal: Refusal) -> None:
    ctx = eligible_world.ctx
    draft = draft_announcement(ctx, PROPOSER, eligible_world.sitting, "results")
    both = Actor(PROPOSER.username, PROPOSER.roles | APPROVER.roles, "cli")
    assert refusal(lambda: publish_announcement(ctx, both, draft, version=0))[0] == "same-person"
    number = publish_announcement(ctx, APPROVER, draft, version=0)
    assert number == f"{ctx.clock.today().year}-1"
    CLAUSE.require(ctx, "announcement.draft", "announcement.publish")
