"""Files that came with a request, on disk for the services, and gone afterwards."""

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath

from fastapi import UploadFile

_SUFFIXES = (".xlsx", ".csv", ".zip")


@contextmanager
def on_disk(*uploads: UploadFile | None) -> Iterator[tuple[Path | None, ...]]:
    """The uploads as files in an owner-only scratch folder, in order; None stays None, also for an empty field."""
    with tempfile.TemporaryDirectory(prefix="ecert-upload-") as scratch:
        paths: list[Path | None] = []
        for number, upload in enumerate(uploads):
            if upload is None or not upload.filename:
                paths.append(None)
                continue
            suffix = PurePath(upload.filename).suffix.lower()
            path = Path(scratch) / f"{number}{suffix if suffix in _SUFFIXES else ''}"
            with path.open("wb") as file:
                upload.file.seek(0)
                shutil.copyfileobj(upload.file, file, 1024 * 1024)
            paths.append(path)
        yield tuple(paths)


def sha256_of(path: Path | None) -> str | None:
    """SHA-256 of a file, hex; None for none."""
    if path is None:
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
