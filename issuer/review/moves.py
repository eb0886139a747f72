"""The one way a review moves: by the rules' table, guarded by its version, with its event and its audit line.

Made for twenty thousand at a time: rows are read and written in chunks, and a rule is asked once for each
kind of move, not once for each person.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from sqlalchemy import CursorResult, Row, bindparam, insert, select, update
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import NewEvent, record_many
from issuer.clock import Clock
from issuer.errors import ConflictError, DomainError, Words
from issuer.queues.binding import end_own_holds, held_by_others
from issuer.records.certificates import ECertificate
from issuer.records.holdings import lock_holdings, qualification_key
from issuer.records.paper import PaperCertificate
from issuer.records.people import Registration
from issuer.records.reviews import EligibilityReview, ReviewEvent
from issuer.refusals import refusal_from
from issuer.registration.guard import accept_given, silent_gaps
from issuer.review.sitting import OpenSitting
from issuer.rules.queues import CaseKind
from issuer.rules.review import Move, ReviewAction, ReviewState, transition
from issuer.rules.terms import ReviewOutcome, ReviewRound
from issuer.rules.violation import RuleViolation

CHUNK = 2000


@dataclass(frozen=True, slots=True)
class Step:
    """One wish: do `action` to the review of one registration, for a reason. `note` rests encrypted."""

    registration_id: int
    action: ReviewAction
    reason_code: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Moves:
    """What became of the wishes, by registration: where it went, or why not."""

    moved: dict[int, ReviewState]
    refused: dict[int, DomainError]


def move_reviews(
    session: Session,
    clock: Clock,
    actor: Actor,
    sitting: OpenSitting,
    steps: Iterable[Step],
    *,
    on: date | None = None,
    defence_decided: bool = False,
    dry_run: bool = False,
    by_calendar: bool = False,
) -> Moves:
    """Make every step the rules allow, in the caller's unit of work; the others are refused one by one.

    A decision on a review that somebody else has in hand is refused (case-held), except `by_calendar`: what a day
    that has come does to a whole sitting waits for nobody.

    `on` is the day the acts count for (default: today). At most one step a registration. Holdings and rows
    are locked in the order of registrations, and the audit events come last, so that two such units cannot
    block each other for good.
    """
    ordered = sorted(steps, key=lambda step: step.registration_id)
    done = Moves({}, {})
    day = on or clock.today()
    judge = _Judge(sitting, day, defence_decided)
    events: list[NewEvent] = []
    for chunk in _chunks(ordered):
        if not by_calendar:
            chunk = _in_nobodys_hands(session, clock, actor, chunk, done)
        made = _settle(session, sitting, chunk, judge, done, day, dry_run=dry_run)
        if dry_run or not made:
            continue
        if not by_calendar:
            end_own_holds(session, actor, CaseKind.REVIEW, [row.registration_id for row, _, _ in made])
        write_moves(session, clock, actor, made)
        eligible = [row.registration_id for row, _, move in made if move.to.outcome is ReviewOutcome.ELIGIBLE]
        if sitting.policy.comparison_items:
            events.extend(accept_given(session, clock, actor, eligible))
        late = None if day == clock.today() else day
        events.extend(_audit_line(row, step, move, late) for row, step, move in made)
    record_many(session, clock, actor, events)
    return done


def _in_nobodys_hands(session: Session, clock: Clock, actor: Actor, steps: Sequence[Step], done: Moves) -> list[Step]:
    deciding = [step.registration_id for step in steps if step.action is not ReviewAction.FILE_DEFENCE]
    held = held_by_others(session, clock, actor, CaseKind.REVIEW, deciding)
    done.refused.update(held)
    return [step for step in steps if step.registration_id not in held]


class _Judge:
    """The rules' answer for each kind of move on this day, asked once."""

    def __init__(self, sitting: OpenSitting, on: date, defence_decided: bool) -> None:
        self._dates, self._on, self._decided = sitting.dates, on, defence_decided
        self._known: dict[tuple[ReviewState, ReviewAction], Move | DomainError] = {}

    def __call__(self, state: ReviewState, action: ReviewAction) -> Move | DomainError:
        answer = self._known.get((state, action))
        if answer is None:
            try:
                answer = transition(state, action, self._dates, self._on, defence_decided=self._decided)
            except RuleViolation as violation:
                answer = refusal_from(violation)
            self._known[state, action] = answer
        return answer


ReviewRow = Row[int, str, str, int]
Made = tuple[ReviewRow, Step, Move]


def _settle(
    session: Session,
    sitting: OpenSitting,
    steps: Sequence[Step],
    judge: _Judge,
    done: Moves,
    day: date,
    *,
    dry_run: bool,
) -> list[Made]:
    ids = [step.registration_id for step in steps]
    held = hold_the_eligible(session, sitting, ids, lock=not dry_run)
    query = select(
        EligibilityReview.registration_id,
        EligibilityReview.round,
        EligibilityReview.outcome,
        EligibilityReview.version,
    ).where(EligibilityReview.registration_id.in_(ids), EligibilityReview.sitting_code == sitting.code)
    if not dry_run:
        query = query.order_by(EligibilityReview.registration_id).with_for_update()
    rows = {row.registration_id: row for row in session.execute(query)}
    wishes = [(step.registration_id, step.reason_code) for step in steps if step.action is ReviewAction.FIND_ELIGIBLE]
    gaps = silent_gaps(session, sitting, wishes, day)
    made: list[Made] = []
    for step in steps:
        row = rows.get(step.registration_id)
        answer = _answer(row, step, judge, held)
        if isinstance(answer, Move):
            answer = gaps.get(step.registration_id, answer)
        if isinstance(answer, Move):
            assert row is not None, "a move starts from a row"
            done.moved[step.registration_id] = answer.to
            made.append((row, step, answer))
        else:
            done.refused[step.registration_id] = answer
    return made


def _answer(row: ReviewRow | None, step: Step, judge: _Judge, held: dict[int, bool]) -> Move | DomainError:
    if row is None:
        return ConflictError(
            "review-missing", Words("该考生没有核查记录。", "This candidate has no review."), clause="R4"
        )
    state = ReviewState(ReviewRound(row.round), ReviewOutcome(row.outcome))
    if state.outcome is ReviewOutcome.ELIGIBLE:
        if row.registration_id not in held:
            return moved_meanwhile()
        if held[row.registration_id] and step.action in _UNDO:
            return ConflictError(
                "certificate-exists",
                Words(
                    "该考生的证书已制发，核查结果不能再改。",
                    "A certificate was made for this candidate: the review cannot be changed any more.",
                ),
                remedy=Words("请办理证书无效：ecert revoke", "Have the certificate invalidated: ecert revoke"),
                clause="R9",
            )
    return judge(state, step.action)


_UNDO = frozenset({ReviewAction.FIND_INELIGIBLE, ReviewAction.OBJECTION_UPHELD})


def hold_the_eligible(session: Session, sitting: OpenSitting, ids: Sequence[int], *, lock: bool) -> dict[int, bool]:
    """Lock the holdings of those found eligible already, as issuing does; whether each has a certificate."""
    eligible = session.execute(
        select(Registration.id, Registration.person_id, Registration.level, Registration.specialty)
        .join(EligibilityReview, EligibilityReview.registration_id == Registration.id)
        .where(Registration.id.in_(ids), EligibilityReview.outcome == ReviewOutcome.ELIGIBLE)
        .order_by(Registration.id)
    ).all()
    if lock:
        key = (sitting.programme_code, sitting.level)
        lock_holdings(
            session,
            [
                (row.person_id, qualification_key(key[0], row.level or key[1], row.specialty, sitting.code))
                for row in eligible
            ],
        )
    numbers = [row.id for row in eligible]
    electronic = select(ECertificate.registration_id).where(
        ECertificate.registration_id.in_(numbers), ECertificate.state != "abandoned"
    )
    paper = select(PaperCertificate.registration_id).where(
        PaperCertificate.registration_id.in_(numbers), PaperCertificate.slot == "live"
    )
    found = set(session.scalars(electronic)) | set(session.scalars(paper))
    return {row.id: row.id in found for row in eligible}


def write_moves(session: Session, clock: Clock, actor: Actor, made: Sequence[Made]) -> None:
    """Write moves whose rows the caller has locked, each with its event."""
    at = clock.now()
    result = session.connection().execute(
        update(EligibilityReview)
        .where(
            EligibilityReview.registration_id == bindparam("of_registration"),
            EligibilityReview.version == bindparam("read_version"),
        )
        .values(
            round=bindparam("to_round"),
            outcome=bindparam("to_outcome"),
            reason_code=bindparam("why"),
            version=bindparam("to_version"),
            changed_at=bindparam("moved_at"),
        ),
        [
            {
                "of_registration": row.registration_id,
                "read_version": row.version,
                "to_round": move.to.round,
                "to_outcome": move.to.outcome,
                "why": step.reason_code,
                "to_version": row.version + 1,
                "moved_at": at,
            }
            for row, step, move in made
        ],
    )
    if cast("CursorResult[Any]", result).rowcount != len(made):
        raise moved_meanwhile()
    session.execute(
        insert(ReviewEvent),
        [
            {
                "registration_id": row.registration_id,
                "version": row.version + 1,
                "action": step.action,
                "round": move.to.round,
                "outcome_before": row.outcome,
                "outcome_after": move.to.outcome,
                "reason_code": step.reason_code,
                "note": step.note,
                "clause": move.clause,
                "actor": actor.username,
                "at": at,
            }
            for row, step, move in made
        ],
    )


def _audit_line(row: ReviewRow, step: Step, move: Move, entered_late_for: date | None) -> NewEvent:
    act = "review.decide" if step.action in _DECISIONS else f"review.{step.action}"
    details = {
        "action": step.action.value,
        "before": f"{row.round}/{row.outcome}",
        "after": f"{move.to.round}/{move.to.outcome}",
        "version": row.version + 1,
    }
    if entered_late_for is not None:
        details["acted_on"] = entered_late_for.isoformat()
    return NewEvent(act, f"registration:{row.registration_id}", clause=move.clause, details=details)


_DECISIONS = frozenset({ReviewAction.FIND_ELIGIBLE, ReviewAction.FIND_INELIGIBLE, ReviewAction.HOLD_PENDING})


def moved_meanwhile() -> ConflictError:
    return ConflictError(
        "review-moved",
        Words(
            "核查状态刚被他人更改，本次操作未作任何更改。",
            "Somebody else has just changed this review; nothing was changed.",
        ),
        remedy=Words("请查看最新状态后重试。", "Look at its state and try again."),
    )


def _chunks(steps: Sequence[Step]) -> Iterator[Sequence[Step]]:
    for start in range(0, len(steps), CHUNK):
        yield steps[start : start + CHUNK]
