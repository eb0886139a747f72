"""Backup and restore of a data folder: one .tar with a digest of everything in it, its secrets under a passphrase.

With PostgreSQL the whole backup is under the passphrase (`issuer.backup_server`).

Order of a backup: register, issuer database, files, keys. The register's copy is thus never newer than the
issuer's, and every file the databases speak of is there; what the register lacks is replayed at restore.
"""

import hashlib
import io
import json
import os
import secrets
import shutil
import sqlite3
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from issuer import backup_server
from issuer.backup_refusals import damaged, require_whole, wrong_passphrase
from issuer.backup_server import on_server
from issuer.backup_stream import WrongPassphraseError
from issuer.clock import Clock
from issuer.errors import ConflictError, InputError, UnavailableError, Words
from issuer.marker import MARKER
from issuer.settings import Settings

FORMAT = 1
MANIFEST = "manifest.json"
SECRETS = "secrets.enc"
DATABASES = ("register.sqlite3", "issuer.sqlite3")
_COST = {"n": 2**16, "r": 8, "p": 1}
_MAGIC = b"ecert-secrets-1\n"


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What was written or read: `entries` files of `size` bytes in all."""

    path: Path
    entries: int
    size: int


def back_up(settings: Settings, clock: Clock, target: Path, passphrase: str) -> BackupReport:
    """Write a consistent copy of the data folder to `target` while it may be in use.

    Raises ConflictError (target exists), UnavailableError (not initialised; databases or files are kept outside
    the folder, where their own tools back them up), InputError (cannot be written).
    """
    server = on_server(settings)
    require_whole(settings, server=server)
    if target.exists():
        raise ConflictError(
            "target-exists",
            Words("目标文件已存在，未作任何改动。", "The target exists already; nothing was changed."),
            remedy=Words("换一个文件名。", "Choose another name."),
        )
    part = target.with_name(f".{target.name}.part")
    digests: dict[str, str] = {}
    if server:
        return _server_backup(settings, clock, target, part, passphrase)
    try:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as raw, tarfile.open(fileobj=raw, mode="w") as tar:
            for name, content in _entries(settings, passphrase):
                digests[name] = _add(tar, name, content)
            manifest = {"format": FORMAT, "created_at": clock.now().isoformat(), "sha256": digests}
            _add(tar, MANIFEST, json.dumps(manifest, indent=1).encode())
            raw.flush()
            os.fsync(raw.fileno())
        part.replace(target)
    except OSError as exc:
        raise InputError(
            "cannot-write",
            Words("备份文件无法写入。", "The backup cannot be written."),
            remedy=Words("检查目录权限与磁盘空间。", "Check permissions and free space."),
        ) from exc
    finally:
        part.unlink(missing_ok=True)
    return BackupReport(target, len(digests), target.stat().st_size)


def restore(settings: Settings, source: Path, passphrase: str) -> BackupReport:
    """Make the data folder from a backup, every digest checked, in one step at the end.

    Raises ConflictError (the folder is not empty), InputError (not a backup, damaged, or the wrong passphrase);
    then nothing is left behind.
    """
    folder = settings.data_dir
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConflictError(
            "data-dir-not-empty",
            Words("目标目录不是空的，未作任何改动。", "The target folder is not empty; nothing was changed."),
            remedy=Words("为 --data-dir 指定一个新目录。", "Give --data-dir a new folder."),
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    if on_server(settings):
        return _server_restore(settings, source, passphrase)
    draft = folder.with_name(f".{folder.name}.restoring-{secrets.token_hex(4)}")
    draft.mkdir(mode=0o700)
    try:
        entries, size = _extract(source, draft)
        _open_secrets(draft, passphrase)
        if folder.exists():
            folder.rmdir()
        draft.replace(folder)
    except (OSError, tarfile.TarError, ValueError, KeyError, TypeError, EOFError) as exc:
        raise damaged() from exc
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return BackupReport(folder, entries, size)


def _server_backup(settings: Settings, clock: Clock, target: Path, part: Path, passphrase: str) -> BackupReport:
    from issuer.context import open_storage

    try:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as raw:
            entries = backup_server.write(settings, clock, open_storage(settings), raw, passphrase)
            raw.flush()
            os.fsync(raw.fileno())
        part.replace(target)
    except (OSError, *backup_server.DATABASE_ERRORS) as exc:
        raise InputError(
            "cannot-write",
            Words("备份文件无法写入。", "The backup cannot be written."),
            remedy=Words("检查数据库、目录权限与磁盘空间。", "Check the database, permissions and free space."),
        ) from exc
    finally:
        part.unlink(missing_ok=True)
    return BackupReport(target, entries, target.stat().st_size)


def _server_restore(settings: Settings, source: Path, passphrase: str) -> BackupReport:
    from issuer.context import open_storage

    storage = open_storage(settings) if settings.storage_url else None
    try:
        entries, size = backup_server.read(settings, storage, source, passphrase)
    except WrongPassphraseError as exc:
        raise wrong_passphrase() from exc
    except (OSError, tarfile.TarError, ValueError, KeyError, TypeError, EOFError) as exc:
        raise damaged() from exc
    except backup_server.DATABASE_ERRORS as exc:
        raise UnavailableError(
            "database-unreachable",
            Words("数据库无法写入，未作任何改动。", "The database cannot be written; nothing was changed."),
            remedy=Words("检查 ECERT_DATABASE_URL 及其权限。", "Check ECERT_DATABASE_URL and its rights."),
        ) from exc
    return BackupReport(settings.data_dir, entries, size)


def new_passphrase() -> str:
    """A passphrase nobody has to invent: 160 random bits."""
    return secrets.token_hex(20)


def _entries(settings: Settings, passphrase: str) -> Iterator[tuple[str, bytes | Path]]:
    folder = settings.data_dir
    for name in DATABASES:
        copy = folder / f".{name}.copy"
        try:
            _snapshot(folder / name, copy)
            yield name, copy
        finally:
            copy.unlink(missing_ok=True)
    for root in ("files", "keys/public"):
        for path in sorted((folder / root).rglob("*")):
            if path.is_file():
                yield path.relative_to(folder).as_posix(), path
    yield MARKER, folder / MARKER
    yield SECRETS, _seal_secrets(folder, passphrase)


def _snapshot(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    with sqlite3.connect(source) as reading, sqlite3.connect(target) as writing:
        reading.backup(writing)
    reading.close()
    writing.close()


def _add(tar: tarfile.TarFile, name: str, content: bytes | Path) -> str:
    entry = tarfile.TarInfo(name)
    entry.mode = 0o600
    if isinstance(content, bytes):
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
        return hashlib.sha256(content).hexdigest()
    with content.open("rb") as file:
        entry.size = os.fstat(file.fileno()).st_size
        counted = _Counted(file)
        tar.addfile(entry, counted)
    return counted.digest.hexdigest()


class _Counted(io.RawIOBase):
    """A file that digests what is read from it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self.digest.update(data)
        return data


def _extract(source: Path, draft: Path) -> tuple[int, int]:
    found: dict[str, str] = {}
    manifest: dict[str, str] | None = None
    size = 0
    with tarfile.open(source, "r:") as tar:
        for entry in tar:
            place = PurePosixPath(entry.name)
            if not entry.isreg() or place.is_absolute() or ".." in place.parts or entry.name in found:
                raise ValueError("an entry that no backup has")
            reader = tar.extractfile(entry)
            if reader is None or manifest is not None:
                raise ValueError("an entry after the manifest")
            if entry.name == MANIFEST:
                loaded = json.loads(reader.read())
                if loaded["format"] != FORMAT:
                    raise ValueError("another format")
                manifest = loaded["sha256"]
                continue
            target = draft / place
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            digest = hashlib.sha256()
            with target.open("xb") as out:
                while block := reader.read(1 << 20):
                    digest.update(block)
                    size += len(block)
                    out.write(block)
            found[entry.name] = digest.hexdigest()
    if manifest is None or found != manifest or not {*DATABASES, MARKER, SECRETS} <= found.keys():
        raise ValueError("contents and manifest differ")
    return len(found), size


def _seal_secrets(folder: Path, passphrase: str) -> bytes:
    inner = io.BytesIO()
    with tarfile.open(fileobj=inner, mode="w") as tar:
        for path in sorted((folder / "keys").rglob("*")):
            name = path.relative_to(folder).as_posix()
            if path.is_file() and not name.startswith("keys/public/"):
                _add(tar, name, path.read_bytes())
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    return _MAGIC + salt + nonce + AESGCM(_stretch(passphrase, salt)).encrypt(nonce, inner.getvalue(), _MAGIC)


def _open_secrets(draft: Path, passphrase: str) -> None:
    sealed = (draft / SECRETS).read_bytes()
    (draft / SECRETS).unlink()
    start = len(_MAGIC)
    if not sealed.startswith(_MAGIC):
        raise ValueError("no secrets of ours")
    key = _stretch(passphrase, sealed[start : start + 16])
    try:
        inner = AESGCM(key).decrypt(sealed[start + 16 : start + 28], sealed[start + 28 :], _MAGIC)
    except InvalidTag as exc:
        raise wrong_passphrase() from exc
    with tarfile.open(fileobj=io.BytesIO(inner)) as tar:
        tar.extractall(draft, filter="data")
    for path in (draft / "keys").rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
    (draft / "keys").chmod(0o700)


def _stretch(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, **_COST).derive(passphrase.encode())
