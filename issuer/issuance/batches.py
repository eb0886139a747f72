"""A batch's own rows: what was asked, how far it has come, whether somebody stopped it."""

from collections.abc import Iterable, Sequence
from typing import Any, cast

from sqlalchemy import Table, bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import record_event
from issuer.context import Context
from issuer.errors import ConflictError, NotFoundError, Words
from issuer.issuance.plan import IssuePlan, Refused, chunks
from issuer.records.certificates import Batch, BatchItem, ECertificate
from issuer.rules.terms import Role

ROWS = 500


def open_batch(
    ctx: Context, actor: Actor, plan: IssuePlan, *, batch_id: int | None = None, kind: str = "sitting"
) -> int:
    """A new batch for this plan, or the given unfinished one with its items brought up to date; its number."""
    with ctx.database.write() as session:
        if batch_id is None:
            batch = Batch(
                sitting_code=plan.sitting,
                kind=kind,
                plan_digest=plan.digest,
                actor=actor.username,
                created_at=ctx.clock.now(),
            )
            session.add(batch)
            session.flush()
            batch_id = batch.id
            record_event(
                session,
                ctx.clock,
                actor,
                "batch.open",
                f"batch:{batch_id}",
                details={
                    "sitting": plan.sitting,
                    "kind": kind,
                    "new": len(plan.new),
                    "resumed": len(plan.resumed),
                    "refused": len(plan.refused),
                    "digest": plan.digest,
                },
            )
        else:
            _note_done(session, batch_id, plan.done)
            session.execute(delete(BatchItem).where(BatchItem.batch_id == batch_id, BatchItem.result != "published"))
        kept = set(session.scalars(select(BatchItem.registration_id).where(BatchItem.batch_id == batch_id)))
        waiting = (_item(batch_id, number, "waiting") for number in (*plan.new, *plan.resumed))
        refused = (_item(batch_id, each.registration, "refused", each.code, each.clause) for each in plan.refused)
        fresh = [item for item in (*waiting, *refused) if item["registration_id"] not in kept]
        for at in range(0, len(fresh), ROWS):
            session.execute(insert(BatchItem), fresh[at : at + ROWS])
    return batch_id


def _note_done(session: Session, batch_id: int, done: Iterable[int]) -> None:
    """People of the batch whose certificate another batch has published meanwhile."""
    theirs = select(BatchItem.registration_id).where(BatchItem.batch_id == batch_id, BatchItem.result != "published")
    numbers = sorted(set(done).intersection(session.scalars(theirs)))
    for group in chunks(numbers, ROWS):
        query = select(ECertificate).where(ECertificate.registration_id.in_(group), ECertificate.slot == "live")
        mark_published(session, batch_id, session.scalars(query))


def people_of(session: Session, batch_id: int, *results: str) -> set[int]:
    """Registrations that stand in a batch, all or those with one of `results`."""
    query = select(BatchItem.registration_id).where(BatchItem.batch_id == batch_id)
    return set(session.scalars(query.where(BatchItem.result.in_(results)) if results else query))


def unfinished(
    ctx: Context, sitting_code: str | None = None, *, kind: str | None = None
) -> list[tuple[int, str, str]]:
    """Batches that were begun and are neither done nor cancelled: (number, sitting, who asked), oldest first."""
    statement = select(Batch.id, Batch.sitting_code, Batch.actor).where(Batch.state == "running").order_by(Batch.id)
    if sitting_code is not None:
        statement = statement.where(Batch.sitting_code == sitting_code)
    if kind is not None:
        statement = statement.where(Batch.kind == kind)
    with ctx.database.read() as session:
        return [(number, sitting, actor) for number, sitting, actor in session.execute(statement)]


def note_trouble(ctx: Context, batch_id: int, registration_ids: Sequence[int], code: str) -> None:
    """Write down what kept these people's certificates from being made. They wait still, and are tried again."""
    with ctx.database.write() as session:
        session.execute(
            update(BatchItem)
            .where(
                BatchItem.batch_id == batch_id,
                BatchItem.registration_id.in_(registration_ids),
                BatchItem.result == "waiting",
            )
            .values(code=code)
        )


def hold_batch(ctx: Context, actor: Actor, batch_id: int, code: str) -> None:
    """Pause a running batch because of a trouble with this code; any other batch is left as it is."""
    with ctx.database.write() as session:
        batch = session.get_one(Batch, batch_id, with_for_update=True)
        if batch.state == "running":
            batch.state = "paused"
            record_event(session, ctx.clock, actor, "batch.pause", f"batch:{batch_id}", details={"code": code})


def mark_refused(session: Session, batch_id: int | None, refused: Iterable[Refused]) -> None:
    """Write down per person why there is no certificate, in the caller's unit of work; nothing without a batch."""
    for each in refused if batch_id is not None else ():
        session.execute(
            update(BatchItem)
            .where(BatchItem.batch_id == batch_id, BatchItem.registration_id == each.registration)
            .values(result="refused", code=each.code, clause=each.clause)
        )


def mark_published(session: Session, batch_id: int | None, rows: Iterable[ECertificate]) -> None:
    """Write down per person which certificate was published, in the caller's unit of work."""
    told = [{"whom": row.registration_id, "which": row.id} for row in rows]
    if batch_id is None or not told:
        return
    session.flush()
    items = cast("Table", BatchItem.__table__)
    session.connection().execute(
        update(items)
        .where(items.c.batch_id == batch_id, items.c.registration_id == bindparam("whom"))
        .values(result="published", code=None, clause=None, certificate_id=bindparam("which")),
        told,
    )


def state_of(ctx: Context, batch_id: int) -> str:
    """running, paused, cancelled or done; raises NotFoundError."""
    with ctx.database.read() as session:
        state = session.scalar(select(Batch.state).where(Batch.id == batch_id))
    if state is None:
        raise unknown_batch()
    return state


def close_batch(ctx: Context, actor: Actor, batch_id: int, *, published: int, refused: int) -> None:
    """The batch has done what it could."""
    with ctx.database.write() as session:
        batch = session.get_one(Batch, batch_id)
        if batch.state == "running":
            batch.state = "done"
        batch.finished_at = ctx.clock.now()
        session.execute(
            update(BatchItem)
            .where(BatchItem.batch_id == batch_id, BatchItem.result == "waiting")
            .values(result="cancelled")
        )
        record_event(
            session,
            ctx.clock,
            actor,
            "batch.close",
            f"batch:{batch_id}",
            details={"published": published, "refused": refused, "state": batch.state},
        )


def cancel_batch(ctx: Context, actor: Actor, batch_id: int) -> None:
    """Stop a batch before its next group: what is published stands, drafts wait for the next batch.

    Raises NotFoundError, NotAllowedError, ConflictError when it has ended already.
    """
    actor.require(Role.AUTHORITY_ISSUER)
    with ctx.database.write() as session:
        batch = session.get(Batch, batch_id, with_for_update=True)
        if batch is None:
            raise unknown_batch()
        if batch.state not in ("running", "paused"):
            raise ConflictError(
                "batch-ended",
                Words("该批次已结束，未作任何改动。", "The batch has ended already; nothing was changed."),
            )
        batch.state = "cancelled"
        record_event(session, ctx.clock, actor, "batch.cancel", f"batch:{batch_id}")
        ctx.jobs.cancel(session, batch_id)


def pause_batch(ctx: Context, actor: Actor, batch_id: int) -> None:
    """Hold a batch before its next group; raises NotFoundError, NotAllowedError, ConflictError if it stands."""
    _move(ctx, actor, batch_id, "running", "paused", "batch.pause")


def resume_batch(ctx: Context, actor: Actor, batch_id: int) -> None:
    """Let a paused batch go on; raises NotFoundError, NotAllowedError, ConflictError when it is not paused."""
    _move(ctx, actor, batch_id, "paused", "running", "batch.resume")


def _move(ctx: Context, actor: Actor, batch_id: int, before: str, after: str, act: str) -> None:
    actor.require(Role.AUTHORITY_ISSUER)
    with ctx.database.write() as session:
        batch = session.get(Batch, batch_id, with_for_update=True)
        if batch is None:
            raise unknown_batch()
        if batch.state != before:
            raise ConflictError(
                "batch-state",
                Words(
                    f"该批次目前状态为 {batch.state}，未作任何改动。",
                    f"The batch is {batch.state} now; nothing was changed.",
                ),
                remedy=Words("查看批次：ecert batch list", "See the batches: ecert batch list"),
            )
        batch.state = after
        record_event(session, ctx.clock, actor, act, f"batch:{batch_id}")
        if after == "running":
            ctx.jobs.enqueue(session, batch_id)


def _item(
    batch_id: int, registration_id: int, result: str, code: str | None = None, clause: str | None = None
) -> dict[str, Any]:
    return {
        "batch_id": batch_id,
        "registration_id": registration_id,
        "result": result,
        "code": code,
        "clause": clause,
    }


def unknown_batch() -> NotFoundError:
    """The refusal for a batch number that was never given."""
    return NotFoundError("batch-unknown", Words("没有这个签发批次。", "There is no such batch."))
