"""诚信档案 under MOHRSS Order 31, and notes that transfer a suspected crime (R10): kept apart from the register."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from issuer.records.base import Base, UtcInstant
from issuer.records.certificates import Invalidation
from issuer.records.encryption import EncryptedText
from issuer.records.people import Person, Registration


class MisconductRecord(Base):
    """One person's misconduct, entered when a case under R10 is approved; lifted if that case is overturned.

    `ends_on` is the last day it runs, None for a long-term one. Never deleted: an expired record stays, and no longer
    holds anything back.
    """

    __tablename__ = "misconduct_records"
    __table_args__ = (
        CheckConstraint("approved_by <> proposed_by", name="two_people"),
        CheckConstraint("(term = 'long-term') = (ends_on IS NULL)", name="term_has_its_end"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey(Invalidation.id), unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey(Person.id), index=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey(Registration.id))
    article: Mapped[str] = mapped_column(String(24))
    """Articles of Order 31 it rests on, such as `10,7`."""
    term: Mapped[str] = mapped_column(String(16))
    """`issuer.rules.misconduct.Term`."""
    facts: Mapped[str] = mapped_column(EncryptedText("misconduct_records.facts"))
    recorded_on: Mapped[date] = mapped_column(Date)
    ends_on: Mapped[date | None] = mapped_column(Date)
    proposed_by: Mapped[str] = mapped_column(String(80))
    approved_by: Mapped[str] = mapped_column(String(80))
    approved_at: Mapped[datetime] = mapped_column(UtcInstant)
    lifted_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    lifted_by: Mapped[str | None] = mapped_column(String(80))
    lift_proposed_by: Mapped[str | None] = mapped_column(String(80))
    """Who asked to lift it by itself; None while nobody asks, and where its case was overturned."""
    lift_proposed_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    lift_reason: Mapped[str | None] = mapped_column(EncryptedText("misconduct_records.lift_reason"))


class MisconductConsideration(Base):
    """An approver looked at a running record and lets one registration go on in spite of it (Order 31, art. 12)."""

    __tablename__ = "misconduct_considerations"

    record_id: Mapped[int] = mapped_column(ForeignKey(MisconductRecord.id), primary_key=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey(Registration.id), primary_key=True)
    note: Mapped[str] = mapped_column(EncryptedText("misconduct_considerations.note"))
    decided_by: Mapped[str] = mapped_column(String(80))
    decided_at: Mapped[datetime] = mapped_column(UtcInstant)


class TransferNote(Base):
    """移送函: a case of suspected crime handed to another authority, with facts and digests of the evidence (R10)."""

    __tablename__ = "transfer_notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    case_id: Mapped[int] = mapped_column(ForeignKey(Invalidation.id), index=True)
    to: Mapped[str] = mapped_column(String(120))
    """The authority it goes to."""
    facts: Mapped[str] = mapped_column(EncryptedText("transfer_notes.facts"))
    evidence: Mapped[str] = mapped_column(EncryptedText("transfer_notes.evidence"))
    """JSON list of [what it is, SHA-256 in hex]; names of files may name people."""
    made_by: Mapped[str] = mapped_column(String(80))
    made_at: Mapped[datetime] = mapped_column(UtcInstant)
    pdf: Mapped[str] = mapped_column(EncryptedText("transfer_notes.pdf"))
    """Base64."""
    pdf_sha256: Mapped[str] = mapped_column(String(64))
