"""Eligibility reviews, their events, objections to the public notice, statements of defence (R4–R8)."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from issuer.records.base import Base, UtcInstant
from issuer.records.encryption import EncryptedText
from issuer.records.people import Registration
from issuer.records.sittings import Sitting

OPEN = text("outcome IN ('awaiting', 'conditions-pending', 'defence-open')")
UNRESOLVED = text("resolved_at IS NULL")
UNDECIDED = text("decided_at IS NULL")


class EligibilityReview(Base):
    """Where one registration's review stands. Changed only by a transition, each of which adds an event."""

    __tablename__ = "eligibility_reviews"
    __table_args__ = (
        Index("ix_eligibility_reviews_work", "sitting_code", "outcome"),
        Index("ix_eligibility_reviews_counts", "sitting_code", "round", "outcome"),
        # A queue, oldest first; only what is open is in it.
        Index(
            "ix_eligibility_reviews_open",
            "outcome",
            "round",
            "registration_id",
            sqlite_where=OPEN,
            postgresql_where=OPEN,
        ),
    )

    registration_id: Mapped[int] = mapped_column(ForeignKey(Registration.id), primary_key=True)
    sitting_code: Mapped[str] = mapped_column(ForeignKey(Sitting.code))
    round: Mapped[str] = mapped_column(String(16))
    outcome: Mapped[str] = mapped_column(String(24))
    reason_code: Mapped[str | None] = mapped_column(String(40))
    version: Mapped[int] = mapped_column(Integer, default=0)
    """Counts transitions; every update is guarded by the version it read."""
    changed_at: Mapped[datetime] = mapped_column(UtcInstant)


class ReviewEvent(Base):
    """One transition of one review, never changed afterwards."""

    __tablename__ = "review_events"
    __table_args__ = (
        UniqueConstraint("registration_id", "version"),
        Index("ix_review_events_actor", "actor", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey(Registration.id))
    version: Mapped[int] = mapped_column(Integer)
    action: Mapped[str] = mapped_column(String(32))
    round: Mapped[str] = mapped_column(String(16))
    outcome_before: Mapped[str] = mapped_column(String(24))
    outcome_after: Mapped[str] = mapped_column(String(24))
    reason_code: Mapped[str | None] = mapped_column(String(40))
    note: Mapped[str | None] = mapped_column(EncryptedText("review_events.note"))
    clause: Mapped[str] = mapped_column(String(8))
    actor: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime] = mapped_column(UtcInstant)


class Objection(Base):
    """An objection raised during the public notice (R5). While one is open, nothing is issued."""

    __tablename__ = "objections"
    __table_args__ = (Index("ix_objections_open", "id", sqlite_where=UNRESOLVED, postgresql_where=UNRESOLVED),)

    id: Mapped[int] = mapped_column(primary_key=True)
    sitting_code: Mapped[str] = mapped_column(ForeignKey(Sitting.code), index=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey(Registration.id), index=True)
    text: Mapped[str] = mapped_column(EncryptedText("objections.text"))
    raised_at: Mapped[datetime] = mapped_column(UtcInstant)
    raised_by: Mapped[str] = mapped_column(String(80))
    resolved_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    resolved_by: Mapped[str | None] = mapped_column(String(80))
    upheld: Mapped[bool | None] = mapped_column()
    resolution: Mapped[str | None] = mapped_column(EncryptedText("objections.resolution"))


class DefenceStatement(Base):
    """申辩: what a candidate found ineligible says for themselves (R7)."""

    __tablename__ = "defence_statements"
    __table_args__ = (
        Index("ix_defence_statements_open", "registration_id", sqlite_where=UNDECIDED, postgresql_where=UNDECIDED),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey(Registration.id), index=True)
    text: Mapped[str] = mapped_column(EncryptedText("defence_statements.text"))
    filed_at: Mapped[datetime] = mapped_column(UtcInstant)
    decided_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    decided_by: Mapped[str | None] = mapped_column(String(80))
    accepted: Mapped[bool | None] = mapped_column()
