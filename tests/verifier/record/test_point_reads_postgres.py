"""Reading many keys in one statement: each asker gets their own row, as it is now, or that it cannot be had."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import make_url

from tests.factories.feed import Feed, digest_of, open_feed, token_of
from tests.services.postgres import postgres_server, postgres_url  # noqa: F401 (a fixture)
from verifier.record import point_reads_postgres
from verifier.record.point_reads import PointReads, PointRow, open_point_reads
from verifier.record.point_reads_postgres import PostgresPointReads
from verifier.record.public_record import PublicRecord
from verifier.record.readonly import RegisterUnavailableError
from verifier.record.status import CertificateStatus
from verifier.web.prepared import stand_in


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is not a silent server."""
    monkeypatch.setattr(point_reads_postgres, "PATIENCE_SECONDS", 200.0)


@pytest.fixture
def feed(postgres_url: str) -> Iterator[Feed]:  # noqa: F811
    feed = open_feed(postgres_url, postgres_url)
    yield feed
    feed.close()


def test_each_asker_gets_the_row_asked_for_and_few_statements_do(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    feed.publish(*range(40))
    feed.change(7, 1, CertificateStatus.INVALID)
    feed.change(8, 1, CertificateStatus.SUPERSEDED, None, superseded_by=token_of(9))
    feed.relay.flush()
    batches: list[int] = []
    take = point_reads_postgres._Lane.take

    def counting(lane: point_reads_postgres._Lane, batch: point_reads_postgres._Batch) -> None:
        batches.append(len(batch.waiting))
        take(lane, batch)

    monkeypatch.setattr(point_reads_postgres._Lane, "take", counting)

    async def ask() -> None:
        reads = PostgresPointReads(make_url(feed.register_url))
        asked = [n % 50 for n in range(600)]
        by_token = [reads.by_token(token_of(n)) for n in asked]
        for_page = [reads.for_page(token_of(n)) for n in asked]
        by_file = [reads.by_file(digest_of(n, "file")) for n in asked]
        for way in (by_token, for_page, by_file):
            rows = await asyncio.gather(*way)
            for n, row in zip(asked, rows, strict=True):
                record = feed.register.by_token(token_of(n))
                if row is None:
                    assert record is None and n >= 40
                    continue
                assert record is not None
                assert (row.token, row.valid_until) == (token_of(n), None)
                if way is for_page:
                    place = (digest_of(n, "credential"), record.list_id, str(record.list_index))
                    assert (row.credential_sha256, row.list_id, row.list_index) == place
                assert _content(stand_in(row.shape)) == _content(record)
        await reads.close()

    asyncio.run(ask())
    assert sum(batches) == 1800
    assert len(batches) < 40


def test_an_answer_asked_for_after_a_change_shows_it_however_many_ask(feed: Feed) -> None:
    feed.publish(*range(5))
    feed.relay.flush()

    async def ask() -> None:
        reads = open_point_reads(feed.register_url)
        over = asyncio.Event()

        async def crowd() -> None:
            while not over.is_set():
                await _row(reads, 1)

        others = [asyncio.create_task(crowd()) for _ in range(20)]
        for step, status in enumerate(["invalid", "valid", "suspended", "valid"] * 3, 1):
            feed.change(1, step, CertificateStatus(status))
            await asyncio.to_thread(feed.relay.flush)
            rows = await asyncio.gather(*(_row(reads, 1) for _ in range(30)))
            assert {json.loads(row.shape)[0] for row in rows if row} == {status}
        over.set()
        await asyncio.gather(*others)
        await reads.close()

    asyncio.run(ask())


def test_a_restarted_server_is_found_again_and_a_lost_one_is_not_an_empty_one(feed: Feed) -> None:
    feed.publish(1)
    feed.relay.flush()
    name = feed.register_url.rpartition("/")[2]

    async def ask() -> None:
        reads = open_point_reads(feed.register_url)
        assert await _row(reads, 1) is not None
        _end_all_sessions(name)
        assert await _row(reads, 1) is not None
        _run_as_owner(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        _end_all_sessions(name)
        for number in (1, 2):
            with pytest.raises(RegisterUnavailableError):
                await _row(reads, number)
        _run_as_owner(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        assert await _row(reads, 1) is not None
        await reads.close()

    asyncio.run(ask())


def test_a_server_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """All have their answer before the attempt to connect has come to its end."""
    monkeypatch.setattr(point_reads_postgres, "PATIENCE_SECONDS", 0.3)
    answered, connect = threading.Event(), point_reads_postgres._opened

    def until_answered(conninfo: dict[str, Any]) -> psycopg.Connection[Any]:
        try:
            return connect(conninfo)
        finally:
            answered.wait()

    monkeypatch.setattr(point_reads_postgres, "_opened", until_answered)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(50)
        reads = open_point_reads(f"postgresql+psycopg://nobody@127.0.0.1:{silent.getsockname()[1]}/none")

        async def ask() -> list[object]:
            rows = [_row(reads, number) for number in range(20)]
            try:
                return await asyncio.gather(*rows, return_exceptions=True)
            finally:
                answered.set()

        assert {type(answer) for answer in asyncio.run(ask())} == {RegisterUnavailableError}


def test_one_that_goes_away_while_waiting_does_not_take_others_along(feed: Feed) -> None:
    feed.publish(1, 2)
    feed.relay.flush()

    async def ask() -> None:
        reads: PointReads = open_point_reads(feed.register_url)
        leaving = asyncio.create_task(_row(reads, 1))
        staying = [asyncio.create_task(_row(reads, 2)) for _ in range(5)]
        await asyncio.sleep(0)
        leaving.cancel()
        assert all(row for row in await asyncio.gather(*staying))
        await reads.close()

    asyncio.run(ask())


def test_it_cannot_write(feed: Feed) -> None:
    feed.publish(1)
    feed.relay.flush()
    reads = open_point_reads(feed.register_url)
    assert isinstance(reads, PostgresPointReads)

    async def write() -> None:
        async with await psycopg.AsyncConnection.connect(**reads._conninfo) as connection:
            await connection.execute("DELETE FROM public_record.files")

    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        asyncio.run(write())


async def _row(reads: PointReads, n: int) -> PointRow | None:
    reading = reads.by_token(token_of(n))
    return reading if reading is None or isinstance(reading, PointRow) else await reading


def _content(record: PublicRecord) -> PublicRecord:
    """The record without what is a certificate's own."""
    nothing = "0"
    return replace(
        record,
        token=nothing,
        credential_sha256=nothing,
        file_sha256=nothing,
        number_digest=nothing,
        holder_digest=nothing,
        list_id=nothing,
        list_index=0,
        published_at=record.published_at.min,
    )


def _end_all_sessions(database: str) -> None:
    """Returns when they are gone: until then one of them could still answer."""
    _run_as_owner(
        "SELECT pg_terminate_backend(pid, 200000) FROM pg_stat_activity "
        f"WHERE datname = '{database}' AND pid <> pg_backend_pid()"
    )


def _run_as_owner(statement: str) -> None:
    postgres_server()._execute(statement)
