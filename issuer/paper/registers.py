"""Handover registers (R13): opened when the five years are over, counted against the boxes, countersigned, sealed."""

from collections import Counter

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import record_event
from issuer.errors import ConflictError, Words
from issuer.paper.keeping import box_named, kept
from issuer.paper.parcels import Scan
from issuer.paper.register_sealing import COUNTERSIGNERS, countersign, send_back
from issuer.paper.register_views import (
    RegisterView,
    find_register,
    items_of,
    list_registers,
    register_file,
    require_state,
    show_register,
    view_of,
)
from issuer.paper.sheets import (
    CLERKS,
    find_sheet,
    lawful,
    locked_many,
    require_sitting,
    require_whole,
    scanned,
)
from issuer.ports import ServiceContext
from issuer.records.paper_keeping import HandoverItem, HandoverRegister, SafekeepingBox
from issuer.records.sittings import NumberSeries, Sitting
from issuer.refusals import refusal_from
from issuer.rules.paper_keeping import keeping_due, require_equal_count, require_in_right_box, require_keeping_over
from issuer.rules.paper_states import PaperState
from issuer.rules.policy import Policy
from issuer.rules.violation import RuleViolation

__all__ = [
    "COUNTERSIGNERS",
    "RegisterView",
    "close_count",
    "count_one",
    "countersign",
    "list_registers",
    "open_register",
    "register_file",
    "send_back",
    "show_register",
]


def open_register(ctx: ServiceContext, actor: Actor, sitting_code: str) -> RegisterView:
    """Begin a register over everything of this sitting that is in safekeeping.

    Raises ConflictError (R13 safekeeping-not-over, register-empty, register-open), NotFoundError, NotAllowedError.
    """
    actor.require(*CLERKS)
    require_whole(actor)
    today = ctx.clock.today()
    with ctx.database.write() as session, lawful():
        sitting, programme = require_sitting(session, actor, sitting_code)
        session.execute(select(Sitting.code).where(Sitting.code == sitting_code).with_for_update())
        due = keeping_due(sitting.exam_ended_on, Policy.from_dict(programme.policy), today)
        require_keeping_over(due, today)
        expected = Counter(label for _, label in kept(session, sitting_code))
        require_equal_count(expected, expected)
        standing = session.scalars(
            select(HandoverRegister).where(
                HandoverRegister.sitting_code == sitting_code, HandoverRegister.state.in_(("open", "counted"))
            )
        ).one_or_none()
        if standing is not None:
            raise ConflictError(
                "register-open",
                Words(f"该考次已有未办结的清册 {standing.number}。", f"Register {standing.number} is not finished."),
                remedy=Words("继续办理该清册。", "Go on with that one."),
                clause="R13",
            )
        row = HandoverRegister(
            number=_number(session, today.year),
            sitting_code=sitting_code,
            state="open",
            due_on=due.due_on,
            opened_by=actor.username,
            opened_at=ctx.clock.now(),
        )
        session.add(row)
        session.flush()
        details = {"number": row.number, "certificates": expected.total()}
        record_event(
            session, ctx.clock, actor, "paper.register.open", f"register:{row.id}", clause="R13", details=details
        )
        return view_of(session, row)


def count_one(ctx: ServiceContext, actor: Actor, number: str, box_label: str, certificate: str) -> Scan:
    """Scan a certificate in its box; scanning it twice counts once.

    Raises ConflictError (R13 wrong-box, not-in-safekeeping, register-closed), NotFoundError; an alarm is recorded.
    """
    actor.require(*CLERKS)
    label, alarm = scanned(box_label), None
    with ctx.database.write() as session:
        row = find_register(session, actor, number, lock=True)
        require_state(row, "open")
        box = box_named(session, label, row.sitting_code)
        found = find_sheet(session, actor, certificate)
        try:
            own = session.get(SafekeepingBox, found.paper.box_id) if found.paper.box_id else None
            if own is None or found.paper.sitting_code != row.sitting_code:
                raise RuleViolation(
                    "R13",
                    "not-in-safekeeping",
                    found=(f"该证书状态为 {found.state}，不在本清册", f"{found.state}: no part of this register"),
                    expected=("本考次代为保管的证书", "a certificate of this sitting in safekeeping"),
                )
            require_in_right_box(own.label, box.label)
        except RuleViolation as violation:
            alarm = refusal_from(violation)
            record_event(
                session,
                ctx.clock,
                actor,
                "paper.register.count",
                f"register:{row.id}",
                outcome="refused",
                clause="R13",
                details={"code": violation.code, "paper": found.paper.id},
            )
        else:
            if session.get(HandoverItem, (row.id, found.paper.id)) is None:
                session.add(
                    HandoverItem(
                        register_id=row.id,
                        paper_id=found.paper.id,
                        box_id=box.id,
                        scanned_by=actor.username,
                        scanned_at=ctx.clock.now(),
                    )
                )
    if alarm is not None:
        raise alarm
    return Scan(found.paper.serial, found.paper.management_no, found.paper.state, label)


def close_count(ctx: ServiceContext, actor: Actor, number: str) -> RegisterView:
    """The count equals the boxes: the register's lines are fixed, and pick-up is refused from here on.

    Raises ConflictError (R13 count-differs, register-empty, register-closed).
    """
    actor.require(*CLERKS)
    require_whole(actor)
    with ctx.database.write() as session, lawful():
        row = find_register(session, actor, number, lock=True)
        require_state(row, "open")
        boxed = kept(session, row.sitting_code)
        rows = locked_many(session, [paper.id for paper, _ in boxed])
        papers = [(rows[paper.id], label) for paper, label in boxed]
        papers = [(paper, label) for paper, label in papers if paper.state == PaperState.SAFEKEEPING]
        items = {item.paper_id: item for item in items_of(session, row.id)}
        expected = Counter(label for _, label in papers)
        counted = Counter(label for paper, label in papers if paper.id in items)
        require_equal_count(expected, counted)
        for position, (paper, _) in enumerate(papers, 1):
            items[paper.id].position = position
            paper.register_id = row.id
        row.state, row.total, row.boxes = "counted", len(papers), dict(expected)
        row.counted_by, row.counted_at = actor.username, ctx.clock.now()
        session.flush()
        details = {"number": row.number, "certificates": row.total}
        record_event(
            session, ctx.clock, actor, "paper.register.close", f"register:{row.id}", clause="R13", details=details
        )
        return view_of(session, row)


def _number(session: Session, year: int) -> str:
    series = f"handover-register-{year}"
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(insert(NumberSeries).values(series=series, next_serial=1).on_conflict_do_nothing())
    row = session.get_one(NumberSeries, series, with_for_update=True, populate_existing=True)
    serial, row.next_serial = row.next_serial, row.next_serial + 1
    return f"YJ-{year}-{serial:04}"
