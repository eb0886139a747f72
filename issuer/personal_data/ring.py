"""The data keys on this machine, and which of them new values are sealed and indexed with.

Key 1 is `keys/data.key`, later ones are `keys/data/NNNN.key`; the databases never hold one. Which is in use is a row
of the database, read at the start of every unit of work that writes. On PostgreSQL such a unit holds a shared
advisory lock until its end, and rotation takes the same lock alone: once `rotate` has returned, no unit of work
anywhere seals with the old key. On SQLite a writer is alone anyway.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, func, select

from issuer.errors import UnavailableError, Words
from issuer.records.encryption import FIRST, DataKey, DataKeyMissingError
from issuer.records.personal_data import DataKeyUse

FOLDER = "data"
KEPT = "kept-digests.json"
LOCK = 0x6563_6572_7444_6B79
"""Key of the PostgreSQL advisory lock: "ecertDky" in ASCII."""


def load_ring(keys_dir: Path) -> DataKey:
    """Every data key of the folder; raises ValueError when there is none or one is damaged."""

    def again() -> tuple[dict[int, bytes], dict[str, bytes]]:
        return read_keys(keys_dir), read_kept(keys_dir)

    keys, kept = again()
    return DataKey(keys, kept=kept, reload=again)


def read_keys(keys_dir: Path) -> dict[int, bytes]:
    """Number → key."""
    found = {FIRST: keys_dir / "data.key"} if (keys_dir / "data.key").exists() else {}
    for path in (keys_dir / FOLDER).glob("*.key"):
        if path.stem.isascii() and path.stem.isdigit():
            found[int(path.stem)] = path
    return {number: path.read_bytes() for number, path in found.items()}


def key_file(keys_dir: Path, number: int) -> Path:
    """Where a key rests."""
    return keys_dir / "data.key" if number == FIRST else keys_dir / FOLDER / f"{number:04}.key"


def read_kept(keys_dir: Path) -> dict[str, bytes]:
    """Purpose → digest key; empty before the first rotation."""
    try:
        stored = json.loads((keys_dir / FOLDER / KEPT).read_text(encoding="ascii"))
    except FileNotFoundError:
        return {}
    return {purpose: bytes.fromhex(key) for purpose, key in stored.items()}


def keep_digests(keys_dir: Path, key: DataKey) -> None:
    """Write down, once, the keys of digests that nothing can compute again: the key they come from may be retired."""
    if (keys_dir / FOLDER / KEPT).exists():
        return
    stored = {purpose: each.hex() for purpose, each in key.digest_keys().items()}
    write_whole(keys_dir / FOLDER / KEPT, json.dumps(stored).encode("ascii"))


def write_whole(path: Path, content: bytes) -> None:
    """An owner-only file that is there whole or not at all, and on the disk when this returns."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Put a folder's list of names on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def follow(key: DataKey) -> Callable[[Connection], None]:
    """What a unit of work does at its start: learn which keys are in use, and hold them until its end."""

    def at_start(connection: Connection) -> None:
        if connection.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock_shared(LOCK)))
        apply_use(connection, key)

    return at_start


def apply_use(connection: Connection, key: DataKey) -> None:
    """Seal and index with the keys the database names; raises UnavailableError when one is not on this machine."""
    row = connection.execute(select(DataKeyUse.value_key, DataKeyUse.index_key)).first()
    value_key, index_key = (row.value_key, row.index_key) if row else (FIRST, FIRST)
    if (key.value_key, key.index_key) != (value_key, index_key):
        key.read_again()
        try:
            key.use(value_key, index_key)
        except DataKeyMissingError as exc:
            name = next(f"{FOLDER}/{n:04}.key" for n in (value_key, index_key) if n not in key.numbers)
            raise key_missing(name) from exc


def key_missing(name: str) -> UnavailableError:
    """A key file that data rests under is not here; nothing can be read or written without it."""
    return UnavailableError(
        "key-missing",
        Words(
            f"缺少密钥文件 {name}，未作任何改动。",
            f"The key file {name} is missing or damaged; nothing was changed.",
        ),
        remedy=Words(
            "从备份恢复该文件（`ecert restore`），或从另一台机器复制；不要另造，否则已有数据无法读取。",
            "Put it back from a backup (`ecert restore`) or another machine; a new one would not open the data.",
        ),
    )
