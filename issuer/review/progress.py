"""How a sitting's review stands, and the file to fill in for a round."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import xlsxwriter
from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import record_event
from issuer.errors import Words
from issuer.own_files import begin_own_file
from issuer.ports import ServiceContext
from issuer.records.people import Registration
from issuer.records.reviews import EligibilityReview, Objection
from issuer.review.decision_file import Found
from issuer.review.rounds import days_left
from issuer.review.sitting import READERS, OpenSitting, limited_to_cities, open_sitting, within_reach
from issuer.rules.terms import ReviewOutcome, ReviewRound

TEMPLATE_HEADS = ("准考证号", "姓名", "专业类别", "报考地市", "核查结果", "原因代码", "说明")


@dataclass(frozen=True, slots=True)
class Deadline:
    """A day of the sitting: its last moment is 24:00 in Asia/Shanghai. `days` is 0 on the day, then negative."""

    name: str
    words: Words
    last_day: date
    clause: str
    days: int


@dataclass(frozen=True, slots=True)
class SittingProgress:
    """Counts by round and outcome within the reader's reach, what is open, and the days."""

    sitting_code: str
    programme_name: str
    today: date
    counts: dict[tuple[ReviewRound, ReviewOutcome], int]
    open_objections: tuple[int, ...]
    open_defences: int
    deadlines: tuple[Deadline, ...]

    @property
    def total(self) -> int:
        """Reviews altogether."""
        return sum(self.counts.values())

    @property
    def next_deadline(self) -> Deadline | None:
        """The nearest day that is not over."""
        return min(
            (deadline for deadline in self.deadlines if deadline.days >= 0), key=lambda d: d.last_day, default=None
        )

    def to_json(self) -> dict[str, Any]:
        """The progress for programs."""
        upcoming = self.next_deadline
        return {
            "sitting": self.sitting_code,
            "programme": self.programme_name,
            "today": self.today.isoformat(),
            "total": self.total,
            "counts": [
                {"round": round, "outcome": outcome, "count": count}
                for (round, outcome), count in self.counts.items()
            ],
            "open_objections": list(self.open_objections),
            "open_defences": self.open_defences,
            "deadlines": [
                {
                    "name": deadline.name,
                    "last_day": deadline.last_day.isoformat(),
                    "clause": deadline.clause,
                    "days": deadline.days,
                }
                for deadline in self.deadlines
            ],
            "next": upcoming.name if upcoming else None,
        }


def sitting_progress(ctx: ServiceContext, actor: Actor, sitting_code: str) -> SittingProgress:
    """How the review of a sitting stands; raises NotFoundError, NotAllowedError (role, R1)."""
    return progress_of_sittings(ctx, actor, [sitting_code])[sitting_code]


def progress_of_sittings(ctx: ServiceContext, actor: Actor, codes: Sequence[str]) -> dict[str, SittingProgress]:
    """How the reviews of some sittings stand, by code, each table asked once. Raises as `sitting_progress`."""
    today = ctx.clock.today()
    with ctx.database.read() as session:
        sittings = [open_sitting(session, actor, code, READERS) for code in codes]
        counts: dict[str, dict[tuple[str, str], int]] = {code: {} for code in codes}
        for code, round, outcome, count in session.execute(_counts(actor, codes)):
            counts[code][round, outcome] = count
        objections: dict[str, list[int]] = {code: [] for code in codes}
        waiting = (
            select(Objection.sitting_code, Objection.id)
            .where(Objection.sitting_code.in_(codes), Objection.resolved_at.is_(None))
            .order_by(Objection.id)
        )
        if limited_to_cities(actor):
            waiting = waiting.join(Registration, Objection.registration_id == Registration.id)
            waiting = waiting.where(within_reach(actor))
        for code, number in session.execute(waiting):
            objections[code].append(number)
    return {
        sitting.code: SittingProgress(
            sitting_code=sitting.code,
            programme_name=sitting.programme_name,
            today=today,
            counts={
                (round, outcome): counts[sitting.code][round, outcome]
                for round in ReviewRound
                for outcome in ReviewOutcome
                if (round, outcome) in counts[sitting.code]
            },
            open_objections=tuple(objections[sitting.code]),
            # Filing a defence brings its review there, and only deciding it leads away (R7).
            open_defences=sum(
                count for (_, outcome), count in counts[sitting.code].items() if outcome == ReviewOutcome.DEFENCE_OPEN
            ),
            deadlines=_deadlines(sitting, today),
        )
        for sitting in sittings
    }


def _counts(actor: Actor, codes: Sequence[str]) -> Select[str, str, str, int]:
    """Read from an index alone unless the reader sees only some cities."""
    review = EligibilityReview
    query = select(review.sitting_code, review.round, review.outcome, func.count())
    query = query.where(review.sitting_code.in_(codes))
    if limited_to_cities(actor):
        query = query.join(Registration, review.registration_id == Registration.id).where(within_reach(actor))
    return query.group_by(review.sitting_code, review.round, review.outcome)


def export_template(
    ctx: ServiceContext, actor: Actor, sitting_code: str, round: ReviewRound | str, target: Path
) -> int:
    """Write the decision file to fill in for a round (.xlsx, readable by its owner only); how many rows.

    Holds the names of those who wait for a decision within the actor's reach, so its making is audited.
    Raises NotFoundError, NotAllowedError (R1), InputError (the target exists or cannot be written).
    """
    round = ReviewRound(round)
    with ctx.database.write() as session:
        sitting = open_sitting(session, actor, sitting_code)
        rows = _waiting(session, actor, sitting, round)
        _write_template(target, rows)
        record_event(
            session,
            ctx.clock,
            actor,
            "review.export",
            f"sitting:{sitting.code}",
            clause="R1",
            details={"round": round.value, "rows": len(rows)},
        )
    return len(rows)


def _waiting(session: Session, actor: Actor, sitting: OpenSitting, round: ReviewRound) -> Sequence[tuple[str, ...]]:
    waits = EligibilityReview.outcome == ReviewOutcome.AWAITING
    if round is ReviewRound.FIRST:
        waits = or_(waits, EligibilityReview.outcome == ReviewOutcome.CONDITIONS_PENDING)
    return [
        tuple(row)
        for row in session.execute(
            select(Registration.admission_no, Registration.name, Registration.specialty, Registration.city)
            .join(EligibilityReview, EligibilityReview.registration_id == Registration.id)
            .where(
                EligibilityReview.sitting_code == sitting.code,
                EligibilityReview.round == round,
                waits,
                within_reach(actor),
            )
            .order_by(Registration.admission_no)
        )
    ]


def _write_template(target: Path, rows: Sequence[tuple[str, ...]]) -> None:
    begin_own_file(target)
    options = {"strings_to_formulas": False, "strings_to_urls": False, "constant_memory": True}
    with xlsxwriter.Workbook(target, options) as book:
        sheet = book.add_worksheet("核查结果")
        head = book.add_format({"bold": True, "bg_color": "#E8EEF7", "border": 1})
        text = book.add_format({"num_format": "@"})
        sheet.set_column(0, 0, 20, text)
        sheet.set_column(1, 6, 16, text)
        sheet.freeze_panes(1, 0)
        sheet.data_validation(
            1, 4, max(len(rows), 1), 4, {"validate": "list", "source": [found.value for found in Found]}
        )
        for column, title in enumerate(TEMPLATE_HEADS):
            sheet.write_string(0, column, title, head)
        for line, row in enumerate(rows, 1):
            for column, value in enumerate(row):
                sheet.write_string(line, column, value, text)


def _deadlines(sitting: OpenSitting, today: date) -> tuple[Deadline, ...]:
    dates, notice = sitting.dates, sitting.notice
    days = (
        ("notice-closes", Words("公示期满", "public notice ends"), notice.closes_on, "R5"),
        ("report-due", Words("核查结果报送", "first-round results due"), dates.report_due_on, dates.report_clause),
        (
            "supplementary-closes",
            Words("补充资格核查及申辩截止", "supplementary round and defences end"),
            dates.supplementary_closes_on,
            "R7",
        ),
    )
    return tuple(Deadline(name, words, day, clause, days_left(day, today)) for name, words, day, clause in days)
