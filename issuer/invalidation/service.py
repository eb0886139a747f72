"""Invalidation and reinstatement: one person proposes, another decides, and everything falls at once (R9, R10).

Every act takes the holding's lock first and reads again under it, so of two people acting at the same
moment exactly one succeeds and the other gets a ConflictError. Nothing is ever deleted.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import NewEvent, record_event, record_many
from issuer.invalidation.cases import InvalidationView, hold_case, hold_certificate, view_of
from issuer.invalidation.effects import change_status
from issuer.invalidation.grounds import parse_ground
from issuer.invalidation.guards import (
    applied_case,
    refusal_is_recorded,
    refuse_while_case_is_open,
    require_person,
    require_second_person,
)
from issuer.invalidation.judgement import apply_invalidation, apply_reinstatement, require_appeal, require_proposal
from issuer.ports import ServiceContext
from issuer.records.certificates import ECertificate, Invalidation
from issuer.records.database import after_commit
from issuer.refusals import refusal_from
from issuer.rules.invalidation import DecisionFacts, may_withdraw, require_basis
from issuer.rules.terms import InvalidationGround, Role
from issuer.rules.violation import RuleViolation
from verifier.record.status import CertificateStatus, ReasonClass

PROPOSERS = (Role.AUTHORITY_ISSUER, Role.REVIEW_BODY)
APPROVERS = (Role.AUTHORITY_APPROVER,)


def propose(
    ctx: ServiceContext,
    actor: Actor,
    management_no: str,
    ground: InvalidationGround | str,
    basis: str,
    effective_on: date | None = None,
    from_beginning: bool = True,
    suspend: bool = False,
) -> int:
    """Propose to invalidate a certificate; the proposal's number.

    `effective_on` defaults to today. With `suspend` the certificate reads suspended at once and until the
    proposal is decided. Raises NotFoundError, NotAllowedError (role, R1), InputError (unknown ground) and
    ConflictError (the law's refusals, R9 or R10).
    """
    require_person(actor, PROPOSERS)
    ground, today = parse_ground(ground), ctx.clock.today()
    effective_on = effective_on or today
    with ctx.database.write() as session:
        certificate = hold_certificate(session, actor, management_no)
        require_proposal(session, certificate, ground, basis, effective_on, from_beginning, today=today)
        case = _new_case(ctx, session, actor, certificate, ground, basis, effective_on)
        case.from_beginning, case.suspended = from_beginning, suspend
        session.add(case)
        session.flush()
        if suspend and certificate.status == CertificateStatus.VALID:
            change_status(
                session,
                actor,
                certificate,
                CertificateStatus.SUSPENDED,
                ReasonClass.CASE_OPEN,
                effective_on=today,
                at=ctx.clock.now(),
            )
            after_commit(session, ctx.publish)
        _record(ctx, session, actor, "propose", case, {"suspended": suspend})
        return case.id


def overturn(ctx: ServiceContext, actor: Actor, management_no: str, basis: str) -> int:
    """Propose to reinstate a certificate after a successful appeal; the proposal's number.

    Somebody else, who did not approve the invalidation either, decides it with `approve`.
    Raises NotFoundError, NotAllowedError (role, R1) and ConflictError.
    """
    require_person(actor, PROPOSERS)
    with ctx.database.write() as session:
        certificate = hold_certificate(session, actor, management_no)
        overturned = applied_case(session, certificate)
        require_appeal(session, certificate, overturned, basis, decided_by="")
        assert overturned is not None, "a certificate without an applied invalidation is refused above"
        ground = InvalidationGround(overturned.ground)
        refuse_while_case_is_open(session, certificate, ground.clause)
        case = _new_case(ctx, session, actor, certificate, ground, basis, ctx.clock.today())
        case.kind, case.overturns_id = "reinstate", overturned.id
        session.add(case)
        session.flush()
        _record(ctx, session, actor, "propose", case, {"overturns": overturned.id})
        return case.id


def approve(ctx: ServiceContext, actor: Actor, case_id: int) -> InvalidationView:
    """Approve a proposal: it is applied in this very unit of work, and every check shows it when this returns.

    Raises NotFoundError, NotAllowedError (role, R1, or one person in both parts: R9, R10), ConflictError
    when somebody else was first or the certificate has moved on.
    """
    require_person(actor, APPROVERS)
    with refusal_is_recorded(ctx, actor, "invalidation.approve", case_id), ctx.database.write() as session:
        case, certificate = hold_case(session, actor, case_id)
        require_second_person(case, actor)
        apply = apply_reinstatement if case.kind == "reinstate" else apply_invalidation
        details = apply(ctx, session, actor, case, certificate)
        _decide(ctx, case, actor, "applied")
        session.flush()
        after_commit(session, ctx.publish)
        family, subject = _family(case), f"invalidation:{case.id}"
        about = {"certificate": certificate.id, "ground": case.ground}
        record_many(
            session,
            ctx.clock,
            actor,
            [
                NewEvent(f"{family}.approve", subject, clause=case.clause, details=about),
                NewEvent(f"{family}.apply", subject, "intent", case.clause, about),
                NewEvent(f"{family}.apply", subject, "done", case.clause, {**about, **details}),
            ],
        )
        return view_of(case, certificate)


def reject(ctx: ServiceContext, actor: Actor, case_id: int, note: str) -> InvalidationView:
    """Refuse a proposal, saying why; a suspension made for it is lifted. Raises as `approve` does."""
    require_person(actor, APPROVERS)
    with refusal_is_recorded(ctx, actor, "invalidation.reject", case_id), ctx.database.write() as session:
        case, certificate = hold_case(session, actor, case_id)
        require_second_person(case, actor)
        return _close(ctx, session, actor, case, certificate, ("rejected", "reject"), note)


def withdraw(ctx: ServiceContext, actor: Actor, case_id: int, note: str) -> InvalidationView:
    """Take one's own proposal back, saying why; a suspension made for it is lifted.

    Raises NotFoundError, NotAllowedError (role, R1) and ConflictError (decided already, or not one's own).
    """
    require_person(actor, PROPOSERS)
    with ctx.database.write() as session:
        case, certificate = hold_case(session, actor, case_id)
        facts = DecisionFacts(InvalidationGround(case.ground), case.state, case.proposed_by, actor.username)
        try:
            may_withdraw(facts)
        except RuleViolation as violation:
            raise refusal_from(violation) from violation
        return _close(ctx, session, actor, case, certificate, ("withdrawn", "withdraw"), note)


def _close(
    ctx: ServiceContext,
    session: Session,
    actor: Actor,
    case: Invalidation,
    certificate: ECertificate,
    outcome: tuple[str, str],
    note: str,
) -> InvalidationView:
    state, verb = outcome
    try:
        require_basis(case.clause, note)
    except RuleViolation as violation:
        raise refusal_from(violation) from violation
    _decide(ctx, case, actor, state)
    case.decision_note = note.strip()
    session.flush()
    lifted = case.suspended and certificate.status == CertificateStatus.SUSPENDED
    if lifted:
        change_status(
            session,
            actor,
            certificate,
            CertificateStatus.VALID,
            None,
            effective_on=ctx.clock.today(),
            at=ctx.clock.now(),
        )
        after_commit(session, ctx.publish)
    _record(ctx, session, actor, verb, case, {"suspension_lifted": lifted})
    return view_of(case, certificate)


def _new_case(
    ctx: ServiceContext,
    session: Session,
    actor: Actor,
    certificate: ECertificate,
    ground: InvalidationGround,
    basis: str,
    effective_on: date,
) -> Invalidation:
    last = session.scalar(
        select(func.max(Invalidation.sequence)).where(Invalidation.certificate_id == certificate.id)
    )
    return Invalidation(
        certificate_id=certificate.id,
        sequence=(last or 0) + 1,
        kind="invalidate",
        ground=ground,
        basis=basis.strip(),
        clause=ground.clause,
        state="proposed",
        effective_on=effective_on,
        from_beginning=True,
        suspended=False,
        proposed_by=actor.username,
        proposed_at=ctx.clock.now(),
    )


def _decide(ctx: ServiceContext, case: Invalidation, actor: Actor, state: str) -> None:
    case.state, case.decided_by, case.decided_at = state, actor.username, ctx.clock.now()


def _family(case: Invalidation) -> str:
    return "reinstatement" if case.kind == "reinstate" else "invalidation"


def _record(
    ctx: ServiceContext, session: Session, actor: Actor, verb: str, case: Invalidation, details: Mapping[str, Any]
) -> None:
    record_event(
        session,
        ctx.clock,
        actor,
        f"{_family(case)}.{verb}",
        f"invalidation:{case.id}",
        clause=case.clause,
        details={"certificate": case.certificate_id, "ground": case.ground, **details},
    )
