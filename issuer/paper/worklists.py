"""What is to be done with paper, as staff see it: queues with their count, oldest case and next deadline; lists."""

from collections.abc import Callable, Iterable, Sequence

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import record_event
from issuer.paper.sheet_views import HistoryLine, Queue, SheetLine, SheetView
from issuer.paper.sheets import CLERKS, READERS, find_sheet, reach, require_sitting
from issuer.paper.standings import Group, groups, in_groups, standing_of
from issuer.ports import ServiceContext
from issuer.records.paper import PaperCertificate, PaperEvent
from issuer.records.paper_keeping import HandoverRegister, SafekeepingBox
from issuer.records.paper_post import MailBooking, PaperHandout, Parcel
from issuer.records.people import Registration
from issuer.records.sittings import Sitting
from issuer.rules.paper_states import PaperQueue, PaperState, actions_from, place_of, queue_of

CLAUSES: dict[PaperQueue, str] = {
    PaperQueue.TO_RELEASE: "R12",
    PaperQueue.RECALL: "R9",
    PaperQueue.TO_STORE: "R13",
    PaperQueue.KEPT: "R13",
    PaperQueue.DUE_THIS_MONTH: "R13",
    PaperQueue.OVERDUE: "R13",
    PaperQueue.ON_REGISTER: "R13",
}


def queues(ctx: ServiceContext, actor: Actor, *, sitting: str | None = None) -> list[Queue]:
    """Every queue that holds something, in the order of a certificate's life."""
    actor.require(*READERS)
    with ctx.database.read() as session:
        return _queues(groups(ctx, session, actor, sitting))


def _queues(counted: Iterable[Group]) -> list[Queue]:
    found: dict[PaperQueue, Queue] = {}
    for group in counted:
        queue = queue_of(group.standing)
        if queue is PaperQueue.DONE:
            continue
        known = found.get(queue)
        days = [day for day in (known.deadline if known else None, group.deadline) if day]
        since = [at for at in (known.oldest if known else None, group.oldest) if at]
        found[queue] = Queue(
            queue,
            CLAUSES.get(queue, "R12"),
            group.count + (known.count if known else 0),
            min(since) if since else None,
            min(days) if days else None,
        )
    return [found[queue] for queue in PaperQueue if queue in found]


def sheets_by_queue(
    ctx: ServiceContext,
    actor: Actor,
    wanted: Callable[[PaperQueue], bool],
    *,
    sitting: str | None = None,
    limit: int = 50,
) -> list[tuple[Queue, list[SheetLine]]]:
    """Each wanted queue that holds something, with its newest certificates; all is counted once."""
    actor.require(*READERS)
    with ctx.database.read() as session:
        counted = list(groups(ctx, session, actor, sitting))
        found = []
        for queue in _queues(counted):
            if wanted(queue.queue):
                alike = in_groups(one for one in counted if queue_of(one.standing) is queue.queue)
                query = _lines(actor).where(alike).order_by(PaperCertificate.id.desc()).limit(limit)
                found.append((queue, [_line(*row) for row in session.execute(query)]))
        return found


def list_sheets(
    ctx: ServiceContext,
    actor: Actor,
    *,
    sitting: str | None = None,
    state: str | None = None,
    queue: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[SheetLine]:
    """Certificates newest first within the actor's reach, by sitting, state or queue."""
    actor.require(*READERS)
    query = _lines(actor)
    for column, value in ((PaperCertificate.sitting_code, sitting), (PaperCertificate.state, state)):
        if value:
            query = query.where(column == value)
    if before is not None:
        query = query.where(PaperCertificate.id < before)
    query = query.order_by(PaperCertificate.id.desc())
    with ctx.database.read() as session:
        if queue:
            alike = (one for one in groups(ctx, session, actor, sitting) if queue_of(one.standing) == queue)
            query = query.where(in_groups(alike))
        return [_line(*row) for row in session.execute(query.limit(limit))]


def show_sheet(ctx: ServiceContext, actor: Actor, reference: str) -> SheetView:
    """One certificate with its history; that a person's data was looked at is put on record. Raises NotFoundError."""
    actor.require(*READERS)
    with ctx.database.write() as session:
        found = find_sheet(session, actor, reference, lock=False)
        paper = found.paper
        parcel = _current_parcels(session, [paper.id]).get(paper.id)
        box = session.get(SafekeepingBox, paper.box_id) if paper.box_id else None
        register = session.get(HandoverRegister, paper.register_id) if paper.register_id else None
        old = session.get(PaperCertificate, paper.replaces_id) if paper.replaces_id else None
        new = session.scalars(select(PaperCertificate).where(PaperCertificate.replaces_id == paper.id)).first()
        booking = session.scalars(
            select(MailBooking).where(MailBooking.paper_id == paper.id).order_by(MailBooking.id.desc()).limit(1)
        ).one_or_none()
        handout = session.scalars(select(PaperHandout).where(PaperHandout.paper_id == paper.id)).one_or_none()
        may = bool(actor.roles.intersection(CLERKS))
        events = session.scalars(
            select(PaperEvent).where(PaperEvent.paper_id == paper.id).order_by(PaperEvent.version)
        )
        view = SheetView(
            line=_line(paper, parcel.waybill if parcel else None, box.label if box else None),
            name=found.registration.name,
            specialty=found.registration.specialty,
            city=found.registration.city,
            queue=queue_of(standing_of(ctx, session, paper)),
            actions=tuple(sorted(actions_from(found.state))),
            register=register.number if register else None,
            replaces=old.serial if old else None,
            replaced_by=new.serial if new else None,
            recipient=booking.recipient if booking and may else None,
            phone=booking.phone if booking and may else None,
            address=booking.address if booking and may else None,
            revision=booking.revision if booking else None,
            handed_to=handout.receiver if handout else None,
            proof=handout.proof if handout else None,
            history=tuple(
                HistoryLine(row.action, row.state, row.place, row.clause, row.reference, row.actor, row.at)
                for row in events
            ),
        )
        record_event(session, ctx.clock, actor, "paper.look", f"paper:{paper.id}")
        return view


def courier_rows(ctx: ServiceContext, actor: Actor, sitting_code: str) -> list[tuple[str, ...]]:
    """What the courier needs of everything booked and not packed, ready for a workbook; the export is on record.

    管理号, 地址版本, 收件人, 电话, 地址, 付费方式, 运单号 (empty, or the one that counts).
    """
    actor.require(*CLERKS)
    with ctx.database.write() as session:
        require_sitting(session, actor, sitting_code)
        rows = session.execute(
            select(PaperCertificate, MailBooking, Parcel.waybill)
            .join(MailBooking, (MailBooking.paper_id == PaperCertificate.id) & (MailBooking.state == "open"))
            .join(Registration, Registration.id == PaperCertificate.registration_id)
            .join(Sitting, Sitting.code == PaperCertificate.sitting_code)
            .outerjoin(Parcel, (Parcel.booking_id == MailBooking.id) & (Parcel.state == "labelled"))
            .where(
                PaperCertificate.sitting_code == sitting_code,
                PaperCertificate.state == PaperState.BOOKED,
                Registration.void_since.is_(None),
                reach(actor),
            )
            .order_by(PaperCertificate.serial)
        ).all()
        record_event(
            session,
            ctx.clock,
            actor,
            "paper.export.courier",
            f"sitting:{sitting_code}",
            clause="R12",
            details={"count": len(rows)},
        )
    return [
        (
            paper.management_no,
            str(booking.revision),
            booking.recipient,
            booking.phone,
            booking.address,
            "到付",
            waybill or "",
        )
        for paper, booking, waybill in rows
    ]


COURIER_HEADS = ("管理号", "地址版本", "收件人", "电话", "地址", "付费方式", "运单号")


def _lines(actor: Actor) -> Select[PaperCertificate, str, str]:
    return (
        select(PaperCertificate, Parcel.waybill, SafekeepingBox.label)
        .join(Registration, Registration.id == PaperCertificate.registration_id)
        .join(Sitting, Sitting.code == PaperCertificate.sitting_code)
        .outerjoin(
            Parcel,
            (Parcel.paper_id == PaperCertificate.id)
            & Parcel.state.in_(("labelled", "packed", "posted", "delivered")),
        )
        .outerjoin(SafekeepingBox, SafekeepingBox.id == PaperCertificate.box_id)
        .where(reach(actor))
    )


def _line(paper: PaperCertificate, waybill: str | None, box: str | None) -> SheetLine:
    return SheetLine(
        id=paper.id,
        serial=paper.serial,
        management_no=paper.management_no,
        sitting=paper.sitting_code,
        state=paper.state,
        place=place_of(PaperState(paper.state)),
        waybill=waybill,
        box=box,
        changed_at=paper.changed_at,
    )


def _current_parcels(session: Session, ids: Sequence[int]) -> dict[int, Parcel]:
    rows = session.scalars(
        select(Parcel).where(Parcel.paper_id.in_(ids), Parcel.state != "cancelled").order_by(Parcel.id)
    )
    return {row.paper_id: row for row in rows}
