"""Keeps a restored database from publishing a second history of the log.

What was published once is out in the world: auditors and witnesses remember it. A database restored from an older
backup would sign other entries in the place of those, and the log would have forked. So before anything is written it
is compared with what is remembered outside the databases, and refused when it does not grow out of that.
"""

import os
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, func, select

from issuer.errors import UnavailableError, Words
from issuer.records.database import Database
from issuer.records.ledger import OutboxEvent
from verifier.record.log_reading import Checkpoint, CheckpointMalformedError, read_checkpoint
from verifier.record.log_tiles import node_reader
from verifier.record.merkle import EMPTY_ROOT, range_hash
from verifier.record.tables import log_checkpoints, log_leaves, log_nodes

MEMORY_FILE: Final = "published-checkpoint"
"""Under DATA_DIR, and in no backup: the newest checkpoint that this installation made public."""


class LogWouldForkError(UnavailableError):
    """Publishing now would contradict what was published before; nothing was written, events stay in the outbox."""

    def __init__(self, found: Words) -> None:
        super().__init__(
            "log-would-fork",
            Words(
                f"{found.zh}继续公布会使公开日志分叉，因此没有公布；待公布事件均已保留。",
                f"{found.en} Publishing would fork the public log, so nothing was published; every event is kept.",
            ),
            remedy=Words(
                "请恢复更新的备份。确已没有时：先公告，再移走数据目录中的 published-checkpoint；审计方会报告分叉。",
                "Restore a newer backup. If there is none: announce it first, then move published-checkpoint out of "
                "the data folder; auditors will report the fork.",
            ),
        )


class ForkGuard:
    """Compares the register with what is remembered. `memory` None: only the two databases are compared."""

    def __init__(self, database: Database, memory: Path | None) -> None:
        self._database = database
        self._memory = memory

    def require_growth(self, connection: Connection, *, rebuilding: bool = False) -> None:
        """Raise LogWouldForkError unless the log as it stands contains all that was published.

        `rebuilding`: the log may still be shorter, since what is missing is being put back.
        """
        self._require_issuer_ahead(connection)
        published = self.recall()
        if published is None:
            return
        size = log_size(connection)
        if size < published.tree_size:
            if rebuilding:
                return
            raise LogWouldForkError(
                Words(
                    f"公共记录（{size} 条）比已公布的日志（{published.tree_size} 条）旧。",
                    f"The public record ({size} entries) is older than the published log ({published.tree_size}).",
                )
            )
        if root_at(connection, published.tree_size) != published.root_hash:
            raise LogWouldForkError(
                Words(
                    f"公共记录的日志与已公布的第 {published.tree_size} 条检查点不符。",
                    f"The public record's log is not the one published at {published.tree_size} entries.",
                )
            )

    def recall(self) -> Checkpoint | None:
        """The newest checkpoint made public, None when none is remembered; raises UnavailableError if unreadable."""
        if self._memory is None or not self._memory.exists():
            return None
        try:
            return read_checkpoint(self._memory.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, CheckpointMalformedError) as exc:
            raise UnavailableError(
                "log-memory-unreadable",
                Words("已公布检查点的记录无法读取，没有公布。", "The note of what was published cannot be read."),
                remedy=Words(f"请检查 {self._memory.name}。", f"Look at {self._memory.name} in the data folder."),
            ) from exc

    def remember(self, connection: Connection) -> None:
        """Note down the newest checkpoint, durably and in one step. To be called once it is committed."""
        if self._memory is None:
            return
        newest = select(log_checkpoints.c.signed_note).order_by(log_checkpoints.c.tree_size.desc()).limit(1)
        note = connection.execute(newest).scalar()
        if note is None:
            return
        draft = self._memory.with_name(f".{self._memory.name}.{os.getpid()}")
        with draft.open("w", encoding="utf-8") as file:
            file.write(note)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._memory)

    def _require_issuer_ahead(self, connection: Connection) -> None:
        """New events of an older issuer database would bear the numbers of old ones, and be taken for applied."""
        logged = connection.execute(select(func.max(log_leaves.c.event_sequence))).scalar() or 0
        with self._database.read() as session:
            known = session.scalar(select(func.max(OutboxEvent.sequence))) or 0
        if logged > known:
            raise LogWouldForkError(
                Words(
                    f"签发库（事件 {known}）比公共记录（事件 {logged}）旧。",
                    f"The issuer's database (event {known}) is older than the public record (event {logged}).",
                )
            )


class ConnectionLog:
    """The log as an open transaction sees it: a `LogStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def leaves(self, start: int, count: int) -> list[bytes]:
        """See `LogStore`."""
        chosen = select(log_leaves.c.leaf).where(
            log_leaves.c.leaf_index >= start, log_leaves.c.leaf_index < start + count
        )
        return list(self._connection.execute(chosen.order_by(log_leaves.c.leaf_index)).scalars())

    def hashes(self, level: int, start: int, count: int) -> list[bytes]:
        """See `LogStore`."""
        if level == 0:
            place, chosen = log_leaves.c.leaf_index, select(log_leaves.c.leaf_hash)
        else:
            place, chosen = log_nodes.c.position, select(log_nodes.c.node_hash).where(log_nodes.c.level == level)
        wanted = chosen.where(place >= start, place < start + count).order_by(place)
        return list(self._connection.execute(wanted).scalars())


def log_size(connection: Connection) -> int:
    """How many leaves the newest checkpoint covers."""
    return int(connection.execute(select(func.max(log_checkpoints.c.tree_size))).scalar() or 0)


def root_at(connection: Connection, size: int) -> bytes:
    """The root of the log's beginning of this size: as signed then, or else computed anew."""
    if size == 0:
        return EMPTY_ROOT
    signed = connection.execute(select(log_checkpoints.c.root_hash).where(log_checkpoints.c.tree_size == size))
    found: bytes | None = signed.scalar()
    return found if found is not None else range_hash(0, size, node_reader(ConnectionLog(connection)))
