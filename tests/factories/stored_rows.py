"""What lies in a data folder's two databases: how many rows, and a digest over every one of them."""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

ISSUER, REGISTER = "issuer.sqlite3", "register.sqlite3"
SIDES = (ISSUER, REGISTER)
PASSING = frozenset({"staff_sessions", "holder_sessions", "idempotency_keys"})
"""Tables that come and go by their nature; no record of an act."""


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that cannot write."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as connection:
        yield connection


def tables(connection: sqlite3.Connection) -> list[str]:
    """Names of all tables, in order."""
    found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    return sorted(row[0] for row in found)


def row_counts(folder: Path) -> dict[str, int]:
    """`database/table` → rows, for both databases."""
    counts = {}
    for side in SIDES:
        with reading(folder / side) as connection:
            for table in tables(connection):
                (counts[f"{side}/{table}"],) = connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()
    return counts


def digest_of_rows(folder: Path, *, without: frozenset[str] = frozenset()) -> dict[str, str]:
    """`database/table` → SHA-256 over all its rows; two equal answers mean that nothing was changed."""
    digests = {}
    for side in SIDES:
        with reading(folder / side) as connection:
            for table in tables(connection):
                if table in without:
                    continue
                rows = sorted(map(repr, connection.execute(f'SELECT * FROM "{table}"')))
                digests[f"{side}/{table}"] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    return digests


def all_values(path: Path) -> Iterator[tuple[str, str]]:
    """Every value of one database as (table.column, text); bytes are read as text byte by byte (latin-1) too."""
    with reading(path) as connection:
        for table in tables(connection):
            cursor = connection.execute(f'SELECT * FROM "{table}"')
            names = [column[0] for column in cursor.description]
            for row in cursor:
                for name, value in zip(names, row, strict=True):
                    if isinstance(value, bytes):
                        yield f"{table}.{name}", value.decode("utf-8", "ignore")
                        yield f"{table}.{name}", value.hex()
                    elif value is not None:
                        yield f"{table}.{name}", str(value)
