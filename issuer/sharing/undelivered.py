"""Messages to watchers that were given up: who was not told, why, and trying once more.

Staff see whose address it is and where it lies (the part behind the `@`, or the host), never the whole address.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import func, select

from issuer.access.actor import Actor
from issuer.audit import record_event
from issuer.errors import Words
from issuer.ports import ServiceContext
from issuer.records.certificates import ECertificate
from issuer.records.watching import Watch, Watcher, WatchMessage
from issuer.rules.terms import Role
from issuer.rules.watching import CLAUSE
from issuer.sharing.delivery import DeliveryReport, report

READERS: Final = (
    Role.AUTHORITY_ISSUER,
    Role.AUTHORITY_APPROVER,
    Role.OPERATOR,
    Role.SUPERVISOR,
    Role.AUDITOR,
)
RETRIERS: Final = (Role.AUTHORITY_ISSUER, Role.OPERATOR)
PAGE: Final = 50
MOST_AT_ONCE: Final = 1000

_WHY: Final = {
    "no-answer": Words("对方服务器连接不上或迟迟不答", "their server cannot be reached or takes too long"),
    "unresolvable": Words("域名无法解析", "the host name leads nowhere"),
    "not-confirmed": Words("对方未按要求回应确认", "their server did not confirm as asked"),
    "private-address": Words("地址指向内部网络，不予发送", "the address lies in our own network"),
    "mail-refused": Words("对方邮件服务器拒收", "the mailbox was refused"),
    "mail-not-sent": Words("邮件未能发出", "the mail could not be sent"),
    "mail-not-encrypted": Words("邮件服务器不支持加密", "the mail server offers no encryption"),
    "no-mail-server": Words("本系统未配置邮件服务器", "no mail server is configured here"),
    "unexpected": Words("发送时出错", "sending failed"),
}


@dataclass(frozen=True, slots=True)
class Undelivered:
    """One message that was given up. `code`: what the last attempt met; `management_no` None for a first message."""

    id: int
    message_id: str
    kind: str
    by: str
    place: str
    organisation: str
    management_no: str | None
    code: str
    why: Words
    attempts: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """Some of them, newest first; `next` is the `before` of the following page."""

    items: tuple[Undelivered, ...]
    next: int | None


def undelivered(ctx: ServiceContext, actor: Actor, *, before: int | None = None, limit: int = PAGE) -> Page:
    """The newest ones; raises NotAllowedError."""
    actor.require(*READERS)
    statement = (
        select(WatchMessage, Watcher, ECertificate.management_no)
        .join(Watcher, WatchMessage.watcher_id == Watcher.id)
        .outerjoin(Watch, WatchMessage.watch_id == Watch.id)
        .outerjoin(ECertificate, Watch.certificate_id == ECertificate.id)
        .where(WatchMessage.state == "dead")
        .order_by(WatchMessage.id.desc())
        .limit(limit + 1)
    )
    if before is not None:
        statement = statement.where(WatchMessage.id < before)
    with ctx.database.read() as session:
        rows = [_view(message, watcher, number) for message, watcher, number in session.execute(statement)]
    more = len(rows) > limit
    return Page(tuple(rows[:limit]), rows[limit - 1].id if more else None)


def standing(ctx: ServiceContext, actor: Actor) -> DeliveryReport:
    """How all messages stand; raises NotAllowedError."""
    actor.require(*READERS)
    with ctx.database.read() as session:
        return report(session)


def count_given_up(ctx: ServiceContext, actor: Actor) -> int:
    """How many there are; raises NotAllowedError."""
    actor.require(*READERS)
    with ctx.database.read() as session:
        return session.scalar(select(func.count()).where(WatchMessage.state == "dead")) or 0


def retry(ctx: ServiceContext, actor: Actor, ids: Sequence[int] | None = None) -> int:
    """Let these, or (None) all, be sent again from the first attempt on; how many.

    What is not given up, or nobody waits for any more, is left as it is. Raises NotAllowedError.
    """
    actor.require(*RETRIERS)
    now = ctx.clock.now()
    with ctx.database.write() as session:
        statement = select(WatchMessage).where(WatchMessage.state == "dead").order_by(WatchMessage.id)
        if ids is not None:
            statement = statement.where(WatchMessage.id.in_(list(ids)[:MOST_AT_ONCE]))
        messages = list(session.scalars(statement.with_for_update()))
        for message in messages:
            message.state, message.attempts, message.next_at = "waiting", 0, now
        if messages:
            details = {"messages": len(messages), "first": messages[0].id, "last": messages[-1].id}
            record_event(session, ctx.clock, actor, "watch.retry", "watch-messages", clause=CLAUSE, details=details)
        return len(messages)


def why(code: str) -> Words:
    """What an error code of a delivery means."""
    known = _WHY.get(code)
    if known is not None:
        return known
    kind, _, status = code.rpartition("-")
    if kind == "answered" and status.isdigit():
        return Words(f"对方服务器拒收（{status}）", f"their server refused it ({status})")
    return Words("未能送达", "it could not be delivered")


def _view(message: WatchMessage, watcher: Watcher, management_no: str | None) -> Undelivered:
    code = message.last_error or ""
    return Undelivered(
        id=message.id,
        message_id=message.message_id,
        kind=message.kind,
        by=watcher.kind,
        place=_place(watcher),
        organisation=watcher.organisation,
        management_no=management_no,
        code=code,
        why=why(code),
        attempts=message.attempts,
        created_at=message.created_at,
    )


def _place(watcher: Watcher) -> str:
    if watcher.kind == "email":
        return watcher.address.rpartition("@")[2]
    return urlsplit(watcher.address).hostname or ""
