"""Outbox, audit events, idempotency keys, seal intents: what proves afterwards that things went right."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from issuer.records.base import Base, UtcInstant
from issuer.records.certificates import ECertificate

OPEN_INTENT = text("outcome = 'intent'")
WAITING = text("applied_at IS NULL")
_BigSerial = BigInteger().with_variant(Integer, "sqlite")


class OutboxEvent(Base):
    """Something the public record must learn, written in the transaction that made it true."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_waiting", "sequence", sqlite_where=WAITING, postgresql_where=WAITING),)

    sequence: Mapped[int] = mapped_column(_BigSerial, primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(24))  # publish | status | file
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcInstant)
    applied_at: Mapped[datetime | None] = mapped_column(UtcInstant, index=True)


class AuditEvent(Base):
    """One link of the hash chain (`issuer.audit`). No personal data: subjects are row references."""

    __tablename__ = "audit_events"

    sequence: Mapped[int] = mapped_column(_BigSerial, primary_key=True, autoincrement=False)
    previous_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    event_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    at: Mapped[datetime] = mapped_column(UtcInstant)
    actor: Mapped[str] = mapped_column(String(80))
    act: Mapped[str] = mapped_column(String(48))
    subject: Mapped[str] = mapped_column(String(80))
    clause: Mapped[str | None] = mapped_column(String(8))
    outcome: Mapped[str] = mapped_column(String(16))  # intent | done | refused
    details: Mapped[dict[str, Any]] = mapped_column(JSON)

    __table_args__ = (
        Index("ix_audit_events_subject", "subject"),
        Index("ix_audit_events_actor", "actor", "sequence"),
        # Found by how the act begins, in whatever order the database sorts text.
        Index("ix_audit_events_act", "act", "sequence", postgresql_ops={"act": "text_pattern_ops"}),
    )


ARCHIVE = "archive-timestamp"
"""Stands for the seal's key where a published file is only given another archive timestamp."""


class SealIntent(Base):
    """What was about to be sealed, stored before any key is used: a seal the database does not know cannot be."""

    __tablename__ = "seal_intents"
    __table_args__ = (
        UniqueConstraint("certificate_id", "attempt"),
        Index("ix_seal_intents_open", "certificate_id", sqlite_where=OPEN_INTENT, postgresql_where=OPEN_INTENT),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    certificate_id: Mapped[int] = mapped_column(ForeignKey(ECertificate.id))
    attempt: Mapped[int] = mapped_column(Integer)
    content_sha256: Mapped[str] = mapped_column(String(64))
    """Digest of the canonical certificate content (`issuer.issuance.content`)."""
    seal_kid: Mapped[str] = mapped_column(String(32))
    intended_at: Mapped[datetime] = mapped_column(UtcInstant)
    sealed_sha256: Mapped[str | None] = mapped_column(String(64))
    outcome: Mapped[str] = mapped_column(String(16), default="intent")  # intent | sealed | failed | lost
    """`lost`: another attempt at the same certificate was recorded; what this one sealed was never published."""


class IdempotencyKey(Base):
    """The answer to a POST, kept in the transaction of its effect, so a repeat gets the same answer."""

    __tablename__ = "idempotency_keys"

    key: Mapped[str] = mapped_column(String(120), primary_key=True)
    route: Mapped[str] = mapped_column(String(120), primary_key=True)
    actor: Mapped[str] = mapped_column(String(80), primary_key=True)
    request_sha256: Mapped[str] = mapped_column(String(64))
    status_code: Mapped[int] = mapped_column(Integer)
    response: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcInstant)
