"""Hearings as staff and the person see them: what is asked, until when, what was said, how it was decided."""

import json
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.clock import SHANGHAI
from issuer.context import Context
from issuer.errors import NotFoundError, UnavailableError, Words
from issuer.hearings.matter import find_hearing, require_reach, unknown_hearing
from issuer.hearings.service import Present, note
from issuer.ports import ServiceContext
from issuer.records.access import StaffAccount
from issuer.records.certificates import Invalidation
from issuer.records.hearings import SCAN_PURPOSE, Hearing
from issuer.records.people import Registration
from issuer.records.reviews import DefenceStatement, ReviewEvent
from issuer.records.sittings import Programme, Sitting
from issuer.records.storage import FileMissingError
from issuer.review.sitting import READERS, within_reach
from issuer.review.timeline import Day
from issuer.rules.hearing import OPEN
from issuer.rules.terms import Role


@dataclass(frozen=True, slots=True)
class HearingView:
    """One hearing. Holds names and what was said: for screens and its own record, never for logs."""

    id: int
    number: str | None
    about: str
    """defence or case."""
    case_id: int | None
    registration_id: int
    name: str
    admission_no: str
    programme: str
    sitting_code: str
    authority: str
    clause: str
    state: str
    asked_at: datetime | None
    asked_why: str | None
    notified_at: datetime | None
    starts_at: datetime | None
    place: str | None
    chair: str | None
    chair_name: str | None
    present: tuple[Present, ...]
    minutes: str | None
    scan_sha256: str | None
    recorded_at: datetime | None
    answer_due_on: date | None
    answered_at: datetime | None
    answered_by: str | None
    answer: str | None
    decision: str | None
    """accepted, rejected, or the state of the case; None while undecided."""
    decided_at: datetime | None
    decision_note: str | None

    @property
    def open(self) -> bool:
        """Whether a decision waits for it."""
        return self.state in OPEN

    def days(self, today: date) -> tuple[Day, ...]:
        """Its days for the timeline of the sitting: the hearing, and the last day to answer its minutes."""
        found: list[tuple[str, date, Words]] = []
        if self.starts_at is not None and self.state not in ("waived", "moot"):
            found.append(("hearing", self.starts_at.astimezone(SHANGHAI).date(), Words("听证", "hearing")))
        if self.answer_due_on is not None:
            found.append(("hearing-answer", self.answer_due_on, Words("核对听证笔录截止", "minutes to be answered")))
        return tuple(
            Day(name, day, words, self.clause, "today" if day == today else "past" if day < today else "ahead")
            for name, day, words in found
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values, instants in RFC 3339."""
        plain = {k: v.isoformat() if isinstance(v, date) else v for k, v in asdict(self).items()}
        return plain | {"open": self.open, "present": [asdict(one) for one in self.present]}


def list_hearings(
    ctx: ServiceContext, actor: Actor, *, open_only: bool = False, before: int | None = None, limit: int = 50
) -> list[HearingView]:
    """Hearings within reach (R1), newest first; that they were looked at is not put on record, opening one is."""
    actor.require(*READERS)
    query = (
        select(Hearing)
        .join(Registration, Registration.id == Hearing.registration_id)
        .join(Sitting, Sitting.code == Registration.sitting_code)
        .where(within_reach(actor))
        .order_by(Hearing.id.desc())
        .limit(limit)
    )
    if not actor.roles - {Role.REVIEW_BODY}:
        query = query.where(Sitting.programme_code.in_(actor.programmes))
    if open_only:
        query = query.where(Hearing.state.in_([str(state) for state in OPEN]))
    if before is not None:
        query = query.where(Hearing.id < before)
    with ctx.database.read() as session:
        return [view_of(session, row) for row in session.scalars(query).all()]


def show_hearing(ctx: ServiceContext, actor: Actor, hearing_id: int) -> HearingView:
    """One hearing; the look is put on record. Raises NotFoundError, NotAllowedError (R1)."""
    actor.require(*READERS)
    with ctx.database.write() as session:
        row = find_hearing(session, hearing_id)
        require_reach(session, actor, row)
        note(ctx, session, actor, "hearing.read", row)
        return view_of(session, row)


def own_hearing(ctx: ServiceContext, person_id: int, hearing_id: int) -> HearingView:
    """The person's own; raises NotFoundError, also for somebody else's."""
    with ctx.database.read() as session:
        row = session.get(Hearing, hearing_id)
        if row is None or session.get_one(Registration, row.registration_id).person_id != person_id:
            raise unknown_hearing()
        return view_of(session, row)


def own_hearings(session: Session, registration_ids: list[int]) -> list[HearingView]:
    """All hearings about some registrations, oldest first."""
    rows = session.scalars(
        select(Hearing).where(Hearing.registration_id.in_(registration_ids)).order_by(Hearing.id)
    ).all()
    return [view_of(session, row) for row in rows]


def hearing_scan(ctx: Context, actor: Actor, hearing_id: int) -> tuple[bytes, str]:
    """The scanned minutes and their media type; reading them is put on record.

    Raises NotFoundError, NotAllowedError (R1), UnavailableError (the file is gone).
    """
    actor.require(*READERS)
    with ctx.database.write() as session:
        row = find_hearing(session, hearing_id)
        require_reach(session, actor, row)
        if row.scan_key is None or row.scan_type is None:
            raise NotFoundError("scan-missing", Words("没有上传扫描件。", "No scan was attached."))
        note(ctx, session, actor, "hearing.read-scan", row)
        key, kind = row.scan_key, row.scan_type
    try:
        return ctx.data_key.open(SCAN_PURPOSE, ctx.storage.get(key)), kind
    except FileMissingError as exc:
        raise UnavailableError(
            "file-damaged",
            Words("扫描件缺失，笔录文字不受影响。", "The scan is gone; the minutes' text stands."),
            remedy=Words("请从备份恢复。", "Restore it from a backup."),
        ) from exc


def view_of(session: Session, row: Hearing) -> HearingView:
    """The frozen view of a hearing's row."""
    registration = session.get_one(Registration, row.registration_id)
    sitting = session.get_one(Sitting, registration.sitting_code)
    programme = session.get_one(Programme, sitting.programme_code)
    chair = session.get(StaffAccount, row.chair) if row.chair else None
    decision, decided_at, decision_note = _decision(session, row)
    return HearingView(
        id=row.id,
        number=row.number,
        about="case" if row.case_id else "defence",
        case_id=row.case_id,
        registration_id=row.registration_id,
        name=registration.name,
        admission_no=registration.admission_no,
        programme=programme.name,
        sitting_code=sitting.code,
        authority=programme.authority if row.case_id else programme.review_body,
        clause=row.clause,
        state=row.state,
        asked_at=row.asked_at,
        asked_why=row.asked_why,
        notified_at=row.notified_at,
        starts_at=row.starts_at,
        place=row.place,
        chair=row.chair,
        chair_name=chair.display_name if chair else row.chair,
        present=tuple(Present(*one) for one in json.loads(row.present or "[]")),
        minutes=row.minutes,
        scan_sha256=row.scan_sha256,
        recorded_at=row.recorded_at,
        answer_due_on=row.answer_due_on,
        answered_at=row.answered_at,
        answered_by=row.answered_by,
        answer=row.answer,
        decision=decision,
        decided_at=decided_at,
        decision_note=decision_note,
    )


def _decision(session: Session, row: Hearing) -> tuple[str | None, datetime | None, str | None]:
    if row.case_id is not None:
        case = session.get_one(Invalidation, row.case_id)
        if case.state == "proposed":
            return None, None, None
        return case.state, case.decided_at, case.decision_note
    defence = session.get_one(DefenceStatement, row.defence_id)
    if defence.decided_at is None:
        return None, None, None
    said = session.scalars(
        select(ReviewEvent)
        .where(
            ReviewEvent.registration_id == row.registration_id,
            ReviewEvent.action.in_(("accept-defence", "reject-defence")),
        )
        .order_by(ReviewEvent.version.desc())
        .limit(1)
    ).one_or_none()
    return "accepted" if defence.accepted else "rejected", defence.decided_at, said.note if said else None
