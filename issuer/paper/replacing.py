"""Replacement of a lost or damaged paper certificate, once accepted: a second look, a new form, the old one void."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import record_event, record_many
from issuer.errors import ConflictError, NotFoundError, Words
from issuer.issuance.facts import load_cases, load_examination
from issuer.paper.mail import close_bookings
from issuer.paper.making import print_for
from issuer.paper.requests import ReplacementView, view_of
from issuer.paper.sheets import CLERKS, SECONDS, lawful, locked, step
from issuer.ports import ServiceContext
from issuer.queues.binding import require_not_held
from issuer.records.certificates import Holding
from issuer.records.holdings import lock_holding
from issuer.records.paper import PaperCertificate, PaperReplacementRequest
from issuer.records.people import Registration
from issuer.records.sittings import Programme, Sitting
from issuer.rules.paper import PaperFacts, may_replace_paper
from issuer.rules.paper_states import PaperAction
from issuer.rules.queues import CaseKind
from issuer.rules.terms import Medium


def decide(ctx: ServiceContext, actor: Actor, request_id: int, *, approve: bool, note: str = "") -> ReplacementView:
    """Allow or reject an accepted request after looking at the statement; another person than who took it in.

    Raises ConflictError (two-people, replacement-not-open), NotFoundError, NotAllowedError.
    """
    actor.require(*SECONDS)
    with ctx.database.write() as session:
        row, registration, holding = _open_request(session, actor, request_id)
        if row.requested_by == actor.username:
            raise ConflictError(
                "two-people",
                Words("登记申请的人不能审核同一申请。", "Who took the request in may not decide on it."),
                remedy=Words("请由另一人审核。", "Another person decides."),
                clause="R16",
            )
        if row.approved_by is not None:
            raise _ended("approved")
        require_not_held(session, ctx.clock, actor, CaseKind.REPLACEMENT, row.id)
        row.decision_note = " ".join(note.split())[:500] or None
        row.approved_by, row.approved_at = actor.username, ctx.clock.now()
        if not approve:
            row.state, holding.paper_replacement_open = "rejected", False
        session.flush()
        record_event(
            session,
            ctx.clock,
            actor,
            "paper.replacement.approve" if approve else "paper.replacement.reject",
            f"registration:{row.registration_id}",
            clause="R11",
            details={"request": row.id},
        )
        return view_of(row, registration.sitting_code)


def print_replacement(ctx: ServiceContext, actor: Actor, request_id: int) -> tuple[str, str | None]:
    """Print an approved replacement on the next form; (new serial, serial of the sheet it makes void or None).

    The law is asked again: never paper beside electronic (R14). The old sheet is void and stays findable; the new one
    goes the common way from `printed` on. Raises ConflictError (not-approved, R14, R16 stock-short, ...).
    """
    actor.require(*CLERKS)
    with ctx.database.write() as session, lawful():
        row, registration, holding = _open_request(session, actor, request_id)
        if row.approved_by is None:
            raise ConflictError(
                "replacement-not-approved",
                Words("该申请尚未审核。", "This request was not decided on yet."),
                remedy=Words("由另一人审核后再打印。", "Another person decides first."),
                clause="R16",
            )
        require_not_held(session, ctx.clock, actor, CaseKind.REPLACEMENT, row.id)
        examination = load_examination(session, registration.sitting_code)
        (case,) = load_cases(session, examination, [registration.id], lock=True)
        may_replace_paper(
            PaperFacts(
                medium=Medium(examination.programme.medium),
                e_certificate_made=holding.e_certificate_made_at is not None,
                outcome=case.outcome,
                registration_void=registration.void_since is not None,
                open_request=False,
            )
        )
        old = session.scalars(
            select(PaperCertificate).where(
                PaperCertificate.person_id == row.person_id,
                PaperCertificate.qualification == row.qualification,
                PaperCertificate.slot == "live",
            )
        ).one_or_none()
        events = []
        if old is not None:
            paper = locked(session, old.id)
            events.append(step(session, ctx.clock, actor, paper, PaperAction.VOID, reference=f"replacement:{row.id}"))
            paper.box_id = None
            close_bookings(session, ctx.clock, paper.id)
            session.flush()
        ((new, printed),) = print_for(ctx, session, actor, examination, [case])
        new.replaces_id = old.id if old else None
        holding.paper_made_at = holding.paper_made_at or ctx.clock.now()
        row.state, row.new_paper_id, holding.paper_replacement_open = "fulfilled", new.id, False
        session.flush()
        record_many(session, ctx.clock, actor, [*events, printed])
        record_event(
            session,
            ctx.clock,
            actor,
            "paper.replacement.fulfil",
            f"registration:{row.registration_id}",
            clause="R14",
            details={"request": row.id, "old": old.serial if old else None, "new": new.serial},
        )
        return new.serial, old.serial if old else None


def statements(ctx: ServiceContext, actor: Actor, rows: Sequence[ReplacementView]) -> dict[int, str]:
    """What the applicants of open requests wrote, by request, for whoever decides; reading it is put on record."""
    actor.require(*SECONDS)
    ids = [row.id for row in rows if row.state == "accepted"]
    if not ids:
        return {}
    with ctx.database.write() as session:
        found = session.execute(
            select(PaperReplacementRequest.id, PaperReplacementRequest.reason).where(
                PaperReplacementRequest.id.in_(ids)
            )
        ).all()
        record_event(
            session,
            ctx.clock,
            actor,
            "paper.replacement.read",
            "replacements",
            clause="R14",
            details={"requests": ids},
        )
    return {number: reason or "" for number, reason in found}


def _open_request(
    session: Session, actor: Actor, request_id: int
) -> tuple[PaperReplacementRequest, Registration, Holding]:
    row = session.get(PaperReplacementRequest, request_id)
    if row is None:
        raise NotFoundError(
            "request-unknown",
            Words("没有这份补发申请。", "There is no such request."),
            remedy=Words("用 ecert paper list 查看。", "See: ecert paper list"),
        )
    registration = session.get_one(Registration, row.registration_id)
    sitting = session.get_one(Sitting, registration.sitting_code)
    actor.require_programme(session.get_one(Programme, sitting.programme_code).code, registration.city)
    holding = lock_holding(session, row.person_id, row.qualification)
    session.refresh(row)
    session.refresh(registration)
    if row.state != "accepted":
        raise _ended(row.state)
    return row, registration, holding


def _ended(state: str) -> ConflictError:
    return ConflictError(
        "replacement-not-open",
        Words(f"该申请已办理（{state}）。", f"This request was dealt with already ({state})."),
        remedy=Words("用 ecert paper list 查看。", "See: ecert paper list"),
    )
