"""Data keys in use and how far re-encryption has come, erasures asked for and done, what stock-takes found."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from issuer.records.base import Base, UtcInstant
from issuer.records.encryption import EncryptedText
from issuer.records.people import Person

PROPOSED = text("state = 'proposed'")
STANDING = text("settled_at IS NULL")


class DataKeyRecord(Base):
    """A data key that was made by rotation, or retired. The key itself is a file of the key folder, never a row."""

    __tablename__ = "data_keys"

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    made_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    made_by: Mapped[str | None] = mapped_column(String(80))
    retired_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    retired_by: Mapped[str | None] = mapped_column(String(80))


class DataKeyUse(Base):
    """One row: what new values are sealed and indexed with. Read at the start of every unit of work that writes."""

    __tablename__ = "data_key_use"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    value_key: Mapped[int] = mapped_column(Integer)
    index_key: Mapped[int] = mapped_column(Integer)
    changed_at: Mapped[datetime] = mapped_column(UtcInstant)


class DataKeyMove(Base):
    """How far one table's rows have been brought to the keys in use."""

    __tablename__ = "data_key_moves"

    table_name: Mapped[str] = mapped_column(String(63), primary_key=True)
    value_key: Mapped[int] = mapped_column(Integer)
    index_key: Mapped[int] = mapped_column(Integer)
    place: Mapped[list[Any] | None] = mapped_column(JSON)
    """Primary key of the last row seen; None before the first."""
    moved: Mapped[int] = mapped_column(BigInteger, default=0)
    finished: Mapped[bool] = mapped_column(default=False)


class Erasure(Base):
    """An erasure asked for, and what became of it (PIPL art. 47). Proposed by one, decided by another."""

    __tablename__ = "erasures"
    __table_args__ = (
        CheckConstraint(
            "state <> 'done' OR (decided_by IS NOT NULL AND decided_by <> proposed_by)", name="two_people"
        ),
        Index("uq_erasures_open", "person_id", unique=True, sqlite_where=PROPOSED, postgresql_where=PROPOSED),
        Index("ix_erasures_person", "person_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey(Person.id))
    state: Mapped[str] = mapped_column(String(12))  # proposed | done | refused | withdrawn
    reason: Mapped[str] = mapped_column(String(24))
    """`issuer.rules.keeping.ErasureReason`."""
    note: Mapped[str] = mapped_column(EncryptedText("erasures.note"))
    kinds: Mapped[list[str]] = mapped_column(JSON)
    """What is to be erased, `issuer.rules.keeping.DataKind`; what it stood at when it was done."""
    kept: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    """What is kept: kind, until when (ISO date or null), reason code. No personal data."""
    proposed_by: Mapped[str] = mapped_column(String(80))
    proposed_at: Mapped[datetime] = mapped_column(UtcInstant)
    decided_by: Mapped[str | None] = mapped_column(String(80))
    decided_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    decision_note: Mapped[str | None] = mapped_column(EncryptedText("erasures.decision_note"))
    cells: Mapped[int | None] = mapped_column(Integer)
    """How many values were overwritten."""


class StockTake(Base):
    """One comparison of certificates, files, public record, log and lists; it goes on in bounded portions."""

    __tablename__ = "stock_takes"

    id: Mapped[int] = mapped_column(primary_key=True)
    started_at: Mapped[datetime] = mapped_column(UtcInstant)
    finished_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    actor: Mapped[str] = mapped_column(String(80))
    place: Mapped[int] = mapped_column(Integer, default=0)
    """Row number of the last certificate that was looked at."""
    examined: Mapped[int] = mapped_column(Integer, default=0)
    file_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    found: Mapped[int] = mapped_column(Integer, default=0)


class StockFinding(Base):
    """Something that does not agree; it stands until a later stock-take finds it in order. No personal data."""

    __tablename__ = "stock_findings"
    __table_args__ = (
        Index("uq_stock_findings", "kind", "subject", unique=True, sqlite_where=STANDING, postgresql_where=STANDING),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(120))
    first_take: Mapped[int] = mapped_column(ForeignKey(StockTake.id))
    last_take: Mapped[int] = mapped_column(ForeignKey(StockTake.id), index=True)
    first_seen_at: Mapped[datetime] = mapped_column(UtcInstant)
    settled_at: Mapped[datetime | None] = mapped_column(UtcInstant)
