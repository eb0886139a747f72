"""Files (certificates, photos) in one place: a local folder, or an object store by URL.

Writes are atomic: a reader sees the whole old file, the whole new one, or none. Keys are relative paths of
plain segments (`certificates/1/TOKEN.pdf`). Nothing is deleted.
"""

import contextlib
import os
import re
from pathlib import Path

import obstore
from obstore.store import LocalStore, from_url

_KEY = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")


class StorageKeyError(ValueError):
    """A key that could leave the folder or mean two things."""


class FileMissingError(LookupError):
    """No file under that key. The message names the key, which holds no personal data."""


class Storage:
    """Put and get whole files by key. Safe to use from several threads and processes."""

    def __init__(self, store: obstore.store.ObjectStore, *, root: Path | None = None) -> None:
        self._store = store
        self._root = root

    @classmethod
    def in_folder(cls, folder: Path) -> "Storage":
        """Files below `folder`, which is made if missing (owner-only)."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return cls(LocalStore(prefix=folder.resolve()), root=folder.resolve())

    @classmethod
    def at(cls, url: str) -> "Storage":
        """Files at an address obstore reads (`s3://bucket/prefix`, `file:///folder`)."""
        if url.startswith("file://"):
            return cls.in_folder(Path(url.removeprefix("file://")))
        return cls(from_url(url))

    def put(self, key: str, content: bytes) -> None:
        """Write the whole file, replacing what was there; on a local folder it is on the disk when this returns."""
        obstore.put(self._store, _checked(key), content, use_multipart=False)
        if self._root is not None:
            # The database will say that this file exists, and it is synced: the file must be no less durable.
            path = self._root / key
            for place in (path, path.parent):
                handle = os.open(place, os.O_RDONLY)
                try:
                    os.fsync(handle)
                finally:
                    os.close(handle)

    def get(self, key: str) -> bytes:
        """The whole file; raises FileMissingError."""
        try:
            return bytes(obstore.get(self._store, _checked(key)).bytes())
        except FileNotFoundError as exc:
            raise FileMissingError(f"no stored file {key}") from exc

    def exists(self, key: str) -> bool:
        """Whether a file is stored under `key`."""
        try:
            obstore.head(self._store, _checked(key))
        except FileNotFoundError:
            return False
        return True

    def delete(self, key: str) -> None:
        """Remove a file; nothing happens when there is none. For scratch files only: records are never deleted."""
        with contextlib.suppress(FileNotFoundError):
            obstore.delete(self._store, _checked(key))
        if self._root is not None:
            # What a writer that was killed left behind: obstore writes beside the file before it renames.
            path = self._root / key
            for part in path.parent.glob(f"{path.name}#*"):
                part.unlink(missing_ok=True)

    def list(self, prefix: str) -> tuple[str, ...]:
        """Keys below `prefix` (whole path segments; empty for all), sorted."""
        wanted = _checked(prefix) if prefix else None
        return tuple(sorted(entry["path"] for chunk in obstore.list(self._store, wanted) for entry in chunk))


def _checked(key: str) -> str:
    if _KEY.fullmatch(key) is None:
        raise StorageKeyError("a storage key is a relative path of plain segments")
    return key
