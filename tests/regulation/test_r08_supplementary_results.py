"""R8, 一（二）¶8: the results of the supplementary round are decided, kept and given on."""

from datetime import date
from pathlib import Path

from sqlalchemy import select, update

from issuer.announcements.service import draft_announcement, publish_announcement
from issuer.records.reviews import EligibilityReview, ReviewEvent
from issuer.review.service import close_first_round, open_supplementary, sitting_progress
from issuer.rules.review import transition
from issuer.rules.terms import ReviewOutcome, ReviewRound
from tests.factories.small_world import SmallWorld
from tests.factories.world import APPROVER, PROPOSER, World
from tests.regulation.clause import Clause
from tests.regulation.staff import BODY, CLERK, decide, move_to

CLAUSE = Clause(
    "R8",
    "一（二）¶8",
    ("省级资格核查部门将补充资格核查结果提交省人力资源社会保障厅，并发布补充资格核查结果公告。",),
    rules=(transition,),
    screens=("/console/sittings/{code}/decisions", "/api/v1/reviews/{sitting}", "/announcements/{number}"),
    commands=("review decide", "review status"),
    events={"review.decide": "R8", "announcement.publish": "R8"},
    more_tests=("tests/issuer/review/test_review_rounds.py", "tests/issuer/announcements/test_announcements.py"),
)


def test_r08_the_department_sees_the_supplementary_results_as_they_are_decided(
    small: SmallWorld, tmp_path: Path
) -> None:
    small.register(3)
    ctx = small.context
    move_to(small, date(2025, 9, 16))
    close_first_round(ctx, BODY, small.sitting)
    open_supplementary(ctx, BODY, small.sitting)
    move_to(small, date(2025, 10, 10))
    report = decide(small, tmp_path, {1: "合格", 2: "不合格"}, ReviewRound.SUPPLEMENTARY)
    assert report.moved == {"合格": 1, "不合格": 1}
    counts = sitting_progress(ctx, CLERK, small.sitting).counts
    assert counts == {
        (ReviewRound.SUPPLEMENTARY, ReviewOutcome.ELIGIBLE): 1,
        (ReviewRound.SUPPLEMENTARY, ReviewOutcome.INELIGIBLE): 1,
        (ReviewRound.SUPPLEMENTARY, ReviewOutcome.AWAITING): 1,
    }
    with ctx.database.read() as session:
        decided = session.scalars(select(ReviewEvent).where(ReviewEvent.action.like("find-%"))).all()
        assert {(event.clause, event.round) for event in decided} == {("R8", ReviewRound.SUPPLEMENTARY)}
    CLAUSE.require(ctx, "review.decide")


def test_r08_a_pending_finding_is_no_result_of_the_last_round(small: SmallWorld, tmp_path: Path) -> None:
    small.register(1)
    move_to(small, date(2025, 9, 16))
    close_first_round(small.context, BODY, small.sitting)
    open_supplementary(small.context, BODY, small.sitting)
    report = decide(small, tmp_path, {1: "待核查"}, ReviewRound.SUPPLEMENTARY)
    assert [(finding.code, finding.clause) for finding in report.findings] == [("pending_in_last_round", "R7")]


def test_r08_the_supplementary_results_are_announced(eligible_world: World) -> None:
    ctx = eligible_world.ctx
    with ctx.database.write() as session:
        session.execute(update(EligibilityReview).values(round=ReviewRound.SUPPLEMENTARY))
    draft = draft_announcement(ctx, PROPOSER, eligible_world.sitting, "supplementary")
    publish_announcement(ctx, APPROVER, draft, version=0)
    CLAUSE.require(ctx, "announcement.publish")
