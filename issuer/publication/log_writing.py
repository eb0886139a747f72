"""Appends events to the transparency log and signs one checkpoint over them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from issuer.publication.outbox import FILE, PUBLISH
from issuer.records.ledger import OutboxEvent
from issuer.sealing.checkpoint import sign_checkpoint
from issuer.sealing.credential import HasSigners
from verifier.record.log_reading import Checkpoint, encode_leaf, origin_of
from verifier.record.log_tiles import TILE_HEIGHT
from verifier.record.merkle import Frontier, leaf_hash
from verifier.record.tables import log_checkpoints, log_leaves, log_nodes

_KINDS = {PUBLISH: "issue", FILE: "file"}


def append_events(
    connection: Connection, room: HasSigners, base_url: str, events: Sequence[OutboxEvent], now: datetime
) -> None:
    """One leaf for each event, in order, and one checkpoint. The right edge of the tree is read, not the tree."""
    frontier = _frontier(connection)
    leaves: list[dict[str, Any]] = []
    nodes: list[dict[str, Any]] = []
    for event in events:
        leaf = _leaf(event)
        hashed = leaf_hash(leaf)
        leaves.append(
            {
                "leaf_index": frontier.size,
                "leaf": leaf,
                "leaf_hash": hashed,
                "token": event.payload["token"],
                "event_sequence": event.sequence,
            }
        )
        nodes.extend(
            {"level": node.height // TILE_HEIGHT, "position": node.position, "node_hash": node.hash}
            for node in frontier.append(hashed)
            if node.height and node.height % TILE_HEIGHT == 0
        )
    connection.execute(log_leaves.insert(), leaves)
    if nodes:
        connection.execute(log_nodes.insert(), nodes)
    root = frontier.root()
    note = sign_checkpoint(room, Checkpoint(origin_of(base_url), frontier.size, root))
    connection.execute(
        log_checkpoints.insert().values(
            tree_size=frontier.size,
            root_hash=root,
            frontier=frontier.to_bytes(),
            signed_note=note,
            signed_at=now,
        )
    )


def _leaf(event: OutboxEvent) -> bytes:
    payload = event.payload
    file_sha256 = payload["file_sha256"] if event.kind == PUBLISH else payload.get("sha256")
    return encode_leaf(
        _KINDS.get(event.kind, "status"),
        event.sequence,
        payload["token"],
        file_sha256=file_sha256,
        status=payload.get("status", ""),
        at=event.created_at,
    )


def _frontier(connection: Connection) -> Frontier:
    newest = select(log_checkpoints.c.frontier).order_by(log_checkpoints.c.tree_size.desc()).limit(1)
    stored = connection.execute(newest).scalar()
    return Frontier() if stored is None else Frontier.from_bytes(stored)
