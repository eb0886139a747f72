"""Gives the jobs of dead and frozen workers back to the queue.

Every worker does it, and so does the process above the workers: it is there when all of them are dead, and it knows
of a death at once, where others wait for the heartbeat to be missed.
"""

import asyncio
import contextlib
import logging
import threading

from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ConnectorException
from psycopg import Error as PostgresError
from sqlalchemy import make_url

from issuer.jobs.distributed import SCHEMA
from issuer.settings import Settings

_log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 1.0
STALLED_SECONDS = 6.0
"""A worker silent for so long is taken for dead and its job given to another. If it was only slow, both are at the
same certificates for a while, which costs time and nothing else."""
RESCUE_SECONDS = 1.0
QUEUE_TROUBLE = (ConnectorException, PostgresError, OSError, TimeoutError)


def make_app(settings: Settings) -> App:
    """The engine on the issuer's database, in its own schema."""
    return App(
        connector=PsycopgConnector(
            conninfo=libpq_url(settings.issuer_database),
            kwargs={"options": f"-c search_path={SCHEMA}"},
            min_size=1,
            max_size=4,
            timeout=5.0,
        )
    )


def libpq_url(url: str) -> str:
    """The same database as PostgreSQL's own library reads it, without options of the session."""
    parsed = make_url(url).difference_update_query(["options"])
    return parsed.set(drivername="postgresql").render_as_string(hide_password=False)


async def rescue(app: App) -> None:
    """Look for stalled jobs until cancelled; the look comes first, so that even a short life has looked."""
    while True:
        try:
            await rescue_once(app)
        except QUEUE_TROUBLE as exc:
            _log.info("stalled jobs cannot be looked for: %s", type(exc).__name__)
        await asyncio.sleep(RESCUE_SECONDS)


async def rescue_once(app: App) -> None:
    """Give the jobs of workers without a heartbeat back to the queue. Raises what the connection raises."""
    for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
        with contextlib.suppress(ConnectorException):  # somebody else was quicker
            await app.job_manager.retry_job(job)


class Rescuer(threading.Thread):
    """The rescue loop in a thread of a process that does no work itself. Outlives its database."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(name="ecert-rescue", daemon=True)
        self._settings = settings
        self._stopping = threading.Event()
        self._dead: set[int] = set()
        self._lock = threading.Lock()

    def bury(self, worker_id: int) -> None:
        """This worker of the engine is known to be dead: its jobs need not wait for its heartbeat to be missed."""
        with self._lock:
            self._dead.add(worker_id)

    def stop(self) -> None:
        """End the loop, soon."""
        self._stopping.set()

    def run(self) -> None:
        """Until `stop`."""
        while not self._stopping.is_set():
            try:
                asyncio.run(self._session())
            except QUEUE_TROUBLE as exc:
                _log.info("the job queue cannot be reached (%s)", type(exc).__name__)
                self._stopping.wait(RESCUE_SECONDS)

    async def _session(self) -> None:
        app = make_app(self._settings)
        async with app.open_async():
            while not self._stopping.is_set():
                with self._lock:
                    dead = set(self._dead)
                for worker_id in dead:
                    # Without its row in the engine's table its jobs are in nobody's hands.
                    await app.job_manager.unregister_worker(worker_id)
                with self._lock:
                    self._dead -= dead
                await rescue_once(app)
                await asyncio.sleep(RESCUE_SECONDS / 4)
