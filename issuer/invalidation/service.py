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
from issuer.announcements.cases import case_applied
from issuer.audit import NewEvent, record_event, record_many
from issuer.hearings.guard import require_heard, resting_on, settle
from issuer.invalidation.cases import InvalidationView, hold_case, hold_subject, view_of
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
from issuer.invalidation.subject import Reference, Subject
from issuer.paper.falling import note_suspension
from issuer.paper.sheets import lawful
from issuer.ports import ServiceContext
from issuer.queues.binding import require_not_held
from issuer.records.certificates import Invalidation
from issuer.records.database import after_commit
from issuer.refusals import refusal_from
from issuer.rules.invalidation import DecisionFacts, may_withdraw, require_basis
from issuer.rules.misconduct import term_for
from issuer.rules.policy import Policy
from issuer.rules.queues import CaseKind
from issuer.rules.terms import InvalidationGround, Role
from issuer.rules.violation import RuleViolation
from verifier.record.status import CertificateStatus, ReasonClass

PROPOSERS = (Role.AUTHORITY_ISSUER, Role.REVIEW_BODY)
APPROVERS = (Role.AUTHORITY_APPROVER,)


def propose(
    ctx: ServiceContext,
    actor: Actor,
    reference: Reference,
    ground: InvalidationGround | str,
    basis: str,
    effective_on: date | None = None,
    from_beginning: bool = True,
    suspend: bool = False,
    misconduct_term: str | None = None,
) -> int:
    """Propose to invalidate what `reference` names; the proposal's number.

    A certificate, electronic or paper, or a registration that led to none yet.

    `misconduct_term` (R10): five-years unless long-term is asked for.
    `effective_on` defaults to today. With `suspend` the certificate reads suspended at once and until the
    proposal is decided; paper is not handed out and nothing is issued meanwhile.
    Raises NotFoundError, NotAllowedError (role, R1), InputError (unknown ground) and
    ConflictError (the law's refusals, R9 or R10).
    """
    require_person(actor, PROPOSERS)
    ground, today = parse_ground(ground), ctx.clock.today()
    effective_on = effective_on or today
    with ctx.database.write() as session:
        subject = hold_subject(session, actor, reference)
        require_proposal(session, subject, ground, basis, effective_on, from_beginning, today=today)
        case = _new_case(ctx, session, actor, subject, ground, basis, effective_on)
        case.from_beginning, case.suspended = from_beginning, suspend
        with lawful():
            case.misconduct_term = term_for(ground, misconduct_term)
        session.add(case)
        session.flush()
        if suspend and subject.certificate is not None and subject.status == CertificateStatus.VALID:
            change_status(
                session,
                actor,
                subject.certificate,
                CertificateStatus.SUSPENDED,
                ReasonClass.CASE_OPEN,
                effective_on=today,
                at=ctx.clock.now(),
            )
            after_commit(session, ctx.publish)
        _hold_paper(ctx, session, actor, case, subject)
        _record(ctx, session, actor, "propose", case, {"suspended": suspend})
        return case.id


def overturn(ctx: ServiceContext, actor: Actor, reference: Reference, basis: str) -> int:
    """Propose to stand a certificate or a registration up again after a successful appeal; the proposal's number.

    Somebody else, who did not approve the invalidation either, decides it with `approve`.
    Raises NotFoundError, NotAllowedError (role, R1) and ConflictError.
    """
    require_person(actor, PROPOSERS)
    with ctx.database.write() as session:
        subject = hold_subject(session, actor, reference)
        overturned = applied_case(session, subject)
        require_appeal(session, subject, overturned, basis, decided_by="")
        assert overturned is not None, "what has no applied invalidation is refused above"
        ground = InvalidationGround(overturned.ground)
        refuse_while_case_is_open(session, subject, ground.clause)
        case = _new_case(ctx, session, actor, subject, ground, basis, ctx.clock.today())
        case.kind, case.overturns_id, case.paper_id = "reinstate", overturned.id, overturned.paper_id
        session.add(case)
        session.flush()
        _record(ctx, session, actor, "propose", case, {"overturns": overturned.id})
        return case.id


def approve(ctx: ServiceContext, actor: Actor, case_id: int) -> InvalidationView:
    """Approve a proposal: it is applied in this very unit of work, and every check shows it when this returns.

    Raises NotFoundError, NotAllowedError (role, R1, or one person in both parts: R9, R10), ConflictError
    when somebody else was first, the certificate has moved on, or a hearing is open.
    """
    require_person(actor, APPROVERS)
    with refusal_is_recorded(ctx, actor, "invalidation.approve", case_id), ctx.database.write() as session:
        case, subject = hold_case(session, actor, case_id)
        require_second_person(case, actor)
        require_not_held(session, ctx.clock, actor, CaseKind.INVALIDATION, case.id)
        case.decision_note = resting_on("", require_heard(session, case_id=case.id)) or None
        apply = apply_reinstatement if case.kind == "reinstate" else apply_invalidation
        details, others = apply(ctx, session, actor, case, subject)
        _decide(ctx, case, actor, "applied")
        session.flush()
        case_applied(ctx, session, case, subject.sitting, Policy.from_dict(subject.programme.policy))
        after_commit(session, ctx.publish)
        family, number = _family(case), f"invalidation:{case.id}"
        about = {"certificate": case.certificate_id, "registration": case.registration_id, "ground": case.ground}
        record_many(
            session,
            ctx.clock,
            actor,
            [
                NewEvent(f"{family}.approve", number, clause=case.clause, details=about),
                NewEvent(f"{family}.apply", number, "intent", case.clause, about),
                *others,
                NewEvent(f"{family}.apply", number, "done", case.clause, {**about, **details}),
            ],
        )
        return view_of(session, case, subject)


def reject(ctx: ServiceContext, actor: Actor, case_id: int, note: str) -> InvalidationView:
    """Refuse a proposal, saying why; a suspension made for it is lifted. Raises as `approve` does."""
    require_person(actor, APPROVERS)
    with refusal_is_recorded(ctx, actor, "invalidation.reject", case_id), ctx.database.write() as session:
        case, subject = hold_case(session, actor, case_id)
        require_second_person(case, actor)
        require_not_held(session, ctx.clock, actor, CaseKind.INVALIDATION, case.id)
        return _close(ctx, session, actor, case, subject, ("rejected", "reject"), note)


def withdraw(ctx: ServiceContext, actor: Actor, case_id: int, note: str) -> InvalidationView:
    """Take one's own proposal back, saying why; a suspension made for it is lifted.

    Raises NotFoundError, NotAllowedError (role, R1) and ConflictError (decided already, or not one's own).
    """
    require_person(actor, PROPOSERS)
    with ctx.database.write() as session:
        case, subject = hold_case(session, actor, case_id)
        facts = DecisionFacts(InvalidationGround(case.ground), case.state, case.proposed_by, actor.username)
        try:
            may_withdraw(facts)
        except RuleViolation as violation:
            raise refusal_from(violation) from violation
        return _close(ctx, session, actor, case, subject, ("withdrawn", "withdraw"), note)


def _close(
    ctx: ServiceContext,
    session: Session,
    actor: Actor,
    case: Invalidation,
    subject: Subject,
    outcome: tuple[str, str],
    note: str,
) -> InvalidationView:
    state, verb = outcome
    try:
        require_basis(case.clause, note)
    except RuleViolation as violation:
        raise refusal_from(violation) from violation
    rests_on = settle(session, ctx.clock.now(), case_id=case.id)
    _decide(ctx, case, actor, state)
    case.decision_note = resting_on(note.strip(), rests_on)
    session.flush()
    certificate = subject.certificate if case.suspended else None
    lifted = certificate is not None and certificate.status == CertificateStatus.SUSPENDED
    if certificate is not None and lifted:
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
    _hold_paper(ctx, session, actor, case, subject, lifted=True)
    _record(ctx, session, actor, verb, case, {"suspension_lifted": lifted})
    return view_of(session, case, subject)


def _new_case(
    ctx: ServiceContext,
    session: Session,
    actor: Actor,
    subject: Subject,
    ground: InvalidationGround,
    basis: str,
    effective_on: date,
) -> Invalidation:
    last = session.scalar(
        select(func.max(Invalidation.sequence)).where(Invalidation.registration_id == subject.registration.id)
    )
    return Invalidation(
        registration_id=subject.registration.id,
        certificate_id=subject.certificate.id if subject.certificate else None,
        paper_id=subject.sheet.id if subject.sheet else None,
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


def _hold_paper(
    ctx: ServiceContext, session: Session, actor: Actor, case: Invalidation, subject: Subject, *, lifted: bool = False
) -> None:
    """Paper that a case holds back, or lets go again, says so in its own history."""
    if case.suspended and subject.certificate is None and subject.sheet is not None:
        noted = note_suspension(
            session, ctx.clock, actor, subject.sheet.id, clause=case.clause, case_id=case.id, lifted=lifted
        )
        record_many(session, ctx.clock, actor, [noted])


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
        details={
            "certificate": case.certificate_id,
            "registration": case.registration_id,
            "ground": case.ground,
            **details,
        },
    )
