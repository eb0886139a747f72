"""Unclaimed paper: boxes, and the registers by which it is handed over to the department (R13)."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Date, ForeignKey, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from issuer.records.base import Base, UtcInstant
from issuer.records.encryption import EncryptedText
from issuer.records.paper import PaperCertificate
from issuer.records.sittings import Sitting

OPEN = text("state IN ('open', 'counted')")


class SafekeepingBox(Base):
    """A box on a shelf with the unclaimed certificates of one sitting."""

    __tablename__ = "safekeeping_boxes"

    id: Mapped[int] = mapped_column(primary_key=True)
    sitting_code: Mapped[str] = mapped_column(ForeignKey(Sitting.code), index=True)
    label: Mapped[str] = mapped_column(String(40), unique=True)
    opened_by: Mapped[str] = mapped_column(String(80))
    opened_at: Mapped[datetime] = mapped_column(UtcInstant)


class HandoverRegister(Base):
    """登记造册移交: one sitting's unclaimed certificates, counted, sealed, countersigned; then never changed.

    `pdf` and `xlsx` hold names, so they rest encrypted (base64); their digests do not.
    """

    __tablename__ = "handover_registers"
    __table_args__ = (
        Index("uq_handover_registers_open", "sitting_code", unique=True, sqlite_where=OPEN, postgresql_where=OPEN),
        CheckConstraint(
            "state <> 'handed-over' OR (countersigned_by IS NOT NULL AND countersigned_by <> counted_by)",
            name="two_people",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    sitting_code: Mapped[str] = mapped_column(ForeignKey(Sitting.code), index=True)
    state: Mapped[str] = mapped_column(String(12))  # open | counted | handed-over
    due_on: Mapped[date] = mapped_column(Date)
    opened_by: Mapped[str] = mapped_column(String(80))
    opened_at: Mapped[datetime] = mapped_column(UtcInstant)
    counted_by: Mapped[str | None] = mapped_column(String(80))
    counted_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    countersigned_by: Mapped[str | None] = mapped_column(String(80))
    countersigned_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    total: Mapped[int] = mapped_column(Integer, default=0)
    boxes: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """Box label → number of certificates, as counted."""
    pdf: Mapped[str | None] = mapped_column(EncryptedText("handover_registers.pdf"))
    pdf_sha256: Mapped[str | None] = mapped_column(String(64))
    xlsx: Mapped[str | None] = mapped_column(EncryptedText("handover_registers.xlsx"))
    xlsx_sha256: Mapped[str | None] = mapped_column(String(64))


class HandoverItem(Base):
    """A certificate found in its box at the count. `position` is its line on the register once that is counted."""

    __tablename__ = "handover_items"

    register_id: Mapped[int] = mapped_column(ForeignKey(HandoverRegister.id), primary_key=True)
    paper_id: Mapped[int] = mapped_column(ForeignKey(PaperCertificate.id), primary_key=True, index=True)
    box_id: Mapped[int] = mapped_column(ForeignKey(SafekeepingBox.id))
    position: Mapped[int | None] = mapped_column(Integer)
    withdrawn: Mapped[bool] = mapped_column(default=False)
    """Claimed by its holder after it was scanned and before the count was closed."""
    scanned_by: Mapped[str] = mapped_column(String(80))
    scanned_at: Mapped[datetime] = mapped_column(UtcInstant)
