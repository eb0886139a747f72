"""`ecert worker`: so many worker processes, each started again when it dies."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from ctypes import c_int64
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait as wait_for
from multiprocessing.process import BaseProcess
from typing import Any

from issuer.errors import ConflictError, Words
from issuer.jobs.distributed import URGENT
from issuer.jobs.rescue import Rescuer
from issuer.jobs.worker import ALL_QUEUES, work
from issuer.settings import Settings

_log = logging.getLogger(__name__)
_PARTS = ("issuer.context", "issuer.jobs.worker", "issuer.sealing.room", "templates.certificate.page")
_server = get_context("forkserver")
# Workers are forked from a process that has read the program and opened nothing, so that another is at work a second
# or two sooner than one that reads it anew; children of this process would share its connections.
_server.set_forkserver_preload([*_PARTS])

SHORT_LIFE_SECONDS = 5.0
"""A worker that lives shorter is started again only after a wait."""
WAIT_SECONDS = 0.5
STOP_SECONDS = 60.0


def supervise(settings: Settings, processes: int) -> None:
    """Keep `processes` workers (0: one per core) and one for urgent jobs alone running until SIGTERM or SIGINT.

    Raises ConflictError without PostgreSQL, and what opening the data folder raises.
    """
    if settings.jobs_engine != "workers" or not settings.issuer_database.startswith("postgresql"):
        raise ConflictError(
            "workers-need-postgresql",
            Words(
                "多进程签发需要 PostgreSQL；当前为内置数据库，签发由服务进程自行完成。",
                "Workers need PostgreSQL; with the embedded database the serving process issues by itself.",
            ),
            remedy=Words("设置 ECERT_DATABASE_URL。", "Set ECERT_DATABASE_URL."),
        )
    from issuer.context import open_context

    ctx = open_context(settings)  # migrates, and reports what is missing before any process is started
    try:
        ctx.room()
        ctx.jobs.resume()
    finally:
        ctx.close()
    Pool(settings, [ALL_QUEUES] * (processes or os.cpu_count() or 1) + [(URGENT,)]).run()


Child = Callable[[Settings, Sequence[str], Any], None]
"""What a worker process runs: settings, queues, and a number in shared memory that says who it is to the engine."""


class Pool:
    """Worker processes on this machine, one for each entry of `queues`, and the rescue of jobs beside them."""

    def __init__(self, settings: Settings, queues: Sequence[Sequence[str]], child: "Child | None" = None) -> None:
        self._settings = settings
        self._child = child or _work_for_parent
        self._places = [_Place(tuple(each)) for each in queues]
        self._rescuer = Rescuer(settings)
        self._stopping = threading.Event()

    def run(self) -> None:
        """Until told to stop; then each worker finishes the job in hand."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: self._stopping.set())
        self._rescuer.start()
        for place in self._places:
            place.start(self._settings, self._child)
        while not self._stopping.is_set():
            wait_for([place.process.sentinel for place in self._places if place.working], timeout=0.2)
            for place in self._places:
                self._keep(place)
        self._rescuer.stop()
        for place in self._places:
            place.process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for place in self._places:
            place.process.join(max(0.0, deadline - time.monotonic()))
            if place.process.is_alive():
                place.process.kill()  # its job is taken up by another worker

    def _keep(self, place: "_Place") -> None:
        now = time.monotonic()
        if place.working and not place.process.is_alive():
            _log.warning("worker %s ended (%s); another is started", place.process.pid, place.process.exitcode)
            if place.number.value:
                self._rescuer.bury(place.number.value)
            place.working = False
            place.due = now + (WAIT_SECONDS if now - place.born < SHORT_LIFE_SECONDS else 0.0)
        if not place.working and now >= place.due and not self._stopping.is_set():
            place.start(self._settings, self._child)


class _Place:
    """Where a worker works, one after another."""

    process: BaseProcess

    def __init__(self, queues: tuple[str, ...]) -> None:
        self.queues = queues
        self.working = False
        self.born = self.due = 0.0

    def start(self, settings: Settings, child: Child) -> None:
        """Another worker, whose number is not known yet."""
        self.number = _server.RawValue(c_int64, 0)
        self.process = _server.Process(target=_child, args=(child, settings, self.queues, self.number))
        self.process.start()
        self.working, self.born = True, time.monotonic()


def _child(child: Child, settings: Settings, queues: Sequence[str], number: Any) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    child(settings, queues, number)


def _work_for_parent(settings: Settings, queues: Sequence[str], number: Any) -> None:
    work(settings, queues, tell=lambda worker_id: setattr(number, "value", worker_id))


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait_for([parent.sentinel])
        os._exit(1)
