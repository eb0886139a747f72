"""R5, 一（二）¶5: a public notice of at least ten days, results within fifteen, the unverified held as pending."""

from datetime import date
from pathlib import Path

from sqlalchemy import select

from issuer.issuance.plan import plan_issue
from issuer.records.reviews import EligibilityReview
from issuer.review.service import (
    Candidate,
    close_first_round,
    open_notice,
    raise_objection,
    resolve_objection,
    sitting_progress,
)
from issuer.roster.service import define_sitting
from issuer.rules.deadlines import notice_closes_on, report_due_on
from issuer.rules.notice import notice_closed_without_objection, require_full_notice, require_open_notice
from issuer.rules.policy import Policy
from issuer.rules.terms import ReviewOutcome
from tests.factories.roster_files import SITTING_TOML
from tests.factories.small_world import RESULT_DAY, SmallWorld
from tests.issuer.roster.conftest import RosterWorld
from tests.regulation.clause import Clause
from tests.regulation.conftest import Refusal
from tests.regulation.staff import BODY, CLERK, decide, move_to

CLAUSE = Clause(
    "R5",
    "一（二）¶5",
    (
        "成绩发布后,省人力资源社会保障厅向省级资格核查部门移交考试成绩合格人员信息和核查资料。",
        "联合发布“考试成绩合格公示和考后资格核查公告”，公示时间一般不少于10天。省级资格核查部门同步开展考后资格核查。"
        "在成绩发布后15日内将核查结果报送省人力资源社会保障厅。"
        "对于无法完成核实的人员，暂按“报考条件待核查”处理。",
    ),
    rules=(
        require_full_notice,
        notice_closes_on,
        report_due_on,
        require_open_notice,
        notice_closed_without_objection,
    ),
    screens=(
        "/console/sittings/{code}/roster",
        "/console/sittings/{code}/acts",
        "/console/sittings/{code}/objections",
        "/console/announcements/{announcement_id}/publish",
        "/announcements",
    ),
    commands=(
        "roster import",
        "review open-notice",
        "review close-first-round",
        "review object",
        "review resolve-objection",
    ),
    events={
        "review.open-notice": "R5",
        "review.close-first-round": "R5",
        "review.decide": "R5",
        "review.object": "R5",
        "review.resolve-objection": "R5",
    },
    more_tests=(
        "tests/issuer/rules/test_r5_r7_r12_r13_deadlines.py",
        "tests/issuer/review/test_review_statements.py",
        "tests/issuer/announcements/test_announcements.py",
    ),
)


def test_r05_ten_days_are_the_least_and_fifteen_the_most() -> None:
    assert Policy().notice_days == 10
    assert notice_closes_on(date(2025, 9, 2), Policy()) == date(2025, 9, 12)
    assert report_due_on(RESULT_DAY, Policy()) == date(2025, 9, 16)


def test_r05_a_sitting_with_a_shorter_notice_cannot_be_defined(roster_world: RosterWorld, refusal: Refusal) -> None:
    short = SITTING_TOML.replace("notice_closes_on = 2025-09-04", "notice_closes_on = 2025-09-03")
    assert refusal(lambda: define_sitting(roster_world, CLERK, short.encode())) == ("notice-too-short", "R5")


def test_r05_a_notice_opened_late_still_stands_ten_days(small: SmallWorld, refusal: Refusal) -> None:
    small.register(1)
    early = lambda: open_notice(small.context, CLERK, small.sitting, on=date(2025, 8, 31))  # noqa: E731
    assert refusal(early) == ("scores-not-released", "R5")
    late = open_notice(small.context, CLERK, small.sitting, on=date(2025, 9, 5))
    assert late.closes_on == date(2025, 9, 15), "the plan said the 12th"
    CLAUSE.require(small.context, "review.open-notice")


def test_r05_nothing_is_issued_before_the_notice_has_run_out(small: SmallWorld) -> None:
    small.register(1, outcome=ReviewOutcome.ELIGIBLE)
    move_to(small, date(2025, 9, 12), hour=23)
    with small.context.database.read() as session:
        (refused,) = plan_issue(session, small.context.clock, small.sitting, "https://v.example").refused
    assert (refused.code, refused.clause) == ("notice-not-closed", "R5")


def test_r05_an_open_objection_holds_back_the_one_it_concerns(small: SmallWorld, refusal: Refusal) -> None:
    concerned, other = small.register(2, outcome=ReviewOutcome.ELIGIBLE)
    ctx = small.context
    number = raise_objection(ctx, CLERK, small.sitting, Candidate(concerned), "工作年限不符")
    move_to(small, date(2025, 10, 1))
    late = lambda: raise_objection(ctx, CLERK, small.sitting, Candidate(other), "迟到的异议")  # noqa: E731
    assert refusal(late) == ("notice-not-open", "R5")
    with ctx.database.read() as session:
        refused = plan_issue(session, ctx.clock, small.sitting, "https://v.example").refused
    assert {row.registration: row.clause for row in refused}[concerned] == "R5"
    assert "objection-open" not in {row.code for row in refused if row.registration == other}
    state = resolve_objection(ctx, BODY, number, upheld=True, resolution="经核实属实")
    assert state is not None and state.outcome is ReviewOutcome.INELIGIBLE
    CLAUSE.require(ctx, "review.object", "review.resolve-objection")


def test_r05_who_could_not_be_verified_in_time_is_held_as_pending(
    small: SmallWorld, tmp_path: Path, refusal: Refusal
) -> None:
    small.register(2)
    ctx = small.context
    assert refusal(lambda: close_first_round(ctx, BODY, small.sitting)) == ("first-round-still-open", "R5")
    assert decide(small, tmp_path, {1: "合格"}).refused == 0
    move_to(small, date(2025, 9, 16))
    assert close_first_round(ctx, BODY, small.sitting).moved == 1
    with ctx.database.read() as session:
        outcomes = session.scalars(select(EligibilityReview.outcome).order_by(EligibilityReview.registration_id))
        assert list(outcomes) == [ReviewOutcome.ELIGIBLE, ReviewOutcome.CONDITIONS_PENDING]
    move_to(small, date(2025, 9, 17))
    late = decide(small, tmp_path, {2: "合格"})
    assert [(finding.code, finding.clause) for finding in late.findings] == [("first-round-closed", "R5")]
    assert {line.clause for line in sitting_progress(ctx, BODY, small.sitting).deadlines} >= {"R5", "R7"}
    CLAUSE.require(ctx, "review.close-first-round", "review.decide")
