"""The queues as they stand: how many, the oldest, the next deadline; and a queue's cases, a page at a time.

Every count and every line goes through `issuer.rules.queues.owning_queue`, so that the page of a queue and its count
cannot disagree about whose turn it is.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.errors import NotAllowedError, NotFoundError, Words
from issuer.paper.worklists import queues as paper_queues
from issuer.paper.worklists import sheets_by_queue
from issuer.ports import ServiceContext
from issuer.queues.filters import QueueFilter
from issuer.queues.open_cases import cases, groups, owned_by, state_of
from issuer.records.sittings import Programme, Sitting
from issuer.records.work import CaseClaim
from issuer.rules.paper_states import PaperQueue
from issuer.rules.policy import Policy
from issuer.rules.queues import RULES, CaseKind, CaseState, WorkQueue, owning_queue, visible_queues
from issuer.rules.terms import ReviewRound, Role

READERS = (Role.REVIEW_BODY, Role.AUTHORITY_ISSUER, Role.AUTHORITY_APPROVER, Role.SUPERVISOR, Role.AUDITOR)
_FIRST = ReviewRound.FIRST.value


@dataclass(frozen=True, slots=True)
class QueueView:
    """A queue with what it holds; `next_deadline` is the last day of the case that is due first."""

    queue: WorkQueue
    clause: str
    count: int
    oldest: datetime | None
    next_deadline: date | None

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "queue": str(self.queue),
            "clause": self.clause,
            "count": self.count,
            "oldest": self.oldest.isoformat() if self.oldest else None,
            "next_deadline": self.next_deadline.isoformat() if self.next_deadline else None,
        }


@dataclass(frozen=True, slots=True)
class CaseLine:
    """One open case in a list: numbers, no name. `holder` has it in hand until `held_until`."""

    kind: CaseKind
    id: int
    queue: WorkQueue
    registration_id: int | None
    person_id: int | None
    sitting: str
    label: str
    """Admission number; the management number of a sheet of paper."""
    city: str
    since: datetime
    deadline: date | None
    by: str | None
    holder: str | None = None
    held_until: datetime | None = None
    paper_queue: str | None = None


def list_queues(ctx: ServiceContext, actor: Actor) -> list[QueueView]:
    """The queues this account sees, empty ones too, in the order of a year. Raises NotAllowedError."""
    actor.require(*READERS)
    counts: dict[WorkQueue, int] = {}
    oldest: dict[WorkQueue, datetime] = {}
    due: dict[WorkQueue, date] = {}
    seen = visible_queues(actor.roles)
    with ctx.database.read() as session:
        known = _sittings(session)
        for kind in dict.fromkeys(RULES[queue].kind for queue in seen if RULES[queue].kind is not CaseKind.PAPER):
            for state, sitting, count, since in groups(session, actor, kind):
                queue = owning_queue(state)
                if queue is None:
                    continue
                counts[queue] = counts.get(queue, 0) + count
                oldest[queue] = min(since, oldest.get(queue, since))
                day = _deadline(queue, *known[sitting]) if sitting else None
                if day is not None:
                    due[queue] = min(day, due.get(queue, day))
    if any(RULES[queue].kind is CaseKind.PAPER for queue in seen):
        for found in paper_queues(ctx, actor):
            queue = owning_queue(CaseState(CaseKind.PAPER, found.queue))
            if queue is None:
                continue
            counts[queue] = counts.get(queue, 0) + found.count
            if found.oldest:
                oldest[queue] = min(found.oldest, oldest.get(queue, found.oldest))
            if found.deadline:
                due[queue] = min(found.deadline, due.get(queue, found.deadline))
    return [
        QueueView(queue, RULES[queue].clause, counts.get(queue, 0), oldest.get(queue), due.get(queue))
        for queue in seen
    ]


def require_queue(actor: Actor, queue: WorkQueue) -> None:
    """Raise NotAllowedError unless the account sees the queue."""
    actor.require(*READERS)
    if queue not in visible_queues(actor.roles):
        raise NotAllowedError(
            "queue-of-others",
            Words("该队列由其他角色办理。", "That queue belongs to another role."),
            remedy=Words("请从概览进入本人队列。", "Go to one of your own queues from the overview."),
        )


def list_cases_of(
    ctx: ServiceContext,
    actor: Actor,
    queue: WorkQueue,
    chosen: QueueFilter,
    *,
    after: int | None = None,
    limit: int = 50,
) -> list[CaseLine]:
    """A queue's cases, oldest first, by page (`after`: the last page's largest id). Raises NotAllowedError."""
    require_queue(actor, queue)
    if RULES[queue].kind is CaseKind.PAPER:
        return _sheets(ctx, actor, queue, chosen, limit)
    kind = RULES[queue].kind
    now = ctx.clock.now()
    with ctx.database.read() as session:
        days = {code: _deadline(queue, *facts) for code, facts in _sittings(session).items()}
        rows = cases(actor, kind).subquery()
        claim = (
            (CaseClaim.kind == kind.value)
            & (CaseClaim.case_id == rows.c.case_id)
            & CaseClaim.holder.is_not(None)
            & (CaseClaim.expires_at > now)
        )
        query = (
            select(rows, CaseClaim.holder, CaseClaim.expires_at)
            .outerjoin(CaseClaim, claim)
            .where(owned_by(rows, kind, queue))
            .order_by(rows.c.case_id)
            .limit(limit)
        )
        if chosen.sitting:
            query = query.where(rows.c.sitting == chosen.sitting)
        if chosen.due:
            today = ctx.clock.today()
            query = query.where(rows.c.sitting.in_(code for code, day in days.items() if _is_due(day, today, chosen)))
        if chosen.city:
            query = query.where(rows.c.city == chosen.city)
        if chosen.hold == "mine":
            query = query.where(CaseClaim.holder == actor.username)
        elif chosen.hold == "free":
            query = query.where(or_(CaseClaim.holder.is_(None), CaseClaim.holder == actor.username))
        elif chosen.hold == "held":
            query = query.where(CaseClaim.holder.is_not(None))
        if after is not None:
            query = query.where(rows.c.case_id > after)
        return [_line(kind, queue, row, days[row.sitting]) for row in session.execute(query)]


def find_open_case(ctx: ServiceContext, actor: Actor, kind: CaseKind, case_id: int) -> CaseLine:
    """One open case within the actor's reach. Raises NotFoundError (closed, or not theirs), NotAllowedError."""
    actor.require(*READERS)
    with ctx.database.read() as session:
        return open_case(session, ctx, actor, kind, case_id)


def open_case(session: Session, ctx: ServiceContext, actor: Actor, kind: CaseKind, case_id: int) -> CaseLine:
    """As `find_open_case`, in the caller's unit of work."""
    if kind is not CaseKind.PAPER:
        rows = cases(actor, kind).subquery()
        claim = session.get(CaseClaim, (kind.value, case_id))
        found = session.execute(select(rows).where(rows.c.case_id == case_id)).first()
        queue = owning_queue(state_of(kind, found)) if found is not None else None
        if found is not None and queue is not None:
            require_queue(actor, queue)
            held = claim is not None and claim.holder is not None and claim.expires_at > ctx.clock.now()
            day = deadline_of(session, queue, found.sitting)
            return _line(kind, queue, found, day, claim if held else None)
    raise NotFoundError(
        "case-not-open",
        Words("该事项已办结、不存在或不在您的办理范围。", "The case is closed, unknown, or not yours."),
        remedy=Words("请返回队列办理下一件。", "Go back to the queue and take the next one."),
    )


def _sittings(session: Session) -> dict[str, tuple[Sitting, Policy]]:
    """Every sitting with its programme's policy, read at once."""
    policies = {row.code: Policy.from_dict(row.policy) for row in session.scalars(select(Programme))}
    return {row.code: (row, policies[row.programme_code]) for row in session.scalars(select(Sitting))}


def _deadline(queue: WorkQueue, sitting: Sitting, policy: Policy) -> date | None:
    """The last day the notice leaves for a case of this queue; None where it names none."""
    if queue is WorkQueue.FIRST_ROUND:
        return sitting.review_report_due_on
    if queue in (WorkQueue.PENDING, WorkQueue.SUPPLEMENTARY):
        return sitting.supplementary_closes_on
    if queue is WorkQueue.DEFENCES:
        return sitting.supplementary_closes_on + timedelta(days=policy.defence_decision_days)
    return None


def deadline_of(session: Session, queue: WorkQueue, sitting_code: str) -> date | None:
    """The last day the notice leaves for a case of this queue in a sitting; None where it names none."""
    sitting = session.get_one(Sitting, sitting_code)
    return _deadline(queue, sitting, Policy.from_dict(session.get_one(Programme, sitting.programme_code).policy))


def _is_due(day: date | None, today: date, chosen: QueueFilter) -> bool:
    if day is None:
        return False
    return day < today if chosen.due == "overdue" else today <= day <= today + timedelta(days=7)


def _sheets(ctx: ServiceContext, actor: Actor, queue: WorkQueue, chosen: QueueFilter, limit: int) -> list[CaseLine]:
    def owned(state: PaperQueue) -> bool:
        return owning_queue(CaseState(CaseKind.PAPER, state)) is queue

    lines = [
        CaseLine(
            CaseKind.PAPER,
            sheet.id,
            queue,
            None,
            None,
            sheet.sitting,
            sheet.management_no,
            "",
            sheet.changed_at,
            found.deadline,
            None,
            paper_queue=str(found.queue),
        )
        for found, sheets in sheets_by_queue(ctx, actor, owned, sitting=chosen.sitting or None, limit=limit)
        for sheet in sheets
    ]
    return sorted(lines, key=lambda line: line.since)[:limit]


def _line(kind: CaseKind, queue: WorkQueue, row: Any, day: date | None, claim: CaseClaim | None = None) -> CaseLine:
    return CaseLine(
        kind=kind,
        id=row.case_id,
        queue=queue,
        registration_id=row.registration_id,
        person_id=row.person_id,
        sitting=row.sitting,
        label=row.label,
        city=row.city,
        since=row.since,
        deadline=day,
        by=row.by,
        holder=claim.holder if claim else getattr(row, "holder", None),
        held_until=claim.expires_at if claim else getattr(row, "expires_at", None),
    )
