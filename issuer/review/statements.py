"""What people say: objections to the public notice (R5) and statements of defence (R7)."""

import unicodedata
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import record_event
from issuer.errors import ConflictError, InputError, NotAllowedError, NotFoundError, Words
from issuer.hearings.guard import require_heard, resting_on, settle
from issuer.ports import ServiceContext
from issuer.queues.binding import require_not_held
from issuer.records.people import Registration
from issuer.records.reviews import DefenceStatement, EligibilityReview, Objection
from issuer.refusals import refusal_from
from issuer.review.moves import Step, move_reviews
from issuer.review.sitting import REVIEWERS, OpenSitting, open_sitting
from issuer.rules.notice import require_open_notice
from issuer.rules.queues import CaseKind
from issuer.rules.review import ReviewAction, ReviewState
from issuer.rules.terms import ReviewOutcome, Role
from issuer.rules.violation import RuleViolation

MAX_TEXT = 4000
RECEIVERS = (*REVIEWERS, Role.SUPERVISOR)
"""Who may write down an objection that somebody has raised."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Whom an act is about: by registration, or by admission number in the sitting.

    A holder's side sets `person_id`; another person's registration is then not found.
    """

    registration_id: int | None = None
    admission_no: str | None = None
    person_id: int | None = None


def raise_objection(ctx: ServiceContext, actor: Actor, sitting_code: str, who: Candidate, text: str) -> int:
    """Write down an objection to one candidate while the notice stands; its number. Nothing is issued until
    it is resolved. Raises NotFoundError, NotAllowedError (R1), InputError, ConflictError (no notice now, R5)."""
    text = usable_text(text)
    with ctx.database.write() as session:
        sitting = open_sitting(session, actor, sitting_code, RECEIVERS)
        registration = find_candidate(session, actor, sitting, who)
        try:
            require_open_notice(sitting.notice, ctx.clock.now())
        except RuleViolation as violation:
            raise refusal_from(violation) from violation
        objection = Objection(
            sitting_code=sitting.code,
            registration_id=registration.id,
            text=text,
            raised_at=ctx.clock.now(),
            raised_by=actor.username,
        )
        _lock(session, registration.id)  # what issuing reads under lock: an objection and an issue meet here
        session.add(objection)
        session.flush()
        _record(ctx, session, actor, "review.object", registration.id, "R5", objection=objection.id)
        return objection.id


def resolve_objection(
    ctx: ServiceContext, actor: Actor, objection_id: int, *, upheld: bool, resolution: str
) -> ReviewState | None:
    """Decide on an objection; where it is upheld the candidate is found ineligible. The new state, or None.

    Raises NotFoundError, NotAllowedError (R1), InputError, ConflictError (resolved already, or the review
    cannot move: with a certificate made, the way is invalidation).
    """
    resolution = usable_text(resolution)
    with ctx.database.write() as session:
        objection = session.get(Objection, objection_id, with_for_update=True, populate_existing=True)
        if objection is None:
            raise NotFoundError(
                "objection-not-found",
                Words("没有这个编号的异议。", "There is no objection with that number."),
                remedy=Words("用 ecert review status 查看。", "See: ecert review status"),
            )
        sitting = open_sitting(session, actor, objection.sitting_code)
        registration = find_candidate(session, actor, sitting, Candidate(objection.registration_id))
        if objection.resolved_at is not None:
            raise ConflictError(
                "objection-resolved",
                Words("该异议已处理，未作任何更改。", "This objection was resolved before; nothing was changed."),
                clause="R5",
            )
        require_not_held(session, ctx.clock, actor, CaseKind.OBJECTION, objection.id)
        state = _uphold(ctx, session, actor, sitting, registration.id) if upheld else None
        objection.resolved_at, objection.resolved_by = ctx.clock.now(), actor.username
        objection.upheld, objection.resolution = upheld, resolution
        session.flush()
        _record(
            ctx,
            session,
            actor,
            "review.resolve-objection",
            registration.id,
            "R5",
            objection=objection.id,
            upheld=upheld,
        )
        return state


def file_defence(ctx: ServiceContext, actor: Actor, sitting_code: str, who: Candidate, text: str) -> int:
    """Take in the defence of a candidate found ineligible (R7); its number. A holder may file their own.

    Raises NotFoundError, NotAllowedError (R1), InputError, ConflictError (not ineligible, too late, a second one).
    """
    text = usable_text(text)
    with ctx.database.write() as session:
        if actor.via == "holder":
            if who.person_id is None:
                raise NotAllowedError(
                    "holder-unknown", Words("只能为本人申辩。", "A holder can speak for themselves only.")
                )
            sitting = open_sitting(session, _ON_BEHALF, sitting_code)
        else:
            sitting = open_sitting(session, actor, sitting_code)
        registration = find_candidate(session, _ON_BEHALF if actor.via == "holder" else actor, sitting, who)
        decided = session.scalar(
            select(func.count()).where(
                DefenceStatement.registration_id == registration.id, DefenceStatement.decided_at.is_not(None)
            )
        )
        _move(ctx, session, actor, sitting, registration.id, ReviewAction.FILE_DEFENCE, decided=bool(decided))
        statement = DefenceStatement(registration_id=registration.id, text=text, filed_at=ctx.clock.now())
        session.add(statement)
        session.flush()
        return statement.id


def decide_defence(
    ctx: ServiceContext, actor: Actor, sitting_code: str, who: Candidate, *, accepted: bool, note: str
) -> ReviewState:
    """Accept or reject the open defence of a candidate (R7); the review's new state.

    It names the hearing it rests on. Raises NotFoundError, NotAllowedError (R1), InputError, ConflictError (none
    open, too late, or a rejection while a hearing is open).
    """
    note = usable_text(note)
    with ctx.database.write() as session:
        sitting = open_sitting(session, actor, sitting_code)
        registration = find_candidate(session, actor, sitting, who)
        action = ReviewAction.ACCEPT_DEFENCE if accepted else ReviewAction.REJECT_DEFENCE
        _lock(session, registration.id)
        waiting = select(DefenceStatement).where(
            DefenceStatement.registration_id == registration.id, DefenceStatement.decided_at.is_(None)
        )
        if (heard := session.scalars(waiting).one_or_none()) is not None:
            now = ctx.clock.now()
            rests_on = (
                settle(session, now, defence_id=heard.id) if accepted else require_heard(session, defence_id=heard.id)
            )
            note = resting_on(note, rests_on)
        state = _move(ctx, session, actor, sitting, registration.id, action, note=note)
        statement = session.scalars(waiting).one()
        statement.decided_at, statement.decided_by = ctx.clock.now(), actor.username
        statement.accepted = accepted
        return state


_ON_BEHALF = Actor("holder", frozenset({Role.AUTHORITY_ISSUER}), "system")
"""Reads the sitting for a holder, whose reach is their own registration and nothing else."""


def _lock(session: Session, registration_id: int) -> None:
    session.execute(
        select(EligibilityReview.version)
        .where(EligibilityReview.registration_id == registration_id)
        .with_for_update()
    )


def _uphold(
    ctx: ServiceContext, session: Session, actor: Actor, sitting: OpenSitting, registration_id: int
) -> ReviewState | None:
    outcome = session.scalar(
        select(EligibilityReview.outcome).where(EligibilityReview.registration_id == registration_id)
    )
    if outcome in (ReviewOutcome.INELIGIBLE, ReviewOutcome.DEEMED_WAIVED):
        return None  # there is nothing left to take away
    eligible = outcome == ReviewOutcome.ELIGIBLE
    action = ReviewAction.OBJECTION_UPHELD if eligible else ReviewAction.FIND_INELIGIBLE
    return _move(ctx, session, actor, sitting, registration_id, action, reason="objection-upheld")


def _move(
    ctx: ServiceContext,
    session: Session,
    actor: Actor,
    sitting: OpenSitting,
    registration_id: int,
    action: ReviewAction,
    *,
    reason: str | None = None,
    note: str | None = None,
    decided: bool = False,
) -> ReviewState:
    step = Step(registration_id, action, reason, note)
    done = move_reviews(session, ctx.clock, actor, sitting, [step], defence_decided=decided)
    if registration_id in done.refused:
        raise done.refused[registration_id]
    return done.moved[registration_id]


def find_candidate(session: Session, actor: Actor, sitting: OpenSitting, who: Candidate) -> Registration:
    """The registration meant, within the actor's reach. Raises NotFoundError, NotAllowedError (R1), InputError."""
    query = select(Registration).where(Registration.sitting_code == sitting.code)
    if who.registration_id is not None:
        query = query.where(Registration.id == who.registration_id)
    elif who.admission_no is not None:
        query = query.where(Registration.admission_no == who.admission_no.strip().upper())
    elif who.person_id is None:
        raise InputError("candidate-not-named", Words("请提供准考证号。", "Name an admission number."))
    if who.person_id is not None:
        query = query.where(Registration.person_id == who.person_id)
    registration = session.scalars(query).one_or_none()
    if registration is None:
        raise NotFoundError(
            "candidate-not-found",
            Words("本考次没有对应的报名记录。", "There is no such registration in this sitting."),
            remedy=Words("请核对考次代码和准考证号。", "Check the sitting and the admission number."),
        )
    actor.require_programme(sitting.programme_code, registration.city)
    return registration


def usable_text(text: str) -> str:
    """The text without outer blanks. Raises InputError: empty, over MAX_TEXT characters, or with hidden ones."""
    text = text.strip()
    hidden = any(
        unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn") and char not in "\r\n\t" for char in text
    )
    if not 1 <= len(text) <= MAX_TEXT or hidden:
        raise InputError(
            "text-unusable",
            Words(f"内容须为 1 至 {MAX_TEXT} 个可见字符。", f"The text has 1 to {MAX_TEXT} visible characters."),
            remedy=Words("请修改后重新提交。", "Mend it and send it again."),
        )
    return text


def _record(
    ctx: ServiceContext,
    session: Session,
    actor: Actor,
    act: str,
    registration_id: int,
    clause: str,
    **details: int | bool,
) -> None:
    subject = f"registration:{registration_id}"
    record_event(session, ctx.clock, actor, act, subject, clause=clause, details=details)
