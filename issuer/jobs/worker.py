"""One worker process of the distributed engine: takes chunk jobs, and rescues those of workers that died.

Run by `issuer.jobs.supervisor`. Keys, fonts and the page compiler are opened once, before the first job.
"""

import asyncio
import contextlib
import logging
import random
import signal
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from procrastinate import JobContext, RetryDecision
from procrastinate.jobs import Job
from procrastinate.retry import BaseRetryStrategy
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from issuer.clock import Clock
from issuer.context import Context, open_context
from issuer.error_log import keep_traceback
from issuer.errors import DomainError
from issuer.issuance.chunk import ChunkUnsettledError, issue_chunk
from issuer.issuance.leftovers import remove_lost_files
from issuer.issuance.service import Observer
from issuer.jobs.distributed import ACT_TASK, BATCHES, TASK, URGENT
from issuer.jobs.large_acts import work_act
from issuer.jobs.rescue import HEARTBEAT_SECONDS, QUEUE_TROUBLE, STALLED_SECONDS, make_app, rescue
from issuer.settings import Settings
from keys.public.purposes import KeyPurpose

_log = logging.getLogger(__name__)

POLLING_SECONDS = 1.0
"""The engine tells of new jobs at once, but not of those that were given back."""
LONGEST_WAIT_SECONDS = 8
TIDY_SECONDS = 6.0
FROZEN_TRANSACTION_MS = 4500
"""PostgreSQL ends a transaction whose worker says nothing for so long: a frozen one must not keep its locks when
its job goes to another."""

ALL_QUEUES = (URGENT, BATCHES)


def work(
    settings: Settings,
    queues: Sequence[str] = ALL_QUEUES,
    *,
    clock: Clock | None = None,
    observe: Observer | None = None,
    prepare: Callable[[Context], None] | None = None,
    tell: Callable[[int], None] | None = None,
) -> None:
    """Work until SIGTERM or SIGINT, then finish the job in hand. Outlives its database: it waits for it.

    `prepare` is called with the opened context before the first job, `tell` with the engine's number of this
    worker before each job. Raises DomainError when the folder is not
    one of ours, or its keys cannot be opened.
    """
    asyncio.run(_Worker(settings, queues, clock, observe, prepare, tell).run())


class _Worker:
    def __init__(
        self,
        settings: Settings,
        queues: Sequence[str],
        clock: Clock | None,
        observe: Observer | None,
        prepare: Callable[[Context], None] | None,
        tell: Callable[[int], None] | None,
    ) -> None:
        self._settings = impatient(settings)
        self._queues = queues
        self._clock = clock
        self._observe = observe
        self._prepare = prepare
        self._tell = tell
        self._ctx: Context | None = None
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Until told to stop."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        while self._ctx is None and not self._stop.is_set():
            try:
                self._ctx = await asyncio.to_thread(self._open)
            except SQLAlchemyError:
                await self._pause("the database does not answer yet")
        while not self._stop.is_set():
            try:
                await self._session()
            except QUEUE_TROUBLE as exc:
                await self._pause(f"the job queue cannot be reached ({type(exc).__name__})")
            else:
                await self._pause("the worker starts again")
        if self._ctx is not None:
            self._ctx.close()

    def _open(self) -> Context:
        ctx = open_context(self._settings, self._clock)
        for purpose in (KeyPurpose.DOCUMENT_SEAL, KeyPurpose.QR_CREDENTIAL, KeyPurpose.TIMESTAMP):
            if purpose is not KeyPurpose.TIMESTAMP or self._settings.tsa_url is None:
                ctx.room().signer(purpose)
        if self._prepare is not None:
            self._prepare(ctx)
        return ctx

    async def _session(self) -> None:
        """One life of the engine's worker: ends when told to stop or when its connection is lost."""
        app = make_app(self._settings)
        app.task(name=TASK, retry=_AgainSoon(), queue=BATCHES, pass_context=True)(self._issue_chunk)
        app.task(name=ACT_TASK, retry=_AgainSoon(), queue=BATCHES)(self._work_act)
        async with app.open_async():
            worker = asyncio.create_task(
                app.run_worker_async(
                    queues=list(self._queues),
                    concurrency=1,
                    update_heartbeat_interval=HEARTBEAT_SECONDS,
                    stalled_worker_timeout=STALLED_SECONDS,
                    fetch_job_polling_interval=POLLING_SECONDS,
                    delete_jobs="successful",
                    install_signal_handlers=False,
                )
            )
            helpers = [asyncio.create_task(rescue(app)), asyncio.create_task(self._tidy())]
            told = asyncio.create_task(self._stop.wait())
            try:
                await asyncio.wait({worker, told}, return_when=asyncio.FIRST_COMPLETED)
                if not worker.done():
                    worker.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await worker
            finally:
                for task in (*helpers, told):
                    task.cancel()
                await asyncio.gather(*helpers, told, return_exceptions=True)

    def _issue_chunk(self, context: JobContext, batch_id: int, registration_ids: list[int]) -> None:
        assert self._ctx is not None, "opened before the first job"
        if self._tell is not None and context.job.worker_id is not None:
            self._tell(context.job.worker_id)
        try:
            issue_chunk(self._ctx, batch_id, registration_ids, self._observe)
        except ChunkUnsettledError as exc:
            _log.info("%s", exc)
            raise
        except DomainError as refusal:
            _log.warning("a chunk of batch %s will be tried again: %s", batch_id, refusal.code)
            raise
        except Exception as exc:
            reference, _ = keep_traceback(exc, self._settings.data_dir)
            _log.warning("a chunk of batch %s will be tried again (%s, %s)", batch_id, type(exc).__name__, reference)
            raise

    def _work_act(self, act_id: int) -> None:
        assert self._ctx is not None, "opened before the first job"
        try:
            work_act(self._ctx, act_id)
        except DomainError as refusal:
            _log.warning("large act %s will be tried again: %s", act_id, refusal.code)
            raise
        except Exception as exc:
            reference, _ = keep_traceback(exc, self._settings.data_dir)
            _log.warning("large act %s will be tried again (%s, %s)", act_id, type(exc).__name__, reference)
            raise

    async def _tidy(self) -> None:
        """Publish what a crash left between commit and publication; remove what dead attempts left in storage."""
        while True:
            await asyncio.sleep(TIDY_SECONDS * random.uniform(0.8, 1.2))  # noqa: S311 (so that not all come at once)
            try:
                await asyncio.to_thread(self._tidy_once)
            except Exception as exc:  # noqa: BLE001 (the next turn tries again; jobs report their own troubles)
                _log.info("tidying is put off: %s", type(exc).__name__)

    def _tidy_once(self) -> None:
        assert self._ctx is not None, "opened before the first job"
        self._ctx.publish()
        remove_lost_files(self._ctx)

    async def _pause(self, why: str) -> None:
        if not self._stop.is_set():
            _log.info("%s", why)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), 1.0)


class _AgainSoon(BaseRetryStrategy):
    """Trouble with storage, keys or the database passes: the job waits, longer each time but never long."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:
        """After 1, 2, 4, 8, 8, … seconds."""
        wait = min(2 ** min(job.attempts, 10), LONGEST_WAIT_SECONDS)
        return RetryDecision(retry_at=datetime.now(UTC) + timedelta(seconds=wait))


def impatient(settings: Settings) -> Settings:
    """The same settings, with both databases told to end transactions of a frozen worker."""
    option = f"-c idle_in_transaction_session_timeout={FROZEN_TRANSACTION_MS}"
    changed: dict[str, Any] = {"jobs": "workers"}
    for name, url in (("database_url", settings.issuer_database), ("register_url", settings.register_database)):
        parsed = make_url(url)
        if parsed.get_backend_name() == "postgresql":
            given = parsed.query.get("options", "")
            together = f"{given} {option}".strip() if isinstance(given, str) else option
            changed[name] = parsed.update_query_dict({"options": together}).render_as_string(hide_password=False)
    return settings.model_copy(update=changed)
