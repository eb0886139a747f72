"""Bring what rests under older data keys to those in use: in short units of work, table by table, any time again.

Each batch is one unit of work that also writes down how far it came, so a killed run goes on where it was. Rows that
somebody else has locked are left for the next pass: nobody waits for more than one batch.
"""

import base64
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, bindparam, func, select, tuple_, type_coerce, update
from sqlalchemy.orm import Session
from sqlalchemy.types import JSON, LargeBinary

from issuer.context import Context
from issuer.personal_data.tables import SealedTable, sealed_tables
from issuer.records.encryption import FIRST, DataKey, header_of, key_number
from issuer.records.personal_data import DataKeyMove
from issuer.records.storage import FileMissingError

BATCH = 500
FILE_BATCH = 25
"""Rows of one unit of work, and the most files that are written in it."""
PASSES = 3


@dataclass(frozen=True, slots=True)
class Moved:
    """What one batch did: rows seen and changed of one table. `left`: tables that are not finished after it."""

    table: str
    seen: int
    changed: int
    left: int


def move_some(ctx: Context) -> Moved | None:
    """Do one batch of the first table that is not finished; None when every table is."""
    open_tables = _open_tables(ctx)
    if not open_tables:
        return None
    return _batch(ctx, open_tables[0], len(open_tables))


def move_all(ctx: Context, on_progress: Callable[[int], None] = lambda _seen: None) -> int:
    """Batch after batch until all is moved, or only rows are left that others keep locked; returns rows changed."""
    seen = changed = 0
    ends: dict[str, int] = {}
    while (moved := move_some(ctx)) is not None:
        seen += moved.seen
        changed += moved.changed
        on_progress(seen)
        if moved.seen == 0:  # an end was reached, and something was left behind on the way
            ends[moved.table] = ends.get(moved.table, 0) + 1
            if ends[moved.table] > PASSES and moved.table in {one.table.name for one in _open_tables(ctx)}:
                break
    return changed


def unfinished(ctx: Context) -> bool:
    """Whether there is anything to move, by what was written down."""
    return bool(_open_tables(ctx))


def rows_to_look_at(ctx: Context) -> int:
    """Rows of all tables with something sealed in them, for a progress bar."""
    with ctx.database.read() as session:
        return sum(session.scalar(select(func.count()).select_from(one.table)) or 0 for one in sealed_tables())


def count_under(ctx: Context, number: int) -> dict[str, int]:
    """`table.column` → values and files sealed with one key; only those that are not zero. Reads everything."""
    found: dict[str, int] = {}
    with ctx.database.read() as session:
        for one in sealed_tables():
            for column in one.texts:
                raw = type_coerce(one.table.c[column], LargeBinary)
                head = header_of(number)
                query = select(func.count()).select_from(one.table).where(func.substr(raw, 1, len(head)) == head)
                found[f"{one.table.name}.{column}"] = session.scalar(query) or 0
            for column, (inner, _) in one.fields.items():
                values = session.scalars(select(one.table.c[column]).execution_options(yield_per=1000))
                found[f"{one.table.name}.{column}"] = sum(_number_of(value, inner) == number for value in values)
            for column in one.files:
                keys = session.scalars(select(one.table.c[column]).where(one.table.c[column].is_not(None)).distinct())
                found[f"{one.table.name}.{column}"] = sum(_file_number(ctx, key) == number for key in keys)
    return {place: count for place, count in found.items() if count}


def count_indexed_before(ctx: Context) -> dict[str, int]:
    """`table.column` → rows whose blind index is not the one of the key in use. Decrypts every row."""
    found: dict[str, int] = {}
    for one in sealed_tables():
        if one.indexes:
            with ctx.database.read() as session:
                rows = session.execute(_select(one).execution_options(yield_per=1000))
                for row in rows:
                    for column in _stale_indexes(one, row, ctx.data_key):
                        place = f"{one.table.name}.{column}"
                        found[place] = found.get(place, 0) + 1
    return found


def _open_tables(ctx: Context) -> list[SealedTable]:
    key = (ctx.data_key.value_key, ctx.data_key.index_key)
    with ctx.database.read() as session:
        rows = {row.table_name: row for row in session.scalars(select(DataKeyMove))}
    if not rows and key == (FIRST, FIRST):
        return []  # never rotated
    done = {name for name, row in rows.items() if row.finished and (row.value_key, row.index_key) == key}
    return [one for one in sealed_tables() if one.table.name not in done]


def _batch(ctx: Context, one: SealedTable, left: int) -> Moved:
    with ctx.database.write() as session:
        session.connection()  # begins, and learns which keys are in use
        place = _place(session, one, ctx.data_key)
        query = _select(one).order_by(*(one.table.c[name] for name in one.key)).limit(BATCH)
        if place.place is not None:
            query = query.where(tuple_(*(one.table.c[name] for name in one.key)) > tuple_(*place.place))
        rows = session.execute(query.with_for_update(skip_locked=True)).all()
        rows, changes = _changes(ctx, one, rows)
        for columns, values in changes.items():
            session.execute(_update(one, columns), values)
            place.moved += len(values)
        if rows:
            place.place = [getattr(rows[-1], name) for name in one.key]
        else:
            place.place = None
            place.finished = not _behind(ctx, session, one)
        return Moved(one.table.name, len(rows), sum(map(len, changes.values())), left - place.finished)


def _place(session: Session, one: SealedTable, key: DataKey) -> DataKeyMove:
    place = session.get(DataKeyMove, one.table.name, with_for_update=True)
    if place is None:
        place = DataKeyMove(table_name=one.table.name, value_key=0, index_key=0, moved=0, finished=False)
        session.add(place)
    if (place.value_key, place.index_key) != (key.value_key, key.index_key):
        place.value_key, place.index_key = key.value_key, key.index_key
        place.place, place.moved, place.finished = None, 0, False
    return place


def _behind(ctx: Context, session: Session, one: SealedTable) -> bool:
    """Whether rows were passed over because somebody had them locked."""
    head = header_of(ctx.data_key.value_key)
    for column in one.texts:
        raw = type_coerce(one.table.c[column], LargeBinary)
        other = select(one.table.c[one.key[0]]).where(raw.is_not(None), func.substr(raw, 1, len(head)) != head)
        if session.execute(other.limit(1)).first() is not None:
            return True
    if not (one.indexes or one.files or one.fields):
        return False
    rows = session.execute(_select(one).execution_options(yield_per=1000))
    return any(_stale_indexes(one, row, ctx.data_key) or _stale_fields(one, row, ctx.data_key) for row in rows)


def _select(one: SealedTable) -> Select[Any]:
    raw = [type_coerce(one.table.c[name], LargeBinary).label(name) for name in one.texts]
    others = [one.table.c[name] for name in (*one.fields, *one.files, *one.indexes)]
    return select(*(one.table.c[name] for name in one.key if name not in one.texts), *raw, *others)


def _changes(
    ctx: Context, one: SealedTable, rows: Sequence[Row[Any]]
) -> tuple[Sequence[Row[Any]], dict[tuple[str, ...], list[dict[str, Any]]]]:
    """The rows that were seen to, up to `FILE_BATCH` written files, and their new values by which columns change."""
    found: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    files = 0
    for number, row in enumerate(rows, 1):
        for column, purpose in one.files.items():
            files += _move_file(ctx, getattr(row, column), purpose)
        if change := _changed(ctx, one, row):
            found.setdefault(tuple(change), []).append(change)
        if files >= FILE_BATCH:
            return rows[:number], found
    return rows, found


def _changed(ctx: Context, one: SealedTable, row: Row[Any]) -> dict[str, Any]:
    """The row's new values by column with its key as `key_NAME`; empty when nothing is to be changed."""
    key = ctx.data_key
    change: dict[str, Any] = {}
    for column, purpose in one.texts.items():
        value = getattr(row, column)
        if value is not None and key_number(bytes(value)) != key.value_key:
            change[column] = key.seal(purpose, key.open(purpose, bytes(value)))
    for column in _stale_fields(one, row, key):
        inner, purpose = one.fields[column]
        stored = getattr(row, column)
        plain = key.open(purpose, base64.b64decode(stored[inner]))
        change[column] = {**stored, inner: base64.b64encode(key.seal(purpose, plain)).decode()}
    change.update(_stale_indexes(one, row, key))
    if not change:
        return {}
    return change | {f"key_{name}": getattr(row, name) for name in one.key}


def _update(one: SealedTable, columns: Iterable[str]) -> Any:
    raw = {
        name: bindparam(name, type_=JSON() if name in one.fields else None if name in one.indexes else LargeBinary())
        for name in columns
        if not name.startswith("key_")
    }
    return (
        update(one.table)
        .where(*(one.table.c[name] == bindparam(f"key_{name}") for name in one.key))
        .values({name: type_coerce(value, value.type) for name, value in raw.items()})
    )


def _stale_indexes(one: SealedTable, row: Row[Any], key: DataKey) -> dict[str, str]:
    stale = {}
    for column, (source, purpose, normal) in one.indexes.items():
        plain = key.open(one.texts[source], bytes(getattr(row, source))).decode()
        # An erased value has no index to compute; what stands in its place is random.
        if plain and getattr(row, column) != (fresh := key.blind_index(purpose, normal(plain))):
            stale[column] = fresh
    return stale


def _stale_fields(one: SealedTable, row: Row[Any], key: DataKey) -> list[str]:
    return [
        column
        for column, (inner, _) in one.fields.items()
        if _number_of(getattr(row, column), inner) not in (None, key.value_key)
    ]


def _number_of(stored: Any, inner: str) -> int | None:
    sealed = stored.get(inner) if isinstance(stored, dict) else None
    return key_number(base64.b64decode(sealed)) if isinstance(sealed, str) else None


def _file_number(ctx: Context, storage_key: str) -> int | None:
    try:
        return key_number(ctx.storage.get(storage_key))
    except FileMissingError:
        return None


def _move_file(ctx: Context, storage_key: str | None, purpose: str) -> bool:
    """Whether the file was written anew."""
    if storage_key is None:
        return False
    try:
        sealed = ctx.storage.get(storage_key)
    except FileMissingError:
        return False
    if key_number(sealed) == ctx.data_key.value_key:
        return False
    ctx.storage.put(storage_key, ctx.data_key.seal(purpose, ctx.data_key.open(purpose, sealed)))
    return True
