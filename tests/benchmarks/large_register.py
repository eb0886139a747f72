"""A public record of any size, built in bulk: 2,000,000 certificates in a minute or two.

Contents repeat as they do in a province: some hundreds of announced lists (programme, level, specialty, date), each
with thousands of people. One in fifty certificates is no longer valid. Columns that no answer reads are only unique.
"""

import base64
import hashlib
import json
import random
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url

from keys.public.keyset import key_set_path
from tests.factories.signing import Bench
from verifier.record import tables

LIST_SIZE = 131_072
STAMP = "2025-10-27 01:00:00.000000"
_STATUSES = (("invalid", "found-ineligible"), ("suspended", "case-open"), ("superseded", "corrected"))
CERTIFICATE_COLUMNS = tuple(column.name for column in tables.certificates.columns)


@dataclass(frozen=True)
class LargeRegister:
    """Where the record is, and where the tokens and file digests are: text of fixed-length entries without breaks."""

    url: str
    tokens: Path
    digests: Path
    records: int


def build(folder: Path, records: int, *, postgres: str | None = None, seed: int = 20) -> LargeRegister:
    """Build in SQLite under `folder`, or in the PostgreSQL database at the URL `postgres`; lists go to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    source = random.Random(seed)
    tokens = sorted(_token(source) for _ in range(records))
    files = sorted((_file_digest(token), token) for token in tokens)
    url = postgres or f"sqlite:///{folder / 'register.sqlite3'}"
    engine = create_engine(url, execution_options={} if postgres else {"schema_translate_map": {tables.SCHEMA: None}})
    if postgres:
        _fill_postgres(engine, tokens, files, source)
    else:
        _fill_sqlite(engine, folder / "register.sqlite3", tokens, files, source)
    engine.dispose()
    lists = folder / "tokens.txt", folder / "digests.txt"
    lists[0].write_text("".join(tokens))
    lists[1].write_text("".join(sha256 for sha256, _ in files))
    return LargeRegister(url, *lists, records)


def write_keys(folder: Path) -> None:
    """A key set and a look-up key, so that a verifier can start over `folder`."""
    published = key_set_path(folder / "keys")
    published.parent.mkdir(parents=True, exist_ok=True)
    published.write_text(json.dumps(Bench().key_set.to_json()))
    (folder / "keys" / "lookup.key").write_bytes(bytes(range(32)))


def _token(source: random.Random) -> str:
    return base64.b32encode(source.randbytes(16)).decode()[:26]


def _file_digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _certificates(tokens: list[str], source: random.Random) -> Iterator[tuple[Any, ...]]:
    sittings = [_sitting(number) for number in range(400)]
    for index, token in enumerate(tokens):
        code, name, level, specialty, approved = sittings[source.randrange(len(sittings))]
        status, reason = ("valid", None) if source.random() >= 0.02 else source.choice(_STATUSES)
        changed = status != "valid"
        unique = f"{index:064x}"
        yield (
            *(token, status, reason, code, name, level, specialty, approved, approved),
            *(_file_digest(token), hashlib.sha256(unique.encode()).hexdigest(), unique, unique),
            *(str(1 + index // LIST_SIZE), index % LIST_SIZE, STAMP),
            *(STAMP if changed else None, "2025-10-27" if changed else None, None),
            unique,
        )


def _sitting(number: int) -> tuple[str, str, str, str, str]:
    approved = date(2016, 1, 1) + timedelta(days=9 * number)
    programme, specialty = f"P{number % 40:02}", f"专业{number % 7}" if number % 3 else ""
    return (
        programme,
        f"职业资格第{number % 40}号",
        ("初级", "中级", "高级")[number % 3],
        specialty,
        approved.isoformat(),
    )


def _fill_sqlite(
    engine: Engine, path: Path, tokens: list[str], files: list[tuple[str, str]], source: random.Random
) -> None:
    indexes = [index for table in tables.metadata.tables.values() for index in table.indexes]
    for table in tables.metadata.sorted_tables:
        table.indexes.clear()
    try:
        tables.metadata.create_all(engine)
    finally:
        for index in indexes:
            assert index.table is not None
            index.table.indexes.add(index)
    places = ", ".join("?" * len(CERTIFICATE_COLUMNS))
    with sqlite3.connect(path, isolation_level=None) as connection:
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-400000"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("BEGIN")
        connection.executemany(
            f"INSERT INTO certificates ({', '.join(CERTIFICATE_COLUMNS)}) VALUES ({places})",
            _certificates(tokens, source),
        )
        connection.executemany("INSERT INTO files (sha256, token, kind) VALUES (?, ?, 'original')", files)
        connection.execute("INSERT INTO feed_position VALUES ('outbox', ?, ?)", (len(tokens), STAMP))
        connection.execute("COMMIT")
    connection.close()
    with engine.begin() as sql:
        for index in indexes:
            index.create(sql)
    with sqlite3.connect(path, isolation_level=None) as connection:
        # As the issuer leaves it.
        connection.execute("PRAGMA journal_mode=WAL")
    connection.close()


def _fill_postgres(engine: Engine, tokens: list[str], files: list[tuple[str, str]], source: random.Random) -> None:
    with engine.begin() as sql:
        sql.execute(text(f"CREATE SCHEMA IF NOT EXISTS {tables.SCHEMA}"))
        tables.metadata.create_all(sql)
    url = make_url(str(engine.url.render_as_string(hide_password=False))).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False)) as connection, connection.cursor() as cursor:
        # Rows come from one list, so looking up every foreign key would only take time.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET synchronous_commit = off")
        cursor.execute("SET timezone = 'UTC'")
        columns = ", ".join(CERTIFICATE_COLUMNS)
        with cursor.copy(f"COPY public_record.certificates ({columns}) FROM STDIN".encode()) as copy:
            for row in _certificates(tokens, source):
                copy.write_row(row)
        with cursor.copy(b"COPY public_record.files (sha256, token, kind) FROM STDIN") as copy:
            for sha256, token in files:
                copy.write_row((sha256, token, "original"))
        cursor.execute("INSERT INTO public_record.feed_position VALUES ('outbox', %s, %s)", (len(tokens), STAMP))
    connection.close()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as sql:
        sql.execute(text("VACUUM ANALYZE public_record.certificates"))
        sql.execute(text("VACUUM ANALYZE public_record.files"))
