"""Reading one row of an SQLite register on the event loop, with and without the interpreter's lock."""

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.factories.feed import Feed, digest_of, open_feed, token_of
from verifier.record import point_reads_sqlite
from verifier.record.held_sqlite import HeldConnection, HeldSqliteError, held_library
from verifier.record.point_reads import PointRow
from verifier.record.point_reads_sqlite import SqlitePointReads
from verifier.record.readonly import RegisterUnavailableError
from verifier.record.status import CertificateStatus
from verifier.web.prepared import stand_in


@pytest.fixture(params=["held", "module"])
def reads(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SqlitePointReads:
    """Reads of the feed's register by both ways to the library."""
    if request.param == "module":
        monkeypatch.setattr(point_reads_sqlite, "held_library", lambda: None)
    else:
        assert held_library() is not None
    return SqlitePointReads(tmp_path / "register.sqlite3")


@pytest.fixture
def feed(tmp_path: Path) -> Iterator[Feed]:
    opened = open_feed(f"sqlite:///{tmp_path / 'issuer.sqlite3'}", f"sqlite:///{tmp_path / 'register.sqlite3'}")
    opened.publish(1, 2, 3)
    opened.change(2, 1, CertificateStatus.INVALID)
    opened.relay.flush()
    yield opened
    opened.close()


def test_all_ways_say_what_the_register_says(feed: Feed, reads: SqlitePointReads) -> None:
    async def ask() -> None:
        for n in (1, 2, 3):
            record = feed.register.by_token(token_of(n))
            assert record is not None
            expected = {name: value for name, value in asdict(record).items() if name in _CONTENT}
            for row in (
                reads.by_token(token_of(n)),
                reads.for_page(token_of(n)),
                reads.by_file(digest_of(n, "file")),
            ):
                assert row is not None
                assert (row.token, row.valid_until) == (token_of(n), None)
                assert {name: getattr(stand_in(row.shape), name) for name in _CONTENT} == expected
            page = reads.for_page(token_of(n))
            assert page is not None
            assert page[2:5] == (record.credential_sha256, record.list_id, str(record.list_index))
        assert reads.by_token(token_of(9)) is None
        assert reads.for_page(token_of(9)) is None
        assert reads.by_file(digest_of(9, "file")) is None
        await reads.close()

    asyncio.run(ask())


def test_two_files_with_the_same_head_are_told_apart(feed: Feed, reads: SqlitePointReads, tmp_path: Path) -> None:
    """Only the first 64 bits of a digest are in the index."""
    first = digest_of(1, "file")
    alike = first[:16] + digest_of(2, "file")[16:]
    later = digest_of(3, "later file")
    with sqlite3.connect(tmp_path / "register.sqlite3") as connection:
        changed = connection.execute("UPDATE certificates SET file_sha256 = ? WHERE token = ?", (alike, token_of(2)))
        assert changed.rowcount == 1
        connection.execute("INSERT INTO files VALUES (?, ?, 'extended', NULL)", (later, token_of(3)))
    connection.close()

    async def ask() -> None:
        found = {sha256: reads.by_file(sha256) for sha256 in (first, alike, later, first[:16] + "0" * 48)}
        tokens = [row.token if isinstance(row, PointRow) else row for row in found.values()]
        assert tokens == [token_of(1), token_of(2), token_of(3), None]
        await reads.close()

    asyncio.run(ask())


def test_each_way_goes_down_an_index(feed: Feed, tmp_path: Path) -> None:
    """A whole table read for one answer would be an open door for whoever wants to stop the service."""
    statements = [
        getattr(point_reads_sqlite, name) for name in ("_BY_TOKEN", "_FOR_PAGE", "_BY_FIRST_FILE", "_BY_FILE")
    ]
    with sqlite3.connect(tmp_path / "register.sqlite3") as connection:
        for statement in statements:
            plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}", ("A" * 64,)).fetchall()
            assert plan and all(step[3].startswith("SEARCH") for step in plan), (statement, plan)
    connection.close()


def test_whoever_asks_after_a_change_sees_it_and_nothing_holds_the_past(feed: Feed, reads: SqlitePointReads) -> None:
    """Also those who were put into the loop's queue after the change, while a shared read was still open."""
    seen: list[str] = []

    def ask() -> None:
        row = reads.by_token(token_of(1))
        assert row is not None
        seen.append(json.loads(row.shape)[0])

    async def turns() -> None:
        loop = asyncio.get_running_loop()
        for step, status in enumerate(["invalid", "valid", "suspended", "valid"], 1):
            ask()
            feed.change(1, step, CertificateStatus(status))
            feed.relay.flush()
            # In one turn of the loop, asked after the change; then in later ones.
            done = loop.create_future()
            loop.call_soon(ask)
            loop.call_soon(ask)
            loop.call_soon(done.set_result, None)
            await done
            assert seen[-2:] == [status, status]
            ask()
            assert seen[-1] == status
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert _nobody_reads(feed)
        await reads.close()

    asyncio.run(turns())


def test_one_turn_is_one_look_at_the_register(
    feed: Feed, reads: SqlitePointReads, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str] = []
    stat = point_reads_sqlite.os.stat
    monkeypatch.setattr(point_reads_sqlite.os, "stat", lambda name: (looks.append(name), stat(name))[1])

    async def turns() -> None:
        for _ in range(3):
            for n in (1, 2, 3, 9):
                reads.by_token(token_of(n))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        await reads.close()

    asyncio.run(turns())
    assert len([name for name in looks if str(name) == str(reads._path)]) == 3


def test_a_value_that_breaks_the_line_is_not_taken_for_two(
    feed: Feed, reads: SqlitePointReads, tmp_path: Path
) -> None:
    with sqlite3.connect(tmp_path / "register.sqlite3") as connection:
        connection.execute("UPDATE certificates SET specialty = 'a' || char(10) || 'b'")
        connection.execute("UPDATE certificates SET list_id = '1' || char(10) || '2'")
    connection.close()

    async def ask() -> None:
        row = reads.by_file(digest_of(1, "file"))
        assert row is not None
        assert row.token == token_of(1)
        assert stand_in(row.shape).specialty == "a\nb"
        with pytest.raises(RegisterUnavailableError):
            reads.for_page(token_of(1))
        await reads.close()

    asyncio.run(ask())


def test_a_register_that_is_missing_or_foreign_cannot_be_read(
    feed: Feed, reads: SqlitePointReads, tmp_path: Path
) -> None:
    async def ask() -> None:
        file, kept = tmp_path / "register.sqlite3", tmp_path / "kept"
        assert reads.by_token(token_of(1)) is not None
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert _nobody_reads(feed)
        file.rename(kept)
        with pytest.raises(RegisterUnavailableError):
            reads.by_token(token_of(1))
        await asyncio.sleep(0)
        file.write_bytes(b"no register at all" * 100)
        with pytest.raises(RegisterUnavailableError):
            reads.by_token(token_of(1))
        await asyncio.sleep(0)
        kept.rename(file)
        assert reads.by_token(token_of(1)) is not None
        await reads.close()

    asyncio.run(ask())


def test_the_held_library_only_reads(feed: Feed, tmp_path: Path) -> None:
    library = held_library()
    assert library is not None
    with pytest.raises(HeldSqliteError):
        HeldConnection(library, tmp_path / "none.sqlite3")
    connection = HeldConnection(library, tmp_path / "register.sqlite3")
    with pytest.raises(HeldSqliteError):
        connection.prepare("SELECT no_such_column FROM certificates WHERE token = ?")
    writing = connection.prepare("DELETE FROM files WHERE sha256 <> ? RETURNING sha256")
    with pytest.raises(HeldSqliteError):
        writing.first(b"")
    connection.close()
    assert feed.register.by_file(digest_of(1, "file")) is not None


def _nobody_reads(feed: Feed) -> bool:
    """A checkpoint that needs all readers gone goes through."""
    connection = sqlite3.connect(feed.register_url.removeprefix("sqlite:///"), timeout=0)
    busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    connection.close()
    return busy == 0


_CONTENT = (
    "status",
    "reason_class",
    "programme_code",
    "programme_name",
    "level",
    "specialty",
    "approved_on",
    "issued_on",
    "effective_on",
    "superseded_by",
    "status_changed_at",
)
