"""The embedded engine: one thread of this process, fed from unfinished batches at start and after commits."""

import logging
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.error_log import keep_traceback
from issuer.errors import DomainError
from issuer.jobs.large_acts import unfinished_acts, work_act
from issuer.records.database import after_commit
from issuer.rules.terms import Role

if TYPE_CHECKING:
    from issuer.context import Context

_log = logging.getLogger(__name__)

WAITING_LIMIT = 64
"""Batches that may wait in memory; more are left in the database for the next start."""


class _Closing(Exception):
    """The program ends: leave the batch as a crash would, to be taken up at the next start."""


class EmbeddedJobs:
    """One thing at a time: a batch uses all cores by itself."""

    def __init__(self, ctx: "Context") -> None:
        self._ctx = ctx
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="ecert-batch")
        self._known: dict[tuple[str, int], Future[None]] = {}
        self._asked_again: set[tuple[str, int]] = set()
        self._lock = threading.Lock()
        self._closing = threading.Event()

    def enqueue(self, session: Session, batch_id: int, *, urgent: bool = False) -> None:
        """Work on this batch once it is committed, in the order of asking: one process has one queue."""
        after_commit(session, lambda: self._take(("batch", batch_id)))

    def enqueue_act(self, session: Session, act_id: int) -> None:
        """Work on this act once it is committed."""
        after_commit(session, lambda: self._take(("act", act_id)))

    def cancel(self, session: Session, batch_id: int) -> None:
        """Let go of it if it has not begun."""
        after_commit(session, lambda: self._drop(batch_id))

    def _take(self, work: tuple[str, int]) -> None:
        """Do this soon; when it runs already, look at it once more at its end; nothing happens when it waits."""
        with self._lock:
            if work in self._known:
                self._asked_again.add(work)
            if work in self._known or len(self._known) >= WAITING_LIMIT:
                return
            self._known[work] = self._executor.submit(self._run, work)

    def _drop(self, batch_id: int) -> None:
        with self._lock:
            future = self._known.get(("batch", batch_id))
            if future is not None and future.cancel():
                del self._known["batch", batch_id]

    def resume(self) -> int:
        """Take up everything that was begun and not finished; how many."""
        waiting = self._unfinished()
        for work in waiting:
            self._take(work)
        return len(waiting)

    def close(self) -> None:
        """Take nothing new; the batch at work stops after its present step and stays unfinished in the database."""
        self._closing.set()
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _run(self, work: tuple[str, int]) -> None:
        kind, number = work
        with self._lock:
            self._asked_again.discard(work)  # while it waited
        try:
            if kind == "act":
                work_act(self._ctx, number, lambda _done, _total: self._stop_when_closing("rows"))
            else:
                self._issue(number)
        except _Closing:
            _log.info("%s %s waits for the next start", kind, number)
        except DomainError as refusal:
            _log.warning("%s %s stopped: %s", kind, number, refusal.code)
        except Exception as exc:  # noqa: BLE001 (a thread has nobody above it to tell)
            reference, _ = keep_traceback(exc, self._ctx.settings.data_dir)
            _log.error("%s %s stopped (%s); it is taken up again at the next start", kind, number, reference)
        finally:
            with self._lock:
                self._known.pop(work, None)
                again = work in self._asked_again and not self._closing.is_set()
                self._asked_again.discard(work)
        # Paused and let go on before this run had ended: whoever resumed it found it taken.
        if again and work in self._unfinished():
            self._take(work)

    def _unfinished(self) -> list[tuple[str, int]]:
        """What was begun and neither ended nor rests: batches, then acts, oldest first."""
        from issuer.issuance.batches import unfinished

        batches = [("batch", number) for number, _, _ in unfinished(self._ctx)]
        return batches + [("act", number) for number in unfinished_acts(self._ctx)]

    def _issue(self, batch_id: int) -> None:
        from issuer.issuance.batches import unfinished
        from issuer.issuance.service import issue_batch

        # Again when it was paused and let go on meanwhile: at once, before other batches that wait.
        while begun := [row for row in unfinished(self._ctx) if row[0] == batch_id]:
            actor = Actor(begun[0][2], frozenset({Role.AUTHORITY_ISSUER}), "system")
            issue_batch(self._ctx, actor, batch_id, observe=self._stop_when_closing)

    def _stop_when_closing(self, _step: str) -> None:
        if self._closing.is_set():
            raise _Closing
