"""Who else a change of a certificate touches: its live copies and those who watch it."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from issuer.records.copies import AnnotatedCopy
from issuer.records.watching import Watch, Watcher


@dataclass(frozen=True, slots=True)
class Touched:
    """How many copies would fall with a certificate, and how many addresses would be told."""

    copies_live: int
    watchers: int


@dataclass(frozen=True, slots=True)
class StaffCopy:
    """A copy as staff see it; what it is for is the holder's own affair."""

    copy_no: str
    token: str
    valid_until: date
    withdrawn: bool


def touched(session: Session, certificate_id: int, today: date) -> Touched:
    """What an act on this certificate would touch today."""
    copies = select(func.count()).where(
        AnnotatedCopy.certificate_id == certificate_id,
        AnnotatedCopy.state == "published",
        AnnotatedCopy.withdrawn_at.is_(None),
        AnnotatedCopy.valid_until >= today,
    )
    watchers = (
        select(func.count())
        .select_from(Watch)
        .join(Watcher, Watch.watcher_id == Watcher.id)
        .where(
            Watch.certificate_id == certificate_id,
            Watch.ended_at.is_(None),
            Watch.expires_on >= today,
            Watcher.state == "active",
        )
    )
    return Touched(session.scalar(copies) or 0, session.scalar(watchers) or 0)


def copies_for_staff(session: Session, certificate_id: int) -> list[StaffCopy]:
    """Published copies, newest first."""
    rows = session.scalars(
        select(AnnotatedCopy)
        .where(AnnotatedCopy.certificate_id == certificate_id, AnnotatedCopy.state == "published")
        .order_by(AnnotatedCopy.id.desc())
    )
    return [StaffCopy(row.copy_no, row.token, row.valid_until, row.withdrawn_at is not None) for row in rows]
