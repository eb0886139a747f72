"""Point reads of a PostgreSQL register: one statement for all who wait.

libpq is driven from the event loop directly (libpq, chapter "Asynchronous Command Processing"): a general driver's
own waiting costs several times what the look-up does.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg
from psycopg import pq
from sqlalchemy.engine import URL

from verifier.record.point_reads import SHAPE_COLUMNS, PointRow
from verifier.record.readonly import RegisterUnavailableError

BATCH: Final = 256
"""Keys in one statement."""
LANES: Final = 2
"""Connections of one process, so that one batch is gathered while another is under way."""
PATIENCE_SECONDS: Final = 3.0
"""How long PostgreSQL may take for a batch, connecting included."""

_SERVER_OPTIONS: Final = "-c default_transaction_read_only=on -c statement_timeout=2500 -c timezone=UTC"
_SHAPE: Final = ", ".join(f"c.{name}{'::text' if name.endswith(('_on', '_at')) else ''}" for name in SHAPE_COLUMNS)
_CERTIFICATES: Final = "public_record.certificates c"
_CONTENT: Final = f"json_build_array({_SHAPE})::text"
_STATEMENTS: Final = {
    "by_token": f"SELECT c.token, {_CONTENT} FROM {_CERTIFICATES}",  # noqa: S608 (constants)  # nosec B608
    "for_page": f"SELECT c.token, {_CONTENT}, c.credential_sha256, c.list_id, c.list_index"  # noqa: S608  # nosec B608
    f" FROM {_CERTIFICATES}",
    "by_file": f"SELECT f.sha256, {_CONTENT}, c.token, f.valid_until::text"  # noqa: S608  # nosec B608
    f" FROM public_record.files f JOIN {_CERTIFICATES} ON c.token = f.token",
}
_KEYS: Final = {"by_token": "c.token", "for_page": "c.token", "by_file": "f.sha256"}
_TEXT_ARRAY: Final = 1009
"""Object identifier of the type text[] (pg_type)."""


@dataclass
class _Batch:
    """Those who wait for an answer to one statement."""

    statement: str
    waiting: list[tuple[str, "asyncio.Future[PointRow | None]"]]
    tries: int = 0
    rows: dict[str, PointRow] = field(default_factory=dict)

    def settle(self) -> None:
        """Tell everybody."""
        for key, future in self.waiting:
            if not future.done():
                future.set_result(self.rows.get(key))

    def fail(self) -> None:
        """Tell everybody that nothing can be said."""
        for _, future in self.waiting:
            if not future.done():
                future.set_exception(RegisterUnavailableError("the public record cannot be read"))


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

    def by_token(self, token: str) -> "asyncio.Future[PointRow | None]":
        """See `PointReads`."""
        return self._ask("by_token", token)

    def for_page(self, token: str) -> "asyncio.Future[PointRow | None]":
        """See `PointReads`."""
        return self._ask("for_page", token)

    def by_file(self, sha256: str) -> "asyncio.Future[PointRow | None]":
        """See `PointReads`."""
        return self._ask("by_file", sha256)

    async def close(self) -> None:
        """See `PointReads`."""
        lanes = self._lanes
        self._begin(None)
        for lane in lanes:
            lane.drop()

    def _begin(self, loop: asyncio.AbstractEventLoop | None) -> None:
        self._loop = loop
        self._waiting: dict[str, list[tuple[str, asyncio.Future[PointRow | None]]]] = {
            name: [] for name in _STATEMENTS
        }
        self._lanes = [] if loop is None else [_Lane(loop, self._conninfo, self._pump) for _ in range(LANES)]
        self._pumping = False

    def _ask(self, statement: str, key: str) -> "asyncio.Future[PointRow | None]":
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._begin(loop)
        future: asyncio.Future[PointRow | None] = loop.create_future()
        if not (key.isascii() and key.isalnum()):
            # Neither a token nor a digest, so in no row; and it could not stand in an array as it is.
            future.set_result(None)
            return future
        self._waiting[statement].append((key, future))
        if not self._pumping:
            # At the end of this turn of the loop, so that all who ask in it are asked for together.
            self._pumping = True
            loop.call_soon(self._pump)
        return future

    def _pump(self) -> None:
        """Give the idle lanes what waits, the longest queue first."""
        self._pumping = False
        for lane in self._lanes:
            if lane.batch is None:
                statement = max(self._waiting, key=lambda name: len(self._waiting[name]))
                waiting = self._waiting[statement]
                if not waiting:
                    return
                batch, self._waiting[statement] = _Batch(statement, waiting[:BATCH]), waiting[BATCH:]
                lane.take(batch)


class _Lane:
    """One connection, opened when it is needed, and the batch it is busy with."""

    def __init__(self, loop: asyncio.AbstractEventLoop, conninfo: dict[str, Any], idle: Callable[[], None]) -> None:
        self.batch: _Batch | None = None
        self._loop = loop
        self._conninfo = conninfo
        self._idle = idle
        self._connection: psycopg.Connection[Any] | None = None
        self._link: pq.abc.PGconn | None = None
        self._descriptor = -1
        self._patience: asyncio.TimerHandle | None = None
        self._connecting: asyncio.Task[None] | None = None

    def take(self, batch: _Batch) -> None:
        """Begin with a batch; only when idle."""
        self.batch = batch
        # Later it is in an unknown state: neither used again nor waited for.
        self._patience = self._loop.call_later(PATIENCE_SECONDS, self.drop)
        self._send()

    def drop(self) -> None:
        """End the connection at once, whatever it is doing, and tell who waits for it."""
        # Who is connecting goes on: its connection serves the next batch, or is closed if there is none.
        self._disconnect()
        self._ended(failed=True)

    def _send(self) -> None:
        batch, link = self.batch, self._link
        if batch is None:
            return
        if link is None:
            if self._connecting is None:
                self._connecting = self._loop.create_task(self._connect())
            return
        keys = ",".join({key for key, _ in batch.waiting})
        try:
            link.send_query_prepared(batch.statement.encode(), [f"{{{keys}}}".encode()])
            self._flush()
        except psycopg.Error:
            self._again()

    def _flush(self) -> None:
        assert self._link is not None
        if self._link.flush():
            self._loop.add_writer(self._descriptor, self._writable)

    def _writable(self) -> None:
        self._loop.remove_writer(self._descriptor)
        try:
            self._flush()
        except psycopg.Error:
            self._again()

    def _readable(self) -> None:
        link, batch = self._link, self.batch
        if link is None:
            return
        try:
            link.consume_input()
            while not link.is_busy():
                result = link.get_result()
                if result is None:
                    break
                if result.status != pq.ExecStatus.TUPLES_OK or batch is None:
                    raise psycopg.OperationalError("the server refused or ended")
                _collect(batch, result)
            else:
                return
        except psycopg.Error:
            self._again()
            return
        if batch is not None:
            self._ended(failed=False)

    async def _connect(self) -> None:
        """Open a connection on another thread, and send the batch that waits for it."""
        try:
            opened = await asyncio.to_thread(_opened, self._conninfo)
        except (psycopg.Error, OSError):
            self._connecting = None
            self._ended(failed=True)
            return
        self._connecting = None
        if self.batch is None:
            opened.close()
            return
        self._connection, self._link = opened, opened.pgconn
        self._descriptor = opened.pgconn.socket
        self._loop.add_reader(self._descriptor, self._readable)
        self._send()

    def _again(self) -> None:
        """A server that was restarted leaves a dead connection: once more with a new one."""
        self._disconnect()
        batch = self.batch
        if batch is None:
            return
        batch.tries += 1
        batch.rows = {}
        if batch.tries > 1:
            self._ended(failed=True)
        else:
            self._send()

    def _ended(self, *, failed: bool) -> None:
        batch, self.batch = self.batch, None
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        if batch is not None:
            if failed:
                batch.fail()
            else:
                batch.settle()
            self._idle()

    def _disconnect(self) -> None:
        connection, self._connection, self._link = self._connection, None, None
        if connection is not None:
            if not self._loop.is_closed():
                self._loop.remove_reader(self._descriptor)
                self._loop.remove_writer(self._descriptor)
            connection.close()


def _opened(conninfo: dict[str, Any]) -> psycopg.Connection[Any]:
    """A connection with its statements prepared; raises psycopg.Error. Blocks."""
    connection = psycopg.Connection.connect(**conninfo, autocommit=True)
    try:
        for name, text in _STATEMENTS.items():
            made = connection.pgconn.prepare(
                name.encode(), f"{text} WHERE {_KEYS[name]} = ANY($1)".encode(), [_TEXT_ARRAY]
            )
            if made.status != pq.ExecStatus.COMMAND_OK:
                raise psycopg.OperationalError("the public record's tables cannot be read")
        connection.pgconn.nonblocking = 1
    except psycopg.Error:
        connection.close()
        raise
    return connection


def _collect(batch: _Batch, result: "pq.abc.PGresult") -> None:
    value = result.get_value
    for row in range(result.ntuples):
        key, shape = _text(value(row, 0)), _text(value(row, 1))
        if batch.statement == "by_token":
            found = PointRow(key, shape)
        elif batch.statement == "for_page":
            found = PointRow(key, shape, _text(value(row, 2)), _text(value(row, 3)), _text(value(row, 4)))
        else:
            until = value(row, 3)
            found = PointRow(_text(value(row, 2)), shape, valid_until=None if until is None else until.decode())
        batch.rows[key] = found


def _text(value: bytes | None) -> str:
    if value is None:
        raise psycopg.DataError("a value that must be there is missing")
    return value.decode()
