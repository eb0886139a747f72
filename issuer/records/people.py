"""Persons and their registrations. A person is one ID type and number, whatever the name (reading of R14)."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Integer, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from issuer.records.base import Base, UtcInstant
from issuer.records.encryption import EncryptedText
from issuer.records.sittings import Sitting

FELL = text("void_since IS NOT NULL")
PHOTO_PURPOSE = "registrations.photo"
"""Encryption purpose of the portrait files under `photo_key`."""


class Person(Base):
    """Somebody who registered for an examination."""

    __tablename__ = "persons"
    __table_args__ = (UniqueConstraint("id_type", "id_index"), Index("ix_persons_id_index", "id_index"))

    id: Mapped[int] = mapped_column(primary_key=True)
    id_type: Mapped[str] = mapped_column(String(24))
    id_index: Mapped[str] = mapped_column(String(64))
    """Blind index (purpose `persons.id_no`) of the canonical ID number."""
    id_no: Mapped[str] = mapped_column(EncryptedText("persons.id_no"))
    created_at: Mapped[datetime] = mapped_column(UtcInstant)


class Registration(Base):
    """One person's registration for one sitting, as the roster gave it."""

    __tablename__ = "registrations"
    __table_args__ = (
        UniqueConstraint("sitting_code", "admission_no"),
        UniqueConstraint("sitting_code", "person_id"),
        Index("ix_registrations_name_index", "name_index"),
        Index("ix_registrations_void", "id", sqlite_where=FELL, postgresql_where=FELL),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    sitting_code: Mapped[str] = mapped_column(ForeignKey(Sitting.code))
    person_id: Mapped[int] = mapped_column(ForeignKey(Person.id), index=True)
    admission_no: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(EncryptedText("registrations.name"))
    name_index: Mapped[str] = mapped_column(String(64))
    """Blind index (purpose `registrations.name`) of `verifier.record.names.name_key(name)`."""
    gender: Mapped[str] = mapped_column(String(8), default="")
    birth_date: Mapped[str | None] = mapped_column(EncryptedText("registrations.birth_date"))
    mobile: Mapped[str | None] = mapped_column(EncryptedText("registrations.mobile"))
    employer: Mapped[str | None] = mapped_column(EncryptedText("registrations.employer"))
    city: Mapped[str] = mapped_column(String(40), default="")
    specialty: Mapped[str] = mapped_column(String(80), default="")
    level: Mapped[str] = mapped_column(String(16), default="")
    basis: Mapped[str] = mapped_column(String(16))
    photo_key: Mapped[str | None] = mapped_column(String(120))
    """Storage key of the encrypted portrait photo."""
    row_digest: Mapped[str] = mapped_column(String(64))
    """Keyed digest of the normalised roster row: a second import of the same row changes nothing."""
    imported_at: Mapped[datetime] = mapped_column(UtcInstant)
    void_since: Mapped[datetime | None] = mapped_column(UtcInstant)
    """报名无效 (R9): set and cleared by invalidation only."""
    void_by: Mapped[int | None] = mapped_column(Integer)
    """The invalidation that made it void."""
    extra: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)

    person: Mapped[Person] = relationship(lazy="raise")
    sitting: Mapped[Sitting] = relationship(lazy="raise")


class Score(Base):
    """One subject of one registration. Void scores stay in the table (nothing is deleted)."""

    __tablename__ = "scores"

    registration_id: Mapped[int] = mapped_column(ForeignKey(Registration.id), primary_key=True)
    subject: Mapped[str] = mapped_column(String(80), primary_key=True)
    score: Mapped[bytes] = mapped_column(LargeBinary)
    """Encrypted (purpose `scores.score`): the number as text, or 缺考."""
    passed: Mapped[bool] = mapped_column()
    void_since: Mapped[datetime | None] = mapped_column(UtcInstant)
    void_by: Mapped[int | None] = mapped_column(Integer)


class RosterImport(Base):
    """A roster file that was taken in: who sent it, what was found."""

    __tablename__ = "roster_imports"

    id: Mapped[int] = mapped_column(primary_key=True)
    sitting_code: Mapped[str] = mapped_column(ForeignKey(Sitting.code), index=True)
    file_sha256: Mapped[str] = mapped_column(String(64))
    file_name: Mapped[str] = mapped_column(String(255))
    imported_at: Mapped[datetime] = mapped_column(UtcInstant)
    actor: Mapped[str] = mapped_column(String(80))
    counts: Mapped[dict[str, int]] = mapped_column(JSON)
