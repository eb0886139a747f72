"""Acts on a list of certificates: who asked, who decided, and what became of each line."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from issuer.records.base import Base, UtcInstant
from issuer.records.certificates import ECertificate, Invalidation
from issuer.records.encryption import EncryptedText
from issuer.records.people import Registration


class LargeAct(Base):
    """One act on many certificates. Its lines hold how far it has come, so it goes on after any interruption.

    `invalidate`: proposing → proposed → running → done, or rejected, or withdrawn; two people (R9, R10).
    `extend` (archive timestamps): running → done.
    """

    __tablename__ = "large_acts"
    __table_args__ = (
        CheckConstraint(
            "kind <> 'invalidate' OR state NOT IN ('running', 'done')"
            " OR (decided_by IS NOT NULL AND decided_by <> proposed_by)",
            name="two_people",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))  # invalidate | extend
    state: Mapped[str] = mapped_column(String(16))  # proposing | proposed | running | done | rejected | withdrawn
    plan_digest: Mapped[str] = mapped_column(String(64))
    source_sha256: Mapped[str] = mapped_column(String(64))
    """Digest of the list as it was sent in; empty where the list was chosen by a query."""
    proposed_by: Mapped[str] = mapped_column(String(80))
    proposed_via: Mapped[str] = mapped_column(String(8))
    proposed_at: Mapped[datetime] = mapped_column(UtcInstant)
    decided_by: Mapped[str | None] = mapped_column(String(80))
    decided_via: Mapped[str | None] = mapped_column(String(8))
    decided_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    decision_note: Mapped[str | None] = mapped_column(EncryptedText("large_acts.decision_note"))
    finished_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    paused_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    """Set while it rests: nobody works on it, whatever its state."""
    paused_by: Mapped[str | None] = mapped_column(String(80))


class LargeActItem(Base):
    """One certificate or registration of a large act; `position` is its row in the list as it was sent in."""

    __tablename__ = "large_act_items"
    __table_args__ = (Index("ix_large_act_items_result", "act_id", "result"),)

    act_id: Mapped[int] = mapped_column(ForeignKey(LargeAct.id), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    certificate_id: Mapped[int | None] = mapped_column(ForeignKey(ECertificate.id))
    """None where the row names a paper certificate or a registration without any."""
    registration_id: Mapped[int | None] = mapped_column(ForeignKey(Registration.id))
    """Set for every row of an invalidation."""
    named: Mapped[str | None] = mapped_column(String(80))
    """The number as the list gave it, where it is no e-certificate's."""
    ground: Mapped[str | None] = mapped_column(String(40))
    basis: Mapped[str | None] = mapped_column(EncryptedText("large_act_items.basis"))
    effective_on: Mapped[date | None] = mapped_column(Date)
    case_id: Mapped[int | None] = mapped_column(ForeignKey(Invalidation.id))
    result: Mapped[str] = mapped_column(String(16), default="waiting")  # waiting | proposed | done | refused
    code: Mapped[str | None] = mapped_column(String(40))
    clause: Mapped[str | None] = mapped_column(String(8))
