"""What stands in the way of a proposal or a decision, told so that a person knows what to do next."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import record_event
from issuer.errors import ConflictError, NotAllowedError, Words
from issuer.invalidation.subject import Subject
from issuer.ports import ServiceContext
from issuer.records.certificates import ECertificate, Invalidation
from issuer.records.paper import PaperCertificate
from issuer.refusals import refusal_from
from issuer.rules.invalidation import DecisionFacts, may_decide
from issuer.rules.terms import InvalidationGround, Role
from issuer.rules.violation import RuleViolation


def require_person(actor: Actor, roles: tuple[Role, ...]) -> None:
    """Raise NotAllowedError unless a person with one of `roles` acts: the software itself never decides."""
    if actor.via in ("system", "holder"):
        raise NotAllowedError(
            "not-staff",
            Words("此事项须由工作人员办理。", "This must be done by a member of staff."),
            remedy=Words("请指明办理人账号。", "Name the account that acts."),
        )
    actor.require(*roles)


def require_second_person(case: Invalidation, actor: Actor) -> None:
    """Raise NotAllowedError (R9 or R10) when the proposer would decide on their own proposal."""
    facts = DecisionFacts(InvalidationGround(case.ground), case.state, case.proposed_by, actor.username)
    try:
        may_decide(facts)
    except RuleViolation as violation:
        if violation.code != "same-person":
            raise refusal_from(violation) from violation
        raise same_person(violation.clause) from violation


def same_person(clause: str) -> NotAllowedError:
    """The refusal when one person acts in both parts."""
    return NotAllowedError(
        "same-person",
        Words(
            "提议人与批准人不能是同一人，事项保持待批准。",
            "Proposer and approver must be two people; the proposal stays open.",
        ),
        remedy=Words("请由另一名批准人员办理。", "Ask another approver."),
        clause=clause,
    )


@contextmanager
def refusal_is_recorded(ctx: ServiceContext, actor: Actor, act: str, case_id: int) -> Iterator[None]:
    """An attempt to decide on one's own proposal is written into the audit trail, in a unit of its own."""
    try:
        yield
    except NotAllowedError as refusal:
        if refusal.code == "same-person":
            with ctx.database.write() as session:
                record_event(
                    session,
                    ctx.clock,
                    actor,
                    act,
                    f"invalidation:{case_id}",
                    outcome="refused",
                    clause=refusal.clause,
                    details={"code": refusal.code},
                )
        raise


def status_refusal(session: Session, subject: Subject, violation: RuleViolation) -> Exception:
    """The refusal of a rule, with the way on: the successor of a superseded certificate, the open case, …"""
    if violation.code == "same-person":
        return NotAllowedError(
            "same-person",
            Words(
                "原无效决定的批准人不能决定其申诉，事项保持待批准。",
                "Who approved the invalidation cannot decide on its appeal; the proposal stays open.",
            ),
            remedy=Words("请由另一名批准人员办理。", "Ask another approver."),
            clause=violation.clause,
        )
    return refusal_from(violation, remedy=_way_on(session, subject, violation.code))


def refuse_while_case_is_open(session: Session, subject: Subject, clause: str) -> None:
    """Raise ConflictError while another proposal on this subject waits for a decision."""
    if (case := open_case(session, subject)) is not None:
        raise ConflictError(
            "proposal-open",
            Words(f"第 {case.id} 号事项尚未决定。", f"Case {case.id} has not been decided yet."),
            remedy=_way_on(session, subject, "proposal-open"),
            clause=clause,
        )


def open_case(session: Session, subject: Subject) -> Invalidation | None:
    """The proposal on this subject that waits for a decision."""
    return session.scalars(
        select(Invalidation).where(_about(subject), Invalidation.state == "proposed")
    ).one_or_none()


def applied_case(session: Session, subject: Subject) -> Invalidation | None:
    """The invalidation this certificate, or this registration without one, fell by."""
    return session.scalars(
        select(Invalidation)
        .where(
            _about(subject),
            Invalidation.kind == "invalidate",
            Invalidation.state == "applied",
        )
        .order_by(Invalidation.sequence.desc())
        .limit(1)
    ).one_or_none()


def _about(subject: Subject) -> ColumnElement[bool]:
    bare = (Invalidation.registration_id == subject.registration.id) & Invalidation.certificate_id.is_(None)
    return bare | (Invalidation.certificate_id == subject.certificate.id) if subject.certificate else bare


def other_open_certificate(session: Session, subject: Subject) -> bool:
    """Whether another certificate has, or is about to take, this qualification's slot.

    A correction that is being made from this very certificate does not count: publishing it looks at the
    old one's status again under the holding's lock, and gives up if that is not valid.
    """
    own = subject.certificate.id if subject.certificate else 0
    person_id, qualification = subject.registration.person_id, subject.qualification
    others = select(ECertificate.id).where(
        ECertificate.person_id == person_id,
        ECertificate.qualification == qualification,
        ECertificate.slot.in_(("pending", "live")),
        ECertificate.id != own,
        func.coalesce(ECertificate.supersedes_id, 0) != own if own else true(),
    )
    sheets = select(PaperCertificate.id).where(
        PaperCertificate.person_id == person_id,
        PaperCertificate.qualification == qualification,
        PaperCertificate.slot == "live",
    )
    return any(session.scalar(query.limit(1)) is not None for query in (others, sheets))


def _way_on(session: Session, subject: Subject, code: str) -> Words | None:
    certificate = subject.certificate
    if code == "superseded" and certificate is not None:
        successor = session.scalar(
            select(ECertificate.management_no).where(
                ECertificate.supersedes_id == certificate.id, ECertificate.state == "published"
            )
        )
        if successor is not None:
            return Words(
                f"该证书已由更正后的证书 {successor} 取代，请对 {successor} 办理。",
                f"It was replaced by the corrected certificate {successor}: act on {successor}.",
            )
    if code == "proposal-open" and (case := open_case(session, subject)) is not None:
        return Words(
            f"请先办结第 {case.id} 号事项：ecert invalidation show {case.id}",
            f"Finish case {case.id} first: ecert invalidation show {case.id}",
        )
    return {
        "not-published": Words("待证书发布后再办理。", "Wait until the certificate is published."),
        "already-invalid": Words(
            "该证书已无效；如申诉成立，请办理恢复：ecert reinstate",
            "It is invalid already; after a successful appeal use: ecert reinstate",
        ),
        "basis-missing": Words("请写明法律依据（--basis）。", "State the legal basis (--basis)."),
        "effective-before-exam": Words(
            "请核对 --effective-on，改为考试结束之后的日期。", "Check --effective-on: give a day after the exam."
        ),
        "effective-in-future": Words("请改为今日或更早的日期。", "Give today or an earlier day."),
    }.get(code)
