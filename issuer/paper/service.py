"""Replacement of a paper certificate: refused for good once an electronic one was made (R14, R11).

The decision is made under the holding's lock, which issuing takes too, so a request and an issue that
race on one holding can never both succeed. Refused requests are kept and audited: the unit of work that
records the refusal is committed, and only then is it raised.
"""

import unicodedata
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import record_event
from issuer.errors import (
    ConflictError,
    DomainError,
    InputError,
    NotAllowedError,
    NotFoundError,
    Words,
)
from issuer.paper.refusal import paper_refusal
from issuer.paper.requests import ReplacementView, view_of
from issuer.ports import ServiceContext
from issuer.records.certificates import ECertificate, Holding
from issuer.records.holdings import lock_holding, qualification_key
from issuer.records.paper import PaperReplacementRequest
from issuer.records.people import Registration
from issuer.records.reviews import EligibilityReview
from issuer.records.sittings import Programme, Sitting
from issuer.rules.paper import PaperFacts, may_replace_paper
from issuer.rules.terms import Medium, ReviewOutcome, Role
from issuer.rules.violation import RuleViolation

CLERKS = (Role.AUTHORITY_ISSUER, Role.REVIEW_BODY)
MAX_REASON = 500


def request_replacement(
    ctx: ServiceContext,
    actor: Actor,
    *,
    reason: str,
    registration_id: int | None = None,
    management_no: str | None = None,
    sitting_code: str | None = None,
    admission_no: str | None = None,
    person_id: int | None = None,
    kind: Literal["lost", "damaged"] | None = None,
) -> int:
    """Ask for a paper certificate to be replaced; the accepted request's number.

    Name the registration by its id, by a certificate's management number, or by sitting and admission
    number. A holder's side passes `person_id`, and another person's registration is then not found.
    Raises ECertificateAlreadyIssued (R14), ConflictError (R4, R9, R11, R14: one open already),
    NotFoundError, NotAllowedError (R1), InputError.
    """
    if actor.via != "holder":
        actor.require(*CLERKS)
    elif person_id is None:
        raise NotAllowedError(
            "holder-unknown", Words("只能为本人申请。", "A holder can ask for themselves only."), remedy=None
        )
    reason = _usable_reason(reason)
    refusal: DomainError | None = None
    with ctx.database.write() as session:
        registration = _find(session, registration_id, management_no, sitting_code, admission_no)
        if person_id is not None and registration.person_id != person_id:
            raise _not_found()
        programme = _programme_of(session, registration)
        if actor.via != "holder":
            actor.require_programme(programme.code, registration.city)
        key = qualification_key(
            programme.code, registration.level or programme.level, registration.specialty, registration.sitting_code
        )
        holding = lock_holding(session, registration.person_id, key)
        session.refresh(registration)
        row = PaperReplacementRequest(
            person_id=registration.person_id,
            registration_id=registration.id,
            qualification=key,
            reason=reason,
            state="accepted",
            kind=kind,
            requested_by=actor.username,
            requested_at=ctx.clock.now(),
        )
        try:
            may_replace_paper(_facts(session, registration, programme, holding))
            holding.paper_replacement_open = True
        except RuleViolation as violation:
            refusal = paper_refusal(session, registration.person_id, key, violation)
            row.state, row.clause, row.code = "refused", refusal.clause, refusal.code
        session.add(row)
        session.flush()
        record_event(
            session,
            ctx.clock,
            actor,
            "paper.replacement.refuse" if refusal else "paper.replacement.accept",
            f"registration:{registration.id}",
            outcome="refused" if refusal else "done",
            clause=row.clause or "R11",
            details={"request": row.id, "code": row.code},
        )
    if refusal is not None:
        raise refusal
    return row.id


def close_replacement(ctx: ServiceContext, actor: Actor, request_id: int, state: str) -> ReplacementView:
    """End an accepted request: `fulfilled` (handed over) or `withdrawn`. Raises NotFoundError, ConflictError."""
    actor.require(*CLERKS)
    if state not in ("fulfilled", "withdrawn"):
        raise InputError(
            "unknown-state",
            Words("办结状态只能是 fulfilled 或 withdrawn。", "A request ends as fulfilled or withdrawn."),
        )
    with ctx.database.write() as session:
        row = session.get(PaperReplacementRequest, request_id)
        if row is None:
            raise _not_found()
        registration = session.get_one(Registration, row.registration_id)
        actor.require_programme(_programme_of(session, registration).code, registration.city)
        holding = lock_holding(session, row.person_id, row.qualification)
        session.refresh(row)
        if row.state != "accepted":
            raise ConflictError(
                "replacement-not-open",
                Words(f"该申请已办结（{row.state}）。", f"This request has ended already ({row.state})."),
                remedy=Words("用 ecert paper list 查看。", "See: ecert paper list"),
            )
        if state == "fulfilled" and holding.paper_made_at is not None:
            raise ConflictError(
                "replacement-needs-form",
                Words(
                    "该证书由本系统打印，补发须占用新的空白证书。",
                    "It was printed here: a replacement takes a new form.",
                ),
                remedy=Words("审核后用“打印补发”办结。", "Have it approved, then print the replacement."),
                clause="R16",
            )
        row.state, holding.paper_replacement_open = state, False
        session.flush()
        verb = {"fulfilled": "fulfil", "withdrawn": "withdraw"}[state]
        subject = f"registration:{row.registration_id}"
        record_event(
            session, ctx.clock, actor, f"paper.replacement.{verb}", subject, clause="R11", details={"request": row.id}
        )
        return view_of(row, registration.sitting_code)


def _facts(session: Session, registration: Registration, programme: Programme, holding: Holding) -> PaperFacts:
    review = session.get(EligibilityReview, registration.id, populate_existing=True)
    return PaperFacts(
        medium=Medium(programme.medium),
        e_certificate_made=holding.e_certificate_made_at is not None,
        outcome=ReviewOutcome(review.outcome) if review else ReviewOutcome.AWAITING,
        registration_void=registration.void_since is not None,
        open_request=holding.paper_replacement_open,
    )


def _find(
    session: Session,
    registration_id: int | None,
    management_no: str | None,
    sitting_code: str | None,
    admission_no: str | None,
) -> Registration:
    query = select(Registration)
    if registration_id is not None:
        query = query.where(Registration.id == registration_id)
    elif management_no is not None:
        certificate = select(ECertificate.registration_id).where(
            ECertificate.management_no == "".join(management_no.split()).upper()
        )
        query = query.where(Registration.id.in_(certificate))
    elif sitting_code is not None and admission_no is not None:
        query = query.where(
            Registration.sitting_code == sitting_code, Registration.admission_no == admission_no.strip()
        )
    else:
        raise InputError(
            "registration-not-named",
            Words(
                "请提供管理号，或考次代码和准考证号。",
                "Name a management number, or a sitting and an admission number.",
            ),
        )
    registration = session.scalars(query).one_or_none()
    if registration is None:
        raise _not_found()
    return registration


def _programme_of(session: Session, registration: Registration) -> Programme:
    sitting = session.get_one(Sitting, registration.sitting_code)
    return session.get_one(Programme, sitting.programme_code)


def _usable_reason(reason: str) -> str:
    text = reason.strip()
    hidden = any(
        unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn") and char not in "\r\n\t" for char in text
    )
    if not 1 <= len(text) <= MAX_REASON or hidden:
        raise InputError(
            "reason-unusable",
            Words(
                f"补发原因须为 1 至 {MAX_REASON} 个可见字符。", f"A reason has 1 to {MAX_REASON} visible characters."
            ),
            remedy=Words("请说明遗失或损毁的情况。", "Say how it was lost or damaged."),
        )
    return text


def _not_found() -> NotFoundError:
    return NotFoundError(
        "registration-not-found",
        Words("没有找到对应的报名记录。", "There is no such registration."),
        remedy=Words(
            "请核对考次代码和准考证号或管理号。", "Check the sitting and admission number, or the management number."
        ),
    )
