"""Engines and the unit of work, the same on SQLite and PostgreSQL."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from issuer.records.base import SCHEMA
from verifier.record.tables import SCHEMA as PUBLIC_SCHEMA


def make_engine(url: str) -> Engine:
    """An engine for either database.

    SQLite: WAL, foreign keys, a 30 s busy time-out, and BEGIN IMMEDIATE for writers, so that two acts on
    one holding wait for each other instead of failing half-way. Both schema names map to the file itself.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, pool_pre_ping=True)
    engine = create_engine(parsed, connect_args={"timeout": 30, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Any) -> None:
        read_only = connection.get_execution_options().get("ecert_read_only", False)
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine.execution_options(schema_translate_map={SCHEMA: None, PUBLIC_SCHEMA: None})


_outer: ContextVar[Session | None] = ContextVar("outer unit of work", default=None)


class Database:
    """Sessions of the issuer's database."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One unit of work: everything in it is committed together, or nothing is.

        Functions registered with `after_commit` run once the commit has succeeded. Inside `together`,
        units of work join the outer one (as savepoints) instead of committing by themselves.
        """
        outer = _outer.get()
        if outer is not None and outer.info.get("engine") is self.engine:
            with outer.begin_nested():
                yield outer
            return
        session = Session(self.engine, expire_on_commit=False)
        try:
            yield session
            session.commit()
        except BaseException:
            session.rollback()
            raise
        finally:
            session.close()
        for action in session.info.get("after_commit", ()):
            action()

    @contextmanager
    def together(self) -> Iterator[Session]:
        """A unit of work that the units of the services called inside it become part of.

        A unit inside that fails is undone by itself; what the others did is kept if the caller goes on.
        """
        with self.write() as session:
            session.info["engine"] = self.engine
            mark = _outer.set(session)
            try:
                yield session
            finally:
                _outer.reset(mark)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A reading session; nothing it does is kept. What was loaded stays readable afterwards, detached."""
        engine = self.engine.execution_options(ecert_read_only=True)
        session = Session(engine, expire_on_commit=False, autoflush=False)
        try:
            yield session
        finally:
            session.close()  # lets go of rows before it rolls back, so that they are not expired


def after_commit(session: Session, action: Callable[[], None]) -> None:
    """Run `action` after this unit of work has been committed (never if it is rolled back)."""
    session.info.setdefault("after_commit", []).append(action)
