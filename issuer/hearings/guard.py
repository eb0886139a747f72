"""Nothing is decided while a hearing about it is open; what is decided afterwards names the record it rests on."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from issuer.errors import Words
from issuer.records.hearings import Hearing
from issuer.refusals import refusal_from
from issuer.rules.hearing import ON_RECORD, OPEN, HearingState
from issuer.rules.hearing import require_heard as rule
from issuer.rules.violation import RuleViolation


def require_heard(session: Session, *, defence_id: int | None = None, case_id: int | None = None) -> str | None:
    """The number of the hearing a decision rests on, None where there was none; the caller holds the matter's lock.

    Raises ConflictError hearing-open.
    """
    row = _about(session, defence_id, case_id)
    if row is None:
        return None
    state = HearingState(row.state)
    try:
        rule(row.clause, state)
    except RuleViolation as violation:
        remedy = Words(f"查看：/console/hearings/{row.id}", f"See /console/hearings/{row.id}")
        raise refusal_from(violation, remedy=remedy) from violation
    return row.number if state in ON_RECORD else None


def settle(
    session: Session, at: datetime, *, defence_id: int | None = None, case_id: int | None = None
) -> str | None:
    """As `require_heard` for what is decided in the person's favour, or withdrawn: an open hearing is not held."""
    row = _about(session, defence_id, case_id)
    if row is None:
        return None
    if HearingState(row.state) in OPEN:
        row.state, row.answered_at, row.answered_by = HearingState.MOOT, at, "system"
    return row.number if HearingState(row.state) in ON_RECORD else None


def resting_on(note: str, number: str | None) -> str:
    """The note of a decision with the hearing record it rests on."""
    return f"{note}（依据听证笔录 {number}）".lstrip() if number else note


def _about(session: Session, defence_id: int | None, case_id: int | None) -> Hearing | None:
    about = Hearing.defence_id == defence_id if defence_id is not None else Hearing.case_id == case_id
    return session.scalars(select(Hearing).where(about).execution_options(populate_existing=True)).one_or_none()
