"""Who has which case in hand, and the filters staff keep: nothing here decides anything."""

from datetime import datetime

from sqlalchemy import Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from issuer.records.base import Base, UtcInstant
from issuer.records.encryption import EncryptedText


class CaseClaim(Base):
    """One case in somebody's hands until `expires_at`; the draft outlives the hold and goes to whoever has it next.

    `holder` is None once the case was let go. A taken-over claim names who had it and why.
    """

    __tablename__ = "case_claims"
    __table_args__ = (Index("ix_case_claims_holder", "holder", "expires_at"),)

    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    """`issuer.rules.queues.CaseKind`."""
    case_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    holder: Mapped[str | None] = mapped_column(String(80))
    claimed_at: Mapped[datetime] = mapped_column(UtcInstant)
    expires_at: Mapped[datetime] = mapped_column(UtcInstant)
    draft: Mapped[str | None] = mapped_column(EncryptedText("case_claims.draft"))
    draft_by: Mapped[str | None] = mapped_column(String(80))
    drafted_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    taken_from: Mapped[str | None] = mapped_column(String(80))
    taken_by: Mapped[str | None] = mapped_column(String(80))
    taken_reason: Mapped[str | None] = mapped_column(EncryptedText("case_claims.taken_reason"))


class SavedFilter(Base):
    """A list of cases somebody keeps: the query part of its address, which never names a person."""

    __tablename__ = "saved_filters"

    id: Mapped[int] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(String(80), index=True)
    title: Mapped[str] = mapped_column(String(80))
    queue: Mapped[str] = mapped_column(String(32))
    query: Mapped[str] = mapped_column(String(400))
    shared: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcInstant)
