"""A case in somebody's hands: a hold that expires, shows who has it, and can be taken over with a reason.

A hold keeps two people from working on one case; it gives no right. What a person may decide is asked again by the
service that decides. The draft belongs to the case and outlives every hold.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.access.service import actor_for
from issuer.audit import record_event
from issuer.errors import ConflictError, InputError, NotAllowedError, NotFoundError, Words
from issuer.ports import ServiceContext
from issuer.queues.binding import held
from issuer.queues.filters import QueueFilter
from issuer.queues.reading import CaseLine, list_cases_of, open_case
from issuer.records.work import CaseClaim
from issuer.rules.queues import RULES, CaseKind, WorkQueue
from issuer.rules.terms import Role

HOLD_MINUTES: Final = 30
MAX_DRAFT: Final = 4000
WORKERS: Final = (Role.REVIEW_BODY, Role.AUTHORITY_ISSUER, Role.AUTHORITY_APPROVER)
TAKERS: Final = (Role.SUPERVISOR,)
_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class ClaimView:
    """Who has a case and what was drafted. The draft may name people: for screens, never for logs."""

    holder: str | None
    until: datetime | None
    draft: str
    draft_by: str | None
    drafted_at: datetime | None
    taken_from: str | None
    taken_by: str | None
    taken_reason: str | None


def show_claim(ctx: ServiceContext, actor: Actor, kind: CaseKind, case_id: int) -> ClaimView:
    """The hold on an open case; an expired one shows no holder. Raises NotFoundError, NotAllowedError."""
    with ctx.database.read() as session:
        return claim_in(session, ctx, actor, kind, case_id)


def claim_in(session: Session, ctx: ServiceContext, actor: Actor, kind: CaseKind, case_id: int) -> ClaimView:
    """As `show_claim`, in the caller's unit of work."""
    open_case(session, ctx, actor, kind, case_id)
    row = session.get(CaseClaim, (kind.value, case_id))
    if row is None:
        return ClaimView(None, None, "", None, None, None, None, None)
    live = row.holder is not None and row.expires_at > ctx.clock.now()
    return ClaimView(
        row.holder if live else None,
        row.expires_at if live else None,
        row.draft or "",
        row.draft_by,
        row.drafted_at,
        row.taken_from if live else None,
        row.taken_by if live else None,
        row.taken_reason if live else None,
    )


def claim(ctx: ServiceContext, actor: Actor, kind: CaseKind, case_id: int) -> CaseLine:
    """Take a case into one's hands for HOLD_MINUTES; again: for as long again.

    Raises ConflictError (somebody else has it), NotFoundError (not open, not within reach), NotAllowedError.
    """
    actor.require(*WORKERS)
    try:
        with ctx.database.write() as session:
            line = open_case(session, ctx, actor, kind, case_id)
            _require_owner(actor, line.queue)
            row = session.get(CaseClaim, (kind.value, case_id), with_for_update=True, populate_existing=True)
            now = ctx.clock.now()
            if row is None:
                row = CaseClaim(kind=kind.value, case_id=case_id, holder=None, claimed_at=now, expires_at=now)
                session.add(row)
            had = row.holder if row.expires_at > now else None
            if had not in (None, actor.username):
                raise held(had or "", row.expires_at)
            if had is None:
                row.holder, row.claimed_at = actor.username, now
                row.taken_from = row.taken_by = row.taken_reason = None
            row.expires_at = now + timedelta(minutes=HOLD_MINUTES)
            session.flush()
            if had is None:
                record_event(session, ctx.clock, actor, "case.claim", f"{kind.value}:{case_id}")
            return line
    except IntegrityError as exc:  # both asked for a case nobody had ever held: whoever committed first has it
        raise held("", None) from exc


def claim_next(
    ctx: ServiceContext, actor: Actor, queue: WorkQueue, chosen: QueueFilter, after: int | None = None
) -> int | None:
    """Take the oldest case that is free or one's own, behind `after`; its id, or None when there is none."""
    kind = RULES[queue].kind
    free = QueueFilter(chosen.sitting, chosen.city, "free", chosen.due)
    for line in list_cases_of(ctx, actor, queue, free, after=after, limit=_TRIES):
        try:
            return claim(ctx, actor, kind, line.id).id
        except ConflictError:
            continue  # somebody was faster
    return None


def save_draft(ctx: ServiceContext, actor: Actor, kind: CaseKind, case_id: int, text: str) -> None:
    """Keep what was written so far; the hold starts anew. Raises as `require_hold`, and InputError (too long)."""
    if len(text) > MAX_DRAFT:
        raise InputError(
            "draft-too-long",
            Words(f"草稿最多 {MAX_DRAFT} 字，未保存。", f"At most {MAX_DRAFT} characters; the draft was not kept."),
        )
    with ctx.database.write() as session:
        open_case(session, ctx, actor, kind, case_id)
        row = require_hold(session, ctx, actor, kind, case_id)
        now = ctx.clock.now()
        row.draft, row.draft_by, row.drafted_at = text, actor.username, now
        row.expires_at = now + timedelta(minutes=HOLD_MINUTES)


def let_go(ctx: ServiceContext, actor: Actor, kind: CaseKind, case_id: int) -> None:
    """Put a case back; the draft stays. Raises ConflictError when somebody else has it."""
    actor.require(*WORKERS)
    with ctx.database.write() as session:
        require_hold(session, ctx, actor, kind, case_id).holder = None
        record_event(session, ctx.clock, actor, "case.let-go", f"{kind.value}:{case_id}")


def take_over(ctx: ServiceContext, actor: Actor, kind: CaseKind, case_id: int, *, to: str, reason: str) -> None:
    """A supervisor takes a case from whoever has it and gives it to `to`; empty: back to the queue. The draft stays.

    The reason rests encrypted beside the claim; the audit event names both accounts. Raises NotAllowedError,
    NotFoundError (account, case), InputError (no reason; the account cannot work on it).
    """
    actor.require(*TAKERS)
    reason, to = reason.strip(), to.strip()
    if not 4 <= len(reason) <= 400:
        raise InputError(
            "reason-missing",
            Words("请写明接管理由（4 至 400 字）。", "Say why in 4 to 400 characters."),
        )
    with ctx.database.write() as session:
        line = open_case(session, ctx, actor, kind, case_id)
        if to:
            _require_worker(session, ctx, to, line)
        now = ctx.clock.now()
        row = session.get(CaseClaim, (kind.value, case_id), with_for_update=True, populate_existing=True)
        if row is None or row.holder is None or row.expires_at <= now:
            raise ConflictError(
                "case-free",
                Words("该事项当前无人占用，无需接管。", "Nobody has the case: there is nothing to take over."),
                remedy=Words("由经办人直接领取即可。", "Whoever works on it can simply take it."),
            )
        had, row.holder = row.holder, to or None
        row.taken_from, row.taken_by, row.taken_reason = had, actor.username, reason
        row.claimed_at, row.expires_at = now, now + timedelta(minutes=HOLD_MINUTES)
        details = {"from": had, "to": to}
        record_event(session, ctx.clock, actor, "case.take-over", f"{kind.value}:{case_id}", details=details)


def require_hold(session: Session, ctx: ServiceContext, actor: Actor, kind: CaseKind, case_id: int) -> CaseClaim:
    """The actor's own live hold, locked. Raises ConflictError (expired, or somebody else's)."""
    row = session.get(CaseClaim, (kind.value, case_id), with_for_update=True, populate_existing=True)
    if row is not None and row.holder == actor.username and row.expires_at > ctx.clock.now():
        return row
    if (
        row is not None
        and row.holder is not None
        and row.holder != actor.username
        and row.expires_at > ctx.clock.now()
    ):
        raise held(row.holder, row.expires_at)
    raise ConflictError(
        "claim-over",
        Words("占用已到期或已被接管，未作改动。", "Your hold on the case is over; nothing was changed."),
        remedy=Words("草稿已保留，请重新领取该事项。", "The draft is kept; take the case again."),
    )


def may_work(actor: Actor, queue: WorkQueue) -> bool:
    """Whether the account owns the queue."""
    return bool(actor.roles.intersection(RULES[queue].owners))


def _require_owner(actor: Actor, queue: WorkQueue) -> None:
    if not may_work(actor, queue):
        actor.require(*RULES[queue].owners)


def _require_worker(session: Session, ctx: ServiceContext, username: str, line: CaseLine) -> None:
    other = actor_for(session, username, "console")
    try:
        _require_owner(other, line.queue)
        open_case(session, ctx, other, line.kind, line.id)
    except (NotAllowedError, NotFoundError) as exc:
        raise _cannot() from exc


def _cannot() -> InputError:
    return InputError(
        "not-a-worker",
        Words("该账号不能办理此事项，未接管。", "That account cannot work on this case; nothing was changed."),
        remedy=Words("请指定有办理权限的人员，或留空退回队列。", "Name somebody who can, or leave it empty."),
    )
