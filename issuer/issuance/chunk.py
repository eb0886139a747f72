"""One job's worth of a batch: a few dozen registrations, from wherever an earlier try stopped.

Any number of workers may run the same chunk at once (every engine runs a paused worker's job twice): numbers,
files and publication rest on row locks, unique keys and the state of the rows, never on who holds the job.
"""

from collections.abc import Sequence

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import record_event
from issuer.context import Context
from issuer.errors import UnavailableError
from issuer.issuance.batches import mark_published, note_trouble
from issuer.issuance.files import file_is_whole
from issuer.issuance.intent import PressOrder, intend
from issuer.issuance.leftovers import remove_lost_files
from issuer.issuance.photos import read_photo
from issuer.issuance.publish import publish_checked, record_outcomes
from issuer.issuance.service import Observer
from issuer.issuance.workers import Outcome, make
from issuer.records.certificates import Batch, BatchItem, ECertificate
from issuer.rules.terms import Role

FAULTS_PER_CHUNK = 3
"""One certificate whose page or file fails must not hold up its neighbours; when several do, it is the machine."""


class ChunkUnsettledError(Exception):
    """Somebody else took over some of this chunk's certificates and has not finished: look again later."""


def issue_chunk(
    ctx: Context, batch_id: int, registration_ids: Sequence[int], observe: Observer | None = None
) -> None:
    """Issue to those of these registrations whose item in the batch still waits; close the batch after the last.

    Nothing happens when the batch is paused, cancelled or done: that is asked before every commit. Idempotent.
    Raises ChunkUnsettledError, and whatever keys, storage or database raise; then it is to be run again.
    """
    _Chunk(ctx, batch_id, tuple(registration_ids), observe or (lambda _step: None)).run()


class _Chunk:
    def __init__(self, ctx: Context, batch_id: int, registration_ids: Sequence[int], observe: Observer) -> None:
        self._ctx = ctx
        self._batch_id = batch_id
        self._ids = registration_ids
        self._tell = observe
        with ctx.database.read() as session:
            batch = session.get_one(Batch, batch_id)
        self._sitting = batch.sitting_code
        self._actor = Actor(batch.actor, frozenset({Role.AUTHORITY_ISSUER}), "system")

    def run(self) -> None:
        """Every step that is left to do."""
        self._tell("begun")
        self._ctx.publish()  # what a crash left between commit and publication
        waiting = self._waiting()
        if not waiting or not self._runs():
            self._close()
            return
        self._publish(self._ready(waiting))
        trouble = self._make(self._waiting())
        self._note_published()
        remove_lost_files(self._ctx, self._ids)
        if not self._runs():
            return
        if trouble is not None:
            raise trouble
        if self._waiting():
            raise ChunkUnsettledError(f"batch {self._batch_id}: some registrations are in other hands")
        self._close()

    def _make(self, waiting: Sequence[int]) -> Exception | None:
        if not waiting or not self._runs():
            return None
        self._tell("before-intent")
        intended = intend(self._ctx, self._actor, self._sitting, waiting, batch_id=self._batch_id)
        self._tell("intended")
        outcomes, trouble = self._press(intended.orders)
        if outcomes and self._runs():
            self._tell("before-record")
            record_outcomes(self._ctx, self._actor, outcomes, batch_id=self._batch_id)
            self._tell("recorded")
            self._publish([outcome.order.certificate_id for outcome in outcomes if outcome.code is None])
        return trouble

    def _press(self, orders: Sequence[PressOrder]) -> tuple[list[Outcome], Exception | None]:
        """What could be made, and the first of the troubles that kept the rest from being made."""
        ctx, outcomes, troubles = self._ctx, list[Outcome](), list[Exception]()
        for order in orders:
            self._tell("before-press")
            try:
                photo = read_photo(ctx, order.content.photo_key)
                outcomes.append(make(ctx.room(), ctx.storage, ctx.settings.seal_level, order, photo))
            except Exception as exc:  # noqa: BLE001 (kept and raised by `run` once the others are through)
                troubles.append(exc)
                if isinstance(exc, UnavailableError):
                    note_trouble(ctx, self._batch_id, [order.registration_id], exc.code)
                if len(troubles) == FAULTS_PER_CHUNK:
                    break
            self._tell("pressed")
        return outcomes, troubles[0] if troubles else None

    def _publish(self, certificate_ids: Sequence[int]) -> None:
        if certificate_ids and self._runs():
            self._tell("before-publish")
            publish_checked(self._ctx, self._actor, self._sitting, certificate_ids, batch_id=self._batch_id)
            self._tell("published")

    def _runs(self) -> bool:
        with self._ctx.database.read() as session:
            return session.scalar(select(Batch.state).where(Batch.id == self._batch_id)) == "running"

    def _waiting(self) -> list[int]:
        query = (
            select(BatchItem.registration_id)
            .where(
                BatchItem.batch_id == self._batch_id,
                BatchItem.registration_id.in_(self._ids),
                BatchItem.result == "waiting",
            )
            .order_by(BatchItem.registration_id)
        )
        with self._ctx.database.read() as session:
            return list(session.scalars(query))

    def _ready(self, waiting: Sequence[int]) -> list[int]:
        """Sealed and recorded by an earlier try, with the file whole: nothing is left but to publish."""
        query = select(ECertificate).where(
            ECertificate.registration_id.in_(waiting),
            ECertificate.state == "checked",
            ECertificate.supersedes_id.is_(None),
        )
        with self._ctx.database.read() as session:
            rows = list(session.scalars(query))
        return [row.id for row in rows if file_is_whole(self._ctx.storage, row)]

    def _note_published(self) -> None:
        """Items whose certificate another batch or a worker that was taken for dead has published."""
        waiting = self._waiting()
        if not waiting:
            return
        query = select(ECertificate).where(
            ECertificate.registration_id.in_(waiting), ECertificate.slot == "live", ECertificate.state == "published"
        )
        with self._ctx.database.write() as session:
            mark_published(session, self._batch_id, session.scalars(query).all())

    def _close(self) -> None:
        with self._ctx.database.write() as session:
            batch = session.get_one(Batch, self._batch_id, with_for_update=True)
            if batch.state != "running" or _count(session, batch.id, "waiting"):
                return
            batch.state, batch.finished_at = "done", self._ctx.clock.now()
            results = {name: _count(session, batch.id, name) for name in ("published", "refused")}
            details = results | {"state": batch.state}
            record_event(session, self._ctx.clock, self._actor, "batch.close", f"batch:{batch.id}", details=details)
        self._tell("closed")


def give_up_waiting(session: Session, batch_id: int) -> None:
    """The items of a cancelled batch that nobody has worked on, in the caller's unit of work."""
    session.execute(
        update(BatchItem)
        .where(BatchItem.batch_id == batch_id, BatchItem.result == "waiting")
        .values(result="cancelled")
    )


def _count(session: Session, batch_id: int, result: str) -> int:
    query = select(func.count()).where(BatchItem.batch_id == batch_id, BatchItem.result == result)
    return session.scalar(query) or 0
