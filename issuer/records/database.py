"""Engines and the unit of work, the same on SQLite and PostgreSQL."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction

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
        self.require_writable: Callable[[], None] | None = None
        """Asked before each outermost unit of work; raises where nothing may be written (`issuer.audit_place`)."""
        self.at_start: Callable[[Connection], None] | None = None
        """Run first in each unit of work that writes, on its connection (`issuer.personal_data.ring`)."""

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One unit of work: everything in it is committed together, or nothing is.

        Functions registered with `after_commit` run once the commit has succeeded. Inside `together`,
        units of work join the outer one (as savepoints) instead of committing by themselves.
        """
        outer = self._outer_unit()
        if outer is not None:
            with outer.begin_nested():
                yield outer
            return
        if self.require_writable is not None:
            self.require_writable()
        session = _Writing(self.engine, expire_on_commit=False)
        session.info["at_start"] = self.at_start
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
        """A reading session; nothing it does is kept. What was loaded stays readable afterwards, detached.

        Inside `together` it reads what the outer unit of work has written so far, though nobody else can yet: an
        answer made there, and kept, tells of its own effect. Writing through it is then a RuntimeError.
        """
        outer = self._outer_unit()
        if outer is None:
            with self.committed() as session:
                yield session
            return
        outer.flush()
        session = _Reading(
            outer.connection(), expire_on_commit=False, autoflush=False, join_transaction_mode="rollback_only"
        )
        try:
            yield session
        finally:
            session.close()  # leaves the outer unit's transaction as it is

    @contextmanager
    def committed(self) -> Iterator[Session]:
        """A reading session on a connection of its own: sees only what is committed, wherever it is opened."""
        engine = self.engine.execution_options(ecert_read_only=True)
        session = Session(engine, expire_on_commit=False, autoflush=False)
        try:
            yield session
        finally:
            session.close()  # lets go of rows before it rolls back, so that they are not expired

    def _outer_unit(self) -> Session | None:
        outer = _outer.get()
        return outer if outer is not None and outer.info.get("engine") is self.engine else None


class _Writing(Session):
    """A session of a unit of work that writes."""


class _Reading(Session):
    """A session that reads inside somebody else's unit of work, where what it wrote would be kept."""


@event.listens_for(_Reading, "before_flush")
def _no_flush(session: Session, _context: object, _instances: object) -> None:
    if session.new or session.dirty or session.deleted:
        raise RuntimeError("a reading session inside a unit of work writes nothing")


@event.listens_for(_Reading, "do_orm_execute")
def _no_statement(state: ORMExecuteState) -> None:
    if state.is_insert or state.is_update or state.is_delete:
        raise RuntimeError("a reading session inside a unit of work writes nothing")


@event.listens_for(_Writing, "after_begin")
def _at_start(session: Session, transaction: SessionTransaction, connection: Connection) -> None:
    at_start = session.info.get("at_start")
    if at_start is not None and not transaction.nested:
        at_start(connection)


def after_commit(session: Session, action: Callable[[], None]) -> None:
    """Run `action` after this unit of work has been committed (never if it is rolled back); the same one once."""
    actions = session.info.setdefault("after_commit", [])
    if action not in actions:
        actions.append(action)
