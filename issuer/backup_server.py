"""Backup and restore of an installation on PostgreSQL: both schemas, files, keys, in one encrypted file.

One REPEATABLE READ snapshot over both schemas while the office works, table by table through COPY; then every stored
file, so that whatever the snapshot speaks of is there; then the keys. If the schemas lie in two databases, the public
record is read first: it is never newer than the private side, and what it lacks is replayed at restore. The schema
`jobs` is left out: nothing in it is ours. All of it is under the passphrase (`issuer.backup_stream`).
"""

import hashlib
import io
import json
import os
import secrets
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from psycopg.errors import Error as PostgresError
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from issuer import backup_tables
from issuer.backup_stream import SealedReader, SealedWriter
from issuer.backup_tables import ORDER, Side
from issuer.clock import Clock
from issuer.errors import ConflictError, Words
from issuer.marker import MARKER
from issuer.migrations.runner import grant_reading, migrate_to
from issuer.records.database import make_engine
from issuer.records.storage import FileMissingError, Storage
from issuer.settings import Settings

FORMAT = 2
MANIFEST = "manifest.json"
PASSING = ("doctor/", "returned/")
"""Stored files that come and go by their nature."""


@dataclass(frozen=True, slots=True)
class Dumped:
    """One table of the snapshot."""

    side: Side
    table: str
    columns: tuple[str, ...]
    rows: int


def on_server(settings: Settings) -> bool:
    """Whether both databases are PostgreSQL."""
    return all(url.startswith("postgresql") for url in (settings.issuer_database, settings.register_database))


def write(settings: Settings, clock: Clock, storage: Storage, out: IO[bytes], passphrase: str) -> int:
    """Write a backup into `out`; returns how many entries it has. Raises OSError, and what the database raises."""
    sealed = SealedWriter(out, passphrase)
    digests: dict[str, str] = {}
    tables: list[Dumped] = []
    sequences: dict[str, dict[str, int]] = {}
    revisions: dict[str, str] = {}
    with tarfile.open(fileobj=sealed, mode="w|") as tar:

        def add(name: str, content: bytes) -> None:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o600
            tar.addfile(entry, io.BytesIO(content))
            digests[name] = hashlib.sha256(content).hexdigest()

        with backup_tables.snapshots(settings) as connections:
            for side in ORDER:
                connection = connections[side]
                revisions[side] = str(
                    connection.execute(text(f"SELECT version_num FROM {side}.alembic_version")).scalar()  # noqa: S608 (fixed names) # nosec B608
                )
                for table, columns in backup_tables.tables(connection, side):
                    rows = 0
                    for number, (block, count) in enumerate(backup_tables.copied(connection, side, table, columns)):
                        add(f"tables/{side}/{table}/{number:06}.copy", block)
                        rows = count
                    tables.append(Dumped(side, table, columns, rows))
                sequences[side] = backup_tables.sequences(connection, side)
            # The list is made while the snapshot stands, and after it was taken: what it speaks of is on it.
            for key in storage.list(""):
                if not key.startswith(PASSING):
                    try:
                        add(f"files/{key}", storage.get(key))
                    except FileMissingError:
                        continue  # erased by law or replaced meanwhile
        for path in sorted((settings.data_dir / "keys").rglob("*")):
            if path.is_file():
                add(path.relative_to(settings.data_dir).as_posix(), path.read_bytes())
        add(MARKER, (settings.data_dir / MARKER).read_bytes())
        manifest = {
            "format": FORMAT,
            "created_at": clock.now().isoformat(),
            "revisions": revisions,
            "tables": [[each.side, each.table, each.columns, each.rows] for each in tables],
            "sequences": sequences,
            "sha256": digests,
        }
        add(MANIFEST, json.dumps(manifest).encode())
    sealed.finish()
    return len(digests)


def read(settings: Settings, storage: Storage | None, source: Path, passphrase: str) -> tuple[int, int]:
    """Restore into empty databases and storage (None: the data folder itself); returns entries and bytes.

    The backup is read through and checked before anything is written. Raises ConflictError (something is not empty),
    ValueError and its kin (not a whole backup), WrongPassphraseError.
    """
    manifest, size = _checked(source, passphrase)
    engines = {side: make_engine(backup_tables.url_of(settings, side)) for side in ORDER}
    folder = settings.data_dir
    draft = folder.with_name(f".{folder.name}.restoring-{secrets.token_hex(4)}")
    try:
        _require_empty(engines, storage, manifest)
        draft.mkdir(mode=0o700, parents=True)
        files = Storage.in_folder(draft / "files") if storage is None else storage
        with backup_tables.units(engines) as connections:
            for side in ORDER:
                connections[side].execute(text(f"CREATE SCHEMA IF NOT EXISTS {side}"))
                migrate_to(connections[side], side, manifest["revisions"][side])
            _load(connections, manifest, source, passphrase, files, draft)
        for side in ORDER:
            if side == "public_record" and settings.verifier_role:
                grant_reading(engines[side], settings.verifier_role)
        if folder.exists():
            folder.rmdir()
        draft.replace(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        for engine in engines.values():
            engine.dispose()
    return len(manifest["sha256"]) + 1, size


def _checked(source: Path, passphrase: str) -> tuple[dict[str, Any], int]:
    found: dict[str, str] = {}
    manifest: dict[str, Any] | None = None
    size = 0
    for name, content in _entries(source, passphrase):
        if manifest is not None or name in found:
            raise ValueError("an entry that no backup has")
        if name == MANIFEST:
            manifest = json.loads(content)
        else:
            found[name] = hashlib.sha256(content).hexdigest()
            size += len(content)
    if manifest is None or manifest["format"] != FORMAT or found != manifest["sha256"] or MARKER not in found:
        raise ValueError("contents and manifest differ")
    return manifest, size


def _entries(source: Path, passphrase: str) -> Iterator[tuple[str, bytes]]:
    with source.open("rb") as file:
        sealed = SealedReader(file, passphrase)
        with tarfile.open(fileobj=sealed, mode="r|") as tar:
            for entry in tar:
                place = PurePosixPath(entry.name)
                reader = tar.extractfile(entry)
                if reader is None or place.is_absolute() or ".." in place.parts:
                    raise ValueError("an entry that no backup has")
                yield entry.name, reader.read()
        sealed.read()  # to the last frame: a backup that was cut off has none


def _load(
    connections: dict[Side, Connection],
    manifest: dict[str, Any],
    source: Path,
    passphrase: str,
    storage: Storage,
    draft: Path,
) -> None:
    wanted = {(side, table): (columns, rows) for side, table, columns, rows in manifest["tables"]}
    blocks: dict[tuple[Side, str], list[bytes]] = {}
    now: tuple[Side, str] | None = None
    loaded: dict[tuple[Side, str], int] = {}
    order = {side: backup_tables.by_dependency(connections[side], side) for side in ORDER}

    def flush() -> None:
        # Tables come in the order of the dump, which is that of their foreign keys.
        nonlocal now
        if now is not None:
            columns, _ = wanted[now]
            loaded[now] = backup_tables.copy_in(connections[now[0]], now[0], now[1], columns, blocks.pop(now))
        now = None

    for name, content in _entries(source, passphrase):
        kind, _, rest = name.partition("/")
        if kind == "tables":
            side, table, _ = rest.split("/")
            place: tuple[Side, str] = ("issuer" if side == "issuer" else "public_record", table)
            if place != now:
                flush()
                now = place
            if table not in order[place[0]]:
                raise ValueError("a table that this revision does not have")
            blocks.setdefault(place, []).append(content)
            continue
        flush()
        if kind == "files":
            storage.put(rest, content)
        elif name == MARKER or kind == "keys":
            path = draft / name
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                os.fsync(file.fileno())
    flush()
    for place, (_, rows) in wanted.items():
        if loaded.get(place, 0) != rows:
            raise ValueError("a table has another number of rows than was written down")
    for side in ORDER:
        for sequence, last in manifest["sequences"][side].items():
            backup_tables.require_plain(sequence)
            connections[side].execute(text(f"SELECT setval('{side}.{sequence}', :last)"), {"last": last})


def _require_empty(engines: dict[Side, Engine], storage: Storage | None, manifest: dict[str, Any]) -> None:
    for side, engine in engines.items():
        with engine.connect() as connection:
            query = text("SELECT count(*) FROM pg_tables WHERE schemaname = :side")
            if connection.execute(query, {"side": side}).scalar():
                raise ConflictError(
                    "database-not-empty",
                    Words(
                        "目标数据库不是空的，未作任何改动。", "The target database is not empty; nothing was changed."
                    ),
                    remedy=Words("为 ECERT_DATABASE_URL 指定一个空数据库。", "Give ECERT_DATABASE_URL an empty one."),
                )
    known = {name.removeprefix("files/") for name in manifest["sha256"] if name.startswith("files/")}
    if storage is not None and any(key not in known for key in storage.list("")):
        raise ConflictError(
            "storage-not-empty",
            Words("目标文件存储不是空的，未作任何改动。", "The target storage is not empty; nothing was changed."),
            remedy=Words("为 ECERT_STORAGE_URL 指定一个空的位置。", "Give ECERT_STORAGE_URL an empty place."),
        )


DATABASE_ERRORS = (SQLAlchemyError, PostgresError)
"""What reading or loading may raise."""
