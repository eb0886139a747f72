"""Handover registers as they are read (R13): how a count stands, the list of registers, a finished one's files."""

import base64
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import record_event
from issuer.errors import ConflictError, NotFoundError, Words
from issuer.paper.sheets import READERS, require_sitting, scanned
from issuer.ports import ServiceContext
from issuer.records.paper import PaperCertificate
from issuer.records.paper_keeping import HandoverItem, HandoverRegister, SafekeepingBox
from issuer.records.sittings import Programme, Sitting
from issuer.rules.paper_states import PaperState
from issuer.rules.terms import Role

MOST_MISSING = 200
"""So many sheets that were not scanned yet are named; the boxes' counts tell how many there are."""


@dataclass(frozen=True, slots=True)
class RegisterView:
    """A register as staff see it: no name. `expected` and `counted`: box label → certificates."""

    number: str
    sitting: str
    programme: str
    state: str
    due_on: date
    opened_by: str
    opened_at: datetime
    counted_by: str | None
    countersigned_by: str | None
    countersigned_at: datetime | None
    total: int
    expected: dict[str, int] = field(default_factory=dict)
    counted: dict[str, int] = field(default_factory=dict)
    missing: tuple[tuple[str, str], ...] = ()
    """(box, serial) of what is on record and was not scanned yet, at most MOST_MISSING."""
    pdf_sha256: str | None = None
    xlsx_sha256: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "number": self.number,
            "sitting": self.sitting,
            "programme": self.programme,
            "state": self.state,
            "due_on": self.due_on.isoformat(),
            "opened_by": self.opened_by,
            "opened_at": self.opened_at.isoformat(),
            "counted_by": self.counted_by,
            "countersigned_by": self.countersigned_by,
            "countersigned_at": self.countersigned_at.isoformat() if self.countersigned_at else None,
            "total": self.total,
            "expected": self.expected,
            "counted": self.counted,
            "missing": [{"box": box, "serial": serial} for box, serial in self.missing],
            "pdf_sha256": self.pdf_sha256,
            "xlsx_sha256": self.xlsx_sha256,
        }


def show_register(ctx: ServiceContext, actor: Actor, number: str) -> RegisterView:
    """One register with how its count stands."""
    actor.require(*READERS)
    with ctx.database.read() as session:
        return view_of(session, find_register(session, actor, number))


def list_registers(ctx: ServiceContext, actor: Actor, *, limit: int = 50) -> list[RegisterView]:
    """Registers newest first, within the actor's reach (R1)."""
    actor.require(*READERS)
    query = select(HandoverRegister).join(Sitting, Sitting.code == HandoverRegister.sitting_code)
    if not actor.roles - {Role.REVIEW_BODY}:
        query = query.where(Sitting.programme_code.in_(actor.programmes))
    with ctx.database.read() as session:
        rows = session.scalars(query.order_by(HandoverRegister.id.desc()).limit(limit)).all()
        return [view_of(session, row, with_missing=False) for row in rows]


def register_file(ctx: ServiceContext, actor: Actor, number: str, kind: str) -> bytes:
    """The sealed PDF or the .xlsx of a finished register; reading it is put on record. Raises NotFoundError."""
    actor.require(*READERS)
    with ctx.database.write() as session:
        row = find_register(session, actor, number)
        stored = row.pdf if kind == "pdf" else row.xlsx
        if stored is None:
            raise NotFoundError(
                "register-not-finished",
                Words("清册会签后才有文件。", "There is no file before the register is countersigned."),
                remedy=Words("先完成清点和会签。", "Finish the count and have it countersigned."),
            )
        record_event(
            session,
            ctx.clock,
            actor,
            "paper.register.read",
            f"register:{row.id}",
            clause="R13",
            details={"file": kind},
        )
    return base64.b64decode(stored)


def view_of(session: Session, row: HandoverRegister, *, with_missing: bool = True) -> RegisterView:
    """A register with its counts; `with_missing`: and the first sheets that were not scanned yet."""
    sitting = session.get_one(Sitting, row.sitting_code)
    expected, counted = dict[str, int](row.boxes), dict[str, int](row.boxes)
    missing: tuple[tuple[str, str], ...] = ()
    if row.state == "open":
        expected, counted = _boxes(session, row, None), _boxes(session, row, True)
        if with_missing:
            missing = _missing(session, row)
    return RegisterView(
        number=row.number,
        sitting=row.sitting_code,
        programme=session.get_one(Programme, sitting.programme_code).name,
        state=row.state,
        due_on=row.due_on,
        opened_by=row.opened_by,
        opened_at=row.opened_at,
        counted_by=row.counted_by,
        countersigned_by=row.countersigned_by,
        countersigned_at=row.countersigned_at,
        total=row.total or sum(expected.values()),
        expected=expected,
        counted=counted,
        missing=missing,
        pdf_sha256=row.pdf_sha256,
        xlsx_sha256=row.xlsx_sha256,
    )


def _boxes(session: Session, row: HandoverRegister, scanned: bool | None) -> dict[str, int]:
    """How many certificates each box holds; `scanned`: those counted into the register, or not."""
    query = _in_boxes(row, scanned, SafekeepingBox.label, func.count()).group_by(SafekeepingBox.label)
    return dict(session.execute(query.order_by(SafekeepingBox.label)).all())


def _missing(session: Session, row: HandoverRegister) -> tuple[tuple[str, str], ...]:
    query = _in_boxes(row, False, SafekeepingBox.label, PaperCertificate.serial)
    found = session.execute(query.order_by(SafekeepingBox.label, PaperCertificate.serial).limit(MOST_MISSING))
    return tuple(found)


def _in_boxes(row: HandoverRegister, scanned: bool | None, *columns: Any) -> Select[Any]:
    paper = PaperCertificate
    query = (
        select(*columns)
        .select_from(paper)
        .join(SafekeepingBox, SafekeepingBox.id == paper.box_id)
        .where(paper.sitting_code == row.sitting_code, paper.state == PaperState.SAFEKEEPING)
    )
    if scanned is None:
        return query
    item = (HandoverItem.paper_id == paper.id) & (HandoverItem.register_id == row.id)
    on_it = select(1).where(item, HandoverItem.withdrawn.is_(False)).exists()
    return query.where(on_it if scanned else ~on_it)


def find_register(session: Session, actor: Actor, number: str, *, lock: bool = False) -> HandoverRegister:
    """By number, if its programme is the actor's (R1). Raises NotFoundError, NotAllowedError."""
    query = select(HandoverRegister).where(HandoverRegister.number == scanned(number))
    row = session.scalars(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotFoundError(
            "register-unknown",
            Words("没有这份移交清册。", "There is no such register."),
            remedy=Words("核对清册编号。", "Check its number."),
        )
    require_sitting(session, actor, row.sitting_code)
    return row


def items_of(session: Session, register_id: int) -> list[HandoverItem]:
    """What was scanned for a register and not withdrawn since, by sheet."""
    query = select(HandoverItem).where(HandoverItem.register_id == register_id, HandoverItem.withdrawn.is_(False))
    return list(session.scalars(query.order_by(HandoverItem.paper_id)))


def require_state(row: HandoverRegister, state: str) -> None:
    """Raise ConflictError (R13) unless the register is in this state."""
    if row.state != state:
        raise ConflictError(
            "register-closed",
            Words(f"清册 {row.number} 当前为 {row.state}。", f"Register {row.number} is {row.state}."),
            remedy=Words("已会签的清册不能更改。", "A countersigned register is never changed."),
            clause="R13",
        )
