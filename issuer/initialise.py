"""Make a data folder: databases, keys, and last of all the marker that says it is whole."""

import json
import os
import secrets
from pathlib import Path
from typing import Any

from issuer.clock import Clock
from issuer.errors import ConflictError, UnavailableError, Words
from issuer.marker import MARKER
from issuer.records.database import make_engine
from issuer.settings import Settings

FORMAT = 1
_OTHERS = frozenset({"lost+found"})


def initialise(settings: Settings, clock: Clock) -> bool:
    """Make the data folder, migrate both databases and hold the key ceremony; returns whether anything was new.

    A whole folder is only brought up to date, so running it twice changes nothing. Raises ConflictError for a
    folder with other content or one that an interrupted run left half-made (nothing can have been issued from
    it), UnavailableError when the folder cannot be written.
    """
    from issuer.context import migrate_both, open_context, open_storage

    folder = settings.data_dir
    if (folder / MARKER).exists():
        open_context(settings, clock).close()
        return False
    _refuse_other_content(folder)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as exc:
        raise UnavailableError(
            "data-dir-not-writable",
            Words("数据目录无法写入。", "The data folder cannot be written."),
            remedy=Words("请检查目录权限与磁盘空间。", "Check its permissions and the free space."),
        ) from exc
    if settings.database_url:
        _refuse_used_database(settings)  # before any key is made
    settings.keys_dir.mkdir(mode=0o700)
    for name in ("data.key", "lookup.key"):
        write_secret(settings.keys_dir / name, secrets.token_bytes(32))
    _ceremony(settings, clock)
    issuer_engine, register_engine = make_engine(settings.issuer_database), make_engine(settings.register_database)
    try:
        migrate_both(settings, issuer_engine, register_engine)
    finally:
        issuer_engine.dispose()
        register_engine.dispose()
    open_storage(settings)
    marker = {
        "format": FORMAT,
        "initialised_at": clock.now().isoformat(),
        "verify_base_url": settings.verify_base_url,
    }
    _write_whole(folder / MARKER, json.dumps(marker).encode() + b"\n")
    return True


def write_secret(path: Path, content: bytes) -> None:
    """Write a new owner-only file; raises FileExistsError rather than replace a key."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _write_whole(path: Path, content: bytes) -> None:
    part = path.with_suffix(".part")
    write_secret(part, content)
    part.replace(path)


def _refuse_other_content(folder: Path) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ConflictError(
            "data-dir-is-a-file",
            Words("--data-dir 指向一个文件，而不是目录。", "--data-dir is a file, not a folder."),
            remedy=Words("请另选一个目录。", "Choose another folder."),
        )
    names = {path.name for path in folder.iterdir() if not path.name.startswith(".")} - _OTHERS
    if not names:
        return
    if "keys" in names:
        raise ConflictError(
            "half-made",
            Words(
                "数据目录只建成一半（上次初始化中断，或 ecert.json 丢失），未作任何改动。",
                "The data folder is half-made (an interrupted init, or ecert.json is lost); nothing was changed.",
            ),
            remedy=Words(
                "若从未签发过证书，可删除该目录后重新运行 `ecert init`；否则请从备份恢复。",
                "If nothing was ever issued from it, delete it and run `ecert init` again; else restore a backup.",
            ),
        )
    raise ConflictError(
        "data-dir-not-empty",
        Words("数据目录不是空的，且不是本系统的数据。", "The folder is not empty and not one of ours."),
        remedy=Words("请为 --data-dir 指定一个新目录。", "Give --data-dir a new folder."),
    )


def _refuse_used_database(settings: Settings) -> None:
    """A database somebody's data is in belongs to the keys it was written with: new ones would not open it."""
    from issuer.migrations.runner import current

    engine = make_engine(settings.issuer_database)
    try:
        used = current(engine, "issuer") is not None
    finally:
        engine.dispose()
    if used:
        raise ConflictError(
            "database-in-use",
            Words(
                "该数据库已属于另一个数据目录，未作任何改动。",
                "That database belongs to another data folder already.",
            ),
            remedy=Words(
                "使用原来的数据目录（含密钥），或换一个空数据库。",
                "Use that folder with its keys, or an empty database.",
            ),
        )


def _ceremony(settings: Settings, clock: Clock) -> None:
    from issuer.sealing.room import first_ceremony

    names: dict[str, Any] = {"organisation": settings.organisation, "common_name": settings.seal_common_name}
    first_ceremony(settings, clock.now(), **{key: value for key, value in names.items() if value})
