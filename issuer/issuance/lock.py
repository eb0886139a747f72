"""One issue at a time for one thing (a sitting, a certificate): held by the operating system or the database
server, so that it is free again the moment its holder dies."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text

from issuer.errors import ConflictError, Words
from issuer.records.database import Database
from issuer.settings import Settings


@contextmanager
def exclusive(settings: Settings, database: Database, name: str) -> Iterator[None]:
    """Hold the lock `name` while the block runs; raises ConflictError when another process or thread has it."""
    if database.engine.dialect.name == "postgresql":
        with _on_server(database, name):
            yield
    else:
        with _on_file(settings, name):
            yield


@contextmanager
def _on_server(database: Database, name: str) -> Iterator[None]:
    key = int.from_bytes(hashlib.sha256(f"ecert-issue/{name}".encode()).digest()[:8], "big", signed=True)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": key}).scalar():
            raise _busy()
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": key})


@contextmanager
def _on_file(settings: Settings, name: str) -> Iterator[None]:
    import fcntl

    folder = settings.data_dir / "locks"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.lock"
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            raise _busy() from exc
        yield


def _busy() -> ConflictError:
    return ConflictError(
        "issue-running",
        Words("另一个签发任务正在进行，未作任何改动。", "Another issue of the same is running; nothing was changed."),
        remedy=Words("等它完成后重试；已完成的不会重复。", "Try again when it has finished; nothing is made twice."),
    )
