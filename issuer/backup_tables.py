"""The tables of a backup of PostgreSQL: one snapshot of both schemas, read and loaded through COPY."""

import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Literal

from psycopg import sql
from sqlalchemy import Connection, Engine, text

from issuer.records.database import make_engine
from issuer.settings import Settings

Side = Literal["issuer", "public_record"]
ORDER: tuple[Side, ...] = ("public_record", "issuer")
"""The public record first: it is never newer than the private side."""
CHUNK = 8 << 20
_NAME = re.compile(r"[a-z_][a-z0-9_]*")


@contextmanager
def snapshots(settings: Settings) -> Iterator[dict[Side, Connection]]:
    """One snapshot for both sides where they are one database, else the public record's first."""
    with ExitStack() as stack:
        found: dict[str, Connection] = {}
        sides: dict[Side, Connection] = {}
        for side in ORDER:
            url = url_of(settings, side)
            if url not in found:
                engine = make_engine(url)
                stack.callback(engine.dispose)
                connection = stack.enter_context(engine.connect())
                connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
                connection.execute(text("SELECT 1"))  # the snapshot is taken by the first statement
                found[url] = connection
            sides[side] = found[url]
        yield sides


@contextmanager
def units(engines: dict[Side, Engine]) -> Iterator[dict[Side, Connection]]:
    """One transaction for both sides where they are one database, else one each."""
    with ExitStack() as stack:
        if engines["issuer"].url == engines["public_record"].url:
            one = stack.enter_context(engines["issuer"].begin())
            yield {"issuer": one, "public_record": one}
        else:
            yield {side: stack.enter_context(engine.begin()) for side, engine in engines.items()}


def tables(connection: Connection, side: Side) -> list[tuple[str, tuple[str, ...]]]:
    """Tables of a schema with their columns, those that foreign keys point to first."""
    query = text(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = :side AND table_name = :table "
        "AND is_generated = 'NEVER' ORDER BY ordinal_position"
    )
    return [
        (table, tuple(connection.execute(query, {"side": side, "table": table}).scalars()))
        for table in by_dependency(connection, side)
    ]


def by_dependency(connection: Connection, side: Side) -> list[str]:
    """Tables of a schema, those that foreign keys point to first."""
    tables = text("SELECT tablename FROM pg_tables WHERE schemaname = :side AND tablename <> 'alembic_version'")
    names = set(connection.execute(tables, {"side": side}).scalars())
    links = text(
        "SELECT a.relname, b.relname FROM pg_constraint c JOIN pg_class a ON a.oid = c.conrelid "
        "JOIN pg_class b ON b.oid = c.confrelid JOIN pg_namespace n ON n.oid = a.relnamespace "
        "WHERE c.contype = 'f' AND n.nspname = :side AND a.oid <> b.oid"
    )
    needs: dict[str, set[str]] = {name: set() for name in names}
    for table, other in connection.execute(links, {"side": side}):
        needs[table].add(other)
    out: list[str] = []
    while needs:
        ready = sorted(name for name, others in needs.items() if not others - set(out))
        if not ready:
            raise ValueError("foreign keys go in a circle")
        out += ready
        needs = {name: others for name, others in needs.items() if name not in ready}
    return out


def copied(connection: Connection, side: Side, table: str, columns: Iterable[str]) -> Iterator[tuple[bytes, int]]:
    """Blocks of the table in COPY's text format, each with the rows so far."""
    held, rows = bytearray(), 0
    with (
        _cursor(connection) as cursor,
        cursor.copy(_statement("COPY {} ({}) TO STDOUT", side, table, columns)) as copy,
    ):
        for row in copy:
            held += row
            rows += 1
            if len(held) >= CHUNK:
                yield bytes(held), rows
                held.clear()
    if held:
        yield bytes(held), rows


def copy_in(connection: Connection, side: Side, table: str, columns: Iterable[str], blocks: list[bytes]) -> int:
    """Load a table; how many rows it has then."""
    with _cursor(connection) as cursor:
        with cursor.copy(_statement("COPY {} ({}) FROM STDIN", side, table, columns)) as copy:
            for block in blocks:
                copy.write(block)
        return int(cursor.rowcount)


def _cursor(connection: Connection) -> Any:
    return connection.connection.cursor()


def _statement(shape: str, side: Side, table: str, columns: Iterable[str]) -> sql.Composed:
    names = sql.SQL(", ").join(sql.Identifier(column) for column in columns)
    return sql.SQL(shape).format(sql.Identifier(side, table), names)


def sequences(connection: Connection, side: Side) -> dict[str, int]:
    """Sequence → last value. Read after the snapshot, so never behind its rows."""
    query = text(
        "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = :side AND last_value IS NOT NULL"
    )
    return {name: int(last) for name, last in connection.execute(query, {"side": side})}


def url_of(settings: Settings, side: Side) -> str:
    """Address of a side's database."""
    return settings.issuer_database if side == "issuer" else settings.register_database


def require_plain(name: str) -> None:
    """Raise ValueError for a name that no sequence of ours has."""
    if _NAME.fullmatch(name) is None:
        raise ValueError("a name that no sequence of ours has")
