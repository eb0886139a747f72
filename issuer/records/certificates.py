"""Electronic certificates, what was sealed, and why they fell."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from issuer.records.base import Base, UtcInstant
from issuer.records.encryption import EncryptedText
from issuer.records.people import Person, Registration
from issuer.records.sittings import Sitting

ORIGINAL_OPEN = text("supersedes_id IS NULL AND slot IN ('pending', 'live')")
SUCCESSOR_OPEN = text("supersedes_id IS NOT NULL AND slot IN ('pending', 'live')")
LIVE = text("slot = 'live'")
SUCCESSOR = text("supersedes_id IS NOT NULL")
NOT_VALID = text("status <> 'valid'")
GIVEN_UP = text("state = 'abandoned' AND file_key IS NOT NULL")
PROPOSED = text("state = 'proposed'")
PROPOSED_BARE = text("state = 'proposed' AND certificate_id IS NULL")


class Holding(Base):
    """One person's one qualification: the row that every act on it locks first (R14).

    `qualification` is `programme|level|specialty|sitting` (reading of R14). `e_certificate_made_at` is
    set in the transaction that stores the first intent to seal and is never cleared; a paper replacement
    is accepted only while it is empty.
    """

    __tablename__ = "holdings"

    person_id: Mapped[int] = mapped_column(ForeignKey(Person.id), primary_key=True)
    qualification: Mapped[str] = mapped_column(String(255), primary_key=True)
    e_certificate_made_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    paper_replacement_open: Mapped[bool] = mapped_column(default=False)
    paper_made_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    """When a paper certificate was first printed; never cleared. No electronic one is made from then on (R11)."""


class ECertificate(Base):
    """An electronic certificate from intent to end.

    `state` is how far making it has come (draft → linted → sealed → checked → published, or abandoned);
    `status` is what the register says once it is published; `slot` is derived from both and exists so
    that the database itself can hold "one live certificate per person and qualification".
    """

    __tablename__ = "e_certificates"
    __table_args__ = (
        Index(
            "uq_e_certificates_live",
            "person_id",
            "qualification",
            unique=True,
            sqlite_where=LIVE,
            postgresql_where=LIVE,
        ),
        Index(
            "uq_e_certificates_original",
            "person_id",
            "qualification",
            unique=True,
            sqlite_where=ORIGINAL_OPEN,
            postgresql_where=ORIGINAL_OPEN,
        ),
        Index(
            "uq_e_certificates_successor",
            "supersedes_id",
            unique=True,
            sqlite_where=SUCCESSOR_OPEN,
            postgresql_where=SUCCESSOR_OPEN,
        ),
        Index("uq_e_certificates_list_entry", "list_id", "list_index", unique=True),
        Index("ix_e_certificates_work", "sitting_code", "state"),
        Index("ix_e_certificates_sitting", "sitting_code", "id"),
        Index("ix_e_certificates_person", "person_id"),
        Index("ix_e_certificates_supersedes", "supersedes_id", sqlite_where=SUCCESSOR, postgresql_where=SUCCESSOR),
        Index("ix_e_certificates_not_valid", "status", "id", sqlite_where=NOT_VALID, postgresql_where=NOT_VALID),
        Index("ix_e_certificates_given_up", "id", sqlite_where=GIVEN_UP, postgresql_where=GIVEN_UP),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey(Registration.id), index=True)
    sitting_code: Mapped[str] = mapped_column(ForeignKey(Sitting.code))
    person_id: Mapped[int] = mapped_column(ForeignKey(Person.id))
    qualification: Mapped[str] = mapped_column(String(255))
    management_no: Mapped[str] = mapped_column(String(40), unique=True)
    token: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(EncryptedText("e_certificates.name"))
    state: Mapped[str] = mapped_column(String(16), default="draft")
    status: Mapped[str | None] = mapped_column(String(16))
    slot: Mapped[str] = mapped_column(String(8), default="pending")
    approved_on: Mapped[date] = mapped_column(Date)
    issued_on: Mapped[date] = mapped_column(Date)
    list_id: Mapped[str] = mapped_column(String(32))
    list_index: Mapped[int] = mapped_column(Integer)
    template_version: Mapped[str] = mapped_column(String(64), default="")
    file_key: Mapped[str | None] = mapped_column(String(160))
    file_sha256: Mapped[str | None] = mapped_column(String(64), index=True)
    file_size: Mapped[int | None] = mapped_column(Integer)
    credential: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The COSE_Sign1 bytes in the QR. They hold the name, so they rest encrypted (purpose
    `e_certificates.credential`)."""
    credential_sha256: Mapped[str | None] = mapped_column(String(64))
    supersedes_id: Mapped[int | None] = mapped_column(ForeignKey("issuer.e_certificates.id"))
    intended_at: Mapped[datetime] = mapped_column(UtcInstant)
    sealed_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    published_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    refusal: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """Why the last attempt stopped (code, clause), without personal data."""

    registration: Mapped[Registration] = relationship(lazy="raise")


class Batch(Base):
    """An act of issue over a sitting: what was asked and how far it has come."""

    __tablename__ = "batches"

    id: Mapped[int] = mapped_column(primary_key=True)
    sitting_code: Mapped[str] = mapped_column(ForeignKey(Sitting.code), index=True)
    kind: Mapped[str] = mapped_column(String(16), default="sitting", server_default="sitting")
    """sitting: everybody who may have a certificate; urgent, retry: only those who stand in it."""
    state: Mapped[str] = mapped_column(String(16), default="running")  # running | paused | cancelled | done
    plan_digest: Mapped[str] = mapped_column(String(64))
    actor: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime] = mapped_column(UtcInstant)
    finished_at: Mapped[datetime | None] = mapped_column(UtcInstant)


class BatchItem(Base):
    """One registration in a batch and what became of it."""

    __tablename__ = "batch_items"
    __table_args__ = (
        Index("ix_batch_items_registration", "registration_id"),
        Index("ix_batch_items_certificate", "certificate_id"),
    )

    batch_id: Mapped[int] = mapped_column(ForeignKey(Batch.id), primary_key=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey(Registration.id), primary_key=True)
    result: Mapped[str] = mapped_column(String(16), default="waiting")  # waiting | published | refused | cancelled
    code: Mapped[str | None] = mapped_column(String(40))
    clause: Mapped[str | None] = mapped_column(String(8))
    certificate_id: Mapped[int | None] = mapped_column(ForeignKey(ECertificate.id))


class Invalidation(Base):
    """A proposal to invalidate, or to reinstate, and what became of it (R9, R10): two people, never deleted.

    It is about a registration; `sequence` counts the cases of one registration.

    A reinstatement repeats ground and clause of the invalidation it overturns and names it in
    `overturns_id`; when it is applied, that invalidation becomes `overturned`.
    """

    __tablename__ = "invalidations"
    __table_args__ = (
        UniqueConstraint("certificate_id", "sequence"),
        CheckConstraint(
            "state NOT IN ('applied', 'overturned') OR (decided_by IS NOT NULL AND decided_by <> proposed_by)",
            name="two_people",
        ),
        Index("ix_invalidations_state", "state", "id"),
        Index(
            "uq_invalidations_open",
            "certificate_id",
            unique=True,
            sqlite_where=PROPOSED,
            postgresql_where=PROPOSED,
        ),
        Index(
            "uq_invalidations_open_bare",
            "registration_id",
            unique=True,
            sqlite_where=PROPOSED_BARE,
            postgresql_where=PROPOSED_BARE,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey(Registration.id), index=True)
    certificate_id: Mapped[int | None] = mapped_column(ForeignKey(ECertificate.id), index=True)
    """The electronic certificate; None where the person holds paper, or only a score report."""
    paper_id: Mapped[int | None] = mapped_column(Integer)
    """The paper sheet it is about; once applied, the very sheet that fell."""
    sequence: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(16), default="invalidate")  # invalidate | reinstate
    overturns_id: Mapped[int | None] = mapped_column(ForeignKey("issuer.invalidations.id"))
    ground: Mapped[str] = mapped_column(String(40))
    misconduct_term: Mapped[str | None] = mapped_column(String(16))
    """How long the misconduct record runs once it is approved (R10, Order 31); None under R9."""
    basis: Mapped[str] = mapped_column(EncryptedText("invalidations.basis"))
    """Legal basis and finding, as the proposer wrote it; may name people, so it rests encrypted."""
    clause: Mapped[str] = mapped_column(String(8))
    state: Mapped[str] = mapped_column(String(16))  # proposed | rejected | withdrawn | applied | overturned
    effective_on: Mapped[date] = mapped_column(Date)
    from_beginning: Mapped[bool] = mapped_column(default=True)
    suspended: Mapped[bool] = mapped_column(default=False)
    """Whether the certificate is suspended while the proposal is open."""
    proposed_by: Mapped[str] = mapped_column(String(80))
    proposed_at: Mapped[datetime] = mapped_column(UtcInstant)
    decided_by: Mapped[str | None] = mapped_column(String(80))
    decided_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    decision_note: Mapped[str | None] = mapped_column(EncryptedText("invalidations.decision_note"))
    """Why it was rejected or withdrawn."""
    overturned_by: Mapped[str | None] = mapped_column(String(80))
    overturned_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    overturned_basis: Mapped[str | None] = mapped_column(EncryptedText("invalidations.overturned_basis"))


class StatusEvent(Base):
    """Every status a certificate has had, in order; the public history is a copy of this."""

    __tablename__ = "status_events"
    __table_args__ = (UniqueConstraint("certificate_id", "sequence"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    certificate_id: Mapped[int] = mapped_column(ForeignKey(ECertificate.id))
    sequence: Mapped[int] = mapped_column(Integer)
    status: Mapped[str] = mapped_column(String(16))
    reason_class: Mapped[str | None] = mapped_column(String(32))
    effective_on: Mapped[date] = mapped_column(Date)
    at: Mapped[datetime] = mapped_column(UtcInstant)
    actor: Mapped[str] = mapped_column(String(80))
