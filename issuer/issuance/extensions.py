"""Archive timestamps for many certificates: which are due, as a plan with a digest, and the work row by row."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import record_event
from issuer.context import Context
from issuer.errors import ConflictError, InputError, NotFoundError, Words
from issuer.issuance.extension import EXTENDABLE, extend_certificate, remove_lost_extensions
from issuer.records.certificates import ECertificate
from issuer.records.large_acts import LargeAct, LargeActItem
from issuer.records.ledger import ARCHIVE, SealIntent
from issuer.records.sittings import Sitting
from issuer.rules.terms import Role

KIND = "extend"
READERS = (Role.AUTHORITY_ISSUER, Role.AUTHORITY_APPROVER, Role.SUPERVISOR, Role.AUDITOR, Role.OPERATOR)
CHUNK = 25
ROWS = 500


@dataclass(frozen=True, slots=True)
class ExtensionPlan:
    """Certificates whose file was last sealed or renewed before the limit, oldest number first."""

    certificate_ids: tuple[int, ...]
    digest: str

    def to_json(self) -> dict[str, Any]:
        """As --plan prints it."""
        return {"due": len(self.certificate_ids), "digest": self.digest}


def plan_extensions(
    ctx: Context, actor: Actor, *, sitting_code: str | None = None, older_than_days: int | None = None
) -> ExtensionPlan:
    """Which files are due: of one sitting, or last sealed more than so many days ago, or both. Changes nothing.

    Without `older_than_days`, those renewed within a day are left out. Raises NotAllowedError, NotFoundError (the
    sitting), InputError (neither given).
    """
    actor.require(Role.AUTHORITY_ISSUER)
    if sitting_code is None and older_than_days is None:
        raise InputError(
            "nothing-chosen",
            Words("请指明管理号、考试批次或年限。", "Name a certificate, a sitting or an age."),
            remedy=Words("--sitting CODE 或 --older-than DAYS", "--sitting CODE or --older-than DAYS"),
        )
    with ctx.database.read() as session:
        return _plan(ctx, session, sitting_code, older_than_days)


def request_extensions(
    ctx: Context,
    actor: Actor,
    *,
    sitting_code: str | None = None,
    older_than_days: int | None = None,
    expected_digest: str | None = None,
    background: bool = True,
) -> int | None:
    """Write down which files are to be renewed, by `work`; the act's number, None when none is due.

    The same request again, while its act is not finished, is that act. Raises as `plan_extensions`, and
    ConflictError when the state has moved since the plan with `expected_digest`.
    """
    plan = plan_extensions(ctx, actor, sitting_code=sitting_code, older_than_days=older_than_days)
    wanted = hashlib.sha256(f"{sitting_code}\0{older_than_days}".encode()).hexdigest()
    with ctx.database.together() as session:
        act_id = session.scalar(
            select(LargeAct.id).where(
                LargeAct.kind == KIND, LargeAct.state == "running", LargeAct.source_sha256 == wanted
            )
        )
        if act_id is None:
            if expected_digest is not None and expected_digest.strip().lower() != plan.digest:
                raise ConflictError(
                    "plan-moved",
                    Words(
                        "计划之后情况已变化，未作任何改动。", "Things have moved since the plan; nothing was changed."
                    ),
                    remedy=Words("请重新查看计划。", "Look at the plan again."),
                )
            if not plan.certificate_ids:
                return None
            act_id = _open(ctx, session, actor, plan, wanted)
        if background:
            ctx.jobs.enqueue_act(session, act_id)
        return act_id


def work(ctx: Context, act_id: int, on_progress: Callable[[int, int], None] | None = None) -> None:
    """Renew what is left of an act. Idempotent; raises what keys, time service and storage raise, and is then to be
    run again."""
    remove_lost_extensions(ctx)
    with ctx.database.read() as session:
        act = session.get_one(LargeAct, act_id)
    actor = Actor(act.proposed_by, frozenset({Role.AUTHORITY_ISSUER}), _via(act.proposed_via))
    while waiting := _waiting(ctx, act_id):
        if _rests(ctx, act_id):
            return
        for position, management_no in waiting:
            code = clause = None
            try:
                extend_certificate(ctx, actor, management_no)
            except ConflictError as refusal:
                code, clause = refusal.code, refusal.clause
            with ctx.database.write() as session:
                item = session.get_one(LargeActItem, (act_id, position))
                item.result, item.code, item.clause = "refused" if code else "done", code, clause
        if on_progress is not None:
            now = progress_of(ctx, actor, act_id)
            on_progress(now["finished"], now["total"])
    with ctx.database.write() as session:
        act = session.get_one(LargeAct, act_id, with_for_update=True)
        if act.state == "running":
            act.state, act.finished_at = "done", ctx.clock.now()
            record_event(session, ctx.clock, actor, "extensions.close", f"large-act:{act_id}", clause="R11")


def progress_of(ctx: Context, actor: Actor, act_id: int) -> dict[str, Any]:
    """How far an act has come; raises NotFoundError, NotAllowedError."""
    actor.require(*READERS)
    counted = select(LargeActItem.result, func.count()).where(LargeActItem.act_id == act_id)
    counts = dict.fromkeys(("waiting", "done", "refused"), 0)
    with ctx.database.read() as session:
        act = session.scalar(select(LargeAct).where(LargeAct.id == act_id, LargeAct.kind == KIND))
        if act is None:
            raise NotFoundError("act-not-found", Words("没有这个编号的办理事项。", "There is no such act."))
        for result, count in session.execute(counted.group_by(LargeActItem.result)):
            counts[result] = count
    total = sum(counts.values())
    return {
        "act": act_id,
        "state": act.state,
        "paused": act.paused_at is not None,
        "total": total,
        "finished": total - counts["waiting"],
        "counts": counts,
    }


def list_extensions(ctx: Context, actor: Actor, *, limit: int = 20) -> list[dict[str, Any]]:
    """The newest acts, as `progress_of` with who asked and when; raises NotAllowedError."""
    actor.require(*READERS)
    query = select(LargeAct).where(LargeAct.kind == KIND).order_by(LargeAct.id.desc()).limit(limit)
    with ctx.database.read() as session:
        acts = list(session.scalars(query))
    return [
        progress_of(ctx, actor, act.id) | {"asked_by": act.proposed_by, "asked_at": act.proposed_at} for act in acts
    ]


def refusals_of(ctx: Context, actor: Actor, act_id: int, *, limit: int = 100) -> list[tuple[str, str, str | None]]:
    """(number, code, clause) of files that were not renewed; raises NotAllowedError."""
    actor.require(*READERS)
    query = (
        select(ECertificate.management_no, LargeActItem.code, LargeActItem.clause)
        .join(ECertificate, LargeActItem.certificate_id == ECertificate.id)
        .where(LargeActItem.act_id == act_id, LargeActItem.result == "refused")
        .order_by(LargeActItem.position)
        .limit(limit)
    )
    with ctx.database.read() as session:
        return [(number, code or "", clause) for number, code, clause in session.execute(query)]


def _plan(ctx: Context, session: Session, sitting_code: str | None, older_than_days: int | None) -> ExtensionPlan:
    if sitting_code is not None and session.get(Sitting, sitting_code) is None:
        raise NotFoundError("sitting-unknown", Words("没有这个考试批次。", "There is no such sitting."))
    limit = ctx.clock.now() - timedelta(days=1 if older_than_days is None else older_than_days)
    renewed = (
        select(SealIntent.id)
        .where(
            SealIntent.certificate_id == ECertificate.id,
            SealIntent.seal_kid == ARCHIVE,
            SealIntent.outcome == "sealed",
            SealIntent.intended_at >= limit,
        )
        .exists()
    )
    query = (
        select(ECertificate.id, ECertificate.file_sha256)
        .where(ECertificate.state == "published", ECertificate.status.in_(EXTENDABLE), ~renewed)
        .order_by(ECertificate.id)
    )
    if sitting_code is not None:
        query = query.where(ECertificate.sitting_code == sitting_code)
    if older_than_days is not None:
        query = query.where(ECertificate.sealed_at < limit)
    rows = session.execute(query).all()
    facts = hashlib.sha256("".join(f"{number}:{digest}\n" for number, digest in rows).encode())
    return ExtensionPlan(tuple(number for number, _ in rows), facts.hexdigest()[:16])


def _open(ctx: Context, session: Session, actor: Actor, plan: ExtensionPlan, wanted: str) -> int:
    act = LargeAct(
        kind=KIND,
        state="running",
        plan_digest=plan.digest,
        source_sha256=wanted,
        proposed_by=actor.username,
        proposed_via=actor.via,
        proposed_at=ctx.clock.now(),
    )
    session.add(act)
    session.flush()
    items = [
        {"act_id": act.id, "position": at, "certificate_id": number, "result": "waiting"}
        for at, number in enumerate(plan.certificate_ids, 1)
    ]
    for at in range(0, len(items), ROWS):
        session.execute(insert(LargeActItem), items[at : at + ROWS])
    details = {"certificates": len(items), "digest": plan.digest}
    record_event(session, ctx.clock, actor, "extensions.open", f"large-act:{act.id}", clause="R11", details=details)
    return act.id


def _rests(ctx: Context, act_id: int) -> bool:
    with ctx.database.read() as session:
        return session.scalar(select(LargeAct.paused_at).where(LargeAct.id == act_id)) is not None


def _waiting(ctx: Context, act_id: int) -> list[tuple[int, str]]:
    query = (
        select(LargeActItem.position, ECertificate.management_no)
        .join(ECertificate, LargeActItem.certificate_id == ECertificate.id)
        .where(LargeActItem.act_id == act_id, LargeActItem.result == "waiting")
        .order_by(LargeActItem.position)
        .limit(CHUNK)
    )
    with ctx.database.read() as session:
        return [(position, number) for position, number in session.execute(query)]


def _via(via: str) -> Literal["cli", "api", "console"]:
    return "api" if via == "api" else "console" if via == "console" else "cli"
