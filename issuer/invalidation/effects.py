"""What a decision does to the rows: status, slot, history, registration, scores, and the public record's news."""

from datetime import date, datetime
from typing import Any, cast

from sqlalchemy import CursorResult, func, select, update
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.publication.outbox import announce_status
from issuer.records.certificates import ECertificate, StatusEvent
from issuer.records.people import Registration, Score
from issuer.sharing.news import tell_watchers
from verifier.record.public_record import StatusChange
from verifier.record.status import CertificateStatus, ReasonClass


def change_status(
    session: Session,
    actor: Actor,
    certificate: ECertificate,
    status: CertificateStatus,
    reason: ReasonClass | None,
    *,
    effective_on: date,
    at: datetime,
    from_beginning: bool = False,
) -> None:
    """Give a published certificate a new status: row and slot, history, outbox, all in this unit of work.

    `from_beginning`: it counts as never having been good (R9).
    """
    certificate.status = status
    certificate.slot = "ended" if status is CertificateStatus.INVALID else "live"
    last = session.scalar(select(func.max(StatusEvent.sequence)).where(StatusEvent.certificate_id == certificate.id))
    sequence = (last or 0) + 1
    session.add(
        StatusEvent(
            certificate_id=certificate.id,
            sequence=sequence,
            status=status,
            reason_class=reason,
            effective_on=effective_on,
            at=at,
            actor=actor.username,
        )
    )
    session.flush()
    tell_watchers(session, certificate.id, sequence, at)
    change = StatusChange(certificate.token, sequence, status, reason, effective_on, at, from_beginning)
    announce_status(session, change)


def void_registration(session: Session, registration_id: int, case_id: int, at: datetime) -> int:
    """R9: the registration and all subjects of that sitting fall; number of subjects that fell by this case."""
    session.execute(
        update(Registration)
        .where(Registration.id == registration_id, Registration.void_since.is_(None))
        .values(void_since=at, void_by=case_id)
    )
    return _count(
        session.execute(
            update(Score)
            .where(Score.registration_id == registration_id, Score.void_since.is_(None))
            .values(void_since=at, void_by=case_id)
        )
    )


def restore_registration(session: Session, registration_id: int, case_id: int) -> int:
    """Undo `void_registration` of that very case and nothing else; number of subjects restored."""
    session.execute(
        update(Registration)
        .where(Registration.id == registration_id, Registration.void_by == case_id)
        .values(void_since=None, void_by=None)
    )
    return _count(
        session.execute(
            update(Score)
            .where(Score.registration_id == registration_id, Score.void_by == case_id)
            .values(void_since=None, void_by=None)
        )
    )


def _count(result: Any) -> int:
    return int(cast("CursorResult[Any]", result).rowcount)
