"""Which registrations a proposed case holds back until it is decided (R9, R10)."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from issuer.records.certificates import Invalidation


def suspended_registrations(session: Session, registration_ids: Iterable[int]) -> dict[int, str]:
    """Clause of the case that holds each of them back; who is held back by none is not in it."""
    found = select(Invalidation.registration_id, Invalidation.clause).where(
        Invalidation.registration_id.in_(list(registration_ids)),
        Invalidation.state == "proposed",
        Invalidation.kind == "invalidate",
        Invalidation.suspended.is_(True),
    )
    return {row.registration_id: row.clause for row in session.execute(found)}
