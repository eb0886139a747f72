"""SQLite asked without letting go of the interpreter's lock: for a look at an index that is shorter than a switch.

The module `sqlite3` lets other threads in around every step. Beside a server whose own threads wait for the
interpreter all the time, each look-up of five microseconds then costs several changes of thread, ten times as much.
So the same library is called here through `ctypes.PyDLL`, which keeps the lock. It must be the very library that
`sqlite3` is linked to: a second copy in one process would let go of the first one's file locks
(sqlite.org/howtocorrupt.html, 2.2.1). Where its functions cannot be found, `held_library` says so with None.
"""

import ctypes
import os
from functools import cache
from pathlib import Path
from typing import Any, Final

_OK, _ROW, _DONE = 0, 100, 101
_READ_ONLY: Final = 0x1
_NO_MUTEX: Final = 0x8000
_PERSISTENT: Final = 0x1

_SIGNATURES: Final[dict[str, tuple[Any, list[Any]]]] = {
    "sqlite3_open_v2": (ctypes.c_int, [ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p]),
    "sqlite3_close_v2": (ctypes.c_int, [ctypes.c_void_p]),
    "sqlite3_exec": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_char_p, *[ctypes.c_void_p] * 3]),
    "sqlite3_prepare_v3": (
        ctypes.c_int,
        [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p],
    ),
    "sqlite3_finalize": (ctypes.c_int, [ctypes.c_void_p]),
    "sqlite3_bind_text": (
        ctypes.c_int,
        [ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p],
    ),
    "sqlite3_step": (ctypes.c_int, [ctypes.c_void_p]),
    "sqlite3_reset": (ctypes.c_int, [ctypes.c_void_p]),
    "sqlite3_column_text": (ctypes.c_char_p, [ctypes.c_void_p, ctypes.c_int]),
}


class HeldSqliteError(Exception):
    """SQLite answered with an error code (sqlite.org/rescode.html)."""

    def __init__(self, doing: str, code: int) -> None:
        super().__init__(f"{doing}: SQLite code {code}")


@cache
def held_library() -> ctypes.PyDLL | None:
    """The interpreter's own SQLite, with its functions declared; None where they cannot be reached."""
    try:
        import _sqlite3

        library = ctypes.PyDLL(_sqlite3.__file__)
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except (ImportError, AttributeError, OSError):
        # Built into the interpreter, or its names are not visible.
        return None
    return library


class HeldConnection:
    """A read-only connection to the file at `path`. For one thread; never waits for a lock."""

    def __init__(self, library: ctypes.PyDLL, path: Path, *pragmas: str) -> None:
        """Open; raises HeldSqliteError."""
        self._library = library
        self._handle = ctypes.c_void_p()
        self._statements: list[HeldStatement] = []
        code = library.sqlite3_open_v2(
            os.fsencode(path.absolute()), ctypes.byref(self._handle), _READ_ONLY | _NO_MUTEX, None
        )
        try:
            _good("open", code)
            for pragma in pragmas:
                _good("pragma", library.sqlite3_exec(self._handle, f"PRAGMA {pragma}".encode(), None, None, None))
        except HeldSqliteError:
            self.close()
            raise

    def prepare(self, text: str) -> "HeldStatement":
        """A statement with one text parameter and one text column; raises HeldSqliteError."""
        statement = HeldStatement(self._library, self._handle, text)
        self._statements.append(statement)
        return statement

    def close(self) -> None:
        """Let go of statements and file."""
        for statement in self._statements:
            statement.close()
        self._statements = []
        handle, self._handle = self._handle, ctypes.c_void_p()
        self._library.sqlite3_close_v2(handle)


class HeldStatement:
    """A prepared SELECT of one column, text without zero bytes: each call of the library costs half a look-up."""

    __slots__ = ("_bind", "_column", "_finalize", "_handle", "_reset", "_step")

    def __init__(self, library: ctypes.PyDLL, connection: ctypes.c_void_p, text: str) -> None:
        """Prepare; raises HeldSqliteError."""
        self._handle = ctypes.c_void_p()
        made = library.sqlite3_prepare_v3(
            connection, text.encode(), -1, _PERSISTENT, ctypes.byref(self._handle), None
        )
        _good("prepare", made)
        self._bind, self._step, self._reset = library.sqlite3_bind_text, library.sqlite3_step, library.sqlite3_reset
        self._column, self._finalize = library.sqlite3_column_text, library.sqlite3_finalize

    def first(self, key: bytes) -> bytes | None:
        """The first row for `key`, read anew; None when there is none. Raises HeldSqliteError, also for NULL.

        The read transaction ends with the call, so nothing holds the past.
        """
        handle = self._handle
        # `key` is bound without a copy: it is alive until the statement was stepped.
        self._bind(handle, 1, key, len(key), None)
        code = self._step(handle)
        value: bytes | None = self._column(handle, 0) if code == _ROW else None
        self._reset(handle)
        if code != _DONE and value is None:
            raise HeldSqliteError("step", code)
        return value

    def begin(self, key: bytes) -> None:
        """Go to the first row and stay there: the read transaction lasts until `reset`. Raises HeldSqliteError."""
        self._bind(self._handle, 1, key, len(key), None)
        code = self._step(self._handle)
        if code not in (_ROW, _DONE):
            self._reset(self._handle)
            raise HeldSqliteError("begin", code)

    def reset(self) -> None:
        """Leave the row; ends the read transaction that `begin` began."""
        self._reset(self._handle)

    def close(self) -> None:
        """Let go of the statement."""
        handle, self._handle = self._handle, ctypes.c_void_p()
        self._finalize(handle)


def _good(doing: str, code: int) -> None:
    if code != _OK:
        raise HeldSqliteError(doing, code)
