"""Objections and defences that wait for an answer, for whoever has to give it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from issuer.access.actor import Actor
from issuer.ports import ServiceContext
from issuer.records.people import Registration
from issuer.records.reviews import DefenceStatement, Objection
from issuer.review.sitting import REVIEWERS, open_sitting, within_reach

MOST = 20
"""Statements of a kind on one page."""


@dataclass(frozen=True, slots=True)
class OpenStatement:
    """One objection or defence with the candidate it is about. Holds a name: for screens, never for logs."""

    id: int
    registration_id: int
    admission_no: str
    name: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class OpenStatements:
    """A page of what waits, oldest first; `next_…`: the number the page after it begins with, if there is one."""

    objections: tuple[OpenStatement, ...]
    defences: tuple[OpenStatement, ...]
    next_objection: int | None = None
    next_defence: int | None = None


def open_statements(
    ctx: ServiceContext, actor: Actor, sitting_code: str, *, objection: int = 0, defence: int = 0
) -> OpenStatements:
    """What waits in a sitting within the actor's reach, MOST of each, beginning with these numbers.

    Raises NotFoundError, NotAllowedError (role, R1).
    """
    with ctx.database.read() as session:
        sitting = open_sitting(session, actor, sitting_code, REVIEWERS)
        objections = session.execute(
            select(Objection, Registration)
            .join(Registration, Objection.registration_id == Registration.id)
            .where(Objection.sitting_code == sitting.code, Objection.resolved_at.is_(None), within_reach(actor))
            .where(Objection.id >= objection)
            .order_by(Objection.id)
            .limit(MOST + 1)
        ).all()
        defences = session.execute(
            select(DefenceStatement, Registration)
            .join(Registration, DefenceStatement.registration_id == Registration.id)
            .where(
                Registration.sitting_code == sitting.code,
                DefenceStatement.decided_at.is_(None),
                within_reach(actor),
            )
            .where(DefenceStatement.id >= defence)
            .order_by(DefenceStatement.id)
            .limit(MOST + 1)
        ).all()
        return OpenStatements(
            objections=tuple(
                OpenStatement(row.id, who.id, who.admission_no, who.name, row.text, row.raised_at)
                for row, who in objections[:MOST]
            ),
            defences=tuple(
                OpenStatement(row.id, who.id, who.admission_no, who.name, row.text, row.filed_at)
                for row, who in defences[:MOST]
            ),
            next_objection=objections[MOST][0].id if len(objections) > MOST else None,
            next_defence=defences[MOST][0].id if len(defences) > MOST else None,
        )
