"""The distributed engine's asking side: chunk jobs enter the queue in the transaction that makes their batch."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from procrastinate import App, SyncPsycopgConnector
from sqlalchemy import Connection, select, text
from sqlalchemy.orm import Session

from issuer.issuance.plan import chunks
from issuer.jobs.large_acts import AT_WORK
from issuer.records.certificates import Batch, BatchItem
from issuer.records.large_acts import LargeAct

if TYPE_CHECKING:
    from issuer.context import Context

CHUNK = 25
"""Registrations in one job: a few seconds' work, so that little is repeated after a crash and urgent work need
not wait long for a worker, and enough that the engine's own cost per job does not show."""
TASK = "issue_chunk"
ACT_TASK = "work_act"
BATCHES = "batches"
URGENT = "urgent"
URGENT_PRIORITY = 100
SCHEMA = "jobs"


class DistributedJobs:
    """Puts work where `ecert worker` finds it, on the caller's own connection. PostgreSQL only."""

    def __init__(self, ctx: "Context") -> None:
        self._ctx = ctx
        # Never opened: every job is written on a connection that is handed in.
        self._app = App(connector=SyncPsycopgConnector())

    def enqueue(self, session: Session, batch_id: int, *, urgent: bool = False) -> None:
        """Write the chunk jobs of what waits in this batch, in the caller's transaction."""
        session.flush()
        _forget(session, batch_id)
        query = select(BatchItem.registration_id).where(BatchItem.batch_id == batch_id, BatchItem.result == "waiting")
        waiting = list(session.scalars(query.order_by(BatchItem.registration_id)))
        # A batch in which nobody waits still has one job: the one that closes it.
        self._defer(session, batch_id, list(chunks(waiting, CHUNK)) or [[]], urgent=urgent)

    def enqueue_act(self, session: Session, act_id: int) -> None:
        """Write one job for all that is left of this act, in the caller's transaction."""
        session.flush()
        with _in_engine_schema(session) as connection:
            self._app.configure_task(
                ACT_TASK, queue=BATCHES, connection=connection.connection.driver_connection
            ).batch_defer({"act_id": act_id})

    def cancel(self, session: Session, batch_id: int) -> None:
        """Remove the jobs nobody has begun, and give up the items they were for."""
        from issuer.issuance.chunk import give_up_waiting

        _forget(session, batch_id)
        give_up_waiting(session, batch_id)
        session.get_one(Batch, batch_id).finished_at = self._ctx.clock.now()

    def resume(self) -> int:
        """Write jobs again for running batches that have none (a queue restored without them); how many."""
        with self._ctx.database.write() as session:
            query = select(Batch.id).where(
                Batch.state == "running",
                text(
                    "NOT EXISTS (SELECT FROM jobs.procrastinate_jobs AS job WHERE job.task_name = :task"
                    " AND job.status IN ('todo', 'doing') AND (job.args ->> 'batch_id')::bigint = batches.id)"
                ).bindparams(task=TASK),
            )
            without = list(session.scalars(query.with_for_update()))
            for batch_id in without:
                self.enqueue(session, batch_id)
            acts = select(LargeAct.id).where(
                LargeAct.state.in_(AT_WORK),
                LargeAct.paused_at.is_(None),
                text(
                    "NOT EXISTS (SELECT FROM jobs.procrastinate_jobs AS job WHERE job.task_name = :task"
                    " AND job.status IN ('todo', 'doing') AND (job.args ->> 'act_id')::bigint = large_acts.id)"
                ).bindparams(task=ACT_TASK),
            )
            waiting = list(session.scalars(acts.with_for_update()))
            for act_id in waiting:
                self.enqueue_act(session, act_id)
        return len(without) + len(waiting)

    def close(self) -> None:
        """Nothing is held."""

    def _defer(self, session: Session, batch_id: int, groups: Sequence[Sequence[int]], *, urgent: bool) -> None:
        jobs: list[dict[str, Any]] = [{"batch_id": batch_id, "registration_ids": list(group)} for group in groups]
        with _in_engine_schema(session) as connection:
            self._app.configure_task(
                TASK,
                queue=URGENT if urgent else BATCHES,
                priority=URGENT_PRIORITY if urgent else 0,
                connection=connection.connection.driver_connection,
            ).batch_defer(*jobs)


@contextmanager
def _in_engine_schema(session: Session) -> Iterator[Connection]:
    """The session's connection while unqualified names mean the engine's tables: its functions and triggers name
    them so. Our own statements always name their schema."""
    connection = session.connection()
    connection.execute(text(f"SET LOCAL search_path TO {SCHEMA}"))
    yield connection
    connection.execute(text("SET LOCAL search_path TO DEFAULT"))


def _forget(session: Session, batch_id: int) -> None:
    with _in_engine_schema(session) as connection:
        connection.execute(
            text(
                "DELETE FROM jobs.procrastinate_jobs WHERE status = 'todo' AND task_name = :task"
                " AND (args ->> 'batch_id')::bigint = :batch"
            ),
            {"task": TASK, "batch": batch_id},
        )
