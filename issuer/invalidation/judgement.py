"""The rules asked about a case, and its effects when the answer is yes."""

from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import NewEvent
from issuer.invalidation.effects import change_status, restore_registration, void_registration
from issuer.invalidation.grounds import reason_class
from issuer.invalidation.guards import (
    open_case,
    other_open_certificate,
    status_refusal,
)
from issuer.invalidation.misconduct import enter, lift
from issuer.invalidation.subject import Subject
from issuer.paper.falling import fall, stand_again
from issuer.paper.sheets import lawful
from issuer.ports import ServiceContext
from issuer.records.certificates import Invalidation
from issuer.rules.invalidation import ProposalFacts, ReinstatementFacts, may_propose, may_reinstate
from issuer.rules.terms import InvalidationGround
from issuer.rules.violation import RuleViolation
from verifier.record.status import CertificateStatus, ReasonClass

Applied = tuple[dict[str, Any], list[NewEvent]]
"""What the audit should say of the case, and the events of what fell or stood up with it."""


def require_proposal(
    session: Session,
    subject: Subject,
    ground: InvalidationGround,
    basis: str,
    effective_on: date,
    from_beginning: bool,
    *,
    today: date,
    own: Invalidation | None = None,
) -> None:
    """Raise ConflictError unless invalidation may be proposed; `own` is the proposal that is being decided."""
    waiting = open_case(session, subject)
    facts = ProposalFacts(
        ground=ground,
        basis=basis,
        effective_on=effective_on,
        from_beginning=from_beginning,
        approved_on=_approved_on(subject),
        exam_ended_on=subject.sitting.exam_ended_on,
        status=subject.status,
        open_proposal=waiting is not None and waiting is not own,
    )
    try:
        may_propose(facts, today)
    except RuleViolation as violation:
        raise status_refusal(session, subject, violation) from violation


def require_appeal(
    session: Session, subject: Subject, overturned: Invalidation | None, basis: str, *, decided_by: str
) -> None:
    """Raise ConflictError, or NotAllowedError for one person in both parts, unless it may be reinstated."""
    facts = ReinstatementFacts(
        ground=InvalidationGround(overturned.ground) if overturned else InvalidationGround.INELIGIBLE_IN_REVIEW,
        basis=basis,
        status=subject.status,
        invalidation_state=overturned.state if overturned else "none",
        invalidated_by=(overturned.decided_by or "") if overturned else "",
        overturned_by=decided_by,
        other_live=other_open_certificate(session, subject),
    )
    try:
        may_reinstate(facts)
    except RuleViolation as violation:
        raise status_refusal(session, subject, violation) from violation


def apply_invalidation(
    ctx: ServiceContext, session: Session, actor: Actor, case: Invalidation, subject: Subject
) -> Applied:
    """R9: what the holder has, registration and all scores of the sitting fall together; what the audit is told."""
    ground, today = InvalidationGround(case.ground), ctx.clock.today()
    require_proposal(
        session, subject, ground, case.basis, case.effective_on, case.from_beginning, today=today, own=case
    )
    at = ctx.clock.now()
    if subject.certificate is not None:
        case.certificate_id = subject.certificate.id  # made since, where the case began against a bare registration
        change_status(
            session,
            actor,
            subject.certificate,
            CertificateStatus.INVALID,
            reason_class(ground),
            effective_on=case.effective_on,
            at=at,
            from_beginning=case.from_beginning,
        )
    events: list[NewEvent] = []
    details: dict[str, Any] = {"registration": subject.registration.id}
    if subject.sheet is not None:
        case.paper_id = subject.sheet.id
        events = fall(session, ctx.clock, actor, subject.sheet.id, clause=case.clause, case_id=case.id)
        details |= {"paper": subject.sheet.id}
    details["subjects_void"] = void_registration(session, subject.registration.id, case.id, at)
    entered = enter(session, ctx.clock, actor, case, subject.registration.person_id)
    return details, [*events, *([entered] if entered else [])]


def apply_reinstatement(
    ctx: ServiceContext, session: Session, actor: Actor, case: Invalidation, subject: Subject
) -> Applied:
    """Stand it up again with what fell by that very invalidation; what the audit should say."""
    overturned = session.get_one(Invalidation, case.overturns_id, populate_existing=True)
    require_appeal(session, subject, overturned, case.basis, decided_by=actor.username)
    at = ctx.clock.now()
    subjects = restore_registration(session, subject.registration.id, overturned.id)
    if subject.certificate is not None:
        change_status(
            session,
            actor,
            subject.certificate,
            CertificateStatus.VALID,
            ReasonClass.REINSTATED,
            effective_on=ctx.clock.today(),
            at=at,
        )
    events: list[NewEvent] = []
    if overturned.paper_id is not None:
        case.paper_id = overturned.paper_id
        with lawful():
            events = stand_again(
                session, ctx.clock, actor, overturned.paper_id, clause=case.clause, case_id=overturned.id
            )
    overturned.state = "overturned"
    overturned.overturned_by, overturned.overturned_at = actor.username, at
    overturned.overturned_basis = case.basis
    lifted = lift(session, ctx.clock, actor, overturned.id)
    return {"overturned": overturned.id, "subjects_restored": subjects}, [*events, *([lifted] if lifted else [])]


def _approved_on(subject: Subject) -> date:
    """The day the certificate rests on; for a bare score report, the end of the examination."""
    if subject.certificate is not None:
        return subject.certificate.approved_on
    return subject.sitting.approved_on if subject.sheet is not None else subject.sitting.exam_ended_on
