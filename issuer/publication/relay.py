"""Carries the outbox to the public record: in order, each event once, whatever is killed in between.

Two databases take part, so there are two transactions. The first, on the register, writes everything: rows,
signed lists, log leaves, checkpoint, position. The second marks the outbox. A crash between them is harmless,
because each event leaves exactly one log leaf that bears its number: what has a leaf is not applied again.
Relays exclude each other by the register's write lock (SQLite) or an advisory lock (PostgreSQL).
"""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, Select, func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from issuer.clock import Clock
from issuer.publication.fork_guard import ForkGuard, LogWouldForkError, log_size
from issuer.publication.list_writing import refresh, write_lists
from issuer.publication.log_writing import append_events
from issuer.publication.record_writing import ContradictionError, FeedBrokenError, known, write_events
from issuer.publication.witnesses import Cosigning
from issuer.records.database import Database
from issuer.records.ledger import OutboxEvent
from issuer.sealing.credential import HasSigners
from verifier.record.register import FEED
from verifier.record.tables import feed_position, log_leaves
from verifier.record.witnessing import Witness

BATCH: Final = 2000
"""Events in one register transaction."""
_LOCK: Final = 7_234_002
_CONTRADICTIONS: Final = (ContradictionError, IntegrityError)


class Relay:
    """One program's hand on the public record. Safe for threads; several programs may each have one."""

    def __init__(
        self,
        database: Database,
        register_engine: Engine,
        room_provider: Callable[[], HasSigners],
        clock: Clock,
        *,
        base_url: str,
        memory: Path | None = None,
        witnesses: tuple[Witness, ...] = (),
    ) -> None:
        self._database = database
        self._register = register_engine
        self._room = room_provider
        self._clock = clock
        self._base_url = base_url
        self._guard = ForkGuard(database, memory)
        self._cosigning = Cosigning(register_engine, room_provider, base_url, witnesses)
        self._one_at_a_time = threading.Lock()

    def flush(self) -> int:
        """Apply everything committed so far; returns how many events this call applied.

        When it returns, every event committed before the call is public. Raises FeedBrokenError when some
        contradict the record: those stay in the outbox, and no other event waits behind them; LogWouldForkError
        when the databases are older than what was published, and then nothing is written. Whatever opening
        keys or databases raises is passed on; then nothing of that batch was kept.
        """
        applied, after = 0, 0
        broken: list[int] = []
        with self._one_at_a_time:
            while numbers := self._pending(after):
                after = numbers[-1]
                try:
                    applied += self._flush_batch(numbers)
                except _CONTRADICTIONS:
                    broken += self._flush_singly(numbers)
        if broken:
            raise FeedBrokenError(broken)
        return applied

    def backlog(self) -> int:
        """How many events are not yet marked as public."""
        with self._database.read() as session:
            count = select(func.count()).select_from(OutboxEvent).where(OutboxEvent.applied_at.is_(None))
            return session.scalar(count) or 0

    def refresh_lists(self) -> int:
        """Sign anew the status lists that run out within half their life, or bear an old key or address; how many.

        To be called at start and every few minutes (the serve loop).
        """
        with self._one_at_a_time:
            room = self._room()
            self._cosigning.ask_at_start()
            with self._register.begin() as connection:
                _lock(connection)
                # An older list signed anew would call valid what is not.
                self._guard.require_growth(connection)
                return refresh(connection, room, self._base_url, self._clock.now())

    def require_growth(self) -> int:
        """How many entries the log has; raises LogWouldForkError when it did not grow from what was published."""
        with self._register.execution_options(ecert_read_only=True).connect() as connection:
            self._guard.require_growth(connection)
            return log_size(connection)

    def cosign(self) -> int:
        """Have the newest checkpoint cosigned by the witnesses; how many of them did. For the serve loop.

        Raises LogWouldForkError when one remembers another history; then nothing more is published either.
        """
        try:
            return self._cosigning.cosign()
        except LogWouldForkError:
            self._cosigning.asked_at_start = False
            raise

    def rebuild(self) -> int:
        """Apply events the outbox holds as public but the register lacks (restored from an older copy); how many.

        In the order in which they were first applied, so that the log grows as it did. Raises LogWouldForkError
        when it does not become the published log again.
        """
        applied, after = 0, 0
        with self._one_at_a_time:
            while numbers := self._applied_after(after):
                after += len(numbers)
                room = self._room()
                with self._register.begin() as connection:
                    _lock(connection)
                    standing = _standing(connection, numbers)
                    events = self._read([number for number in numbers if number not in standing])
                    self._apply(connection, room, events)
                    self._guard.require_growth(connection, rebuilding=True)
                applied += len(events)
            with self._register.begin() as connection:
                self._guard.require_growth(connection)
            self._remember()
        return applied

    def _pending(self, after: int) -> list[int]:
        with self._database.committed() as session:
            statement = select(OutboxEvent.sequence).where(
                OutboxEvent.applied_at.is_(None), OutboxEvent.sequence > after
            )
            return list(session.scalars(statement.order_by(OutboxEvent.sequence).limit(BATCH)))

    def _flush_batch(self, numbers: Sequence[int]) -> int:
        room = self._room()
        self._cosigning.ask_at_start()
        with self._register.begin() as connection:
            _lock(connection)
            self._guard.require_growth(connection)
            # Only now, alone: another relay may have applied some of them in the meantime.
            standing = _standing(connection, numbers)
            events = self._read([number for number in numbers if number not in standing])
            self._apply(connection, room, events)
        self._remember()
        self._mark(numbers)
        return len(events)

    def _flush_singly(self, numbers: Sequence[int]) -> list[int]:
        """The batch one by one, without what contradicts the record; returns the numbers of that."""
        broken = []
        for number in numbers:
            try:
                self._flush_batch([number])
            except _CONTRADICTIONS:
                broken.append(number)
        return broken

    def _apply(self, connection: Connection, room: HasSigners, events: Sequence[OutboxEvent]) -> None:
        if not events:
            return
        now = self._clock.now()
        touched = write_events(connection, events)
        write_lists(connection, room, self._base_url, touched, now)
        append_events(connection, room, self._base_url, events, now)
        position = max(event.sequence for event in events)
        row = connection.execute(select(feed_position.c.position).where(feed_position.c.name == FEED)).scalar()
        if row is None:
            connection.execute(feed_position.insert().values(name=FEED, position=position, applied_at=now))
        else:
            values = {"position": max(position, row), "applied_at": now}
            connection.execute(feed_position.update().where(feed_position.c.name == FEED).values(values))

    def _remember(self) -> None:
        with self._register.execution_options(ecert_read_only=True).connect() as connection:
            self._guard.remember(connection)

    def _mark(self, numbers: Sequence[int]) -> None:
        now = self._clock.now()
        with self._database.write() as session:
            session.execute(
                update(OutboxEvent),
                [{"sequence": number, "applied_at": now} for number in numbers],
            )

    def _applied_after(self, offset: int) -> list[int]:
        with self._database.committed() as session:
            statement = select(OutboxEvent.sequence).where(OutboxEvent.applied_at.is_not(None))
            ordered = statement.order_by(OutboxEvent.applied_at, OutboxEvent.sequence).offset(offset).limit(BATCH)
            return list(session.scalars(ordered))

    def _read(self, numbers: Sequence[int]) -> list[OutboxEvent]:
        with self._database.committed() as session:
            found = {
                event.sequence: event
                for start in range(0, len(numbers), 500)
                for event in _events(
                    session, select(OutboxEvent).where(OutboxEvent.sequence.in_(numbers[start : start + 500]))
                )
            }
        return [found[number] for number in numbers]


def _events(session: Session, statement: Select[OutboxEvent]) -> list[OutboxEvent]:
    events = list(session.scalars(statement))
    session.expunge_all()
    return events


def _standing(connection: Connection, numbers: Sequence[int]) -> set[int]:
    return known(connection, log_leaves.c.event_sequence, numbers)


def _lock(connection: Connection) -> None:
    # On SQLite the transaction began with BEGIN IMMEDIATE and is alone already.
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
