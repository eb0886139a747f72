"""A database that can only be read, and that says so when it cannot be read.

An SQLite register is written in WAL mode, and SQLite needs to keep an index beside such a file even to read it:
the reader's account must be able to write the folder, though never the register. A verifier on another account or
machine reads PostgreSQL.
"""

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Engine, Row, Select, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from verifier.record.tables import SCHEMA

_READ_ONLY_PG = "-c default_transaction_read_only=on -c statement_timeout=5000"


class RegisterUnavailableError(Exception):
    """The public record cannot be read now; nothing can be said about any certificate's status."""


class ReadOnlyDatabase:
    """Runs SELECTs with a pool of read-only connections. Safe for threads."""

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        self._path = Path(parsed.database or "") if parsed.get_backend_name() == "sqlite" else None
        self._engine = _sqlite_engine(self._path) if self._path is not None else _server_engine(parsed)
        self._identity: tuple[int, int] | None = None
        self._switching = threading.Lock()

    def first(self, statement: Select[Any], parameters: dict[str, Any]) -> Row[Any] | None:
        """The first row, or None; raises RegisterUnavailableError."""
        rows = self.all(statement, parameters)
        return rows[0] if rows else None

    def all(self, statement: Select[Any], parameters: dict[str, Any]) -> Sequence[Row[Any]]:
        """All rows; raises RegisterUnavailableError."""
        self._follow_file()
        try:
            try:
                return self._fetch(statement, parameters)
            except DBAPIError as exc:
                # A server that was restarted leaves dead connections in the pool: the second try gets a new one.
                if not exc.connection_invalidated:
                    raise
                return self._fetch(statement, parameters)
        except (SQLAlchemyError, OSError, ValueError) as exc:
            raise RegisterUnavailableError(f"the public record cannot be read: {type(exc).__name__}") from exc

    def close(self) -> None:
        """Let go of connections."""
        self._engine.dispose()

    def _fetch(self, statement: Select[Any], parameters: dict[str, Any]) -> Sequence[Row[Any]]:
        with self._engine.connect() as connection:
            return connection.execute(statement, parameters).all()

    def _follow_file(self) -> None:
        """An open SQLite file that was removed or replaced still answers, with the past: look at the name first."""
        if self._path is None:
            return
        try:
            found = os.stat(self._path)  # noqa: PTH116 (the hot path; Path.stat costs twice as much)
        except OSError as exc:
            self._engine.dispose()
            raise RegisterUnavailableError("the public record's file is missing") from exc
        identity = (found.st_dev, found.st_ino)
        if identity == self._identity:
            return
        with self._switching:
            if self._identity is not None:
                self._engine.dispose()
            self._identity = identity


def _sqlite_engine(path: Path) -> Engine:
    location = f"file:{quote(str(path.absolute()))}?mode=ro"
    engine = create_engine(
        URL.create("sqlite", database=location, query={"uri": "true"}),
        connect_args={"timeout": 5, "check_same_thread": False},
        isolation_level="AUTOCOMMIT",
        execution_options={"schema_translate_map": {SCHEMA: None}},
    )

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA query_only=ON").close()

    return engine


def _server_engine(url: URL) -> Engine:
    options = " ".join((*(part for part in (url.query.get("options"),) if isinstance(part, str)), _READ_ONLY_PG))
    return create_engine(
        url.difference_update_query(["options"]),
        connect_args={"options": options, "connect_timeout": 5},
        isolation_level="AUTOCOMMIT",
        pool_timeout=5,
    )
