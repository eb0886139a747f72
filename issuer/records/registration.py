"""What a registration rests on (R2, R3): commitment, declared facts, comparisons, materials. Nothing is deleted."""

from datetime import date, datetime

from sqlalchemy import JSON, Date, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from issuer.records.base import Base, UtcInstant
from issuer.records.encryption import EncryptedText
from issuer.records.people import Person, Registration
from issuer.records.sittings import Programme, Sitting

MATERIAL_PURPOSE = "materials.content"
"""Encryption purpose of the files under `Material.file_key`."""
FACT_PURPOSE = "declared_facts.value"
"""Purpose of the blind index of a declaration in its canonical form (`issuer.rules.comparison.canonical`)."""
_STANDING = text("withdrawn_at IS NULL")
_CURRENT = text("superseded_by IS NULL")


class CommitmentTextRow(Base):
    """One version of a programme's 告知承诺书; never changed once it is there."""

    __tablename__ = "commitment_texts"
    __table_args__ = (
        UniqueConstraint("programme_code", "version"),
        UniqueConstraint("programme_code", "in_force_from"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    programme_code: Mapped[str] = mapped_column(ForeignKey(Programme.code))
    version: Mapped[str] = mapped_column(String(40))
    text_zh: Mapped[str] = mapped_column(Text)
    text_en: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of both languages (`issuer.registration.commitments.digest_of`)."""
    in_force_from: Mapped[date] = mapped_column(Date)
    published_by: Mapped[str] = mapped_column(String(80))
    published_at: Mapped[datetime] = mapped_column(UtcInstant)


class CommitmentAcceptance(Base):
    """Somebody accepted a version; taken back, it stays with the time it was."""

    __tablename__ = "commitment_acceptances"
    __table_args__ = (
        Index(
            "uq_commitment_acceptances_standing",
            "registration_id",
            unique=True,
            sqlite_where=_STANDING,
            postgresql_where=_STANDING,
        ),
        Index("ix_commitment_acceptances_registration", "registration_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey(Registration.id))
    version: Mapped[str] = mapped_column(String(40))
    """As accepted; the roster may name a version that was never published, and then it does not count."""
    accepted_at: Mapped[datetime] = mapped_column(UtcInstant)
    channel: Mapped[str] = mapped_column(String(16))
    own: Mapped[bool] = mapped_column()
    recorded_by: Mapped[str] = mapped_column(String(80))
    recorded_at: Mapped[datetime] = mapped_column(UtcInstant)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    withdrawn_by: Mapped[str | None] = mapped_column(String(80))


class DeclaredFact(Base):
    """What the candidate declared of one item, as the roster gave it."""

    __tablename__ = "declared_facts"
    __table_args__ = (Index("ix_declared_facts_fact", "fact"),)

    registration_id: Mapped[int] = mapped_column(ForeignKey(Registration.id), primary_key=True)
    item: Mapped[str] = mapped_column(String(16), primary_key=True)
    value: Mapped[str] = mapped_column(EncryptedText("declared_facts.value"))
    fact: Mapped[str] = mapped_column(String(64))
    """Blind index of the canonical value: the same declaration at another sitting is the same fact (R15)."""
    declared_at: Mapped[datetime] = mapped_column(UtcInstant)


class ComparisonRun(Base):
    """One answer of a source about a sitting: which, of what day, in which file."""

    __tablename__ = "comparison_runs"

    id: Mapped[int] = mapped_column(primary_key=True)
    sitting_code: Mapped[str] = mapped_column(ForeignKey(Sitting.code), index=True)
    source: Mapped[str] = mapped_column(String(40))
    source_version: Mapped[str] = mapped_column(String(80))
    """What the source says its data is of: a day or a release."""
    file_sha256: Mapped[str] = mapped_column(String(64))
    compared_at: Mapped[datetime] = mapped_column(UtcInstant)
    actor: Mapped[str] = mapped_column(String(80))
    counts: Mapped[dict[str, int]] = mapped_column(JSON)


class ComparisonResultRow(Base):
    """What a run said of one item of one registration; a later run of the source supersedes it."""

    __tablename__ = "comparison_results"
    __table_args__ = (
        Index(
            "uq_comparison_results_current",
            "registration_id",
            "item",
            "source",
            unique=True,
            sqlite_where=_CURRENT,
            postgresql_where=_CURRENT,
        ),
        Index("ix_comparison_results_fact", "fact"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey(ComparisonRun.id), index=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey(Registration.id))
    item: Mapped[str] = mapped_column(String(16))
    source: Mapped[str] = mapped_column(String(40))
    outcome: Mapped[str] = mapped_column(String(16))
    found: Mapped[str | None] = mapped_column(EncryptedText("comparison_results.found"))
    """The register's value, where it gave one."""
    found_index: Mapped[str] = mapped_column(String(64))
    """Blind index of it, so that the same answer twice changes nothing; empty without one."""
    fact: Mapped[str] = mapped_column(String(64))
    """The declaration it was compared with."""
    compared_at: Mapped[datetime] = mapped_column(UtcInstant)
    superseded_by: Mapped[int | None] = mapped_column(Integer)
    """The later run."""


class Material(Base):
    """A file handed in as proof. Replaced, declined or taken back, it stays."""

    __tablename__ = "materials"
    __table_args__ = (Index("ix_materials_registration", "registration_id", "state"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey(Person.id), index=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey(Registration.id))
    kind: Mapped[str] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(12))
    """given | accepted | declined | replaced | withdrawn"""
    file_key: Mapped[str] = mapped_column(String(120))
    file_name: Mapped[str] = mapped_column(EncryptedText("materials.file_name"))
    media_type: Mapped[str] = mapped_column(String(40))
    size: Mapped[int] = mapped_column(Integer)
    pages: Mapped[int] = mapped_column(Integer)
    digest: Mapped[str] = mapped_column(String(64))
    """Keyed digest of the file, so that the same file twice is one and nobody can tell from it what it is."""
    given_at: Mapped[datetime] = mapped_column(UtcInstant)
    replaced_by: Mapped[int | None] = mapped_column(Integer)
    decided_by: Mapped[str | None] = mapped_column(String(80))
    decided_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    note: Mapped[str | None] = mapped_column(EncryptedText("materials.note"))
    """Why it was declined; the candidate reads it."""


class MaterialProof(Base):
    """Which declaration a material was handed in to prove, so that the next sitting need not ask again (R15)."""

    __tablename__ = "material_proofs"
    __table_args__ = (Index("ix_material_proofs_fact", "fact"),)

    material_id: Mapped[int] = mapped_column(ForeignKey(Material.id), primary_key=True)
    item: Mapped[str] = mapped_column(String(16), primary_key=True)
    fact: Mapped[str] = mapped_column(String(64))
