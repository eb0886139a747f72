"""Point reads of an SQLite register, within the call.

Beginning and ending a read transaction costs as much as the look-up itself (locks, and a look at the file). So all
who ask in one turn of the event loop share one: its end is put in the loop's queue *before* it begins. Whoever runs
before that end was in the queue before the transaction began, so what they read is not older than their question.
"""

import asyncio
import contextlib
import os
import sqlite3
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import quote

from verifier.record.held_sqlite import HeldConnection, HeldSqliteError, HeldStatement, held_library
from verifier.record.point_reads import SHAPE_COLUMNS, PointRow
from verifier.record.readonly import RegisterUnavailableError

MAPPED_BYTES: Final = 2_147_418_112
"""How much of an SQLite register is read through a memory mapping, the most SQLite allows (about 2,200,000 rows).

It is the system's own cache, shared by all processes; through it 2,000,000 rows cost little more than 20,000. Rows
beyond it are read by calls, which is slower and nothing else.
"""
_PRAGMAS: Final = ("query_only=ON", f"mmap_size={MAPPED_BYTES}")
_SHAPE: Final = f"json_array({', '.join(f'c.{name}' for name in SHAPE_COLUMNS)})"
_BY_TOKEN: Final = f"SELECT {_SHAPE} FROM certificates c WHERE c.token = ?"  # noqa: S608 (constants)  # nosec B608
_BREAK: Final = "|| char(10) ||"
"""Between what is read together: none of it has a line break (in JSON text they are escaped)."""
_FOR_PAGE: Final = (
    f"SELECT {_SHAPE} {_BREAK} c.credential_sha256 {_BREAK} c.list_id {_BREAK} c.list_index"  # noqa: S608  # nosec B608
    " FROM certificates c WHERE c.token = ?"
)
_BEGIN: Final = "SELECT 1 FROM certificates WHERE token >= ?"
"""Holds a read transaction from its first row until it is reset."""
_TOKEN_LENGTH: Final = 26
_BY_FIRST_FILE: Final = (
    f"SELECT c.token || {_SHAPE} FROM certificates c INDEXED BY ix_certificates_file_head"  # noqa: S608  # nosec B608
    # The plus keeps SQLite from putting the value into the other term, which then names no column any more.
    " WHERE substr(c.file_sha256, 1, 16) = substr(?1, 1, 16) AND +c.file_sha256 = ?1"
)
"""The file a certificate was published with: two trees, as by token. Later files and copies are in `files`."""
_BY_FILE: Final = (
    f"SELECT {_SHAPE} {_BREAK} c.token {_BREAK} ifnull(f.valid_until, '')"  # noqa: S608 (constants)  # nosec B608
    " FROM files f JOIN certificates c ON c.token = f.token WHERE f.sha256 = ?"
)


class _Statement(Protocol):
    def first(self, key: bytes) -> bytes | None: ...


class _Reader(Protocol):
    """An open register with its statements."""

    @property
    def by_token(self) -> _Statement: ...
    @property
    def for_page(self) -> _Statement: ...
    @property
    def by_first_file(self) -> _Statement: ...
    @property
    def by_file(self) -> _Statement: ...

    def begin(self) -> None: ...

    def end(self) -> None: ...

    def close(self) -> None: ...


class SqlitePointReads:
    """Reads on the thread of the event loop: a look at an index takes less than changing threads.

    It never waits for a lock. Whoever gets RegisterUnavailableError from here should ask again by way of
    `SqlRegister`, which does.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._name = str(path)
        self._reader: _Reader | None = None
        self._identity: tuple[int, int, int] | None = None
        self._shared = False

    def by_token(self, token: str) -> PointRow | None:
        """See `PointReads`."""
        try:
            found = self._open().by_token.first(token.encode())
        except (sqlite3.Error, HeldSqliteError, OSError) as exc:
            raise self._failed(exc) from exc
        return None if found is None else PointRow(token, found.decode())

    def for_page(self, token: str) -> PointRow | None:
        """See `PointReads`."""
        try:
            found = self._open().for_page.first(token.encode())
        except (sqlite3.Error, HeldSqliteError, OSError) as exc:
            raise self._failed(exc) from exc
        return None if found is None else PointRow(token, *_parts(found, 4))

    def by_file(self, sha256: str) -> PointRow | None:
        """See `PointReads`."""
        key = sha256.encode()
        try:
            reader = self._open()
            found = reader.by_first_file.first(key)
            if found is not None:
                text = found.decode()
                return PointRow(text[:_TOKEN_LENGTH], text[_TOKEN_LENGTH:])
            found = reader.by_file.first(key)
        except (sqlite3.Error, HeldSqliteError, OSError) as exc:
            raise self._failed(exc) from exc
        if found is None:
            return None
        shape, token, valid_until = _parts(found, 3)
        return PointRow(token, shape, valid_until=valid_until or None)

    async def close(self) -> None:
        """See `PointReads`."""
        self._drop()

    def _open(self) -> _Reader:
        if self._shared and self._reader is not None:
            return self._reader
        asyncio.get_running_loop().call_soon(self._end_turn)
        self._shared = True
        # An open file that was removed or replaced still answers, with the past: look at the name first.
        found = os.stat(self._name)  # noqa: PTH116 (the hot path; Path.stat costs twice as much)
        # The size too: a mapping of a file that was cut short in place must be let go before it is touched.
        identity = (found.st_dev, found.st_ino, found.st_size)
        if identity != self._identity or self._reader is None:
            self._drop()
            library = held_library()
            self._reader = _ModuleReader(self._path) if library is None else _HeldReader(self._path)
            self._identity = identity
        self._reader.begin()
        return self._reader

    def _end_turn(self) -> None:
        self._shared = False
        if self._reader is not None:
            self._reader.end()

    def _failed(self, exc: Exception) -> RegisterUnavailableError:
        self._drop()
        return RegisterUnavailableError(f"the public record cannot be read: {type(exc).__name__}")

    def _drop(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()


class _HeldReader:
    """By way of `held_sqlite`."""

    def __init__(self, path: Path) -> None:
        library = held_library()
        assert library is not None
        self._connection = HeldConnection(library, path, *_PRAGMAS)
        try:
            self.by_token: HeldStatement = self._connection.prepare(_BY_TOKEN)
            self.for_page: HeldStatement = self._connection.prepare(_FOR_PAGE)
            self.by_first_file: HeldStatement = self._connection.prepare(_BY_FIRST_FILE)
            self.by_file: HeldStatement = self._connection.prepare(_BY_FILE)
            self._turn = self._connection.prepare(_BEGIN)
        except HeldSqliteError:
            self._connection.close()
            raise

    def begin(self) -> None:
        self._turn.begin(b"")

    def end(self) -> None:
        self._turn.reset()

    def close(self) -> None:
        self._connection.close()


class _ModuleReader:
    """By way of the module `sqlite3`, where its library's names cannot be reached."""

    def __init__(self, path: Path) -> None:
        location = f"file:{quote(str(path.absolute()))}?mode=ro"
        self._connection = sqlite3.connect(
            location, uri=True, timeout=0, isolation_level=None, check_same_thread=False
        )
        for pragma in _PRAGMAS:
            self._connection.execute(f"PRAGMA {pragma}")
        self.by_token, self.for_page, self.by_first_file, self.by_file = (
            _ModuleStatement(self._connection.cursor(), text)
            for text in (_BY_TOKEN, _FOR_PAGE, _BY_FIRST_FILE, _BY_FILE)
        )

    def begin(self) -> None:
        self._connection.execute("BEGIN")

    def end(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self._connection.execute("ROLLBACK")

    def close(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()


class _ModuleStatement:
    def __init__(self, cursor: sqlite3.Cursor, text: str) -> None:
        self._cursor = cursor
        self._text = text

    def first(self, key: bytes) -> bytes | None:
        self._cursor.execute(self._text, (key.decode(),))
        row = self._cursor.fetchone()
        # To its end, so that no read transaction stays open and holds the past.
        self._cursor.fetchone()
        if row is None:
            return None
        if row[0] is None:
            raise sqlite3.DataError("a value that must be there is missing")
        return str(row[0]).encode()


def _parts(found: bytes, count: int) -> list[str]:
    parts = found.decode().split("\n")
    if len(parts) != count:
        raise RegisterUnavailableError("the public record holds a line break where none can be")
    return parts
