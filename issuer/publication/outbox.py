"""News for the public record, written in the caller's unit of work: true and known together, or not at all.

`issuer.publication.relay` carries it over. Nothing here holds a name or an ID number.
"""

from datetime import date, datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from issuer.records.ledger import OutboxEvent
from verifier.record.public_record import PublicRecord, StatusChange
from verifier.record.qr import is_token
from verifier.record.status import CertificateStatus, ReasonClass
from verifier.record.status_list import LIST_ENTRIES

PUBLISH: Final = "publish"
STATUS: Final = "status"
FILE: Final = "file"
FILE_KINDS: Final = ("extended", "copy")


def announce_certificate(session: Session, record: PublicRecord) -> None:
    """Publish a certificate and its original file. Its history begins with sequence 0.

    Raises ValueError for a record the public side could not hold.
    """
    _require(is_token(record.token) and record.token.isupper(), "token")
    for name in ("file_sha256", "credential_sha256", "number_digest", "holder_digest"):
        _require(_is_digest(getattr(record, name)), name)
    _require(0 <= record.list_index < LIST_ENTRIES, "list_index")
    payload = {name: _plain(getattr(record, name)) for name in PublicRecord.__slots__}
    session.add(OutboxEvent(kind=PUBLISH, payload=payload, created_at=record.published_at))


def announce_status(session: Session, change: StatusChange, superseded_by: str | None = None) -> None:
    """Publish a new status. `change.sequence` counts from 1; `superseded_by` is the successor's token."""
    _require(is_token(change.token) and change.token.isupper(), "token")
    _require(change.sequence > 0, "sequence (0 is the publication itself)")
    payload = {name: _plain(getattr(change, name)) for name in StatusChange.__slots__}
    payload["superseded_by"] = superseded_by
    session.add(OutboxEvent(kind=STATUS, payload=payload, created_at=change.changed_at))


def announce_file(
    session: Session, sha256: str, token: str, kind: str, valid_until: date | None = None, *, at: datetime
) -> None:
    """Publish a further file of a published certificate: `extended` (renewed archive timestamp) or `copy`
    (purpose-bound, with its last day). `at` is when it was sealed."""
    _require(_is_digest(sha256), "sha256")
    _require(is_token(token) and token.isupper(), "token")
    _require(kind in FILE_KINDS and (kind == "copy") == (valid_until is not None), "kind and last day")
    payload = {"sha256": sha256, "token": token, "kind": kind, "valid_until": _plain(valid_until)}
    session.add(OutboxEvent(kind=FILE, payload=payload, created_at=at))


def read_record(payload: dict[str, Any]) -> PublicRecord:
    """The record of a `publish` event."""
    return PublicRecord(
        **{
            **payload,
            "status": CertificateStatus(payload["status"]),
            "reason_class": _reason(payload["reason_class"]),
            "approved_on": date.fromisoformat(payload["approved_on"]),
            "issued_on": date.fromisoformat(payload["issued_on"]),
            "published_at": datetime.fromisoformat(payload["published_at"]),
            "status_changed_at": _instant(payload["status_changed_at"]),
            "effective_on": _day(payload["effective_on"]),
        }
    )


def read_change(payload: dict[str, Any]) -> tuple[StatusChange, str | None]:
    """The change of a `status` event, and the successor's token."""
    change = StatusChange(
        token=payload["token"],
        sequence=payload["sequence"],
        status=CertificateStatus(payload["status"]),
        reason_class=_reason(payload["reason_class"]),
        effective_on=date.fromisoformat(payload["effective_on"]),
        changed_at=datetime.fromisoformat(payload["changed_at"]),
        # Events written before there was this word say nothing of it.
        from_beginning=payload.get("from_beginning", False),
    )
    return change, payload["superseded_by"]


def read_file(payload: dict[str, Any]) -> dict[str, Any]:
    """The row of a `file` event."""
    row = {name: payload[name] for name in ("sha256", "token", "kind")}
    return {**row, "valid_until": _day(payload["valid_until"])}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        _require(value.tzinfo is not None, "time zone of an instant")
        return value.isoformat()
    return value.isoformat() if isinstance(value, date) else value


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise ValueError(f"cannot be published: {what}")


def _is_digest(text: str) -> bool:
    return len(text) == 64 and not set(text) - set("0123456789abcdef")


def _reason(value: str | None) -> ReasonClass | None:
    return None if value is None else ReasonClass(value)


def _day(value: str | None) -> date | None:
    return None if value is None else date.fromisoformat(value)


def _instant(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)
