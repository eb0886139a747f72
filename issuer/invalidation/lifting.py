"""Lifting a misconduct record by itself (R10): one approver asks for it with its reason, another decides.

A record whose case is overturned is lifted with it; this is for records that must end although the case stands, such
as a term that was set wrongly.
"""

from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import record_event
from issuer.errors import ConflictError, NotFoundError, Words
from issuer.invalidation.guards import require_person, same_person
from issuer.invalidation.misconduct import DECIDERS
from issuer.ports import ServiceContext
from issuer.records.misconduct import MisconductRecord
from issuer.refusals import refusal_from
from issuer.rules.invalidation import require_basis, require_two_people
from issuer.rules.misconduct import CLAUSE, RecordFacts, may_lift
from issuer.rules.violation import RuleViolation


def propose_lift(ctx: ServiceContext, actor: Actor, record_id: int, reason: str) -> None:
    """Ask to lift a running record. Raises NotFoundError, NotAllowedError, ConflictError (record-not-running,
    lift-proposed, basis-…)."""
    require_person(actor, DECIDERS)
    with ctx.database.write() as session:
        row = _held(session, record_id)
        try:
            require_basis(CLAUSE, reason)
            may_lift(_facts(row), ctx.clock.today())
        except RuleViolation as violation:
            raise refusal_from(violation) from violation
        if row.lift_proposed_by is not None:
            raise ConflictError(
                "lift-proposed",
                Words("已有人提议撤销该记录，等待另一人决定。", "Asked for already; another person decides."),
                remedy=Words("请由另一名批准人员决定。", "Ask another approver to decide."),
                clause=CLAUSE,
            )
        row.lift_proposed_by, row.lift_proposed_at = actor.username, ctx.clock.now()
        row.lift_reason = reason.strip()
        session.flush()
        _note(ctx, session, actor, "misconduct.propose-lift", row)


def decide_lift(ctx: ServiceContext, actor: Actor, record_id: int, *, approved: bool) -> None:
    """Lift the record, or leave it running, as somebody other than who asked.

    Raises NotFoundError, NotAllowedError (role, one person in both parts), ConflictError (nobody asked, not running).
    """
    require_person(actor, DECIDERS)
    with ctx.database.write() as session:
        row = _held(session, record_id)
        if row.lift_proposed_by is None:
            raise ConflictError(
                "lift-not-proposed",
                Words("没有人提议撤销该记录，未作改动。", "Nobody asked to lift it; nothing was changed."),
                remedy=Words("先由一人提议并写明理由。", "One person asks for it first, saying why."),
                clause=CLAUSE,
            )
        try:
            may_lift(_facts(row), ctx.clock.today())
        except RuleViolation as violation:
            raise refusal_from(violation) from violation
        try:
            require_two_people(CLAUSE, row.lift_proposed_by, actor.username)
        except RuleViolation as violation:
            raise same_person(CLAUSE) from violation
        if approved:
            row.lifted_at, row.lifted_by = ctx.clock.now(), actor.username
        else:
            row.lift_proposed_by = row.lift_proposed_at = row.lift_reason = None
        session.flush()
        _note(ctx, session, actor, "misconduct.lift" if approved else "misconduct.keep", row)


def _held(session: Session, record_id: int) -> MisconductRecord:
    row = session.get(MisconductRecord, record_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise unknown_record()
    return row


def _facts(row: MisconductRecord) -> RecordFacts:
    return RecordFacts(row.ends_on, row.lifted_at is not None)


def _note(ctx: ServiceContext, session: Session, actor: Actor, act: str, row: MisconductRecord) -> None:
    details = {"case": row.case_id, "proposed_by": row.lift_proposed_by}
    record_event(session, ctx.clock, actor, act, f"misconduct:{row.id}", clause=CLAUSE, details=details)


def unknown_record() -> NotFoundError:
    """No such record."""
    return NotFoundError(
        "record-not-found",
        Words("没有这条违纪违规记录。", "There is no such misconduct record."),
        remedy=Words("用 ecert misconduct list 查看。", "See: ecert misconduct list"),
    )
