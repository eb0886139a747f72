"""What was decided about a holder's registration, step by step: when, why, and what became of a defence."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from issuer.context import Context
from issuer.holders.sign_in import Holder
from issuer.records.people import Registration
from issuer.records.reviews import DefenceStatement, ReviewEvent


@dataclass(frozen=True, slots=True)
class ReviewStep:
    """One move of a review: the outcome after it, in which round, under which clause, and the note written for it."""

    at: datetime
    round: str
    outcome: str
    clause: str
    note: str | None


@dataclass(frozen=True, slots=True)
class Defence:
    """A statement of defence as it was handed in, and what became of it (None: not decided yet)."""

    filed_at: datetime
    text: str
    accepted: bool | None
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class Progress:
    """Steps oldest first, defences oldest first."""

    steps: tuple[ReviewStep, ...]
    defences: tuple[Defence, ...]


def progress_of(ctx: Context, holder: Holder) -> dict[int, Progress]:
    """By registration id, for all of the holder's registrations."""
    own = select(Registration.id).where(Registration.person_id == holder.person_id)
    steps: dict[int, list[ReviewStep]] = {}
    defences: dict[int, list[Defence]] = {}
    with ctx.database.read() as session:
        ids = list(session.scalars(own))
        events = select(ReviewEvent).where(ReviewEvent.registration_id.in_(ids)).order_by(ReviewEvent.version)
        for event in session.scalars(events):
            step = ReviewStep(event.at, event.round, event.outcome_after, event.clause, event.note)
            steps.setdefault(event.registration_id, []).append(step)
        statements = select(DefenceStatement).where(DefenceStatement.registration_id.in_(ids))
        for row in session.scalars(statements.order_by(DefenceStatement.id)):
            defence = Defence(row.filed_at, row.text, row.accepted, row.decided_at)
            defences.setdefault(row.registration_id, []).append(defence)
    return {number: Progress(tuple(steps.get(number, ())), tuple(defences.get(number, ()))) for number in ids}
