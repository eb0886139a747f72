"""The audit chain finds every tampering, and keeps its order under real threads."""

import random
import threading
from pathlib import Path

import pytest
from sqlalchemy import Row, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from issuer.audit import (
    ChainHead,
    NewEvent,
    PersonalDataInAuditError,
    chain_head,
    record_event,
    record_many,
    verify_chain,
)
from issuer.migrations.runner import migrate
from issuer.records.database import make_engine
from issuer.rules.terms import Role
from tests.factories.small_world import SmallContext, small_context, staff
from tests.issuer.audit.triggers import drop_audit_triggers
from tests.services.postgres import postgres_url  # noqa: F401 (a fixture)

CLERK = staff("clerk", Role.AUTHORITY_ISSUER)
TEXT_COLUMNS = ("actor", "act", "subject", "clause", "outcome", "details", "at")
COLUMNS = "previous_hash, event_hash, at, actor, act, subject, clause, outcome, details"


@pytest.fixture
def context(tmp_path: Path) -> SmallContext:
    engine = make_engine(f"sqlite:///{tmp_path / 'issuer.sqlite3'}")
    migrate(engine, "issuer")
    return small_context(engine, tmp_path)


def fill(context: SmallContext, count: int) -> ChainHead:
    events = [NewEvent("test.act", f"registration:{n}", details={"count": n, "说明": "好"}) for n in range(count)]
    with context.database.write() as session:
        record_many(session, context.clock, CLERK, events)
    with context.database.read() as session:
        return chain_head(session)


def test_an_untouched_chain_is_intact_and_each_event_follows_the_one_before(context: SmallContext) -> None:
    head = fill(context, 50)
    with context.database.write() as session:
        event = record_event(
            session, context.clock, CLERK, "test.single", "sitting:A", outcome="refused", clause="R14"
        )
    assert (event.sequence, event.previous_hash.hex()) == (51, head.event_hash)
    with context.database.read() as session:
        report = verify_chain(session, head)
    assert report.intact and report.events == 51 and report.head == ChainHead(51, event.event_hash.hex())


def test_a_thousand_random_tamperings_are_all_found(context: SmallContext) -> None:
    head = fill(context, 30)
    assert drop_audit_triggers(context.database.engine) == 3
    rng = random.Random(20250901)
    missed: list[str] = []
    for _ in range(1000):
        with Session(context.database.engine) as session:
            what = tamper(session, rng)
            if verify_chain(session, head).intact:
                missed.append(what)
            session.rollback()
    assert missed == []
    with context.database.read() as session:
        assert verify_chain(session, head).intact, "every tampering was rolled back"


def tamper(session: Session, rng: random.Random) -> str:
    kind = rng.choice(("edit", "edit", "edit", "hash", "delete", "swap", "truncate", "insert"))
    a, b = rng.sample(range(1, 31), 2)
    if kind == "edit":
        column = rng.choice(TEXT_COLUMNS)
        new = {"details": '{"count": 99}', "at": "2001-01-01 00:00:00.000000"}.get(column, f"x{rng.random()}"[:8])
        session.execute(text(f"UPDATE audit_events SET {column} = :new WHERE sequence = :a"), {"new": new, "a": a})
        return f"edit {column} of {a}"
    if kind == "hash":
        column = rng.choice(("event_hash", "previous_hash"))
        session.execute(
            text(f"UPDATE audit_events SET {column} = :new WHERE sequence = :a"), {"new": rng.randbytes(32), "a": a}
        )
    elif kind == "delete":
        session.execute(text("DELETE FROM audit_events WHERE sequence = :a"), {"a": a})
    elif kind == "swap":
        session.execute(text("UPDATE audit_events SET sequence = -1 WHERE sequence = :a"), {"a": a})
        session.execute(text("UPDATE audit_events SET sequence = :a WHERE sequence = :b"), {"a": a, "b": b})
        session.execute(text("UPDATE audit_events SET sequence = :b WHERE sequence = -1"), {"b": b})
    elif kind == "truncate":
        session.execute(text("DELETE FROM audit_events WHERE sequence > :a"), {"a": min(a, 29)})
    else:
        row: Row[tuple[object, ...]] = session.execute(
            text(f"SELECT {COLUMNS} FROM audit_events WHERE sequence = :a"), {"a": a}
        ).one()
        values = {**row._mapping, "event_hash": rng.randbytes(32), "sequence": 31}
        names = ", ".join(f":{name}" for name in ("sequence", *COLUMNS.split(", ")))
        session.execute(text(f"INSERT INTO audit_events (sequence, {COLUMNS}) VALUES ({names})"), values)
    return f"{kind} {a} {b}"


def test_a_chain_rewritten_with_all_its_hashes_is_found_by_the_remembered_head(context: SmallContext) -> None:
    head = fill(context, 10)
    drop_audit_triggers(context.database.engine)
    with context.database.write() as session:
        session.execute(text("DELETE FROM audit_events WHERE sequence > 6"))
        record_many(session, context.clock, CLERK, [NewEvent("test.forged", f"sitting:{n}") for n in range(6)])
    with context.database.read() as session:
        assert verify_chain(session).intact, "by itself the forged chain is consistent"
        assert [fault.kind for fault in verify_chain(session, head).faults] == ["head"]


CHANGES = (
    "UPDATE {table} SET actor = 'somebody' WHERE sequence = 2",
    "UPDATE {table} SET details = details",
    "DELETE FROM {table} WHERE sequence = 3",
    "DELETE FROM {table}",
)


def refuses(context: SmallContext, table: str, *changes: str) -> None:
    """Each change is refused by the database itself, and the trail is as it was."""
    head = fill(context, 3)
    for change in changes:
        with (
            pytest.raises(DBAPIError, match="audit events are only ever added"),
            context.database.engine.begin() as link,
        ):
            link.execute(text(change.format(table=table)))
    with context.database.read() as session:
        assert verify_chain(session, head).intact
    assert fill(context, 1).sequence == 4, "adding goes on"


def test_sqlite_refuses_every_change_but_an_addition(context: SmallContext) -> None:
    replaced = "INSERT OR REPLACE INTO {table} SELECT * FROM {table} WHERE sequence = 1"
    refuses(context, "audit_events", *CHANGES, replaced)


def test_postgresql_refuses_every_change_but_an_addition(postgres_url: str, tmp_path: Path) -> None:  # noqa: F811
    engine = make_engine(postgres_url)
    migrate(engine, "issuer")
    upsert = "INSERT INTO {table} SELECT * FROM {table} ON CONFLICT (sequence) DO UPDATE SET actor = 'somebody'"
    refuses(small_context(engine, tmp_path), "issuer.audit_events", *CHANGES, upsert, "TRUNCATE {table}")
    engine.dispose()


def test_threads_make_one_chain_without_gaps(context: SmallContext) -> None:
    def write(number: int) -> None:
        for n in range(10):
            with context.database.write() as session:
                record_event(session, context.clock, CLERK, "test.thread", f"registration:{number * 100 + n}")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with context.database.read() as session:
        report = verify_chain(session)
    assert report.intact and report.events == 80


def test_a_rolled_back_act_leaves_no_event(context: SmallContext) -> None:
    head = fill(context, 3)
    with pytest.raises(RuntimeError), context.database.write() as session:
        record_event(session, context.clock, CLERK, "test.lost", "sitting:A")
        raise RuntimeError("the act failed")
    with context.database.read() as session:
        assert chain_head(session) == head


@pytest.mark.parametrize(
    "details",
    [
        {"name": "张三"},
        {"inner": {"id_no": "x"}},
        {"found": "身份证 11010519491231002X 有误"},
        {"list": ["11010519491231002X"]},
    ],
)
def test_personal_data_is_refused(context: SmallContext, details: dict[str, object]) -> None:
    with pytest.raises(PersonalDataInAuditError), context.database.write() as session:
        record_event(session, context.clock, CLERK, "test.leak", "sitting:A", details=details)


def test_digests_and_numbers_that_are_no_id_number_pass(context: SmallContext) -> None:
    details = {"sha256": "11010519491231002a" * 3, "management_no": "202541000000000012", "days": 10, "ok": True}
    with context.database.write() as session:
        record_event(session, context.clock, CLERK, "test.fine", "certificate:1", details=details)


def test_what_would_not_read_back_the_same_is_refused(context: SmallContext) -> None:
    with pytest.raises(ValueError, match="whole numbers"), context.database.write() as session:
        record_event(session, context.clock, CLERK, "test.float", "sitting:A", details={"seconds": 0.1})


def test_a_head_reads_back_from_its_text() -> None:
    head = ChainHead(7, "ab" * 32)
    assert ChainHead.parse(str(head)) == head
    with pytest.raises(ValueError, match="SEQUENCE:HASH"):
        ChainHead.parse("seven")
