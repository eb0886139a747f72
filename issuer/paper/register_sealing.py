"""Handover registers at the department (R13): sent back, or countersigned, sealed and handed over for good."""

import base64
import hashlib

from sqlalchemy import select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import record_event, record_many
from issuer.context import Context
from issuer.errors import ConflictError, DomainError, Words
from issuer.paper.register_files import RegisterContent, RegisterLine, register_pdf, register_xlsx
from issuer.paper.register_views import (
    RegisterView,
    find_register,
    items_of,
    require_state,
    view_of,
)
from issuer.paper.sheets import (
    lawful,
    locked_many,
    step,
)
from issuer.ports import ServiceContext
from issuer.records.access import StaffAccount
from issuer.records.paper import PaperCertificate
from issuer.records.paper_keeping import HandoverItem, HandoverRegister, SafekeepingBox
from issuer.records.people import Registration
from issuer.records.sittings import Programme, Sitting
from issuer.rules.paper_states import PaperAction
from issuer.rules.terms import Role

COUNTERSIGNERS = (Role.AUTHORITY_APPROVER,)
"""The department takes them over."""


def send_back(ctx: ServiceContext, actor: Actor, number: str) -> RegisterView:
    """The department does not countersign: the count is open again, and holders may collect once more."""
    actor.require(*COUNTERSIGNERS)
    with ctx.database.write() as session:
        row = find_register(session, actor, number, lock=True)
        require_state(row, "counted")
        items = items_of(session, row.id)
        papers = locked_many(session, [item.paper_id for item in items])
        for item in items:
            item.position = None
            papers[item.paper_id].register_id = None
        row.state, row.counted_by, row.counted_at = "open", None, None
        session.flush()
        record_event(session, ctx.clock, actor, "paper.register.return", f"register:{row.id}", clause="R13")
        return view_of(session, row)


def countersign(ctx: Context, actor: Actor, number: str) -> RegisterView:
    """The department takes the boxes over: the register is sealed, its certificates are handed over, for good.

    Raises ConflictError (two-people, register-closed), UnavailableError (no key: nothing has happened).
    """
    actor.require(*COUNTERSIGNERS)
    with ctx.database.write() as session:  # the intent, before any key is used
        row = find_register(session, actor, number, lock=True)
        _require_countersignable(row, actor)
        record_event(
            session, ctx.clock, actor, "paper.register.seal", f"register:{row.id}", outcome="intent", clause="R13"
        )
        content = _content(ctx, session, row, actor)
    pdf = ctx.room().seal_pdf(register_pdf(content), level=ctx.settings.seal_level)
    xlsx = register_xlsx(content)
    try:
        with ctx.database.write() as session, lawful():
            row = find_register(session, actor, number, lock=True)
            _require_countersignable(row, actor)
            events = []
            ids = [item.paper_id for item in items_of(session, row.id)]
            for paper in locked_many(session, ids).values():
                events.append(step(session, ctx.clock, actor, paper, PaperAction.HAND_OVER, reference=row.number))
                paper.box_id = None
            row.state, row.countersigned_by, row.countersigned_at = "handed-over", actor.username, content.signed_at
            row.pdf, row.pdf_sha256 = base64.b64encode(pdf).decode(), hashlib.sha256(pdf).hexdigest()
            row.xlsx, row.xlsx_sha256 = base64.b64encode(xlsx).decode(), hashlib.sha256(xlsx).hexdigest()
            session.flush()
            record_many(session, ctx.clock, actor, events)
            details = {"number": row.number, "certificates": row.total, "sha256": row.pdf_sha256}
            record_event(
                session, ctx.clock, actor, "paper.register.seal", f"register:{row.id}", clause="R13", details=details
            )
            return view_of(session, row)
    except DomainError as refusal:
        with ctx.database.write() as session:
            record_event(
                session,
                ctx.clock,
                actor,
                "paper.register.seal",
                f"register:{row.id}",
                outcome="refused",
                clause="R13",
                details={"code": refusal.code},
            )
        raise


def _content(ctx: ServiceContext, session: Session, row: HandoverRegister, actor: Actor) -> RegisterContent:
    sitting = session.get_one(Sitting, row.sitting_code)
    programme = session.get_one(Programme, sitting.programme_code)
    lines = session.execute(
        select(HandoverItem.position, PaperCertificate, Registration, SafekeepingBox.label)
        .join(PaperCertificate, PaperCertificate.id == HandoverItem.paper_id)
        .join(Registration, Registration.id == PaperCertificate.registration_id)
        .join(SafekeepingBox, SafekeepingBox.id == HandoverItem.box_id)
        .where(HandoverItem.register_id == row.id, HandoverItem.position.is_not(None))
        .order_by(HandoverItem.position)
    ).all()
    return RegisterContent(
        number=row.number,
        sitting=sitting.code,
        programme=programme.name,
        review_body=programme.review_body,
        authority=programme.authority,
        exam_ended_on=sitting.exam_ended_on,
        due_on=row.due_on,
        counted_by=_called(session, row.counted_by or ""),
        counted_at=row.counted_at or ctx.clock.now(),
        signed_by=_called(session, actor.username),
        signed_at=ctx.clock.now(),
        sample=ctx.settings.sample,
        boxes=tuple(sorted(row.boxes.items())),
        lines=tuple(
            RegisterLine(
                position or 0, box, paper.serial, paper.management_no, registration.name, registration.specialty
            )
            for position, paper, registration, box in lines
        ),
    )


def _called(session: Session, username: str) -> str:
    account = session.get(StaffAccount, username)
    return account.display_name if account else username


def _require_countersignable(row: HandoverRegister, actor: Actor) -> None:
    require_state(row, "counted")
    if row.counted_by == actor.username:
        raise ConflictError(
            "two-people",
            Words("清点人不能会签自己清点的清册。", "Who counted may not countersign."),
            remedy=Words("请由省厅另一名人员会签。", "Another person of the department countersigns."),
            clause="R13",
        )
