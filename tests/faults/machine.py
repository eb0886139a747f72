"""One machine with workers under test, for benchmarks and tests that need nothing broken but by themselves."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from tests.factories.world import World

ROOT = Path(__file__).parents[2]


class Machine:
    """`workers` for all jobs and `urgent_workers` for urgent ones alone, at work on `world` inside the block.

    Their journals, signs of life and log are in the folder `site`.
    """

    def __init__(self, world: World, site: Path, *, workers: int = 1, urgent_workers: int = 0) -> None:
        self._world, self._site = world, site
        self._arguments = [str(world.folder), str(workers), str(urgent_workers)]

    def __enter__(self) -> "Machine":
        settings = self._world.settings
        self._log = (self._site / "workers.log").open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.worker_under_test", *self._arguments],
            cwd=ROOT,
            env=os.environ
            | {
                "PYTHONPATH": str(ROOT),
                "ECERT_DATABASE_URL": settings.issuer_database,
                "ECERT_REGISTER_URL": settings.register_database,
                "ECERT_FAULT_SITE": str(self._site),
            },
            stdout=self._log,
            stderr=self._log,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def require_alive(self) -> None:
        """Raise RuntimeError when nobody is at work any more."""
        if self._process.poll() is not None:
            raise RuntimeError(f"the machine ended; see {self._site / 'workers.log'}")

    def wait_until_ready(self, workers: int, patience: float = 120.0) -> None:
        """Until so many workers have their keys open. Raises TimeoutError."""
        end = time.monotonic() + patience
        while len(list(self._site.glob("ready-*"))) < workers:
            self.require_alive()
            if time.monotonic() > end:
                raise TimeoutError("the workers did not come up")
            time.sleep(0.05)

    def kill_oldest(self) -> bool:
        """SIGKILL to the worker that has lived longest; whether there was one."""
        for path in sorted(self._site.glob("ready-*"), key=lambda path: path.stat().st_mtime):
            path.unlink()
            with suppress(ProcessLookupError):
                os.kill(int(path.name[6:]), signal.SIGKILL)
                return True
        return False
