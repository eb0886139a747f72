"""The embedded engine: one thread of this process, fed from unfinished batches at start and after commits."""

import logging
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.error_log import keep_traceback
from issuer.errors import DomainError
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
    """One batch at a time: a batch uses all cores by itself."""

    def __init__(self, ctx: "Context") -> None:
        self._ctx = ctx
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="ecert-batch")
        self._known: dict[int, Future[None]] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()

    def enqueue(self, session: Session, batch_id: int, *, urgent: bool = False) -> None:
        """Work on this batch once it is committed, in the order of asking: one process has one queue."""
        after_commit(session, lambda: self._take(batch_id))

    def cancel(self, session: Session, batch_id: int) -> None:
        """Let go of it if it has not begun."""
        after_commit(session, lambda: self._drop(batch_id))

    def _take(self, batch_id: int) -> None:
        """Work on this batch soon; nothing happens when it waits or runs already."""
        with self._lock:
            if batch_id in self._known or len(self._known) >= WAITING_LIMIT:
                return
            self._known[batch_id] = self._executor.submit(self._run, batch_id)

    def _drop(self, batch_id: int) -> None:
        with self._lock:
            future = self._known.get(batch_id)
            if future is not None and future.cancel():
                del self._known[batch_id]

    def resume(self) -> int:
        """Take up every batch that was begun and not finished; how many."""
        from issuer.issuance.batches import unfinished

        waiting = [number for number, _, _ in unfinished(self._ctx)]
        for number in waiting:
            self._take(number)
        return len(waiting)

    def close(self) -> None:
        """Take nothing new; the batch at work stops after its present step and stays unfinished in the database."""
        self._closing.set()
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _run(self, batch_id: int) -> None:
        from issuer.issuance.batches import unfinished
        from issuer.issuance.service import issue_sitting

        try:
            for number, sitting, asked_by in unfinished(self._ctx):
                if number == batch_id:
                    actor = Actor(asked_by, frozenset({Role.AUTHORITY_ISSUER}), "system")
                    issue_sitting(self._ctx, actor, sitting, observe=self._stop_when_closing)
        except _Closing:
            _log.info("batch %s waits for the next start", batch_id)
        except DomainError as refusal:
            _log.warning("batch %s stopped: %s", batch_id, refusal.code)
        except Exception as exc:  # noqa: BLE001 (a thread has nobody above it to tell)
            reference, _ = keep_traceback(exc, self._ctx.settings.data_dir)
            _log.error("batch %s stopped (%s); it is taken up again at the next start", batch_id, reference)
        finally:
            with self._lock:
                self._known.pop(batch_id, None)

    def _stop_when_closing(self, _step: str) -> None:
        if self._closing.is_set():
            raise _Closing
