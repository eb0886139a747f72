"""Proposals to correct the name on a certificate, and what became of them: two people, never deleted."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from issuer.records.base import Base, UtcInstant
from issuer.records.certificates import ECertificate
from issuer.records.encryption import EncryptedText

OPEN = text("state IN ('proposed', 'approved')")


class Correction(Base):
    """更正. `approved` while the corrected certificate is being made, `applied` once it has replaced the old one."""

    __tablename__ = "corrections"
    __table_args__ = (
        CheckConstraint(
            "state NOT IN ('approved', 'applied') OR (decided_by IS NOT NULL AND decided_by <> proposed_by)",
            name="two_people",
        ),
        Index("uq_corrections_open", "certificate_id", unique=True, sqlite_where=OPEN, postgresql_where=OPEN),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    certificate_id: Mapped[int] = mapped_column(ForeignKey(ECertificate.id), index=True)
    new_name: Mapped[str] = mapped_column(EncryptedText("corrections.new_name"))
    basis: Mapped[str] = mapped_column(EncryptedText("corrections.basis"))
    state: Mapped[str] = mapped_column(String(16))  # proposed | rejected | withdrawn | approved | applied | abandoned
    proposed_by: Mapped[str] = mapped_column(String(80))
    proposed_at: Mapped[datetime] = mapped_column(UtcInstant)
    decided_by: Mapped[str | None] = mapped_column(String(80))
    decided_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    successor_id: Mapped[int | None] = mapped_column(Integer)
    """The corrected certificate, from approval on."""
