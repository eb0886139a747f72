"""A corrected certificate's watchers go on with its successor, as whoever relies on it does."""

from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from issuer.audit import NewEvent
from issuer.clock import SHANGHAI
from issuer.records.watching import Watch, Watcher
from issuer.rules.watching import CLAUSE

MOVED: Final = "moved"
"""`Watch.ended_by` of a watch that goes on as another one, of the successor."""


def follow_successor(session: Session, old_id: int, new_id: int, at: datetime) -> list[NewEvent]:
    """Let every standing watch of the certificate `old_id` go on with `new_id`, until the same last day.

    In the unit of work that supersedes, after `tell_watchers`, whose message says so. Returns what to record; an
    address that watches the successor already keeps that watch.
    """
    standing = list(
        session.scalars(
            select(Watch)
            .join(Watcher, Watch.watcher_id == Watcher.id)
            .where(
                Watch.certificate_id == old_id,
                Watch.ended_at.is_(None),
                Watch.expires_on >= at.astimezone(SHANGHAI).date(),
                Watcher.state != "ended",
            )
            .order_by(Watch.id)
        )
    )
    there = select(Watch.watcher_id).where(Watch.certificate_id == new_id, Watch.ended_at.is_(None))
    known = set(session.scalars(there))
    for watch in standing:
        watch.ended_at, watch.ended_by = at, MOVED
        if watch.watcher_id not in known:
            session.add(
                Watch(
                    watcher_id=watch.watcher_id,
                    certificate_id=new_id,
                    created_at=at,
                    expires_on=watch.expires_on,
                    label=watch.label,
                )
            )
    session.flush()
    if not standing:
        return []
    details = {"from": old_id, "watches": len(standing)}
    return [NewEvent("watch.follow", f"certificate:{new_id}", clause=CLAUSE, details=details)]
