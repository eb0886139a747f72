"""The rules asked about a case, and its effects when the answer is yes."""

from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.invalidation.effects import change_status, restore_registration, void_registration
from issuer.invalidation.grounds import reason_class
from issuer.invalidation.guards import (
    open_case,
    other_open_certificate,
    status_refusal,
)
from issuer.ports import ServiceContext
from issuer.records.certificates import ECertificate, Invalidation
from issuer.records.sittings import Sitting
from issuer.rules.invalidation import ProposalFacts, ReinstatementFacts, may_propose, may_reinstate
from issuer.rules.terms import InvalidationGround
from issuer.rules.violation import RuleViolation
from verifier.record.status import CertificateStatus, ReasonClass


def require_proposal(
    session: Session,
    certificate: ECertificate,
    ground: InvalidationGround,
    basis: str,
    effective_on: date,
    from_beginning: bool,
    *,
    today: date,
    own: Invalidation | None = None,
) -> None:
    """Raise ConflictError unless invalidation may be proposed; `own` is the proposal that is being decided."""
    waiting = open_case(session, certificate)
    facts = ProposalFacts(
        ground=ground,
        basis=basis,
        effective_on=effective_on,
        from_beginning=from_beginning,
        approved_on=certificate.approved_on,
        exam_ended_on=session.get_one(Sitting, certificate.sitting_code).exam_ended_on,
        status=_public_status(certificate),
        open_proposal=waiting is not None and waiting is not own,
    )
    try:
        may_propose(facts, today)
    except RuleViolation as violation:
        raise status_refusal(session, certificate, violation) from violation


def require_appeal(
    session: Session, certificate: ECertificate, overturned: Invalidation | None, basis: str, *, decided_by: str
) -> None:
    """Raise ConflictError, or NotAllowedError for one person in both parts, unless it may be reinstated."""
    facts = ReinstatementFacts(
        ground=InvalidationGround(overturned.ground) if overturned else InvalidationGround.INELIGIBLE_IN_REVIEW,
        basis=basis,
        status=_public_status(certificate),
        invalidation_state=overturned.state if overturned else "none",
        invalidated_by=(overturned.decided_by or "") if overturned else "",
        overturned_by=decided_by,
        other_live=other_open_certificate(session, certificate),
    )
    try:
        may_reinstate(facts)
    except RuleViolation as violation:
        raise status_refusal(session, certificate, violation) from violation


def apply_invalidation(
    ctx: ServiceContext, session: Session, actor: Actor, case: Invalidation, certificate: ECertificate
) -> dict[str, Any]:
    """R9: certificate, registration and all scores of the sitting fall together; what the audit should say."""
    ground, today = InvalidationGround(case.ground), ctx.clock.today()
    require_proposal(
        session, certificate, ground, case.basis, case.effective_on, case.from_beginning, today=today, own=case
    )
    at = ctx.clock.now()
    change_status(
        session,
        actor,
        certificate,
        CertificateStatus.INVALID,
        reason_class(ground),
        effective_on=case.effective_on,
        at=at,
    )
    subjects = void_registration(session, certificate.registration_id, case.id, at)
    return {"registration": certificate.registration_id, "subjects_void": subjects}


def apply_reinstatement(
    ctx: ServiceContext, session: Session, actor: Actor, case: Invalidation, certificate: ECertificate
) -> dict[str, Any]:
    """Stand the certificate up again with what fell by that very invalidation; what the audit should say."""
    overturned = session.get_one(Invalidation, case.overturns_id, populate_existing=True)
    require_appeal(session, certificate, overturned, case.basis, decided_by=actor.username)
    at = ctx.clock.now()
    subjects = restore_registration(session, certificate.registration_id, overturned.id)
    change_status(
        session,
        actor,
        certificate,
        CertificateStatus.VALID,
        ReasonClass.REINSTATED,
        effective_on=ctx.clock.today(),
        at=at,
    )
    overturned.state = "overturned"
    overturned.overturned_by, overturned.overturned_at = actor.username, at
    overturned.overturned_basis = case.basis
    return {"overturned": overturned.id, "subjects_restored": subjects}


def _public_status(certificate: ECertificate) -> str | None:
    return certificate.status if certificate.state == "published" else None
