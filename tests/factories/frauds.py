"""An authority that cheats: it has all its keys, writes its register as it likes, and signs what it publishes."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, delete, func, insert, select, text

from issuer.publication.list_writing import write_lists
from issuer.sealing.checkpoint import sign_checkpoint
from issuer.sealing.credential import HasSigners
from verifier.record.log_reading import Checkpoint, origin_of
from verifier.record.log_tiles import TILE_HEIGHT, TILE_WIDTH, tile_path
from verifier.record.merkle import Frontier, leaf_hash
from verifier.record.register import SqlRegister
from verifier.record.status import CertificateStatus
from verifier.record.tables import SCHEMA, log_checkpoints, log_leaves, log_nodes


@dataclass
class Cheat:
    """A data folder with a register and public keys, and the room whose keys sign what is made of it."""

    folder: Path
    room: HasSigners
    base_url: str

    @classmethod
    def over(cls, source: Path, folder: Path, room: HasSigners, base_url: str) -> "Cheat":
        """A copy of the public half of a data folder that no process has open."""
        folder.mkdir()
        shutil.copytree(source / "keys" / "public", folder / "keys" / "public")
        for path in source.glob("register.sqlite3*"):
            shutil.copy(path, folder)
        return cls(folder, room, base_url)

    @property
    def url(self) -> str:
        """The register."""
        return f"sqlite:///{self.folder / 'register.sqlite3'}"

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction on the register, without any of the program's own guards."""
        engine = create_engine(self.url, execution_options={"schema_translate_map": {SCHEMA: None}})
        with engine.begin() as connection:
            yield connection
        engine.dispose()

    def run(self, statement: str, **values: Any) -> int:
        """One SQL statement; how many rows it touched, which must be at least one."""
        with self.writing() as connection:
            touched = connection.execute(text(statement), values).rowcount
        assert touched >= 1, statement
        return int(touched)

    def set_list_entry(self, list_id: str, index: int, status: CertificateStatus, now: datetime) -> None:
        """Sign a status list with one entry changed."""
        with self.writing() as connection:
            write_lists(connection, self.room, self.base_url, {list_id: {index: status}}, now)

    def leaves(self) -> list[tuple[bytes, str, int]]:
        """Every leaf with its token and its event's number."""
        with self.writing() as connection:
            rows = connection.execute(select(log_leaves).order_by(log_leaves.c.leaf_index)).all()
        return [(row.leaf, row.token, row.event_sequence) for row in rows]

    def checkpoint(self) -> str:
        """The newest signed checkpoint."""
        with self.writing() as connection:
            newest = select(log_checkpoints.c.signed_note).order_by(log_checkpoints.c.tree_size.desc()).limit(1)
            return str(connection.execute(newest).scalar_one())

    def write_log(self, leaves: list[tuple[bytes, str, int]], now: datetime) -> None:
        """Another log in place of the one there is, whole and signed."""
        frontier = Frontier()
        rows, nodes = [], []
        for leaf, token, event in leaves:
            row = {"leaf_index": frontier.size, "leaf": leaf, "leaf_hash": leaf_hash(leaf), "token": token}
            rows.append({**row, "event_sequence": event})
            nodes += [
                {"level": node.height // TILE_HEIGHT, "position": node.position, "node_hash": node.hash}
                for node in frontier.append(leaf_hash(leaf))
                if node.height and node.height % TILE_HEIGHT == 0
            ]
        root = frontier.root()
        note = sign_checkpoint(self.room, Checkpoint(origin_of(self.base_url), frontier.size, root))
        head = {"tree_size": frontier.size, "root_hash": root, "frontier": frontier.to_bytes()}
        with self.writing() as connection:
            for table in (log_leaves, log_nodes, log_checkpoints):
                connection.execute(delete(table))
            connection.execute(insert(log_leaves), rows)
            if nodes:
                connection.execute(insert(log_nodes), nodes)
            connection.execute(insert(log_checkpoints).values(**head, signed_note=note, signed_at=now))

    def size(self) -> int:
        """How many leaves there are."""
        with self.writing() as connection:
            return int(connection.execute(select(func.count()).select_from(log_leaves)).scalar_one())


def mirror(source: Any, size: int, lists: list[str], folder: Path) -> Path:
    """The public addresses as files in `folder`, fetched from an audit's source."""
    paths = ["/.well-known/ecert-keys.json", "/log/checkpoint", *(f"/status-lists/{name}" for name in lists)]
    for level, count in (("entries", size), (0, size), (1, size // TILE_WIDTH)):
        full, rest = divmod(count, TILE_WIDTH)
        paths += [f"/log/{tile_path(level, number)}" for number in range(full)]
        paths += [f"/log/{tile_path(level, full, rest)}"] if rest else []
    for path in paths:
        target = folder / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.get(path))
    return folder


def register_of(cheat: Cheat) -> SqlRegister:
    """The register as a verifier reads it."""
    return SqlRegister(cheat.url)
