"""What watchers must be told, written in the very unit of work that makes it true."""

import secrets
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from issuer.clock import SHANGHAI
from issuer.records.watching import Watch, Watcher, WatchMessage


def tell_watchers(session: Session, certificate_id: int, sequence: int, at: datetime) -> None:
    """One message for every standing watch of a certificate about status event `sequence`; `at` is when it happened.

    Called wherever a status event is written. The messages go out once the public record shows the same.
    """
    session.flush()
    standing = session.execute(
        select(Watch.id, Watch.watcher_id)
        .join(Watcher, Watch.watcher_id == Watcher.id)
        .where(
            Watch.certificate_id == certificate_id,
            Watch.ended_at.is_(None),
            Watch.expires_on >= at.astimezone(SHANGHAI).date(),
            Watcher.state == "active",
        )
    )
    for watch_id, watcher_id in standing.all():
        session.add(new_message("status", watcher_id, at, watch_id=watch_id, sequence=sequence))


def new_message(
    kind: str, watcher_id: int, at: datetime, *, watch_id: int | None = None, sequence: int | None = None
) -> WatchMessage:
    """A message to be sent as soon as may be."""
    return WatchMessage(
        message_id=f"msg_{secrets.token_hex(12)}",
        kind=kind,
        watcher_id=watcher_id,
        watch_id=watch_id,
        sequence=sequence,
        created_at=at,
        next_at=at,
    )
