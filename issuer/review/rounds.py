"""A review by the calendar: the notice opens, the first round ends, the second begins and lapses (R5–R7)."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import record_event
from issuer.errors import ConflictError, Words
from issuer.ports import ServiceContext
from issuer.records.reviews import EligibilityReview
from issuer.records.sittings import Sitting
from issuer.review.moves import Step, move_reviews
from issuer.review.sitting import REVIEWERS, OpenSitting, acting_day, open_sitting, require_whole_programme
from issuer.rules.deadlines import notice_closes_on
from issuer.rules.notice import PublicNotice
from issuer.rules.review import ReviewAction
from issuer.rules.terms import ReviewOutcome, ReviewRound, Role


@dataclass(frozen=True, slots=True)
class RoundReport:
    """What an act on a whole sitting did: how many reviews moved."""

    sitting_code: str
    act: str
    moved: int
    clause: str

    def to_json(self) -> dict[str, Any]:
        """The report for programs."""
        return {"sitting": self.sitting_code, "act": self.act, "moved": self.moved, "clause": self.clause}


def open_notice(
    ctx: ServiceContext,
    actor: Actor,
    sitting_code: str,
    *,
    on: date | None = None,
    roles: tuple[Role, ...] = REVIEWERS,
) -> PublicNotice:
    """Open the public notice; its last day moves back if it would be shorter than the policy's days (R5).

    `on`: the day it was opened, when the department enters it late (default: today). `roles`: who may (an approver
    does it by publishing the joint announcement). Opening it again on the same day changes nothing. Raises
    NotFoundError, NotAllowedError (R1), InputError (a day to come) and ConflictError (scores not out, opened
    before, or opened so late that its end would pass a later deadline).
    """
    with ctx.database.write() as session:
        sitting = _whole_sitting(session, actor, sitting_code, roles)
        day = acting_day(ctx.clock, actor, on)
        late = day != ctx.clock.today()
        opened = sitting.extra.get("notice_opened_on")
        if opened == day.isoformat():
            return sitting.notice
        if opened is not None:
            raise ConflictError(
                "notice-already-open",
                Words(f"公示已于 {opened} 开始。", f"The public notice was opened on {opened}."),
                remedy=Words("无需重复办理。", "Nothing needs doing."),
                clause="R5",
            )
        if day < sitting.dates.results_released_on:
            released = sitting.dates.results_released_on
            raise ConflictError(
                "scores-not-released",
                Words(
                    f"成绩于 {released} 发布，之后方可公示。", f"Scores come out on {released}; open it after that."
                ),
                clause="R5",
            )
        notice = PublicNotice(day, max(sitting.notice.closes_on, notice_closes_on(day, sitting.policy)))
        if not late:
            _require_days_after_notice(sitting, notice)
        row = session.get_one(Sitting, sitting.code)
        row.notice_opens_on, row.notice_closes_on = notice.opens_on, notice.closes_on
        row.extra = {**sitting.extra, "notice_opened_on": day.isoformat()}
        session.flush()
        details = {"opens_on": notice.opens_on.isoformat(), "closes_on": notice.closes_on.isoformat()}
        if late:
            details["acted_on"] = day.isoformat()
        record_event(
            session, ctx.clock, actor, "review.open-notice", f"sitting:{sitting.code}", clause="R5", details=details
        )
        return notice


def _require_days_after_notice(sitting: OpenSitting, notice: PublicNotice) -> None:
    # Only a notice that moves past the plan: days that were planned so are the announcement's business.
    first = min(sitting.dates.report_due_on, sitting.dates.supplementary_closes_on)
    if notice.closes_on == sitting.notice.closes_on or first >= notice.closes_on:
        return
    raise ConflictError(
        "notice-past-deadlines",
        Words(
            f"今日开始公示将至 {notice.closes_on} 结束，晚于本次核查期限 {first}；公示未开始，未作任何更改。",
            f"A notice opened today would stand until {notice.closes_on}, after the deadline of {first}; "
            "it was not opened and nothing was changed.",
        ),
        remedy=Words(
            f"公示已如期进行的，由省厅补录：ecert review open-notice --sitting {sitting.code} --on YYYY-MM-DD；"
            "否则在 sitting.toml 中改用新的日期，再 ecert sitting define。",
            "If it was opened in time, the department enters it late: "
            f"ecert review open-notice --sitting {sitting.code} --on YYYY-MM-DD; "
            "otherwise put new dates into sitting.toml and run ecert sitting define.",
        ),
        clause="R5",
    )


def close_first_round(ctx: ServiceContext, actor: Actor, sitting_code: str) -> RoundReport:
    """At the report date: whoever has not been verified is held as conditions pending (R5).

    A second time moves nobody. Raises NotFoundError, NotAllowedError (R1), ConflictError (before the date).
    """
    with ctx.database.write() as session:
        sitting = _whole_sitting(session, actor, sitting_code)
        due = sitting.dates.report_due_on
        if ctx.clock.today() < due:
            raise ConflictError(
                "first-round-still-open",
                Words(f"核查结果于 {due} 24:00 前报送，尚未到期。", f"The first round runs until 24:00 on {due}."),
                remedy=Words(f"请于 {due} 起办理。", f"Close it from {due} on."),
                clause=sitting.dates.report_clause,
            )
        states = [(ReviewRound.FIRST, ReviewOutcome.AWAITING)]
        return _move_all(ctx, session, actor, sitting, states, ReviewAction.HOLD_PENDING, ("close-first-round", "R5"))


def open_supplementary(
    ctx: ServiceContext, actor: Actor, sitting_code: str, *, on: date | None = None
) -> RoundReport:
    """Call everybody whose conditions are pending to the supplementary round (R7).

    `on`: the day they were called, when the department enters it late (default: today).

    Raises NotFoundError, NotAllowedError (R1), ConflictError (first round not closed, or the year's time is up).
    """
    with ctx.database.write() as session:
        sitting = _whole_sitting(session, actor, sitting_code)
        _require_first_round_closed(session, sitting)
        states = [(ReviewRound.FIRST, ReviewOutcome.CONDITIONS_PENDING)]
        act = ("open-supplementary", "R7")
        day = acting_day(ctx.clock, actor, on)
        return _move_all(ctx, session, actor, sitting, states, ReviewAction.OPEN_SUPPLEMENTARY, act, on=day)


def lapse_supplementary(ctx: ServiceContext, actor: Actor, sitting_code: str) -> RoundReport:
    """After the closing day: who has not come to the supplementary review is deemed to have given up (R7).

    Driven by the clock; a second time moves nobody. Raises as `open_supplementary`.
    """
    with ctx.database.write() as session:
        sitting = _whole_sitting(session, actor, sitting_code)
        closes = sitting.dates.supplementary_closes_on
        if ctx.clock.today() <= closes:
            raise ConflictError(
                "supplementary-still-open",
                Words(
                    f"补充资格核查于 {closes} 24:00 截止。", f"The supplementary round runs until 24:00 on {closes}."
                ),
                remedy=Words("截止后再办理。", "Do it after that."),
                clause="R7",
            )
        _require_first_round_closed(session, sitting)
        states = [
            (ReviewRound.FIRST, ReviewOutcome.CONDITIONS_PENDING),
            (ReviewRound.SUPPLEMENTARY, ReviewOutcome.AWAITING),
        ]
        return _move_all(ctx, session, actor, sitting, states, ReviewAction.LAPSE, ("lapse", "R7"))


def _whole_sitting(
    session: Session, actor: Actor, sitting_code: str, roles: tuple[Role, ...] = REVIEWERS
) -> OpenSitting:
    sitting = open_sitting(session, actor, sitting_code, roles)
    require_whole_programme(actor)
    return sitting


def _move_all(
    ctx: ServiceContext,
    session: Session,
    actor: Actor,
    sitting: OpenSitting,
    states: list[tuple[ReviewRound, ReviewOutcome]],
    action: ReviewAction,
    act: tuple[str, str],
    *,
    on: date | None = None,
) -> RoundReport:
    steps = [
        Step(registration_id, action)
        for round, outcome in states
        for registration_id in session.scalars(
            select(EligibilityReview.registration_id).where(
                EligibilityReview.sitting_code == sitting.code,
                EligibilityReview.round == round,
                EligibilityReview.outcome == outcome,
            )
        )
    ]
    done = move_reviews(session, ctx.clock, actor, sitting, steps, on=on, by_calendar=True)
    if done.refused:
        raise next(iter(done.refused.values()))
    name, clause = act
    if done.moved:
        record_event(
            session,
            ctx.clock,
            actor,
            f"review.{name}",
            f"sitting:{sitting.code}",
            clause=clause,
            details={"moved": len(done.moved)},
        )
    return RoundReport(sitting.code, name, len(done.moved), clause)


def _require_first_round_closed(session: Session, sitting: OpenSitting) -> None:
    left = session.scalar(
        select(func.count()).where(
            EligibilityReview.sitting_code == sitting.code,
            EligibilityReview.round == ReviewRound.FIRST,
            EligibilityReview.outcome == ReviewOutcome.AWAITING,
        )
    )
    if left:
        raise ConflictError(
            "first-round-not-closed",
            Words(f"还有 {left} 人未完成第一轮核查。", f"{left} candidates still stand in the first round."),
            remedy=Words("先办理 ecert review close-first-round。", "Close it first: ecert review close-first-round"),
            clause="R5",
        )


def days_left(last_day: date, today: date) -> int:
    """Whole days until `last_day` is over; 0 on the day itself, negative afterwards."""
    return (last_day - today).days
