"""`ecert worker`: so many worker processes, each started again when it dies."""

import logging
import os
import signal
import threading
import time
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait as wait_for
from multiprocessing.process import BaseProcess

from issuer.errors import ConflictError, Words
from issuer.jobs.distributed import URGENT
from issuer.jobs.worker import ALL_QUEUES, work
from issuer.settings import Settings

_log = logging.getLogger(__name__)
_spawn = get_context("spawn")  # forked children would share key handles and connections with their parent

SHORT_LIFE_SECONDS = 5.0
"""A worker that lives shorter is started again only after a wait."""
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
    _Pool(settings, [ALL_QUEUES] * (processes or os.cpu_count() or 1) + [(URGENT,)]).run()


class _Pool:
    def __init__(self, settings: Settings, queues: list[tuple[str, ...]]) -> None:
        self._settings = settings
        self._queues = queues
        self._stopping = threading.Event()

    def run(self) -> None:
        """Until told to stop; then each worker finishes the job in hand."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: self._stopping.set())
        places = [self._start(queues) for queues in self._queues]
        born = [time.monotonic()] * len(places)
        while not self._stopping.is_set():
            wait_for([process.sentinel for process in places], timeout=0.5)
            for place, process in enumerate(places):
                if process.is_alive() or self._stopping.is_set():
                    continue
                _log.warning("worker %s ended (%s); another is started", process.pid, process.exitcode)
                if time.monotonic() - born[place] < SHORT_LIFE_SECONDS:
                    self._stopping.wait(1.0)
                places[place], born[place] = self._start(self._queues[place]), time.monotonic()
        for process in places:
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in places:
            process.join(max(0.0, deadline - time.monotonic()))
            if process.is_alive():
                process.kill()  # its job is taken up by another worker

    def _start(self, queues: tuple[str, ...]) -> BaseProcess:
        process = _spawn.Process(target=_child, args=(self._settings, queues), name="ecert-worker")
        process.start()
        return process


def _child(settings: Settings, queues: tuple[str, ...]) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    work(settings, queues)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait_for([parent.sentinel])
        os._exit(1)
