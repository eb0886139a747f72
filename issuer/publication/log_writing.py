"""Appends events to the transparency log and signs one checkpoint over them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from issuer.publication.copies import COPY_END, entry_of, withdrawn_on
from issuer.publication.outbox import FILE, PUBLISH, STATUS, read_change
from issuer.publication.record_writing import places_of
from issuer.records.ledger import OutboxEvent
from issuer.sealing.checkpoint import sign_checkpoint
from issuer.sealing.credential import HasSigners
from verifier.record.log_reading import (
    FILE_LEAF,
    ISSUE_LEAF,
    STATUS_LEAF,
    Checkpoint,
    change_digest,
    encode_leaf,
    file_digest,
    origin_of,
)
from verifier.record.log_tiles import TILE_HEIGHT
from verifier.record.merkle import Frontier, leaf_hash
from verifier.record.status import CertificateStatus
from verifier.record.tables import log_checkpoints, log_leaves, log_nodes

_KINDS = {PUBLISH: ISSUE_LEAF, STATUS: STATUS_LEAF, FILE: FILE_LEAF, COPY_END: STATUS_LEAF}


def append_events(
    connection: Connection, room: HasSigners, base_url: str, events: Sequence[OutboxEvent], now: datetime
) -> None:
    """One leaf for each event, in order, and one checkpoint. The right edge of the tree is read, not the tree."""
    frontier = _frontier(connection)
    places = places_of(connection, {event.payload["token"] for event in events if _sets_entry(event)})
    leaves: list[dict[str, Any]] = []
    nodes: list[dict[str, Any]] = []
    for event in events:
        leaf = _leaf(event, places)
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


def _leaf(event: OutboxEvent, places: dict[str, tuple[str, int]]) -> bytes:
    payload = event.payload
    return encode_leaf(
        _KINDS[event.kind],
        event.sequence,
        payload["token"],
        content=_content(event),
        status=payload.get("status", ""),
        at=event.created_at,
        place=_place(event, places),
    )


def _place(event: OutboxEvent, places: dict[str, tuple[str, int]]) -> tuple[str, int] | None:
    if event.kind == COPY_END:
        return entry_of(event)
    return places[event.payload["token"]] if _sets_entry(event) else None


def _content(event: OutboxEvent) -> bytes:
    token = event.payload["token"]
    if event.kind == STATUS:
        change, _ = read_change(event.payload)
        return change_digest(event.sequence, token, change.reason_class, change.effective_on, change.from_beginning)
    if event.kind == COPY_END:
        return change_digest(event.sequence, token, None, withdrawn_on(event), False)
    sha256 = event.payload["file_sha256" if event.kind == PUBLISH else "sha256"]
    return file_digest(event.sequence, token, sha256)


def _sets_entry(event: OutboxEvent) -> bool:
    """Whether the event gives a list entry a value: an entry is valid until something is said of it."""
    if event.kind == PUBLISH:
        return bool(event.payload["status"] != CertificateStatus.VALID)
    return event.kind == STATUS


def _frontier(connection: Connection) -> Frontier:
    newest = select(log_checkpoints.c.frontier).order_by(log_checkpoints.c.tree_size.desc()).limit(1)
    stored = connection.execute(newest).scalar()
    return Frontier() if stored is None else Frontier.from_bytes(stored)
