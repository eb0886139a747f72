"""One misconduct record with what was done about it: considerations, a wish to lift it, transfer notes (R10)."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from issuer.access.actor import Actor
from issuer.audit import record_event
from issuer.invalidation.lifting import unknown_record
from issuer.invalidation.misconduct import READERS, RecordView, record_view
from issuer.ports import ServiceContext
from issuer.records.misconduct import MisconductConsideration, MisconductRecord, TransferNote
from issuer.records.people import Registration
from issuer.rules.misconduct import CLAUSE


@dataclass(frozen=True, slots=True)
class Considered:
    """An approver let one registration go on in spite of the record. `note` may name people."""

    registration_id: int
    sitting_code: str
    note: str
    decided_by: str
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class Transferred:
    """A note that hands the case to another authority."""

    number: str
    to: str
    made_by: str
    made_at: datetime
    pdf_sha256: str


@dataclass(frozen=True, slots=True)
class RecordPage:
    """A record for a screen: holds a name and facts, so never for logs or addresses."""

    record: RecordView
    registration_id: int
    lift_proposed_by: str | None
    lift_proposed_at: datetime | None
    lift_reason: str | None
    lifted_by: str | None
    considered: tuple[Considered, ...]
    transfers: tuple[Transferred, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values, instants in RFC 3339."""
        body = asdict(self)
        body.pop("record")
        return self.record.to_json() | {key: _plain(value) for key, value in body.items()}


def show_record(ctx: ServiceContext, actor: Actor, record_id: int) -> RecordPage:
    """One record; the look is put on record. Raises NotFoundError, NotAllowedError."""
    actor.require(*READERS)
    with ctx.database.write() as session:
        row = session.get(MisconductRecord, record_id, populate_existing=True)
        if row is None:
            raise unknown_record()
        registration = session.get_one(Registration, row.registration_id)
        considered = session.execute(
            select(MisconductConsideration, Registration.sitting_code)
            .join(Registration, Registration.id == MisconductConsideration.registration_id)
            .where(MisconductConsideration.record_id == row.id)
            .order_by(MisconductConsideration.decided_at)
        )
        notes = session.scalars(
            select(TransferNote).where(TransferNote.case_id == row.case_id).order_by(TransferNote.id)
        )
        page = RecordPage(
            record=record_view(session, row, registration, ctx.clock.today()),
            registration_id=registration.id,
            lift_proposed_by=row.lift_proposed_by,
            lift_proposed_at=row.lift_proposed_at,
            lift_reason=row.lift_reason,
            lifted_by=row.lifted_by,
            considered=tuple(
                Considered(each.registration_id, sitting, each.note, each.decided_by, each.decided_at)
                for each, sitting in considered
            ),
            transfers=tuple(
                Transferred(each.number, each.to, each.made_by, each.made_at, each.pdf_sha256) for each in notes
            ),
        )
        details = {"records": [row.id], "searched": False}
        record_event(
            session, ctx.clock, actor, "misconduct.read", f"misconduct:{row.id}", clause=CLAUSE, details=details
        )
        return page


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, datetime) else value
