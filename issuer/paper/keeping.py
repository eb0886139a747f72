"""Safekeeping (R13): unclaimed certificates in labelled boxes, and when their five years are over."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import record_event, record_many
from issuer.errors import ConflictError, InputError, NotFoundError, Words
from issuer.paper.mail import close_bookings, window_of
from issuer.paper.parcels import Scan
from issuer.paper.sheets import CLERKS, READERS, find_sheet, lawful, reach, require_sitting, scanned, step
from issuer.ports import ServiceContext
from issuer.records.paper import PaperCertificate
from issuer.records.paper_keeping import HandoverRegister, SafekeepingBox
from issuer.records.people import Registration
from issuer.records.sittings import Programme, Sitting
from issuer.rules.deadlines import is_over
from issuer.rules.paper_keeping import DueState, KeepingDue, keeping_due, require_unclaimed
from issuer.rules.paper_states import PaperAction, PaperState
from issuer.rules.policy import Policy
from issuer.rules.terms import Role


@dataclass(frozen=True, slots=True)
class DueLine:
    """One sitting's unclaimed certificates and their last day of safekeeping."""

    sitting: str
    programme: str
    exam_ended_on: date
    due: KeepingDue
    certificates: int
    boxes: tuple[tuple[str, int], ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "sitting": self.sitting,
            "programme": self.programme,
            "exam_ended_on": self.exam_ended_on.isoformat(),
            "kept_until": self.due.kept_until.isoformat(),
            "state": str(self.due.state),
            "certificates": self.certificates,
            "boxes": dict(self.boxes),
        }


def store(ctx: ServiceContext, actor: Actor, box_label: str, certificate: str) -> Scan:
    """Put an unclaimed certificate into a box, which is opened with its first one.

    Raises ConflictError (R13 still-bookable, box-of-another-sitting, box-closed; R12 paper-state), NotFoundError.
    """
    actor.require(*CLERKS)
    label = scanned(box_label)
    if len(label) < 2:
        raise InputError(
            "box-label",
            Words("箱号为 2 至 40 位字母、数字或连字符。", "A box label has 2 to 40 letters, digits or hyphens."),
            remedy=Words("扫描箱上的标签。", "Scan the label on the box."),
        )
    with ctx.database.write() as session, lawful():
        found = find_sheet(session, actor, certificate)
        window = window_of(session, found.sitting.code)
        over = window is not None and is_over(window.closes_on, ctx.clock.now())
        require_unclaimed(over, returned=found.state is PaperState.RETURNED)
        event = step(session, ctx.clock, actor, found.paper, PaperAction.STORE, reference=label)
        box = _box(ctx, session, actor, label, found.sitting.code)
        found.paper.box_id = box.id
        close_bookings(session, ctx.clock, found.paper.id)
        session.flush()
        record_many(session, ctx.clock, actor, [event])
    return Scan(found.paper.serial, found.paper.management_no, found.paper.state, label)


def due_list(
    ctx: ServiceContext, actor: Actor, *, state: DueState | None = None, sitting: str | None = None
) -> list[DueLine]:
    """Sittings with unclaimed certificates, the most urgent first; `state` this-month or overdue narrows it."""
    actor.require(*READERS)
    paper = PaperCertificate
    lie = select(paper.sitting_code, paper.box_id, func.count().label("how_many"))
    lie = lie.where(paper.state == PaperState.SAFEKEEPING)
    if not actor.roles - {Role.REVIEW_BODY}:
        lie = lie.join(Registration, Registration.id == paper.registration_id)
        lie = lie.join(Sitting, Sitting.code == paper.sitting_code).where(reach(actor))
    if sitting:
        lie = lie.where(paper.sitting_code == sitting)
    # Counted box by box before anything is said about boxes and sittings.
    boxed = lie.group_by(paper.sitting_code, paper.box_id).subquery()
    query = (
        select(Sitting, Programme, SafekeepingBox.label, boxed.c.how_many)
        .join(boxed, boxed.c.sitting_code == Sitting.code)
        .join(Programme, Programme.code == Sitting.programme_code)
        .join(SafekeepingBox, SafekeepingBox.id == boxed.c.box_id)
        .order_by(SafekeepingBox.label)
    )
    today = ctx.clock.today()
    boxes: dict[str, list[tuple[str, int]]] = {}
    known: dict[str, tuple[Sitting, Programme]] = {}
    with ctx.database.read() as session:
        for row, programme, label, count in session.execute(query):
            known[row.code] = row, programme
            boxes.setdefault(row.code, []).append((label, count))
    lines = [
        DueLine(
            sitting=code,
            programme=programme.name,
            exam_ended_on=row.exam_ended_on,
            due=keeping_due(row.exam_ended_on, Policy.from_dict(programme.policy), today),
            certificates=sum(count for _, count in boxes[code]),
            boxes=tuple(boxes[code]),
        )
        for code, (row, programme) in known.items()
    ]
    return sorted(
        (line for line in lines if state is None or line.due.state is state),
        key=lambda line: (line.due.kept_until, line.sitting),
    )


def kept(session: Session, sitting_code: str) -> Sequence[tuple[PaperCertificate, str]]:
    """Certificates of a sitting in safekeeping with the label of their box, box by box, serial by serial."""
    return [
        (paper, label)
        for paper, label in session.execute(
            select(PaperCertificate, SafekeepingBox.label)
            .join(SafekeepingBox, SafekeepingBox.id == PaperCertificate.box_id)
            .where(PaperCertificate.sitting_code == sitting_code, PaperCertificate.state == PaperState.SAFEKEEPING)
            .order_by(SafekeepingBox.label, PaperCertificate.serial)
        )
    ]


def register_number(session: Session, paper: PaperCertificate) -> str | None:
    """The number of the register a certificate stands on, or None."""
    if paper.register_id is None:
        return None
    return session.get_one(HandoverRegister, paper.register_id).number


def box_named(session: Session, label: str, sitting_code: str) -> SafekeepingBox:
    """The box with this label; raises NotFoundError."""
    query = select(SafekeepingBox).where(SafekeepingBox.label == label, SafekeepingBox.sitting_code == sitting_code)
    box = session.scalars(query).one_or_none()
    if box is None:
        raise NotFoundError(
            "box-unknown",
            Words("该考次没有这个保管箱。", "This sitting has no such box."),
            remedy=Words("扫描箱上的标签。", "Scan the label on the box."),
        )
    return box


def _box(ctx: ServiceContext, session: Session, actor: Actor, label: str, sitting_code: str) -> SafekeepingBox:
    require_sitting(session, actor, sitting_code)
    register = session.scalars(
        select(HandoverRegister.number).where(
            HandoverRegister.sitting_code == sitting_code, HandoverRegister.state == "counted"
        )
    ).one_or_none()
    if register is not None:
        raise ConflictError(
            "boxes-sealed",
            Words(
                f"该考次的保管箱已按清册 {register} 清点封存。",
                f"This sitting's boxes were counted and closed for register {register}.",
            ),
            remedy=Words("先由省厅会签或退回清册。", "Have the register countersigned or sent back first."),
            clause="R13",
        )
    box = session.scalars(select(SafekeepingBox).where(SafekeepingBox.label == label)).one_or_none()
    if box is None:
        box = SafekeepingBox(
            sitting_code=sitting_code, label=label, opened_by=actor.username, opened_at=ctx.clock.now()
        )
        session.add(box)
        session.flush()
        record_event(
            session, ctx.clock, actor, "paper.box.open", f"box:{box.id}", clause="R13", details={"box": label}
        )
    elif box.sitting_code != sitting_code:
        raise ConflictError(
            "box-of-another-sitting",
            Words(f"该箱属于考次 {box.sitting_code}。", f"This box belongs to sitting {box.sitting_code}."),
            remedy=Words("一箱只放一个考次的证书。", "A box holds certificates of one sitting only."),
            clause="R13",
        )
    return box
