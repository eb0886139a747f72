"""Asking for a sitting to be issued in the background, and watching it."""

from typing import Any

from sqlalchemy import func, select

from issuer.access.actor import Actor
from issuer.context import Context
from issuer.errors import ConflictError, Words
from issuer.issuance.batches import open_batch, people_of, unknown_batch
from issuer.issuance.plan import plan_issue
from issuer.records.certificates import Batch, BatchItem, ECertificate
from issuer.records.sittings import Sitting
from issuer.rules.terms import Role

READERS = (
    Role.AUTHORITY_ISSUER,
    Role.AUTHORITY_APPROVER,
    Role.SUPERVISOR,
    Role.AUDITOR,
    Role.OPERATOR,
)
RESULTS = ("waiting", "published", "refused", "cancelled")


def request_batch(ctx: Context, actor: Actor, sitting_code: str, expected_digest: str | None = None) -> int:
    """Open a batch for everybody to whom a certificate may be made now, to be worked on in the background.

    Its number. The work begins once the caller's unit of work is committed. Raises NotFoundError,
    NotAllowedError, ConflictError (a batch of this sitting is under way, or the state has moved since the
    plan with `expected_digest`).
    """
    actor.require(Role.AUTHORITY_ISSUER)
    with ctx.database.together() as session:
        session.get(Sitting, sitting_code, with_for_update=True)  # requests for one sitting follow one another
        running = session.scalar(
            select(Batch.id).where(
                Batch.sitting_code == sitting_code,
                Batch.kind == "sitting",
                Batch.state.in_(("running", "paused")),
            )
        )
        if running is not None:
            raise ConflictError(
                "issue-running",
                Words(f"批次 {running} 正在进行，未另建批次。", f"Batch {running} is under way; no other was made."),
                remedy=Words("等它完成，或先取消它。", "Wait for it, or cancel it first."),
            )
        plan = plan_issue(session, ctx.clock, sitting_code, ctx.settings.verify_base_url)
        if expected_digest is not None and expected_digest.strip().lower() != plan.digest:
            raise ConflictError(
                "plan-moved",
                Words("计划之后情况已变化，未作任何改动。", "Things have moved since the plan; nothing was changed."),
                remedy=Words("重新查看计划后再提交。", "Look at the plan again, then send its digest."),
            )
        batch_id = open_batch(ctx, actor, plan)
        ctx.jobs.enqueue(session, batch_id)
        return batch_id


def request_urgent(ctx: Context, actor: Actor, sitting_code: str, registration_id: int) -> int:
    """Open a batch for this one registration, to be worked on before everything else; its number.

    May be asked while a batch of the whole sitting is under way. Raises NotFoundError, NotAllowedError,
    ConflictError when no certificate may be made for this registration now (with the reason and its clause).
    """
    actor.require(Role.AUTHORITY_ISSUER)
    with ctx.database.together() as session:
        plan = plan_issue(session, ctx.clock, sitting_code, ctx.settings.verify_base_url, only={registration_id})
        if not (plan.new or plan.resumed):
            code, clause = (plan.refused[0].code, plan.refused[0].clause) if plan.refused else ("published", None)
            raise ConflictError(
                "nothing-to-issue",
                Words(f"该人员目前不能制发（{code}）。", f"No certificate can be made now ({code})."),
                remedy=Words("查看原因：ecert issue --plan", "See why: ecert issue --plan"),
                clause=clause,
            )
        batch_id = open_batch(ctx, actor, plan, kind="urgent")
        ctx.jobs.enqueue(session, batch_id, urgent=True)
        return batch_id


def request_retry(ctx: Context, actor: Actor, batch_id: int) -> int:
    """Open a batch for those whom an ended batch refused or left behind, and nobody else; its number.

    Who is still refused stands in the new batch with the reason. Raises NotFoundError, NotAllowedError,
    ConflictError when the batch has not ended, nobody failed in it, or nobody could be issued to now either.
    """
    actor.require(Role.AUTHORITY_ISSUER)
    with ctx.database.together() as session:
        batch = session.get(Batch, batch_id, with_for_update=True)
        if batch is None:
            raise unknown_batch()
        if batch.state not in ("done", "cancelled"):
            raise ConflictError(
                "batch-not-ended",
                Words(f"批次 {batch_id} 尚未结束。", f"Batch {batch_id} has not ended."),
                remedy=Words("等它完成，或先取消它。", "Wait for it, or cancel it first."),
            )
        failed = people_of(session, batch_id, "refused", "cancelled")
        plan = plan_issue(session, ctx.clock, batch.sitting_code, ctx.settings.verify_base_url, only=failed)
        if not (plan.new or plan.resumed):
            reasons = sorted({f"{each.code} [{each.clause}]" if each.clause else each.code for each in plan.refused})
            why_zh, why_en = (f"（{'、'.join(reasons)}）", f" ({', '.join(reasons)})") if reasons else ("", "")
            raise ConflictError(
                "nothing-to-retry",
                Words(
                    f"没有可以重试的人员{why_zh}，未另建批次。",
                    f"Nobody can be tried again{why_en}; no batch was made.",
                ),
                remedy=Words(
                    f"先排除原因：ecert batch outcome {batch_id}",
                    f"Mend the causes first: ecert batch outcome {batch_id}",
                ),
            )
        number = open_batch(ctx, actor, plan, kind="retry")
        ctx.jobs.enqueue(session, number)
        return number


def list_batches(
    ctx: Context, actor: Actor, *, sitting_code: str | None = None, before: int | None = None, limit: int = 50
) -> list[dict[str, Any]]:
    """Batches newest first, a page at a time. Raises NotAllowedError."""
    actor.require(*READERS)
    query = select(Batch).order_by(Batch.id.desc()).limit(limit)
    if sitting_code is not None:
        query = query.where(Batch.sitting_code == sitting_code)
    if before is not None:
        query = query.where(Batch.id < before)
    with ctx.database.read() as session:
        return [
            {
                "batch": batch.id,
                "sitting": batch.sitting_code,
                "kind": batch.kind,
                "state": batch.state,
                "actor": batch.actor,
                "created_at": batch.created_at,
                "finished_at": batch.finished_at,
            }
            for batch in session.scalars(query)
        ]


def batch_progress(ctx: Context, actor: Actor, batch_id: int) -> dict[str, Any]:
    """How far a batch has come, in numbers alone: cheap enough to ask every second. Raises NotFoundError,
    NotAllowedError."""
    actor.require(*READERS)
    counts = select(BatchItem.result, func.count()).where(BatchItem.batch_id == batch_id).group_by(BatchItem.result)
    with ctx.database.read() as session:
        state = session.scalar(select(Batch.state).where(Batch.id == batch_id))
        if state is None:
            raise unknown_batch()
        found = {result: count for result, count in session.execute(counts)}  # noqa: C416 (rows are no pairs to mypy)
    total = sum(found.values())
    return {
        "batch": batch_id,
        "state": state,
        "total": total,
        "finished": total - found.get("waiting", 0),
        "counts": {result: found.get(result, 0) for result in RESULTS},
    }


def list_items(
    ctx: Context, actor: Actor, batch_id: int, *, result: str | None = None, after: int = 0, limit: int = 200
) -> list[dict[str, Any]]:
    """What became of each registration, by registration number, a page at a time. Raises NotAllowedError."""
    actor.require(*READERS)
    query = (
        select(BatchItem, ECertificate.management_no)
        .outerjoin(ECertificate, BatchItem.certificate_id == ECertificate.id)
        .where(BatchItem.batch_id == batch_id, BatchItem.registration_id > after)
        .order_by(BatchItem.registration_id)
        .limit(limit)
    )
    if result is not None:
        query = query.where(BatchItem.result == result)
    with ctx.database.read() as session:
        return [
            {
                "registration": item.registration_id,
                "result": item.result,
                "code": item.code,
                "clause": item.clause,
                "management_no": number,
            }
            for item, number in session.execute(query)
        ]
