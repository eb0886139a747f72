"""How long work stands still in the hands of a worker that is dead or frozen."""

import threading
import time
from contextlib import suppress

import psycopg

ALIVE_WITHIN_S = 2.0
"""A worker whose last heartbeat is no older is taken for alive; it beats every second."""


class Recovery(threading.Thread):
    """Watches the jobs, five times a second.

    `longest`: from the last heartbeat of a worker that holds a job and dies or freezes, until that job is back in the
    queue and a living worker has begun the next one (so up to one heartbeat, 1 s, too much). `longest_back`: until it
    is back in the queue. While `excused` a fault that lasts by itself (no database, no storage) is not counted.
    """

    def __init__(self, conninfo: str) -> None:
        super().__init__(daemon=True)
        self._conninfo = conninfo
        self._alive: dict[int, float] = {}
        """By job: the last sign of life of whoever holds it."""
        self._held: set[tuple[int, int]] = set()
        """(job, worker) as they were at the last look."""
        self._back: dict[int, float] = {}
        """By job that came back and since when nobody has begun any: the last sign of life of who held it."""
        self._ended = threading.Event()
        self.longest = 0.0
        self.longest_back = 0.0
        self.rescued = 0
        self.excused = False

    def run(self) -> None:
        """Until `end`."""
        while not self._ended.is_set():
            with suppress(psycopg.Error), psycopg.connect(self._conninfo, autocommit=True) as connection:
                while not self._ended.is_set():
                    self._look(connection)
                    time.sleep(0.2)
            time.sleep(0.2)

    def end(self) -> float:
        """Stop; the longest time in seconds until work went on."""
        self._ended.set()
        self.join(5)
        return self.longest

    def _look(self, connection: psycopg.Connection) -> None:
        rows = connection.execute(
            "SELECT j.id, j.status = 'doing', w.id, extract(epoch FROM now() - w.last_heartbeat)"
            " FROM jobs.procrastinate_jobs j LEFT JOIN jobs.procrastinate_workers w ON w.id = j.worker_id"
            " WHERE j.status = 'doing' OR j.attempts > 0"
        ).fetchall()
        now = time.monotonic()
        held = {
            (job, worker): now - float(age)
            for job, doing, worker, age in rows
            if doing and age is not None and age <= ALIVE_WITHIN_S
        }
        begun = held.keys() - self._held
        self._held = set(held)
        gone = self._alive.keys() - {job for job, *_ in rows}
        waiting = {job for job, doing, *_ in rows if not doing}
        done = {job for job in self._alive.keys() & gone if now - self._alive[job] <= ALIVE_WITHIN_S}
        for job in done:
            del self._alive[job]
        for job in self._alive.keys() & (waiting | gone | {job for job, _ in begun}):
            self._came_back(job, now)
        if begun or not rows:
            for since in self._back.values():
                self.longest = max(self.longest, now - since)
            self._back.clear()
        self._alive.update({job: since for (job, _), since in held.items()})
        if self.excused:
            self._alive = dict.fromkeys(self._alive, now)
            self._back = dict.fromkeys(self._back, now)

    def _came_back(self, job: int, now: float) -> None:
        since = self._alive.pop(job)
        self.rescued += 1
        self.longest_back = max(self.longest_back, now - since)
        self._back[job] = since
