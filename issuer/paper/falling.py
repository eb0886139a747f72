"""A paper sheet falls with its registration (R9, R10), and stands up again with it after an appeal.

The caller holds the holding's lock and decides in the same unit of work about registration and scores.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import NewEvent
from issuer.clock import Clock
from issuer.paper.mail import close_bookings
from issuer.paper.sheets import locked, note_step, step
from issuer.records.paper import PaperCertificate, PaperEvent
from issuer.records.paper_keeping import HandoverItem, HandoverRegister
from issuer.rules.paper_states import PaperAction, PaperState, standing_again

REINSTATE = "reinstate"
SUSPEND, UNSUSPEND = "suspend", "unsuspend"


def fall(session: Session, clock: Clock, actor: Actor, paper_id: int, *, clause: str, case_id: int) -> list[NewEvent]:
    """Make the sheet void: its mail is stopped, its box and its line on an unfinished register are emptied.

    A register that was counted goes back to its count, for its lines no longer equal the boxes (R13). Returns the
    events, which the caller records last. Raises RuleViolation (paper-state) when it does not count any more.
    """
    registers = _unfinished(session, paper_id)  # before the sheet, as counting and countersigning lock them
    paper = locked(session, paper_id)
    events = [
        step(session, clock, actor, paper, PaperAction.VOID, reference=f"invalidation:{case_id}", clause=clause)
    ]
    paper.box_id = paper.register_id = None
    close_bookings(session, clock, paper.id)
    for register in registers:
        if register.state == "counted":
            events.append(_count_again(session, register))
        session.get_one(HandoverItem, (register.id, paper.id)).withdrawn = True
    session.flush()
    return events


def note_suspension(
    session: Session, clock: Clock, actor: Actor, paper_id: int, *, clause: str, case_id: int, lifted: bool = False
) -> NewEvent:
    """A line in the sheet's history that a case holds it back, or does so no longer; it stays where it is."""
    paper = locked(session, paper_id)
    action = UNSUSPEND if lifted else SUSPEND
    paper.version, paper.changed_at = paper.version + 1, clock.now()
    note_step(session, clock, actor, paper, action, clause, f"invalidation:{case_id}")
    session.flush()
    details = {"state": paper.state, "case": case_id}
    return NewEvent(f"paper.{action}", f"paper:{paper.id}", clause=clause, details=details)


def stand_again(
    session: Session, clock: Clock, actor: Actor, paper_id: int, *, clause: str, case_id: int
) -> list[NewEvent]:
    """The sheet counts again: with its holder where it was, otherwise at the counter, to be collected or mailed."""
    paper = locked(session, paper_id)
    before = session.scalars(
        select(PaperEvent.state)
        .where(PaperEvent.paper_id == paper.id, PaperEvent.version < paper.version)
        .order_by(PaperEvent.version.desc())
        .limit(1)
    ).one()
    state = standing_again(PaperState(paper.state), PaperState(before))
    paper.state, paper.slot = state, "live"
    paper.version, paper.changed_at = paper.version + 1, clock.now()
    note_step(session, clock, actor, paper, REINSTATE, clause, f"invalidation:{case_id}")
    session.flush()
    details = {"state": str(state), "case": case_id}
    return [NewEvent("paper.reinstate", f"paper:{paper.id}", clause=clause, details=details)]


def _unfinished(session: Session, paper_id: int) -> list[HandoverRegister]:
    lines = select(HandoverItem.register_id).where(
        HandoverItem.paper_id == paper_id, HandoverItem.withdrawn.is_(False)
    )
    return list(
        session.scalars(
            select(HandoverRegister)
            .where(HandoverRegister.id.in_(lines), HandoverRegister.state.in_(("open", "counted")))
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )


def _count_again(session: Session, register: HandoverRegister) -> NewEvent:
    items = session.scalars(
        select(HandoverItem)
        .where(HandoverItem.register_id == register.id, HandoverItem.withdrawn.is_(False))
        .order_by(HandoverItem.paper_id)
    )
    for item in items:
        item.position = None
        session.execute(select(PaperCertificate.id).where(PaperCertificate.id == item.paper_id).with_for_update())
        session.get_one(PaperCertificate, item.paper_id).register_id = None
    register.state, register.counted_by, register.counted_at = "open", None, None
    return NewEvent("paper.register.return", f"register:{register.id}", clause="R13")
