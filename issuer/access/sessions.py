"""Open sessions of the console: what their owners see of them, ending one, ending all.

A session is named by the first 16 hex characters of its secret's digest: enough to tell one from another, and of no
use to open anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from issuer.access.service import digest
from issuer.clock import Clock
from issuer.errors import NotAllowedError, NotFoundError, UnavailableError, Words
from issuer.records.access import StaffSession
from issuer.records.database import Database

NAME_LENGTH = 16
NOTICE_EVERY = timedelta(minutes=5)
FRESH = timedelta(minutes=15)
"""How long after signing in ways to sign in may be changed."""


@dataclass(frozen=True, slots=True)
class Own:
    """The session a request came with. `key` is its secret's digest."""

    key: str
    username: str
    means: str | None
    opened_at: datetime
    seen_at: datetime | None

    @property
    def name(self) -> str:
        """How it is named on pages."""
        return self.key[:NAME_LENGTH]

    def is_fresh(self, clock: Clock) -> bool:
        """Whether its owner signed in so shortly before that they need not do it again."""
        return clock.now() - self.opened_at <= FRESH

    def require_fresh(self, clock: Clock) -> None:
        """Raise NotAllowedError when it is older: a browser left open must not be enough to add a way in."""
        if not self.is_fresh(clock):
            raise NotAllowedError(
                "sign-in-stale",
                Words(
                    "登录超过 15 分钟，更改登录方式前须重新登录。",
                    "You signed in over 15 minutes ago; sign in again before changing how you sign in.",
                ),
                remedy=Words("退出后重新登录，再到「我的账号」办理。", "Sign out, sign in, and go to “My account”."),
            )


def own(session: Session, secret: str) -> Own | None:
    """The session behind a cookie's secret."""
    found = session.get(StaffSession, digest(secret))
    if found is None:
        return None
    return Own(found.secret_sha256, found.username, found.means, found.created_at, found.seen_at)


def notice(database: Database, clock: Clock, mine: Own) -> None:
    """Remember, to five minutes, that the session is used; while nothing can be written, it is let be."""
    now = clock.now()
    if mine.seen_at is not None and now - mine.seen_at < NOTICE_EVERY:
        return
    try:
        with database.write() as session:
            found = session.get(StaffSession, mine.key)
            if found is not None:
                found.seen_at = now
    except (UnavailableError, OperationalError):
        return


def listing(session: Session, clock: Clock, username: str) -> Sequence[StaffSession]:
    """An account's open sessions, newest first."""
    live = select(StaffSession).where(StaffSession.username == username, StaffSession.expires_at > clock.now())
    return session.scalars(live.order_by(StaffSession.created_at.desc())).all()


def end(session: Session, clock: Clock, username: str, name: str) -> None:
    """End one session of an account by its name. Raises NotFoundError."""
    for found in listing(session, clock, username):
        if len(name) == NAME_LENGTH and found.secret_sha256.startswith(name):
            session.delete(found)
            return
    raise NotFoundError(
        "session-unknown",
        Words("该会话已经结束。", "That session has ended already."),
        remedy=Words("刷新页面查看现有会话。", "Load the page again to see the open ones."),
    )
