"""Invalidation by list: one person proposes, another decides, and the work is done row by row (R9, R10).

Every row goes the way a single certificate goes (`issuer.invalidation.service`), a few dozen in one unit of work with
the lines that say so. So a row is either wholly done and noted or not done at all, and whoever takes the act up
again, after a kill or beside somebody who was frozen, goes on with the rows that are left.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import record_event
from issuer.context import Context
from issuer.errors import ConflictError, DomainError, NotAllowedError, Words
from issuer.invalidation import service
from issuer.invalidation.guards import require_person
from issuer.invalidation.mass_file import Defaults
from issuer.invalidation.mass_guards import CLAUSE, require_open, require_right_person, unknown_act
from issuer.invalidation.mass_plan import MassPlan, plan_list
from issuer.invalidation.subject import Reference
from issuer.records.certificates import ECertificate, Invalidation
from issuer.records.large_acts import LargeAct, LargeActItem
from issuer.refusals import refusal_from
from issuer.rules.invalidation import require_basis
from issuer.rules.terms import Role
from issuer.rules.violation import RuleViolation

KIND = "invalidate"
CHUNK = 25
"""Rows in one unit of work."""
ROWS = 500

Progress = Callable[[int, int], None]
"""Called with (rows finished, of how many)."""


def plan_many(ctx: Context, actor: Actor, path: Path, defaults: Defaults) -> MassPlan:
    """What proposing this list would do; changes nothing. Raises NotAllowedError and what `plan_list` raises."""
    require_person(actor, service.PROPOSERS)
    return plan_list(ctx, actor, path, defaults)


def propose_many(
    ctx: Context, actor: Actor, path: Path, defaults: Defaults, digest: str, *, background: bool = True
) -> int | None:
    """Write down the list to be proposed, if its plan still has that digest; its number, None when every row is done.

    The rows are proposed by `work`, which the caller runs unless it is to be done in the `background`. The same list
    again, while its act is not finished, is that act. Raises NotAllowedError, ConflictError (the state has moved)
    and what `plan_list` raises.
    """
    plan = plan_many(ctx, actor, path, defaults)
    with ctx.database.together() as session:
        begun = session.scalar(
            select(LargeAct.id).where(
                LargeAct.kind == KIND,
                LargeAct.state == "proposing",
                LargeAct.proposed_by == actor.username,
                LargeAct.plan_digest == digest.strip().lower(),
            )
        )
        if begun is not None:
            if background:
                ctx.jobs.enqueue_act(session, begun)
            return begun
        if plan.digest != digest.strip().lower():
            raise ConflictError(
                "plan-moved",
                Words("计划之后情况已变化，未作任何改动。", "Things have moved since the plan; nothing was changed."),
                remedy=Words("请重新查看计划。", "Look at the plan again."),
            )
        rows = [line for line in plan.lines if line.effect == "invalidate"]
        if not rows:
            return None
        act = LargeAct(
            kind=KIND,
            state="proposing",
            plan_digest=plan.digest,
            source_sha256=plan.source_sha256,
            proposed_by=actor.username,
            proposed_via=actor.via,
            proposed_at=ctx.clock.now(),
        )
        session.add(act)
        session.flush()
        items = [
            {
                "act_id": act.id,
                "position": line.row,
                "certificate_id": line.certificate_id,
                "registration_id": line.registration_id,
                "named": None if line.certificate_id else line.management_no,
                "ground": line.ground,
                "basis": line.basis,
                "effective_on": line.effective_on,
                "result": "waiting",
            }
            for line in rows
        ]
        for at in range(0, len(items), ROWS):
            session.execute(insert(LargeActItem), items[at : at + ROWS])
        _record(ctx, session, actor, "propose", act, {"rows": len(rows), "digest": plan.digest})
        if background:
            ctx.jobs.enqueue_act(session, act.id)
        return act.id


def decide_many(
    ctx: Context,
    actor: Actor,
    act_id: int,
    verb: Literal["approve", "reject", "withdraw"],
    note: str = "",
    *,
    background: bool = True,
) -> None:
    """Approve or reject a proposed list as another person, or withdraw it as its proposer.

    What follows for each row is done by `work`, as with `propose_many`. Raises NotFoundError, NotAllowedError (role,
    one person in both parts: R9) and ConflictError (not proposed, or decided meanwhile; no reason given).
    """
    require_person(actor, service.PROPOSERS if verb == "withdraw" else service.APPROVERS)
    try:
        with ctx.database.together() as session:
            act = _hold(session, act_id)
            require_open(act)
            require_right_person(act, actor, verb)
            if verb != "approve":
                require_basis(CLAUSE, note)
                act.decision_note = note.strip()
            act.state = {"approve": "running", "reject": "rejecting", "withdraw": "withdrawing"}[verb]
            act.decided_by, act.decided_via, act.decided_at = actor.username, actor.via, ctx.clock.now()
            _record(ctx, session, actor, verb, act, {})
            if background:
                ctx.jobs.enqueue_act(session, act.id)
    except RuleViolation as violation:
        raise refusal_from(violation) from violation
    except NotAllowedError as refusal:
        if refusal.code == "same-person":
            with ctx.database.write() as session:
                act = session.get_one(LargeAct, act_id)
                _record(ctx, session, actor, verb, act, {"code": refusal.code}, outcome="refused")
        raise


def work(ctx: Context, act_id: int, on_progress: Progress | None = None) -> None:
    """Do what is left of an act: propose its rows, or carry out what was decided on them. Idempotent.

    In the name of whoever asked or decided. Raises what the database and the keys raise; then it is to be run again.
    """
    while True:
        with ctx.database.together() as session:
            act = _hold(session, act_id)
            step = _STEPS.get(act.state)
            if step is None or act.paused_at is not None:
                return
            items = session.scalars(
                select(LargeActItem)
                .where(LargeActItem.act_id == act_id, LargeActItem.result == step[0])
                .order_by(LargeActItem.position)
                .limit(CHUNK)
            ).all()
            for item in items:
                step[1](ctx, session, act, item)
            session.flush()
            done, total = _finished(session, act, step[0])
            if not items:  # in a unit of its own: what "done" says is public by then
                _close(ctx, session, act)
        if on_progress is not None:
            on_progress(done, total)


def _propose(ctx: Context, session: Session, act: LargeAct, item: LargeActItem) -> None:
    actor = Actor(act.proposed_by, frozenset({Role.AUTHORITY_ISSUER}), _via(act.proposed_via))
    reference: Reference | None = item.registration_id
    if item.certificate_id is not None:
        reference = session.get_one(ECertificate, item.certificate_id).management_no
    assert item.ground is not None and item.basis is not None, "an invalidation's line has both"
    assert reference is not None, "a row that names nothing is refused in the plan"
    try:
        item.case_id = service.propose(ctx, actor, reference, item.ground, item.basis, item.effective_on)
    except DomainError as refusal:
        item.result, item.code, item.clause = "refused", refusal.code, refusal.clause
    else:
        item.result = "proposed"


def _decide(ctx: Context, session: Session, act: LargeAct, item: LargeActItem) -> None:
    assert act.decided_by is not None and item.case_id is not None, "an act that is carried out was decided"
    role = Role.AUTHORITY_ISSUER if act.state == "withdrawing" else Role.AUTHORITY_APPROVER
    actor = Actor(act.decided_by, frozenset({role}), _via(act.decided_via or ""))
    try:
        if act.state == "running":
            service.approve(ctx, actor, item.case_id)
        elif act.state == "rejecting":
            service.reject(ctx, actor, item.case_id, act.decision_note or "")
        else:
            service.withdraw(ctx, actor, item.case_id, act.decision_note or "")
    except DomainError as refusal:
        # Decided by itself meanwhile, or the certificate has moved on: the row says so and the others go on.
        item.result, item.code, item.clause = "refused", refusal.code, refusal.clause
        if refusal.code == "case-already-decided":
            item.code = f"case-{session.get_one(Invalidation, item.case_id, populate_existing=True).state}"
    else:
        item.result = "done"


_STEPS: dict[str, tuple[str, Callable[[Context, Session, LargeAct, LargeActItem], None]]] = {
    "proposing": ("waiting", _propose),
    "running": ("proposed", _decide),
    "rejecting": ("proposed", _decide),
    "withdrawing": ("proposed", _decide),
}
_NEXT = {"proposing": "proposed", "running": "done", "rejecting": "rejected", "withdrawing": "withdrawn"}


def _close(ctx: Context, session: Session, act: LargeAct) -> None:
    actor = Actor(act.decided_by or act.proposed_by, frozenset(), _via(act.decided_via or act.proposed_via))
    results = select(LargeActItem.result, func.count()).where(LargeActItem.act_id == act.id)
    counts: dict[str, Any] = {}
    for result, count in session.execute(results.group_by(LargeActItem.result)):
        counts[result] = count
    act.state = _NEXT[act.state]
    if act.state == "proposed" and not counts.get("proposed"):
        act.state = "withdrawn"  # not one row could be proposed: there is nothing to decide
    if act.state != "proposed":
        act.finished_at = ctx.clock.now()
    _record(ctx, session, actor, "close", act, {"state": act.state, **counts})


def _finished(session: Session, act: LargeAct, open_result: str) -> tuple[int, int]:
    total = select(func.count()).select_from(LargeActItem).where(LargeActItem.act_id == act.id)
    left = session.scalar(total.where(LargeActItem.result == open_result)) or 0
    every = session.scalar(total) or 0
    return every - left, every


def _hold(session: Session, act_id: int) -> LargeAct:
    """The act, its row locked: whoever else works on it waits, and finds less left."""
    act = session.get(LargeAct, act_id, with_for_update=True, populate_existing=True)
    if act is None or act.kind != KIND:
        raise unknown_act()
    return act


def _via(via: str) -> Literal["cli", "api", "console"]:
    return "api" if via == "api" else "console" if via == "console" else "cli"


def _record(
    ctx: Context,
    session: Session,
    actor: Actor,
    verb: str,
    act: LargeAct,
    details: dict[str, Any],
    *,
    outcome: Literal["done", "refused"] = "done",
) -> None:
    record_event(
        session,
        ctx.clock,
        actor,
        f"mass-invalidation.{verb}",
        f"large-act:{act.id}",
        outcome=outcome,
        clause=CLAUSE,
        details=details,
    )
