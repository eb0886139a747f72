"""Reading the audit trail, a page at a time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from issuer.access.actor import Actor
from issuer.ports import ServiceContext
from issuer.records.ledger import AuditEvent
from issuer.rules.terms import Role

READERS = (Role.AUDITOR, Role.SUPERVISOR, Role.OPERATOR, Role.AUTHORITY_ISSUER, Role.AUTHORITY_APPROVER)


@dataclass(frozen=True, slots=True)
class EventView:
    """One event of the chain; `event_hash` in hex."""

    sequence: int
    at: datetime
    actor: str
    act: str
    subject: str
    clause: str | None
    outcome: str
    details: dict[str, Any]
    event_hash: str


def list_events(
    ctx: ServiceContext,
    actor: Actor,
    *,
    subject: str | None = None,
    act: str | None = None,
    by: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[EventView]:
    """Events newest first, by exact subject, by beginning of the act, by account. Raises NotAllowedError."""
    actor.require(*READERS)
    query = select(AuditEvent).order_by(AuditEvent.sequence.desc()).limit(limit)
    if subject:
        query = query.where(AuditEvent.subject == subject)
    if act:
        query = query.where(AuditEvent.act.startswith(act, autoescape=True))
    if by:
        query = query.where(AuditEvent.actor == by)
    if before is not None:
        query = query.where(AuditEvent.sequence < before)
    with ctx.database.read() as session:
        return [
            EventView(
                sequence=event.sequence,
                at=event.at,
                actor=event.actor,
                act=event.act,
                subject=event.subject,
                clause=event.clause,
                outcome=event.outcome,
                details=dict(event.details),
                event_hash=bytes(event.event_hash).hex(),
            )
            for event in session.scalars(query)
        ]
