"""Objections and defences that wait for an answer, for whoever has to give it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from issuer.access.actor import Actor
from issuer.ports import ServiceContext
from issuer.records.people import Registration
from issuer.records.reviews import DefenceStatement, Objection
from issuer.review.sitting import REVIEWERS, open_sitting, within_reach

MOST = 200


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
    """All that wait, oldest first."""

    objections: tuple[OpenStatement, ...]
    defences: tuple[OpenStatement, ...]


def open_statements(ctx: ServiceContext, actor: Actor, sitting_code: str) -> OpenStatements:
    """What waits in a sitting within the actor's reach, at most MOST of each.

    Raises NotFoundError, NotAllowedError (role, R1).
    """
    with ctx.database.read() as session:
        sitting = open_sitting(session, actor, sitting_code, REVIEWERS)
        objections = session.execute(
            select(Objection, Registration)
            .join(Registration, Objection.registration_id == Registration.id)
            .where(Objection.sitting_code == sitting.code, Objection.resolved_at.is_(None), within_reach(actor))
            .order_by(Objection.id)
            .limit(MOST)
        ).all()
        defences = session.execute(
            select(DefenceStatement, Registration)
            .join(Registration, DefenceStatement.registration_id == Registration.id)
            .where(
                Registration.sitting_code == sitting.code, DefenceStatement.decided_at.is_(None), within_reach(actor)
            )
            .order_by(DefenceStatement.id)
            .limit(MOST)
        ).all()
        return OpenStatements(
            objections=tuple(
                OpenStatement(row.id, who.id, who.admission_no, who.name, row.text, row.raised_at)
                for row, who in objections
            ),
            defences=tuple(
                OpenStatement(row.id, who.id, who.admission_no, who.name, row.text, row.filed_at)
                for row, who in defences
            ),
        )
