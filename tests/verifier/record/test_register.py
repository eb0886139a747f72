"""Reading the public record: it cannot be written, and "cannot be read" is never "not there"."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from issuer.migrations.runner import grant_reading
from issuer.records.database import make_engine
from tests.factories.feed import Feed, digest_of, open_feed, sample_record, token_of
from tests.services.postgres import postgres_server
from verifier.record.register import RegisterUnavailableError, SqlRegister
from verifier.record.tables import certificates

QUERIES: list[Callable[[SqlRegister], Any]] = [
    lambda r: r.by_token("A" * 26),
    lambda r: r.by_file("0" * 64),
    lambda r: r.by_number_digest("0" * 64),
    lambda r: r.by_holder_digest("0" * 64),
    lambda r: r.history("A" * 26),
    lambda r: r.status_list("1"),
    lambda r: r.latest_checkpoint(),
    lambda r: r.position(),
    lambda r: r.leaf_of("A" * 26),
    lambda r: r.leaves(0, 10),
    lambda r: r.hashes(0, 0, 10),
    lambda r: r.hashes(1, 0, 10),
]


@pytest.fixture
def feed(tmp_path: Path) -> Iterator[Feed]:
    """A register file with one certificate."""
    opened = open_feed(f"sqlite:///{tmp_path / 'issuer.sqlite3'}", f"sqlite:///{tmp_path / 'register.sqlite3'}")
    opened.publish(1)
    opened.relay.flush()
    yield opened
    opened.close()


def unavailable(register: SqlRegister) -> bool:
    """Whether every question is answered by RegisterUnavailableError."""
    for query in QUERIES:
        with pytest.raises(RegisterUnavailableError):
            query(register)
    return True


def test_nothing_there_is_none(tmp_path: Path) -> None:
    empty = open_feed(f"sqlite:///{tmp_path / 'i.sqlite3'}", f"sqlite:///{tmp_path / 'r.sqlite3'}")
    assert [query(empty.register) for query in QUERIES] == [None] * 4 + [(), None, None, 0, None, [], [], []]
    empty.close()


def test_a_missing_damaged_or_foreign_file_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "noise.sqlite3").write_bytes(os.urandom(8192))
    (tmp_path / "empty.sqlite3").write_bytes(b"")
    for name in ("missing.sqlite3", "noise.sqlite3", "empty.sqlite3", "no/such/folder.sqlite3"):
        assert unavailable(SqlRegister(f"sqlite:///{tmp_path / name}"))
    assert not (tmp_path / "missing.sqlite3").exists(), "looking must not create a file"


def test_a_file_removed_under_our_feet_is_unavailable_and_a_new_one_is_followed(feed: Feed, tmp_path: Path) -> None:
    path, aside = tmp_path / "register.sqlite3", tmp_path / "aside.sqlite3"
    assert feed.register.by_token(token_of(1)) is not None
    feed.relay._register.dispose()
    path.rename(aside)
    assert unavailable(feed.register)
    other = open_feed(f"sqlite:///{tmp_path / 'i2.sqlite3'}", f"sqlite:///{path}", bench=feed.bench)
    assert feed.register.by_token(token_of(1)) is None, "the new file is empty; the old one must not answer"
    other.publish(2)
    other.relay.flush()
    assert feed.register.by_token(token_of(2)) == sample_record(2)
    other.close()


def test_a_status_word_of_a_newer_program_is_unavailable_not_guessed(feed: Feed) -> None:
    with feed.relay._register.begin() as connection:
        connection.execute(certificates.update().values(status="annulled"))
    with pytest.raises(RegisterUnavailableError):
        feed.register.by_token(token_of(1))


def test_what_the_verifier_opens_cannot_be_written(feed: Feed) -> None:
    engine = feed.register._database._engine
    for statement in ("DELETE FROM certificates", "UPDATE certificates SET status='valid'", "CREATE TABLE x (y)"):
        with pytest.raises(Exception, match="readonly"), engine.connect() as connection:
            connection.execute(text(statement))


def test_a_folder_with_odd_characters_in_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "证书 ?mode=rwc#%41&x"
    folder.mkdir()
    feed = open_feed(f"sqlite:///{tmp_path / 'i.sqlite3'}", f"sqlite:///{tmp_path / 'r.sqlite3'}")
    feed.publish(1)
    feed.relay.flush()
    feed.close()
    shutil.copy(tmp_path / "r.sqlite3", folder / "r.sqlite3")
    from sqlalchemy.engine import URL

    register = SqlRegister(URL.create("sqlite", database=str(folder / "r.sqlite3")).render_as_string())
    try:
        assert register.by_token(token_of(1)) == sample_record(1)
    except RegisterUnavailableError:
        # A URL cannot carry a question mark in a file name; what matters is that nothing was created or written.
        assert sorted(path.name for path in folder.iterdir()) == ["r.sqlite3"]
    register.close()


def test_readers_see_a_change_while_they_are_reading(feed: Feed) -> None:
    seen: list[bool] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            seen.append(feed.register.by_token(token_of(1)) is not None)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for n in range(10, 40):
        feed.publish(n)
        feed.relay.flush()
        assert feed.register.by_file(digest_of(n, "file")) is not None
    stop.set()
    for thread in threads:
        thread.join()
    assert seen and all(seen)


def test_every_query_uses_an_index(feed: Feed) -> None:
    asked: list[tuple[str, Any]] = []
    engine = feed.register._database._engine
    event.listen(engine, "before_cursor_execute", lambda _c, _cur, sql, values, *_: asked.append((sql, values)))
    for query in QUERIES:
        query(feed.register)
    with feed.relay._register.connect() as connection:
        for sql, values in asked:
            plan = " ".join(row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values).all())
            # The newest checkpoint is the last row of its table by primary key: a scan that stops at the first.
            assert "SEARCH" in plan or "log_checkpoints" in plan, plan
            # The few rows of one certificate may be sorted; nothing larger.
            assert "TEMP B-TREE" not in plan or "(token=?)" in plan, plan
    # Nothing is here under these keys, so four of the ways also ask for a purpose-bound copy.
    assert len(asked) == len(QUERIES) + 4


def test_postgresql_read_only_role_and_a_server_that_goes_away() -> None:
    server = postgres_server()
    url = server.new_database()
    feed = open_feed(url, url)
    feed.publish(1)
    feed.relay.flush()
    engine = make_engine(url)
    with engine.begin() as connection:
        connection.execute(text("DROP ROLE IF EXISTS reader"))
        connection.execute(text("CREATE ROLE reader LOGIN"))
    grant_reading(engine, "reader")
    reader = SqlRegister(url.replace("postgres@", "reader@"))
    assert reader.by_token(token_of(1)) == sample_record(1)
    assert reader.position() == 1
    for register in (reader, feed.register):
        refused = pytest.raises(Exception, match=r"read-only|permission denied")
        with refused, register._database._engine.connect() as connection:
            connection.execute(text("UPDATE public_record.certificates SET status = 'valid'"))
    with pytest.raises(Exception, match="permission denied"), reader._database._engine.connect() as connection:
        connection.execute(text("SELECT * FROM issuer.persons"))
    # Connections killed by the server: the next question opens a new one. Waited for: one that is about to end could
    # still take the question and leave without an answer.
    with engine.begin() as connection:
        connection.execute(
            text("SELECT pg_terminate_backend(pid, 200000) FROM pg_stat_activity WHERE usename = 'reader'"),
        )
    assert reader.by_token(token_of(1)) == sample_record(1)
    engine.dispose()
    feed.close()
    server.drop_database(url)
    assert unavailable(reader)
    reader.close()
    admin = make_engine(server.url("postgres")).execution_options(isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("DROP ROLE IF EXISTS reader"))
    admin.dispose()
