"""A place to break things: a world on a private PostgreSQL, machines with workers to kill, the count afterwards."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psycopg

from issuer.issuance.batches import state_of
from issuer.issuance.requests import request_batch
from issuer.review import service as review
from issuer.rules.terms import ReviewRound
from tests.factories.world import PROPOSER, World
from tests.faults.count import Count, count
from tests.faults.recovery import Recovery
from tests.faults.worker_under_test import journaled
from tests.services.postgres import PostgresServer
from tests.services.redis_server import RedisServer

ROOT = Path(__file__).parents[2]
OLD_WORDS, NEW_WORDS = "Scan to verify", "Scan to check"
"""A line of the page as this release and as the next one has it."""


class FaultSite:
    """`people` eligible, nothing issued, two machines with `workers` processes each (`keep` starts a dead one again).

    The second machine runs the next release: its pages say `NEW_WORDS`.
    """

    def __init__(self, folder: Path, people: int, workers: int = 1, seed: int = 1) -> None:
        self.server, self.redis = PostgresServer(), RedisServer()
        self.world = World.eligible(folder / "data", people=people, database_url=self.server.new_database())
        self.folder = folder / "site"
        self.folder.mkdir()
        self.kills = 0
        self.random = random.Random(seed)
        self.kept_back: set[int] = set()
        self._workers = workers
        self._trees = (ROOT, _next_release(folder / "next-release"))
        self._machines: list[subprocess.Popen[bytes] | None] = [None, None]
        self._log = (folder / "workers.log").open("ab")
        self.conninfo = self.world.settings.issuer_database.replace("postgresql+psycopg", "postgresql")
        self.recovery = Recovery(self.conninfo)

    def begin(self) -> int:
        """Ask for the sitting to be issued and start the machines; the batch's number."""
        journaled(self.world.ctx, self.folder / "journal-here")
        self.batch = request_batch(self.world.ctx, PROPOSER, self.world.sitting)
        self.recovery.start()
        self.keep()
        return self.batch

    def keep(self) -> None:
        """What an operating system does: start a machine's program again when it has died."""
        settings = self.world.settings
        for place, machine in enumerate(self._machines):
            if machine is not None and machine.poll() is None:
                continue
            command = [sys.executable, "-m", "tests.faults.worker_under_test"]
            self._machines[place] = subprocess.Popen(
                [*command, str(self.world.folder), str(self._workers), "0"],
                cwd=self._trees[place],
                env=os.environ
                | {
                    "PYTHONPATH": f"{self._trees[place]}{os.pathsep}{ROOT}",
                    "ECERT_DATABASE_URL": settings.issuer_database,
                    "ECERT_REGISTER_URL": settings.register_database,
                    "ECERT_REDIS_URL": self.redis.url,
                    "ECERT_FAULT_SITE": str(self.folder),
                },
                stdout=self._log,
                stderr=self._log,
            )

    def ready(self) -> list[int]:
        """Process numbers of living workers whose keys are open."""
        return [number for path in self.folder.glob("ready-*") if _lives(number := int(path.name[6:]))]

    def rest(self, seconds: float) -> None:
        """Let time pass, keeping up the machines."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.keep()
            time.sleep(0.05)

    def victim(self, patience: float = 600.0) -> int:
        """Some worker at work; waits until there is one."""
        end = time.monotonic() + patience
        while not (ready := self.ready()):
            if time.monotonic() > end:
                raise TimeoutError("no worker came up")
            self.rest(0.1)
        return self.random.choice(sorted(ready))

    def kill_one(self, within: float = 1.2) -> None:
        """SIGKILL to a worker at a random moment."""
        victim = self.victim()
        self.rest(self.random.uniform(0.0, within))
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
            self.kills += 1

    def kill_machine(self) -> None:
        """SIGKILL to everything on a machine at once: nobody there can tell of a death."""
        self.victim()
        place = self.random.randrange(len(self._machines))
        machine = self._machines[place]
        assert machine is not None
        workers = [number for number in self.ready() if _parent(_parent(number)) == machine.pid]
        for number in (machine.pid, *workers):
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        self.kills += 1 + len(workers)
        machine.wait()

    def kill_at(self, name: str, patience: float = 40.0) -> bool:
        """SIGKILL to whoever first comes to this step; whether one did."""
        if not self._request("kill", name, patience):
            return False
        self.kills += 1
        return True

    def freeze_at(self, name: str, seconds: float) -> bool:
        """SIGSTOP to whoever first comes to this step, SIGCONT later; whether one did."""
        if not self._request("freeze", name, 40.0):
            return False
        frozen = [int(path.name.rpartition("-")[2]) for path in self.folder.glob(f"freeze-done-{name}-*")]
        self.rest(seconds)
        for number in frozen:
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGCONT)
        return True

    def freeze_one(self, seconds: float) -> None:
        """SIGSTOP to a worker for longer than its heartbeat may be late, then SIGCONT."""
        victim = self.victim()
        os.kill(victim, signal.SIGSTOP)
        self.rest(seconds)
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGCONT)

    def cut_connections(self) -> None:
        """End every connection of the workers from the server's side."""
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    def find_ineligible(self, people: int = 5) -> bool:
        """Supervision finds some ineligible (R9) who are next in the queue and not begun; whether there were any."""
        begun = "SELECT registration_id FROM issuer.e_certificates"
        for number in self._numbers(f"result = 'waiting' AND registration_id NOT IN ({begun})"):
            decision = self.folder / f"decision-{number}.csv"
            row = f"{self._admission(number)},不合格,supervision"
            decision.write_text(f"准考证号,核查结果,原因代码\n{row}\n", encoding="utf-8")
            report = review.apply_decisions(
                self.world.ctx, PROPOSER, self.world.sitting, ReviewRound.FIRST, content=decision
            )
            if sum(report.moved.values()):  # otherwise a worker was quicker, and a begun certificate holds it off
                self.kept_back.add(number)
                people -= 1
            if not people:
                return True
        return bool(self.kept_back)

    def waiting(self) -> int:
        """Items of the batch nobody has settled yet."""
        return len(self._numbers("result = 'waiting'"))

    def finish(self, patience: float) -> float:
        """Wait, touching nothing, until the batch is done; the seconds it took. Raises TimeoutError."""
        began = time.monotonic()
        while state_of(self.world.ctx, self.batch) == "running":
            if time.monotonic() - began > patience:
                raise TimeoutError(f"{self.waiting()} items still wait after {patience:.0f} s")
            self.rest(0.2)
        return time.monotonic() - began

    def settle(self, patience: float = 600.0) -> None:
        """Wait until no job is left and nobody is owed to the public record. Raises TimeoutError."""
        end = time.monotonic() + patience
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            while connection.execute("SELECT 1 FROM jobs.procrastinate_jobs LIMIT 1").fetchone():
                if time.monotonic() > end:
                    raise TimeoutError("a job is left")
                self.rest(0.2)

    def close(self) -> None:
        """Stop everything."""
        for number in self.ready():
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGCONT)
        running = [machine for machine in self._machines if machine is not None]
        for machine in running:
            machine.terminate()
        for machine in running:
            try:
                machine.wait(30)
            except subprocess.TimeoutExpired:
                machine.kill()
                machine.wait()
        self._log.close()
        self.world.close()
        self.redis.stop()
        self.server.stop()

    def count(self) -> Count:
        """What is wrong now."""
        return count(self.world, self.folder, self.kept_back, {OLD_WORDS: self._trees[0], NEW_WORDS: self._trees[1]})

    def count_when_settled(self, patience: float = 300.0) -> Count:
        """What is wrong once no job is left and the files of dead attempts were looked for."""
        self.settle()
        end = time.monotonic() + patience
        while not (found := self.count()).good and time.monotonic() < end:
            self.rest(0.5)
        return found

    def _numbers(self, condition: str) -> list[int]:
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            query = f"SELECT registration_id FROM issuer.batch_items WHERE {condition} ORDER BY 1"
            return [number for (number,) in connection.execute(query.encode()).fetchall()]

    def _admission(self, registration_id: int) -> str:
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            query = "SELECT admission_no FROM issuer.registrations WHERE id = %s"
            row = connection.execute(query, (registration_id,)).fetchone()
        assert row is not None
        return str(row[0])

    def _request(self, act: str, name: str, patience: float) -> bool:
        request = self.folder / f"{act}-{name}"
        request.touch()
        end = time.monotonic() + patience
        while request.exists() and time.monotonic() < end and state_of(self.world.ctx, self.batch) == "running":
            self.rest(0.05)
        done = not request.exists()
        request.unlink(missing_ok=True)
        return done


def _next_release(tree: Path) -> Path:
    """A copy of the templates in which one line of the page is worded anew."""
    shutil.copytree(ROOT / "templates", tree / "templates", ignore=shutil.ignore_patterns("vendor", "__pycache__"))
    wording = tree / "templates" / "certificate" / "default.toml"
    text = wording.read_text(encoding="utf-8")
    assert text.count(OLD_WORDS) == 1, "the line that the next release words anew"
    wording.write_text(text.replace(OLD_WORDS, NEW_WORDS), encoding="utf-8")
    return tree


def _lives(number: int) -> bool:
    return _stat(number)[:1] not in ([], ["Z"])


def _parent(number: int) -> int:
    fields = _stat(number)
    return int(fields[1]) if fields else 0


def _stat(number: int) -> list[str]:
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
