"""One row by token or by file digest, as the answers that most people ask for need it: read anew every time, cheaply.

Nothing is remembered here. SQLite answers within the call, in some ten microseconds. PostgreSQL is asked for all
keys that wait together in one statement, which begins after each of them was asked: under load a row costs a
fraction of a round trip, and an answer is still as fresh as if it had been asked for alone. A status therefore
cannot outlive a change, with or without any notice of the change.
"""

import asyncio
import contextlib
import os
import sqlite3
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import quote

import psycopg
from sqlalchemy.engine import URL, make_url

from verifier.record.readonly import RegisterUnavailableError

Shape = tuple[str | None, ...]
"""What many certificates have in common, in the order of `SHAPE_COLUMNS`; dates and instants as ISO 8601 text."""

SHAPE_COLUMNS: Final = (
    "status",
    "reason_class",
    "programme_code",
    "programme_name",
    "level",
    "specialty",
    "approved_on",
    "issued_on",
    "status_changed_at",
    "effective_on",
    "superseded_by",
)
_OWN_COLUMNS: Final = ("token", "credential_sha256", "list_id", "list_index")

MAPPED_BYTES: Final = 2_147_418_112
"""How much of an SQLite register is read through a memory mapping, the most SQLite allows (about 2,500,000 rows).

It is the system's own cache, shared by all processes; through it 2,000,000 rows cost little more than 20,000. Rows
beyond it are read by calls, which is slower and nothing else.
"""
BATCH: Final = 256
"""Keys in one statement."""
LANES: Final = 2
"""Connections of one process, so that one batch is gathered while another is under way."""
PATIENCE_SECONDS: Final = 3.0
"""How long PostgreSQL may take for a batch, connecting included."""
_SERVER_OPTIONS: Final = "-c default_transaction_read_only=on -c statement_timeout=2500 -c timezone=UTC"


@dataclass(frozen=True, slots=True)
class PointRow:
    """A certificate as the register has it now. `valid_until`: of the file asked for, when it is a copy."""

    token: str
    credential_sha256: str
    list_id: str
    list_index: int
    shape: Shape
    valid_until: date | str | None = None


class PointReads(Protocol):
    """Where one row comes from. Both methods raise RegisterUnavailableError; None means there is no such row."""

    async def by_token(self, token: str) -> PointRow | None:
        """The certificate with this token (26 upper-case base32 characters)."""
        ...

    async def by_file(self, sha256: str) -> PointRow | None:
        """The certificate a file (lower-case hex digest) was sealed for."""
        ...

    async def close(self) -> None:
        """Let go of connections; the next read opens them again."""
        ...


def open_point_reads(url: str) -> PointReads:
    """Point reads of the register at a SQLAlchemy URL. Nothing is opened before the first read."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return SqlitePointReads(Path(parsed.database or ""))
    return PostgresPointReads(parsed)


def _select(prefix: str, as_text: str) -> str:
    columns = [f"c.{name}" for name in _OWN_COLUMNS]
    columns += [f"c.{name}{as_text if name.endswith(('_on', '_at')) else ''}" for name in SHAPE_COLUMNS]
    return f"SELECT {', '.join(columns)}, {{extra}} FROM {prefix}certificates c"  # noqa: S608 (constants only)


def _row(values: tuple[Any, ...]) -> PointRow:
    return PointRow(values[0], values[1], values[2], values[3], values[4:15], values[15])


_LITE: Final = _select("", "")
_LITE_BY_TOKEN: Final = _LITE.format(extra="NULL") + " WHERE c.token = ?"
_LITE_BY_FILE: Final = _LITE.format(extra="f.valid_until") + " JOIN files f ON f.token = c.token WHERE f.sha256 = ?"
_PG: Final = _select("public_record.", "::text")
_PG_BY_TOKEN: Final = _PG.format(extra="NULL, c.token") + " WHERE c.token = ANY(%s)"
_PG_BY_FILE: Final = (
    _PG.format(extra="f.valid_until, f.sha256")
    + " JOIN public_record.files f ON f.token = c.token WHERE f.sha256 = ANY(%s)"
)


class SqlitePointReads:
    """Reads within the call, on the thread of the event loop: a look at an index takes less than changing threads.

    It never waits for a lock. Whoever gets RegisterUnavailableError from here should ask again by way of
    `SqlRegister`, which does.
    """

    def __init__(self, path: Path) -> None:
        self._location = f"file:{quote(str(path.absolute()))}?mode=ro"
        self._name = str(path)
        self._connection: sqlite3.Connection | None = None
        self._cursor: sqlite3.Cursor | None = None
        self._identity: tuple[int, int, int] | None = None

    async def by_token(self, token: str) -> PointRow | None:
        """See `PointReads`."""
        return self._first(_LITE_BY_TOKEN, token)

    async def by_file(self, sha256: str) -> PointRow | None:
        """See `PointReads`."""
        return self._first(_LITE_BY_FILE, sha256)

    async def close(self) -> None:
        """See `PointReads`."""
        self._drop()

    def _first(self, statement: str, key: str) -> PointRow | None:
        try:
            # An open file that was removed or replaced still answers, with the past: look at the name first.
            found = os.stat(self._name)  # noqa: PTH116 (the hot path; Path.stat costs twice as much)
            # The size too: a mapping of a file that was cut short in place must be let go before it is touched.
            identity = (found.st_dev, found.st_ino, found.st_size)
            if identity != self._identity or self._cursor is None:
                self._drop()
                self._connection = sqlite3.connect(
                    self._location, uri=True, timeout=0, isolation_level=None, check_same_thread=False
                )
                self._connection.execute("PRAGMA query_only=ON")
                self._connection.execute(f"PRAGMA mmap_size={MAPPED_BYTES}")
                self._cursor = self._connection.cursor()
                self._identity = identity
            self._cursor.execute(statement, (key,))
            values = self._cursor.fetchone()
            # To its end, so that no read transaction stays open and holds the past.
            self._cursor.fetchone()
        except (sqlite3.Error, OSError) as exc:
            self._drop()
            raise RegisterUnavailableError(f"the public record cannot be read: {type(exc).__name__}") from exc
        return None if values is None else _row(values)

    def _drop(self) -> None:
        connection, self._connection, self._cursor = self._connection, None, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.close()


_Waiting = tuple[str, "asyncio.Future[PointRow | None]"]


@dataclass
class _Queue:
    """Those who wait for an answer to one statement."""

    statement: str
    waiting: list[_Waiting] = field(default_factory=list)


@dataclass
class _Lane:
    """A place for one connection, opened when it is needed."""

    connection: psycopg.AsyncConnection[Any] | None = None

    def drop(self) -> None:
        """End the connection at once, whatever it is doing."""
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.pgconn.finish()


class PostgresPointReads:
    """Asks for all waiting keys at once. Belongs to one event loop at a time; a new loop starts afresh."""

    def __init__(self, url: URL) -> None:
        self._conninfo: dict[str, Any] = {
            **url.query,
            **url.translate_connect_args(username="user", database="dbname"),
            "connect_timeout": 2,
        }
        given = self._conninfo.get("options", "")
        self._conninfo["options"] = f"{given} {_SERVER_OPTIONS}".strip()
        self._begin(None)

    async def by_token(self, token: str) -> PointRow | None:
        """See `PointReads`."""
        return await self._ask(0, token)

    async def by_file(self, sha256: str) -> PointRow | None:
        """See `PointReads`."""
        return await self._ask(1, sha256)

    async def close(self) -> None:
        """See `PointReads`."""
        idle = self._idle
        self._begin(None)
        for lane in idle:
            lane.drop()

    def _begin(self, loop: asyncio.AbstractEventLoop | None) -> None:
        self._loop = loop
        self._queues = (_Queue(_PG_BY_TOKEN), _Queue(_PG_BY_FILE))
        self._idle = [_Lane() for _ in range(LANES)]
        self._tasks: set[asyncio.Task[None]] = set()

    def _ask(self, which: int, key: str) -> "asyncio.Future[PointRow | None]":
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._begin(loop)
        future: asyncio.Future[PointRow | None] = loop.create_future()
        self._queues[which].waiting.append((key, future))
        if self._idle:
            task = loop.create_task(self._work(self._idle.pop()))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return future

    async def _work(self, lane: "_Lane") -> None:
        """Answer batches until nobody waits, then be idle again."""
        loop = self._loop
        while True:
            queue = max(self._queues, key=lambda one: len(one.waiting))
            batch, queue.waiting = queue.waiting[:BATCH], queue.waiting[BATCH:]
            if not batch:
                break
            found: dict[str, PointRow] | None = None
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    found = await self._answers(lane, queue.statement, batch)
            except (psycopg.Error, OSError, TimeoutError):
                # In an unknown state: neither used again nor waited for.
                lane.drop()
            finally:
                _settle(batch, found)
        if loop is self._loop:
            self._idle.append(lane)

    async def _answers(self, lane: "_Lane", statement: str, batch: list[_Waiting]) -> dict[str, PointRow]:
        if lane.connection is not None:
            try:
                return await self._fetch(lane.connection, statement, batch)
            except psycopg.OperationalError:
                # A server that was restarted leaves a dead connection: once more with a new one.
                lane.drop()
        lane.connection = await psycopg.AsyncConnection.connect(**self._conninfo, autocommit=True)
        return await self._fetch(lane.connection, statement, batch)

    @staticmethod
    async def _fetch(
        connection: psycopg.AsyncConnection[Any], statement: str, batch: list[_Waiting]
    ) -> dict[str, PointRow]:
        keys = list({key for key, _ in batch})
        cursor = await connection.execute(statement.encode(), (keys,), prepare=True)
        return {values[16]: _row(values) for values in await cursor.fetchall()}


def _settle(batch: list[_Waiting], found: dict[str, PointRow] | None) -> None:
    """Tell those who wait; `found` is None when the register could not be read."""
    for key, future in batch:
        if future.done():
            continue
        if found is None:
            future.set_exception(RegisterUnavailableError("the public record cannot be read"))
        else:
            future.set_result(found.get(key))
