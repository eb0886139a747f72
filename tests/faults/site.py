"""A place to break things: a world on a private PostgreSQL, worker processes to kill, and the count afterwards."""

import hashlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import psycopg

from issuer.issuance.batches import state_of
from issuer.issuance.requests import request_batch
from tests.factories.world import PROPOSER, World
from tests.faults.count import Count, count
from tests.services.postgres import PostgresServer

ROOT = Path(__file__).parents[2]


class Recovery(threading.Thread):
    """Watches jobs: how long one stands still in the hands of a worker that is dead or frozen.

    `longest`: from that worker's last heartbeat until the job is back in the queue for whoever is free (so up to
    one heartbeat, 2 s, too much). `longest_wait`: until a living worker has begun it again, which under steady
    killing is mostly the wait for a worker that lives. While `excused` a lasting fault is not counted.
    """

    def __init__(self, conninfo: str) -> None:
        super().__init__(daemon=True)
        self._conninfo = conninfo
        self._alive: dict[int, float] = {}
        self._back: set[int] = set()
        self.longest = 0.0
        self.longest_wait = 0.0
        self._ended = threading.Event()
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
        """Stop; the longest time in seconds until a job was back in the queue."""
        self._ended.set()
        self.join(5)
        return self.longest

    def _look(self, connection: psycopg.Connection) -> None:
        now = time.monotonic()
        rows = connection.execute(
            "SELECT j.id, j.status = 'doing', extract(epoch FROM now() - w.last_heartbeat)"
            " FROM jobs.procrastinate_jobs j LEFT JOIN jobs.procrastinate_workers w ON w.id = j.worker_id"
            " WHERE j.status = 'doing' OR j.attempts > 0"
        ).fetchall()
        for number in self._alive.keys() - {number for number, _, _ in rows}:
            self._again(number, now)
            del self._alive[number]
        for number, doing, age in rows:
            if doing and age is not None and age <= 3.0:
                self._again(number, now)
                self._alive[number] = now - float(age)
            elif number in self._alive and self.excused:
                self._alive[number] = now
            elif number in self._alive and not doing and number not in self._back:
                self._back.add(number)
                self.longest = max(self.longest, now - self._alive[number])

    def _again(self, number: int, now: float) -> None:
        """A living worker has it, or it is done."""
        standstill = 0.0 if self.excused else now - self._alive.get(number, now)
        self.longest_wait = max(self.longest_wait, standstill)
        if number not in self._back:
            self.longest = max(self.longest, standstill)
        self._back.discard(number)


class FaultSite:
    """`people` eligible, nothing issued, `workers` processes at work (`keep` starts the dead again)."""

    def __init__(self, folder: Path, people: int, workers: int, seed: int = 1) -> None:
        self.server = PostgresServer()
        self.world = World.eligible(folder / "data", people=people, database_url=self.server.new_database())
        self.folder = folder / "site"
        self.folder.mkdir()
        self.kills = 0
        self.random = random.Random(seed)
        self._wanted = workers
        self._workers: list[subprocess.Popen[bytes]] = []
        self._log = (folder / "workers.log").open("ab")
        url = self.world.settings.issuer_database
        self.conninfo = url.replace("postgresql+psycopg", "postgresql")
        self.recovery = Recovery(self.conninfo)

    def begin(self) -> int:
        """Ask for the sitting to be issued and start the workers; the batch's number."""
        room = self.world.ctx.room()
        seal, journal = room.seal_pdf, self.folder / "journal-here"

        def sealing(pdf: bytes, *, level: str = "B-LTA") -> bytes:
            sealed = seal(pdf, level=level)
            with journal.open("a") as file:
                file.write(hashlib.sha256(sealed).hexdigest() + "\n")
            return sealed

        room.seal_pdf = sealing  # type: ignore[method-assign]
        self.batch = request_batch(self.world.ctx, PROPOSER, self.world.sitting)
        self.recovery.start()
        self.keep()
        return self.batch

    def keep(self) -> None:
        """What a supervisor does: count the dead, and start others."""
        for worker in list(self._workers):
            if worker.poll() is not None:
                self._workers.remove(worker)
                self.kills += worker.returncode == -signal.SIGKILL
        while len(self._workers) < self._wanted:
            command = [sys.executable, "-m", "tests.faults.worker_under_test"]
            settings = self.world.settings
            surroundings = os.environ | {
                "PYTHONPATH": str(ROOT),
                "ECERT_DATABASE_URL": settings.issuer_database,
                "ECERT_REGISTER_URL": settings.register_database,
            }
            self._workers.append(
                subprocess.Popen(
                    [*command, str(self.world.folder), str(self.folder)],
                    cwd=ROOT,
                    env=surroundings,
                    stdout=self._log,
                    stderr=self._log,
                )
            )

    def ready(self) -> list[subprocess.Popen[bytes]]:
        """Living workers whose keys are open."""
        return [w for w in self._workers if w.poll() is None and (self.folder / f"ready-{w.pid}").exists()]

    def rest(self, seconds: float) -> None:
        """Let time pass, keeping up the number of workers."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.keep()
            time.sleep(0.05)

    def victim(self, patience: float = 60.0) -> subprocess.Popen[bytes]:
        """Some worker at work; waits until there is one."""
        end = time.monotonic() + patience
        while not (ready := self.ready()):
            if time.monotonic() > end:
                raise TimeoutError("no worker came up")
            self.rest(0.1)
        return self.random.choice(ready)

    def kill_one(self) -> None:
        """SIGKILL to a worker at a random moment."""
        victim = self.victim()
        self.rest(self.random.uniform(0.0, 1.2))
        victim.kill()
        victim.wait()
        self.keep()

    def kill_at(self, name: str, patience: float = 40.0) -> bool:
        """SIGKILL to whoever first comes to this step; whether one did."""
        request = self.folder / f"kill-{name}"
        request.touch()
        end = time.monotonic() + patience
        while request.exists() and time.monotonic() < end and self.waiting():
            self.rest(0.05)
        done = not request.exists()
        request.unlink(missing_ok=True)
        return done

    def freeze_one(self, seconds: float) -> None:
        """SIGSTOP to a worker for longer than its heartbeat may be late, then SIGCONT."""
        victim = self.victim()
        os.kill(victim.pid, signal.SIGSTOP)
        self.rest(seconds)
        with suppress(ProcessLookupError):
            os.kill(victim.pid, signal.SIGCONT)

    def cut_connections(self) -> None:
        """End every connection of the workers from the server's side."""
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    def waiting(self) -> int:
        """Items of the batch nobody has settled yet."""
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            row = connection.execute("SELECT count(*) FROM issuer.batch_items WHERE result = 'waiting'").fetchone()
        return int(row[0]) if row else 0

    def finish(self, patience: float) -> float:
        """Wait, touching nothing, until the batch is done; the seconds it took. Raises TimeoutError."""
        began = time.monotonic()
        while state_of(self.world.ctx, self.batch) == "running":
            if time.monotonic() - began > patience:
                raise TimeoutError(f"{self.waiting()} items still wait after {patience:.0f} s")
            self.rest(0.2)
        return time.monotonic() - began

    def close(self) -> None:
        """Stop everything."""
        self._wanted = 0
        for worker in self._workers:
            worker.send_signal(signal.SIGCONT)
            worker.terminate()
        for worker in self._workers:
            try:
                worker.wait(30)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
        self._workers.clear()
        self._log.close()
        self.world.close()
        self.server.stop()

    def count(self) -> Count:
        """What is wrong now."""
        return count(self.world, self.folder)
