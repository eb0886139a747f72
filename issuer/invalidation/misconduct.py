"""The misconduct record (R10; MOHRSS Order 31): entered with its case, lifted with it, looked at by few, held against
a new certificate until an approver has considered it. What it says rests encrypted and apart from the register.
"""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import NewEvent, record_event, record_many
from issuer.clock import Clock
from issuer.errors import ConflictError, NotFoundError, Words
from issuer.invalidation.guards import require_person
from issuer.invalidation.subject import Reference, find_subject, hold, require_reach
from issuer.ports import ServiceContext
from issuer.records.certificates import Invalidation
from issuer.records.misconduct import MisconductConsideration, MisconductRecord
from issuer.records.people import Registration
from issuer.refusals import refusal_from
from issuer.rules.invalidation import require_basis
from issuer.rules.misconduct import ARTICLES, CLAUSE, RecordFacts, RecordState, Term, ends_on, state_on
from issuer.rules.terms import Role
from issuer.rules.violation import RuleViolation

READERS = (Role.AUTHORITY_APPROVER, Role.SUPERVISOR, Role.AUDITOR)
"""Narrower than the cases': neither who proposes nor a review body browses the record."""
DECIDERS = (Role.AUTHORITY_APPROVER,)


@dataclass(frozen=True, slots=True)
class RecordView:
    """A record for a screen; `name` and `facts` never go into logs."""

    id: int
    case_id: int
    name: str
    sitting_code: str
    article: str
    term: str
    state: str
    facts: str
    recorded_on: date
    ends_on: date | None
    proposed_by: str
    approved_by: str
    lifted_at: datetime | None
    considered_for: tuple[int, ...] = ()
    """Registrations that an approver let go on in spite of it."""

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {k: v.isoformat() if isinstance(v, date) else v for k, v in asdict(self).items()}


def enter(session: Session, clock: Clock, actor: Actor, case: Invalidation, person_id: int) -> NewEvent | None:
    """The record an approved case under R10 asks for, in its unit of work; None under R9."""
    if case.misconduct_term is None:
        return None
    term, today = Term(case.misconduct_term), clock.today()
    row = MisconductRecord(
        case_id=case.id,
        person_id=person_id,
        registration_id=case.registration_id,
        article=ARTICLES[term],
        term=term,
        facts=case.basis,
        recorded_on=today,
        ends_on=ends_on(term, today),
        proposed_by=case.proposed_by,
        approved_by=actor.username,
        approved_at=clock.now(),
    )
    session.add(row)
    session.flush()
    details = {"case": case.id, "term": term, "ends_on": row.ends_on.isoformat() if row.ends_on else None}
    return NewEvent("misconduct.enter", f"misconduct:{row.id}", clause=CLAUSE, details=details)


def lift(session: Session, clock: Clock, actor: Actor, case_id: int) -> NewEvent | None:
    """Lift the record of a case that is overturned; None when it made none. The row stays."""
    row = session.scalars(select(MisconductRecord).where(MisconductRecord.case_id == case_id)).one_or_none()
    if row is None:
        return None
    row.lifted_at, row.lifted_by = clock.now(), actor.username
    return NewEvent("misconduct.lift", f"misconduct:{row.id}", clause=CLAUSE, details={"case": case_id})


def list_records(
    ctx: ServiceContext,
    actor: Actor,
    *,
    state: str | None = None,
    of: Reference | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[RecordView]:
    """Records newest first, all or those of the person `of` names; the look itself is put on record.

    Raises NotFoundError, NotAllowedError. `state`: running, expired, lifted, or None for all.
    """
    actor.require(*READERS)
    today = ctx.clock.today()
    query = (
        select(MisconductRecord, Registration)
        .join(Registration, MisconductRecord.registration_id == Registration.id)
        .order_by(MisconductRecord.id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(MisconductRecord.id < before)
    over = MisconductRecord.ends_on < today
    if state == RecordState.LIFTED:
        query = query.where(MisconductRecord.lifted_at.is_not(None))
    elif state == RecordState.EXPIRED:
        query = query.where(MisconductRecord.lifted_at.is_(None), over)
    elif state == RecordState.RUNNING:
        still = MisconductRecord.ends_on.is_(None) | (MisconductRecord.ends_on >= today)
        query = query.where(MisconductRecord.lifted_at.is_(None), still)
    with ctx.database.write() as session:
        if of is not None:
            person_id = find_subject(session, of).registration.person_id
            query = query.where(MisconductRecord.person_id == person_id)
        rows = session.execute(query).all()
        views = [record_view(session, row, registration, today) for row, registration in rows]
        details = {"records": [view.id for view in views], "searched": of is not None}
        record_event(session, ctx.clock, actor, "misconduct.read", "misconduct", clause=CLAUSE, details=details)
    return views


def consider(ctx: ServiceContext, actor: Actor, record_id: int, reference: Reference, note: str) -> None:
    """Let one registration of the recorded person go on in spite of a running record (Order 31, article 12).

    Raises NotFoundError, NotAllowedError, ConflictError (not-of-this-person, record-not-running, basis-…).
    """
    require_person(actor, DECIDERS)
    try:
        require_basis(CLAUSE, note)
    except RuleViolation as violation:
        raise refusal_from(violation) from violation
    with ctx.database.write() as session:
        record = session.get(MisconductRecord, record_id)
        if record is None:
            raise NotFoundError(
                "record-not-found",
                Words("没有这条违纪违规记录。", "There is no such misconduct record."),
                remedy=Words("用 ecert misconduct list 查看。", "See: ecert misconduct list"),
            )
        subject = find_subject(session, reference)
        require_reach(actor, subject)
        registration = hold(session, subject).registration
        session.refresh(record)
        running = state_on(RecordFacts(record.ends_on, record.lifted_at is not None), ctx.clock.today())
        if registration.person_id != record.person_id or running is not RecordState.RUNNING:
            code = "record-not-running" if running is not RecordState.RUNNING else "not-of-this-person"
            raise ConflictError(
                code,
                Words("该记录与此报名无关或已不在期，未作改动。", "The record does not hold this registration back."),
                remedy=Words("请核对记录和报名。", "Check the record and the registration."),
                clause=CLAUSE,
            )
        if session.get(MisconductConsideration, (record.id, registration.id)) is None:
            session.add(
                MisconductConsideration(
                    record_id=record.id,
                    registration_id=registration.id,
                    note=note.strip(),
                    decided_by=actor.username,
                    decided_at=ctx.clock.now(),
                )
            )
            session.flush()
            details = {"registration": registration.id}
            event = NewEvent("misconduct.consider", f"misconduct:{record.id}", clause=CLAUSE, details=details)
            record_many(session, ctx.clock, actor, [event])


def record_view(session: Session, row: MisconductRecord, registration: Registration, today: date) -> RecordView:
    """The frozen view of a record's row."""
    considered = session.scalars(
        select(MisconductConsideration.registration_id).where(MisconductConsideration.record_id == row.id)
    )
    return RecordView(
        id=row.id,
        case_id=row.case_id,
        name=registration.name,
        sitting_code=registration.sitting_code,
        article=row.article,
        term=row.term,
        state=state_on(RecordFacts(row.ends_on, row.lifted_at is not None), today),
        facts=row.facts,
        recorded_on=row.recorded_on,
        ends_on=row.ends_on,
        proposed_by=row.proposed_by,
        approved_by=row.approved_by,
        lifted_at=row.lifted_at,
        considered_for=tuple(considered),
    )
