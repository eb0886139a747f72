"""Work that takes longer than a page may: begun by the page, done beside it, looked at until it is finished.

For reading and reckoning only (what an issue would do, a walk over the audit chain, an auditor's pack). It changes
nothing that must survive, so it lives in the memory of this process: where it is lost, or another process is asked,
it is simply begun again. What changes something is a batch (`issuer.jobs`).
"""

import secrets
import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

T = TypeVar("T")
Tell = Callable[[int, int], None]
"""Told (how much is done, of how much)."""
AT_ONE_TIME = 2
KEPT_SECONDS = 120.0
"""So long a finished result waits to be fetched."""
MOST = 32
"""Works in memory; the oldest finished ones go first."""


@dataclass
class Work(Generic[T]):
    """One piece of work of one account. `name` is unguessable and stands in addresses."""

    owner: str
    future: "Future[T]" = field(default_factory=Future)
    name: str = field(default_factory=lambda: secrets.token_urlsafe(9))
    done: int = 0
    total: int = 0
    ended: float | None = None
    given_up: bool = False

    @property
    def finished(self) -> bool:
        """Whether there is a result, or an error to be raised by `result`."""
        return self.future.done()

    def result(self) -> T:
        """What came of it; raises what the work raised. Waits until it is finished."""
        return self.future.result()

    def tell(self, done: int, total: int) -> None:
        """Note how far it is. Raises CancelledError once nobody will ask for it any more."""
        if self.given_up:
            raise CancelledError
        self.done, self.total = done, total


class LongWorks:
    """The works of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._works: dict[Hashable, Work[Any]] = {}
        self._pool: ThreadPoolExecutor | None = None

    def ask(self, owner: str, about: Hashable, what: Callable[[Tell], T], *, here: bool = False) -> Work[T]:
        """The owner's work about this: under way, or finished, in which case it is handed out once; else begun now.

        `here`: it is small, so it is done before this returns.
        """
        if here:
            small: Work[T] = Work(owner)
            self._run(small, what)
            return small
        key = (owner, about)
        with self._lock:
            self._tidy()
            work = self._works.get(key)
            if work is not None and work.finished:
                del self._works[key]
            if work is None:
                work = self._works[key] = Work(owner)
                if self._pool is None:
                    self._pool = ThreadPoolExecutor(AT_ONE_TIME, thread_name_prefix="long-work")
                self._pool.submit(self._run, work, what)
            return work

    def named(self, owner: str, name: str) -> Work[Any] | None:
        """One of the owner's works, if this process knows it and nobody has fetched its result."""
        with self._lock:
            return next((work for work in self._works.values() if (work.owner, work.name) == (owner, name)), None)

    def close(self) -> None:
        """Give up what is under way, which ends when it next tells how far it is, and wait for that."""
        with self._lock:
            pool, self._pool = self._pool, None
            for work in self._works.values():
                work.given_up = True
            self._works.clear()
        if pool is not None:
            pool.shutdown(cancel_futures=True)

    @staticmethod
    def _run(work: Work[T], what: Callable[[Tell], T]) -> None:
        try:
            found = what(work.tell)
        except BaseException as error:  # noqa: BLE001 - raised again by whoever fetches the result
            work.ended = time.monotonic()
            work.future.set_exception(error)
        else:
            work.ended = time.monotonic()
            work.future.set_result(found)

    def _tidy(self) -> None:
        finished = sorted(
            ((work.ended, key) for key, work in self._works.items() if work.ended is not None), key=lambda one: one[0]
        )
        late = time.monotonic() - KEPT_SECONDS
        for at, (ended, key) in enumerate(finished):
            if ended < late or len(self._works) - at > MOST:
                del self._works[key]
