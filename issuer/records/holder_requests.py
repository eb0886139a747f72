"""What holders say is wrong with their own data, and what became of it."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from issuer.records.base import Base, UtcInstant
from issuer.records.encryption import EncryptedText
from issuer.records.people import Person, Registration

OPEN = text("state = 'open'")


class DataObjection(Base):
    """信息更正申请: one open request per registration and matter. Decided with an answer the holder reads."""

    __tablename__ = "data_objections"
    __table_args__ = (
        Index(
            "uq_data_objections_open",
            "registration_id",
            "matter",
            unique=True,
            sqlite_where=OPEN,
            postgresql_where=OPEN,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey(Person.id), index=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey(Registration.id))
    matter: Mapped[str] = mapped_column(String(16))  # name | id | photo | score | specialty | watch | other
    text: Mapped[str] = mapped_column(EncryptedText("data_objections.text"))
    state: Mapped[str] = mapped_column(String(12))  # open | accepted | declined | withdrawn
    filed_at: Mapped[datetime] = mapped_column(UtcInstant)
    decided_by: Mapped[str | None] = mapped_column(String(80))
    decided_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    answer: Mapped[str | None] = mapped_column(EncryptedText("data_objections.answer"))
