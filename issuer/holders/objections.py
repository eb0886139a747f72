"""“This is wrong”: a holder says what is wrong with their own data; staff answer, and the holder reads the answer.

The answer itself changes nothing on record: where it agrees, the correction is made by its own way (a corrected name
by two people, R11; a review by its rounds, R7), so that nobody's word alone changes a certificate.
"""

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import record_event
from issuer.errors import ConflictError, InputError, NotFoundError, Words
from issuer.holders.sign_in import Holder
from issuer.ports import ServiceContext
from issuer.queues.binding import require_not_held
from issuer.records.holder_requests import DataObjection
from issuer.records.people import Registration
from issuer.records.sittings import Sitting
from issuer.rules.queues import CaseKind
from issuer.rules.terms import Role

MATTERS: Final = ("name", "id", "photo", "score", "specialty", "education", "major", "years", "watch", "other")
MAX_TEXT: Final = 2000
READERS: Final = (
    Role.AUTHORITY_ISSUER,
    Role.AUTHORITY_APPROVER,
    Role.REVIEW_BODY,
    Role.SUPERVISOR,
    Role.AUDITOR,
)
ANSWERERS: Final = (Role.AUTHORITY_ISSUER, Role.REVIEW_BODY)
CLAUSE: Final = "R15"
"""Data before documents, and no material asked for twice: what is on record must be right."""


@dataclass(frozen=True, slots=True)
class ObjectionView:
    """One objection with its answer, as the holder and staff see it."""

    id: int
    registration_id: int
    sitting_code: str
    admission_no: str
    matter: str
    text: str
    state: str
    filed_at: datetime
    decided_at: datetime | None
    answer: str | None


def file_objection(ctx: ServiceContext, holder: Holder, registration_id: int, matter: str, text: str) -> int:
    """Open an objection; its number. Raises NotFoundError (not the holder's), InputError, ConflictError (one about
    the same matter is open)."""
    text = _usable(text)
    if matter not in MATTERS:
        raise InputError("unknown-matter", Words("请选择事项。", "Choose what it is about."))
    with ctx.database.write() as session:
        registration = session.get(Registration, registration_id, with_for_update=True)
        if registration is None or registration.person_id != holder.person_id:
            raise _unknown()
        standing = select(DataObjection.id).where(
            DataObjection.registration_id == registration_id,
            DataObjection.matter == matter,
            DataObjection.state == "open",
        )
        if session.scalar(standing) is not None:
            raise ConflictError(
                "objection-open",
                Words("同一事项已提出，正在办理。", "You have said so already; it is being looked at."),
                remedy=Words("请在下方查看办理结果。", "Its result will be shown below."),
            )
        row = DataObjection(
            person_id=holder.person_id,
            registration_id=registration_id,
            matter=matter,
            text=text,
            state="open",
            filed_at=ctx.clock.now(),
        )
        session.add(row)
        session.flush()
        _record(ctx, session, holder.actor, "data.object", row)
        return row.id


def withdraw_objection(ctx: ServiceContext, holder: Holder, objection_id: int) -> None:
    """Take one's own objection back; a closed one stays as it is. Raises NotFoundError."""
    with ctx.database.write() as session:
        row = session.get(DataObjection, objection_id, with_for_update=True)
        if row is None or row.person_id != holder.person_id:
            raise _unknown()
        if row.state == "open":
            row.state, row.decided_at = "withdrawn", ctx.clock.now()
            _record(ctx, session, holder.actor, "data.withdraw", row)


def objections_of(ctx: ServiceContext, holder: Holder) -> list[ObjectionView]:
    """The holder's own, newest first."""
    with ctx.database.read() as session:
        return _views(session, select(DataObjection).where(DataObjection.person_id == holder.person_id), None)


def list_objections(ctx: ServiceContext, actor: Actor, state: str | None = "open") -> list[ObjectionView]:
    """What staff may see (R1: own programmes), oldest open first. Raises NotAllowedError."""
    actor.require(*READERS)
    query = select(DataObjection)
    if state:
        query = query.where(DataObjection.state == state)
    with ctx.database.read() as session:
        return sorted(_views(session, query.limit(500), actor), key=lambda view: view.id)


def answer_objection(ctx: ServiceContext, actor: Actor, objection_id: int, *, accepted: bool, answer: str) -> None:
    """Answer an objection; the holder reads the answer. Raises NotFoundError, NotAllowedError (role, R1),
    InputError, ConflictError (answered or withdrawn already)."""
    actor.require(*ANSWERERS)
    answer = _usable(answer)
    with ctx.database.write() as session:
        row = session.get(DataObjection, objection_id, with_for_update=True, populate_existing=True)
        if row is None:
            raise _unknown()
        registration = session.get_one(Registration, row.registration_id)
        sitting = session.get_one(Sitting, registration.sitting_code)
        actor.require_programme(sitting.programme_code, registration.city)
        if row.state != "open":
            raise ConflictError(
                "objection-closed",
                Words("该申请已办结，未作改动。", "It has been closed already; nothing was changed."),
                remedy=Words("请查看办理结果。", "Look at its result."),
            )
        require_not_held(session, ctx.clock, actor, CaseKind.DATA_OBJECTION, row.id)
        row.state = "accepted" if accepted else "declined"
        row.decided_by, row.decided_at, row.answer = actor.username, ctx.clock.now(), answer
        _record(ctx, session, actor, "data.answer", row)


def _views(session: Session, query: "object", actor: Actor | None) -> list[ObjectionView]:
    rows = session.scalars(query.order_by(DataObjection.id.desc())).all()  # type: ignore[attr-defined]
    out = []
    for row in rows:
        registration = session.get_one(Registration, row.registration_id)
        if actor is not None and not _within(session, actor, registration):
            continue
        out.append(
            ObjectionView(
                id=row.id,
                registration_id=row.registration_id,
                sitting_code=registration.sitting_code,
                admission_no=registration.admission_no,
                matter=row.matter,
                text=row.text,
                state=row.state,
                filed_at=row.filed_at,
                decided_at=row.decided_at,
                answer=row.answer,
            )
        )
    return out


def _within(session: Session, actor: Actor, registration: Registration) -> bool:
    if actor.roles - {Role.REVIEW_BODY}:
        return True
    programme = session.get_one(Sitting, registration.sitting_code).programme_code
    return programme in actor.programmes and (not actor.cities or registration.city in actor.cities)


def _usable(text: str) -> str:
    text = text.strip()
    hidden = any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co") and char not in "\n\r\t" for char in text)
    if not 4 <= len(text) <= MAX_TEXT or hidden:
        raise InputError(
            "text-not-usable",
            Words(f"请写明情况（4 至 {MAX_TEXT} 字）。", f"Say what it is in 4 to {MAX_TEXT} characters."),
        )
    return text


def _record(ctx: ServiceContext, session: Session, actor: Actor, act: str, row: DataObjection) -> None:
    details = {"objection": row.id, "matter": row.matter, "state": row.state}
    record_event(
        session, ctx.clock, actor, act, f"registration:{row.registration_id}", clause=CLAUSE, details=details
    )


def _unknown() -> NotFoundError:
    return NotFoundError(
        "objection-unknown", Words("没有找到该申请或报名。", "There is no such request or registration.")
    )
