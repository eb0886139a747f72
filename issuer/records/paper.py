"""Requests for the replacement of a paper certificate (R14)."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from issuer.records.base import Base, UtcInstant
from issuer.records.encryption import EncryptedText
from issuer.records.people import Person, Registration

OPEN = text("state = 'accepted'")


class PaperReplacementRequest(Base):
    """纸质证书补发申请. Refused requests are kept too, with the clause that refused them."""

    __tablename__ = "paper_replacement_requests"
    __table_args__ = (
        Index(
            "uq_paper_replacement_open",
            "person_id",
            "qualification",
            unique=True,
            sqlite_where=OPEN,
            postgresql_where=OPEN,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey(Person.id))
    registration_id: Mapped[int] = mapped_column(ForeignKey(Registration.id))
    qualification: Mapped[str] = mapped_column(String(255))
    reason: Mapped[str | None] = mapped_column(EncryptedText("paper_replacement_requests.reason"))
    state: Mapped[str] = mapped_column(String(16))  # accepted | refused | fulfilled | withdrawn
    clause: Mapped[str | None] = mapped_column(String(8))
    code: Mapped[str | None] = mapped_column(String(40))
    requested_by: Mapped[str] = mapped_column(String(80))
    requested_at: Mapped[datetime] = mapped_column(UtcInstant)
