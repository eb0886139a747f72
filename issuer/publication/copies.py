"""Purpose-bound copies on their way to the public record: one more file of a certificate, and its early end.

A copy's row names its certificate and has no status of its own; nothing here says what the copy is for.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from issuer.records.ledger import OutboxEvent
from verifier.record.qr import is_token
from verifier.record.status import CertificateStatus
from verifier.record.tables import copies, status_lists

FILE: Final = "file"
COPY_END: Final = "copy-end"
ListStatuses = dict[str, dict[int, CertificateStatus]]


@dataclass(frozen=True, slots=True)
class PublicCopy:
    """A copy as the public record keeps it. Digests are lower-case hex SHA-256; the last two are keyed as a
    certificate's are (`verifier.record.lookup`); the entry is the copy's own."""

    token: str
    of_token: str
    file_sha256: str
    credential_sha256: str
    number_digest: str
    holder_digest: str
    identity_digest: str | None
    list_id: str
    list_index: int
    valid_until: date
    published_at: datetime


def announce_copy(session: Session, copy: PublicCopy) -> None:
    """Publish a copy; raises ValueError for one that the public side could not hold."""
    if not all(is_token(token) and token.isupper() for token in (copy.token, copy.of_token)):
        raise ValueError("cannot be published: token")
    plain = {
        **asdict(copy),
        "valid_until": copy.valid_until.isoformat(),
        "published_at": copy.published_at.isoformat(),
    }
    payload = {
        "sha256": copy.file_sha256,
        "token": copy.of_token,
        "kind": "copy",
        "valid_until": plain["valid_until"],
        "copy": plain,
    }
    session.add(OutboxEvent(kind=FILE, payload=payload, created_at=copy.published_at))


def announce_withdrawal(session: Session, token: str, entry: tuple[str, int], at: datetime) -> None:
    """Publish that a copy was taken back; its own list entry says so from now on."""
    payload = {
        "token": token,
        "status": CertificateStatus.INVALID.value,
        "list_id": entry[0],
        "list_index": entry[1],
        "withdrawn_at": at.isoformat(),
    }
    session.add(OutboxEvent(kind=COPY_END, payload=payload, created_at=at))


def write_copies(connection: Connection, events: Sequence[OutboxEvent], touched: ListStatuses) -> None:
    """Apply what the events say of copies, in order; an effect that already stands changes nothing."""
    begun = [event.payload["copy"] for event in events if event.kind == FILE and "copy" in event.payload]
    tokens = [row["token"] for row in begun]
    standing = set(connection.execute(select(copies.c.token).where(copies.c.token.in_(tokens))).scalars())
    fresh = {row["token"]: _typed(row) for row in begun if row["token"] not in standing}
    if fresh:
        connection.execute(copies.insert(), list(fresh.values()))
        _begin_lists(connection, {row["list_id"] for row in fresh.values()}, touched)
    for event in events:
        if event.kind == COPY_END:
            payload = event.payload
            withdrawn_at = datetime.fromisoformat(payload["withdrawn_at"])
            unless = (copies.c.token == payload["token"]) & copies.c.withdrawn_at.is_(None)
            connection.execute(copies.update().where(unless).values(withdrawn_at=withdrawn_at))
            touched.setdefault(payload["list_id"], {})[payload["list_index"]] = CertificateStatus.INVALID


def _begin_lists(connection: Connection, wanted: set[str], touched: ListStatuses) -> None:
    # An offline check needs the list of the copy's own entry, although nothing is set in it yet.
    there = set(
        connection.execute(select(status_lists.c.list_id).where(status_lists.c.list_id.in_(wanted))).scalars()
    )
    for list_id in wanted - there:
        touched.setdefault(list_id, {})


def entry_of(event: OutboxEvent) -> tuple[str, int]:
    """The list entry that a `copy-end` event sets."""
    return event.payload["list_id"], event.payload["list_index"]


def withdrawn_on(event: OutboxEvent) -> date:
    """The UTC day of a `copy-end` event."""
    return datetime.fromisoformat(event.payload["withdrawn_at"]).date()


def _typed(row: dict[str, Any]) -> dict[str, Any]:
    return {
        **row,
        "valid_until": date.fromisoformat(row["valid_until"]),
        "published_at": datetime.fromisoformat(row["published_at"]),
    }
