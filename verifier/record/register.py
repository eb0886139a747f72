"""The public record as every verifier reads it: small indexed queries, read-only, never a guess.

Anything that keeps an answer from being had (file missing, server down, lock, damage) is a
RegisterUnavailableError; "no such row" is None. The two must never be confused: the first becomes
`status_unknown`, the second `not_found`.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from sqlalchemy import Row, bindparam, select

from verifier.record.copies import CopyRecord, certificate_of, find_copy
from verifier.record.instants import UtcInstant
from verifier.record.public_record import PublicRecord, StatusChange
from verifier.record.readonly import ReadOnlyDatabase, RegisterUnavailableError
from verifier.record.status import CertificateStatus, ReasonClass
from verifier.record.tables import (
    certificates,
    feed_position,
    files,
    log_checkpoints,
    log_leaves,
    log_nodes,
    status_changes,
    status_list_history,
    status_lists,
)

__all__ = [
    "FEED",
    "FileRecord",
    "Register",
    "RegisterUnavailableError",
    "SqlRegister",
    "StoredCheckpoint",
    "StoredStatusList",
]

FEED = "outbox"
"""Name of the feed in `feed_position`."""

# Built once: SQLAlchemy caches their compiled form by identity of shape, and this is the public hot path.
_BY_TOKEN = select(certificates).where(certificates.c.token == bindparam("token"))
_BY_NUMBER = select(certificates).where(certificates.c.number_digest == bindparam("digest"))
_BY_HOLDER = select(certificates).where(certificates.c.holder_digest == bindparam("digest")).limit(1)
_BY_FILE = select(files.c.sha256, files.c.token, files.c.kind, files.c.valid_until).where(
    files.c.sha256 == bindparam("sha256")
)
_HISTORY = (
    select(status_changes).where(status_changes.c.token == bindparam("token")).order_by(status_changes.c.sequence)
)
_LIST = select(status_lists).where(status_lists.c.list_id == bindparam("list_id"))
_LIST_THEN = (
    select(status_list_history.c.token_jwt, status_list_history.c.token_cwt)
    .where(
        status_list_history.c.list_id == bindparam("list_id"),
        status_list_history.c.issued_at <= bindparam("at", type_=UtcInstant()),
        status_list_history.c.expires_at > bindparam("at", type_=UtcInstant()),
    )
    .order_by(status_list_history.c.version.desc())
    .limit(1)
)
_LIST_IDS = select(status_lists.c.list_id)
_CHECKPOINT = (
    select(
        log_checkpoints.c.tree_size,
        log_checkpoints.c.root_hash,
        log_checkpoints.c.signed_note,
        log_checkpoints.c.signed_at,
    )
    .order_by(log_checkpoints.c.tree_size.desc())
    .limit(1)
)
_POSITION = select(feed_position.c.position).where(feed_position.c.name == FEED)
_LEAF_OF = (
    select(log_leaves.c.leaf_index, log_leaves.c.leaf)
    .where(log_leaves.c.token == bindparam("token"))
    .order_by(log_leaves.c.leaf_index)
    .limit(1)
)
_LEAVES_OF = (
    select(log_leaves.c.leaf_index, log_leaves.c.leaf)
    .where(log_leaves.c.token == bindparam("token"))
    .order_by(log_leaves.c.leaf_index.desc())
)
_LEAVES = (
    select(log_leaves.c.leaf)
    .where(log_leaves.c.leaf_index >= bindparam("start"), log_leaves.c.leaf_index < bindparam("end"))
    .order_by(log_leaves.c.leaf_index)
)
_LEAF_HASHES = (
    select(log_leaves.c.leaf_hash)
    .where(log_leaves.c.leaf_index >= bindparam("start"), log_leaves.c.leaf_index < bindparam("end"))
    .order_by(log_leaves.c.leaf_index)
)
_NODE_HASHES = (
    select(log_nodes.c.node_hash)
    .where(
        log_nodes.c.level == bindparam("level"),
        log_nodes.c.position >= bindparam("start"),
        log_nodes.c.position < bindparam("end"),
    )
    .order_by(log_nodes.c.position)
)


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A file the authority sealed for a certificate. `sha256` in lower-case hex; `kind` original, extended or copy;
    `valid_until` is the last day of a purpose-bound copy."""

    sha256: str
    token: str
    kind: str
    valid_until: date | None


@dataclass(frozen=True, slots=True)
class StoredStatusList:
    """A status list as published: `packed` has 2 bits an entry; `token_jwt` and `token_cwt` are the signed forms."""

    list_id: str
    version: int
    packed: bytes
    token_jwt: bytes
    token_cwt: bytes
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """The newest signed tree head of the log."""

    tree_size: int
    root_hash: bytes
    signed_note: str
    signed_at: datetime


class Register(Protocol):
    """What checking asks of the public record. Every method may raise RegisterUnavailableError."""

    def by_token(self, token: str) -> PublicRecord | None:
        """The record of a token (upper case); of a copy's, a `CopyRecord`. So for numbers and names."""
        ...

    def by_file(self, sha256: str) -> FileRecord | None:
        """The file with this digest (lower-case hex)."""
        ...

    def copy_by_file(self, sha256: str) -> CopyRecord | None:
        """The purpose-bound copy with this file digest."""
        ...

    def by_number_digest(self, digest: str) -> PublicRecord | None:
        """The record of `verifier.record.lookup.number_digest`."""
        ...

    def by_holder_digest(self, digest: str) -> PublicRecord | None:
        """The record of `verifier.record.lookup.holder_digest`."""
        ...

    def history(self, token: str) -> tuple[StatusChange, ...]:
        """Every status the certificate (of a copy: its certificate) has had, oldest first; empty if unknown."""
        ...

    def status_list(self, list_id: str) -> StoredStatusList | None:
        """A published status list."""
        ...

    def latest_checkpoint(self) -> StoredCheckpoint | None:
        """The newest checkpoint, or None before the first event."""
        ...

    def position(self) -> int:
        """The highest outbox event applied; 0 before the first."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


class SqlRegister:
    """The register in SQLite or PostgreSQL, opened so that it cannot be written."""

    def __init__(self, url: str) -> None:
        self._database = ReadOnlyDatabase(url)

    def by_token(self, token: str) -> PublicRecord | None:
        """See `Register`."""
        return _record(self._database.first(_BY_TOKEN, {"token": token})) or self._copy("token", token)

    def by_file(self, sha256: str) -> FileRecord | None:
        """See `Register`."""
        row = self._database.first(_BY_FILE, {"sha256": sha256})
        return None if row is None else FileRecord(**row._asdict())

    def by_number_digest(self, digest: str) -> PublicRecord | None:
        """See `Register`."""
        return _record(self._database.first(_BY_NUMBER, {"digest": digest})) or self._copy("number_digest", digest)

    def by_holder_digest(self, digest: str) -> PublicRecord | None:
        """See `Register`."""
        return _record(self._database.first(_BY_HOLDER, {"digest": digest})) or self._copy("holder_digest", digest)

    def copy_by_file(self, sha256: str) -> CopyRecord | None:
        """See `Register`."""
        return self._copy("file_sha256", sha256)

    def _copy(self, column: str, key: str) -> CopyRecord | None:
        row = find_copy(self._database, column, key)
        return None if row is None else CopyRecord(**_typed(row))

    def history(self, token: str) -> tuple[StatusChange, ...]:
        """See `Register`."""
        rows = self._database.all(_HISTORY, {"token": token})
        if not rows and (parent := certificate_of(self._database, token)) is not None:
            rows = self._database.all(_HISTORY, {"token": parent})
        return tuple(_change(row) for row in rows)

    def status_list(self, list_id: str) -> StoredStatusList | None:
        """See `Register`."""
        row = self._database.first(_LIST, {"list_id": list_id})
        return None if row is None else StoredStatusList(**row._asdict())

    def status_list_then(self, list_id: str, at: datetime) -> tuple[bytes, bytes] | None:
        """The list as it was signed for the instant `at` (JWT, CWT); None where none covers it."""
        row = self._database.first(_LIST_THEN, {"list_id": list_id, "at": at})
        return None if row is None else (row.token_jwt, row.token_cwt)

    def status_list_ids(self) -> list[str]:
        """Ids of all published lists, in the order in which they were begun."""
        ids = [row.list_id for row in self._database.all(_LIST_IDS, {})]
        return sorted(ids, key=lambda list_id: (len(list_id), list_id))

    def latest_checkpoint(self) -> StoredCheckpoint | None:
        """See `Register`."""
        row = self._database.first(_CHECKPOINT, {})
        return None if row is None else StoredCheckpoint(**row._asdict())

    def position(self) -> int:
        """See `Register`."""
        row = self._database.first(_POSITION, {})
        return 0 if row is None else int(row.position)

    def leaf_of(self, token: str) -> tuple[int, bytes] | None:
        """Index and bytes of the first leaf of a certificate: that of its issue."""
        row = self._database.first(_LEAF_OF, {"token": token})
        return None if row is None else (row.leaf_index, row.leaf)

    def leaves_of(self, token: str) -> list[tuple[int, bytes]]:
        """Index and bytes of every leaf of a certificate, newest first."""
        return [(row.leaf_index, row.leaf) for row in self._database.all(_LEAVES_OF, {"token": token})]

    def leaves(self, start: int, count: int) -> list[bytes]:
        """The entries from `start` on, at most `count`, in order."""
        return [row.leaf for row in self._database.all(_LEAVES, {"start": start, "end": start + count})]

    def hashes(self, level: int, start: int, count: int) -> list[bytes]:
        """Hashes of tile level `level` (0: leaves) from `start` on, at most `count`, in order."""
        if level == 0:
            rows = self._database.all(_LEAF_HASHES, {"start": start, "end": start + count})
            return [row.leaf_hash for row in rows]
        rows = self._database.all(_NODE_HASHES, {"level": level, "start": start, "end": start + count})
        return [row.node_hash for row in rows]

    def close(self) -> None:
        """See `Register`."""
        self._database.close()


def _record(row: Row[Any] | None) -> PublicRecord | None:
    return None if row is None else PublicRecord(**_typed(row))


def _change(row: Row[Any]) -> StatusChange:
    return StatusChange(**_typed(row))


def _typed(row: Row[Any]) -> dict[str, Any]:
    values = row._asdict()
    try:
        values["status"] = CertificateStatus(values["status"])
        values["reason_class"] = None if row.reason_class is None else ReasonClass(row.reason_class)
    except ValueError as exc:
        # A word this program does not know (written by a newer one) must not be guessed at.
        raise RegisterUnavailableError("the public record holds a status this program does not know") from exc
    return values
