"""What a list of cases is narrowed to: it stands in the address, can be kept and shared, and never names a person."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import func, or_, select

from issuer.access.actor import Actor
from issuer.errors import InputError, NotFoundError, Words
from issuer.ports import ServiceContext
from issuer.records.work import SavedFilter
from issuer.rules.queues import WorkQueue
from issuer.rules.terms import Role

KEEPERS = (Role.REVIEW_BODY, Role.AUTHORITY_ISSUER, Role.AUTHORITY_APPROVER, Role.SUPERVISOR)
HOLDS = ("", "mine", "free", "held")
DUES = ("", "overdue", "week")
MOST = 50
MAX_TITLE = 40


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """Sitting and city exactly; `hold`: mine, free (or mine), held by anybody; `due`: overdue, within a week."""

    sitting: str = ""
    city: str = ""
    hold: str = ""
    due: str = ""

    @classmethod
    def of(cls, sitting: str = "", city: str = "", hold: str = "", due: str = "") -> "QueueFilter":
        """From what stands in an address; what is not known counts as not said."""
        return cls(
            sitting.strip()[:32],
            city.strip()[:40],
            hold if hold in HOLDS else "",
            due if due in DUES else "",
        )

    @classmethod
    def parse(cls, query: str) -> "QueueFilter":
        """From the query part of an address."""
        values = dict(parse_qsl(query))
        return cls.of(*(values.get(name, "") for name in ("sitting", "city", "hold", "due")))

    @property
    def query(self) -> str:
        """The query part of the address; empty for no filter."""
        values = {"sitting": self.sitting, "city": self.city, "hold": self.hold, "due": self.due}
        return urlencode({name: value for name, value in values.items() if value})


@dataclass(frozen=True, slots=True)
class KeptFilter:
    """A kept filter as a list shows it."""

    id: int
    title: str
    address: str
    owner: str
    shared: bool


def keep_filter(
    ctx: ServiceContext, actor: Actor, queue: WorkQueue, chosen: QueueFilter, title: str, *, shared: bool
) -> int:
    """Keep a filter under a title, for oneself or for everybody who sees the queue. Raises InputError."""
    actor.require(*KEEPERS)
    title = " ".join(title.split())
    if not 1 <= len(title) <= MAX_TITLE or not title.isprintable():
        raise InputError(
            "filter-title",
            Words(f"请填写名称（1 至 {MAX_TITLE} 字）。", f"Give it a title of 1 to {MAX_TITLE} characters."),
        )
    with ctx.database.write() as session:
        kept = session.scalar(select(func.count()).where(SavedFilter.owner == actor.username))
        if (kept or 0) >= MOST:
            raise InputError(
                "filters-too-many",
                Words(f"最多保存 {MOST} 个筛选。", f"At most {MOST} filters can be kept."),
                remedy=Words("请先删除不用的筛选。", "Drop one first."),
            )
        row = SavedFilter(
            owner=actor.username,
            title=title,
            queue=queue.value,
            query=chosen.query,
            shared=shared,
            created_at=ctx.clock.now(),
        )
        session.add(row)
        session.flush()
        return row.id


def drop_filter(ctx: ServiceContext, actor: Actor, number: int) -> None:
    """Drop one of one's own. Raises NotFoundError."""
    actor.require(*KEEPERS)
    with ctx.database.write() as session:
        row = session.get(SavedFilter, number)
        if row is None or row.owner != actor.username:
            raise NotFoundError("filter-unknown", Words("没有这个筛选。", "There is no such filter of yours."))
        session.delete(row)  # a convenience, not a record of anything


def kept_filters(ctx: ServiceContext, actor: Actor, queue: WorkQueue) -> list[KeptFilter]:
    """One's own filters of a queue and those others shared."""
    mine: Any = SavedFilter.owner == actor.username
    query = (
        select(SavedFilter)
        .where(SavedFilter.queue == queue.value, or_(mine, SavedFilter.shared))
        .order_by(SavedFilter.title, SavedFilter.id)
        .limit(2 * MOST)
    )
    with ctx.database.read() as session:
        return [
            KeptFilter(
                row.id,
                row.title,
                f"/console/queues/{row.queue}" + (f"?{row.query}" if row.query else ""),
                row.owner,
                row.shared,
            )
            for row in session.scalars(query)
        ]
