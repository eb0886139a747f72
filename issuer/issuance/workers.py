"""Where certificates are pressed: in this process for a few, in spawned worker processes for many."""

import logging
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait as wait_for
from typing import Protocol

from issuer.clock import Clock
from issuer.context import Context, open_storage
from issuer.errors import DomainError, UnavailableError, Words
from issuer.issuance.intent import PressOrder
from issuer.issuance.photos import read_photo
from issuer.issuance.press import PressRefusal, press
from issuer.records.storage import Storage
from issuer.sealing.room import SealingRoom, open_sealing_room
from issuer.settings import Settings

_log = logging.getLogger(__name__)

IN_PROCESS_LIMIT = 8
"""Up to this many certificates, starting processes would cost more than it saves."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one order: a stored file (`sha256`, `size`, `credential`), the `code` of a refusal, or the
    `trouble` (a key, the time service) that kept it from being made at all: then it can be made again."""

    order: PressOrder
    file_key: str = ""
    sha256: str = ""
    size: int = 0
    credential: bytes = b""
    code: str | None = None
    trouble: "Trouble | None" = None


@dataclass(frozen=True, slots=True)
class Trouble:
    """An UnavailableError on its way from a worker process."""

    code: str
    words: Words
    remedy: Words | None

    def error(self) -> UnavailableError:
        """The error again."""
        return UnavailableError(self.code, self.words, remedy=self.remedy)


class Press(Protocol):
    """Takes orders, gives outcomes in whatever order they are done."""

    def submit(self, order: PressOrder) -> None:
        """Begin one certificate; blocks while the press is full."""
        ...

    def done(self, *, finish: bool = False) -> Iterator[Outcome]:
        """Outcomes that are ready; with `finish`, waits for all that were submitted."""
        ...


def file_key(list_id: str, token: str, attempt: int) -> str:
    """Where an attempt keeps its file. Each has its own, so a worker that was frozen and wakes again cannot write
    over the file that another has published since."""
    return f"certificates/{list_id}/{token}.pdf" if attempt == 1 else f"certificates/{list_id}/{token}-{attempt}.pdf"


@contextmanager
def open_press(ctx: Context, orders_expected: int, workers: int) -> Iterator[Press]:
    """A press for about so many orders; worker processes end with the block.

    `workers` 0: as the settings say, else one per core.
    """
    count = workers or ctx.settings.workers or os.cpu_count() or 1
    if orders_expected <= IN_PROCESS_LIMIT or count == 1:
        yield _OwnProcess(ctx)
        return
    pool = ProcessPoolExecutor(
        min(count, orders_expected),
        mp_context=get_context("spawn"),  # forked children would share key handles and locks with their parent
        initializer=_start_worker,
        initargs=(ctx.settings, ctx.clock),
    )
    try:
        yield _Pool(ctx, pool, limit=count * 32)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class _OwnProcess:
    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._ready: list[Outcome] = []

    def submit(self, order: PressOrder) -> None:
        photo = read_photo(self._ctx, order.content.photo_key)
        self._ready.append(_work(self._ctx.room(), self._ctx.storage, self._ctx.settings.seal_level, order, photo))

    def done(self, *, finish: bool = False) -> Iterator[Outcome]:
        ready, self._ready = self._ready, []
        yield from ready


class _Pool:
    def __init__(self, ctx: Context, pool: ProcessPoolExecutor, limit: int) -> None:
        self._ctx = ctx
        self._pool = pool
        self._limit = limit
        self._waiting: set[Future[Outcome]] = set()
        self._ready: list[Outcome] = []

    def submit(self, order: PressOrder) -> None:
        while len(self._waiting) >= self._limit:
            self._collect(block=True)
        photo = read_photo(self._ctx, order.content.photo_key)
        try:
            self._waiting.add(self._pool.submit(_work_in_worker, order, photo))
        except (BrokenProcessPool, OSError, ValueError) as exc:  # the last two: it broke while we spoke to it
            raise _worker_died() from exc

    def done(self, *, finish: bool = False) -> Iterator[Outcome]:
        self._collect(block=False)
        while True:
            ready, self._ready = self._ready, []
            yield from ready
            if not finish or not self._waiting:
                return
            self._collect(block=True)

    def _collect(self, *, block: bool) -> None:
        finished, self._waiting = wait(self._waiting, timeout=None if block else 0, return_when=FIRST_COMPLETED)
        for future in finished:
            try:
                self._ready.append(future.result())
            except BrokenProcessPool as exc:
                raise _worker_died() from exc


def _worker_died() -> UnavailableError:
    return UnavailableError(
        "worker-died",
        Words(
            "一个签章进程意外终止；已发布的证书保持有效，其余保留为草稿。",
            "A sealing process died; what was published stands, the rest are kept as drafts.",
        ),
        remedy=Words(
            "检查内存后重新运行同一命令，会从中断处继续。",
            "Check memory and run the same command again; it goes on where it stopped.",
        ),
    )


_room: SealingRoom | None = None
_storage: Storage | None = None
_level = "B-LTA"


def _start_worker(settings: Settings, clock: Clock) -> None:
    global _room, _storage, _level
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle: it lets us finish
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _room, _storage, _level = open_sealing_room(settings, clock), open_storage(settings), settings.seal_level


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait_for([parent.sentinel])
        os._exit(1)  # a killed parent would otherwise leave us waiting for orders for ever


def _work_in_worker(order: PressOrder, photo: bytes | None) -> Outcome:
    assert _room is not None and _storage is not None, "the pool's initializer runs first"
    return _work(_room, _storage, _level, order, photo)


def _work(room: SealingRoom, storage: Storage, level: str, order: PressOrder, photo: bytes | None) -> Outcome:
    try:
        return make(room, storage, level, order, photo)
    except UnavailableError as error:
        return Outcome(order, trouble=Trouble(error.code, error.words, error.remedy))
    except DomainError as refusal:
        _log.warning("certificate %s did not leave the press: %s", order.certificate_id, refusal.code)
        return Outcome(order, code=refusal.code)


def make(room: SealingRoom, storage: Storage, level: str, order: PressOrder, photo: bytes | None) -> Outcome:
    """Press one certificate and store its file. What the press refuses becomes a code; raises what keys and
    storage raise (UnavailableError and others), after which the order can be made again."""
    try:
        pressed = press(room, order.content, photo, level=level)
    except PressRefusal as refusal:
        _log.warning("certificate %s did not leave the press: %s", order.certificate_id, refusal)
        return Outcome(order, code=refusal.code)
    key = file_key(order.content.list_id, order.content.token, order.attempt)
    storage.put(key, pressed.pdf)
    return Outcome(order, key, pressed.sha256, len(pressed.pdf), pressed.credential)
