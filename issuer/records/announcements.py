"""What the department tells the public about a sitting (R5, R7, R8, R11), and who was picked for a check (R15)."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from issuer.records.base import Base, UtcInstant
from issuer.records.certificates import Invalidation
from issuer.records.encryption import EncryptedText
from issuer.records.people import Registration
from issuer.records.sittings import Sitting

FILE_PURPOSE = "announcements.file"
"""Encryption purpose of the PDF under `file_key`: it holds names."""
FIRST = text("state = 'published' AND corrects_id IS NULL AND kind NOT IN ('invalidation', 'reinstatement')")
CORRECTION = text("state = 'published' AND corrects_id IS NOT NULL")
UNDRAWN = text("drawn_at IS NULL")


class Announcement(Base):
    """公告. A draft until another person publishes it; from then on nothing in it changes."""

    __tablename__ = "announcements"
    __table_args__ = (
        CheckConstraint(
            "state <> 'published' OR (published_by IS NOT NULL AND published_by <> drafted_by)", name="two_people"
        ),
        Index(
            "uq_announcements_first", "sitting_code", "kind", unique=True, sqlite_where=FIRST, postgresql_where=FIRST
        ),
        Index(
            "uq_announcements_correction",
            "corrects_id",
            unique=True,
            sqlite_where=CORRECTION,
            postgresql_where=CORRECTION,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    sitting_code: Mapped[str] = mapped_column(ForeignKey(Sitting.code))
    kind: Mapped[str] = mapped_column(String(16))
    """`issuer.rules.announcements.AnnouncementKind`."""
    state: Mapped[str] = mapped_column(String(12))  # draft | published | withdrawn
    corrects_id: Mapped[int | None] = mapped_column(ForeignKey("issuer.announcements.id"))
    title: Mapped[str] = mapped_column(String(200))
    title_en: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    body_en: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(Integer, default=0)
    """Counts edits; what is published is the version its publisher looked at."""
    drafted_by: Mapped[str] = mapped_column(String(80))
    drafted_at: Mapped[datetime] = mapped_column(UtcInstant)
    published_by: Mapped[str | None] = mapped_column(String(80))
    published_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    number: Mapped[str | None] = mapped_column(String(16), unique=True)
    lines: Mapped[str | None] = mapped_column(EncryptedText("announcements.lines"))
    """JSON list of [name, masked admission number, specialty], as it stood when it was published."""
    line_count: Mapped[int | None] = mapped_column(Integer)
    names_until: Mapped[date | None] = mapped_column(Date)
    """Last day on which the public page and the PDF show the list."""
    file_key: Mapped[str | None] = mapped_column(String(160))
    file_sha256: Mapped[str | None] = mapped_column(String(64))
    withdrawn_by: Mapped[str | None] = mapped_column(String(80))
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    withdrawn_note: Mapped[str | None] = mapped_column(Text)
    """Why a published announcement was taken back: stands in public in the place of its list."""


class AnnouncedCase(Base):
    """A case on the list of an announcement of invalidations or of reinstatements (R9, R10)."""

    __tablename__ = "announced_cases"

    case_id: Mapped[int] = mapped_column(ForeignKey(Invalidation.id), primary_key=True, autoincrement=False)
    announcement_id: Mapped[int] = mapped_column(ForeignKey(Announcement.id), index=True)
    position: Mapped[int | None] = mapped_column(Integer)
    """Line of the published list, from 0."""
    lifted_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    """Since when the name is shown no longer, because the case was overturned."""


class Sampling(Base):
    """A random sample of a sitting (R15): the seed stands in public before anybody is drawn with it."""

    __tablename__ = "samplings"
    __table_args__ = (
        Index("uq_samplings_undrawn", "sitting_code", unique=True, sqlite_where=UNDRAWN, postgresql_where=UNDRAWN),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    sitting_code: Mapped[str] = mapped_column(ForeignKey(Sitting.code))
    seed: Mapped[str] = mapped_column(String(64))
    per_mille: Mapped[int] = mapped_column(Integer)
    fixed_by: Mapped[str] = mapped_column(String(80))
    fixed_at: Mapped[datetime] = mapped_column(UtcInstant)
    drawn_by: Mapped[str | None] = mapped_column(String(80))
    drawn_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    population: Mapped[int | None] = mapped_column(Integer)
    list_sha256: Mapped[str | None] = mapped_column(String(64))
    """SHA-256 of the sorted admission numbers, one a line: what the draw was made from."""


class SampledCheck(Base):
    """One registration picked for a check, at random or for a reason, and what the check found."""

    __tablename__ = "sampled_checks"
    __table_args__ = (UniqueConstraint("sampling_id", "registration_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    sitting_code: Mapped[str] = mapped_column(ForeignKey(Sitting.code), index=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey(Registration.id), index=True)
    sampling_id: Mapped[int | None] = mapped_column(ForeignKey(Sampling.id))
    reason: Mapped[str | None] = mapped_column(EncryptedText("sampled_checks.reason"))
    chosen_by: Mapped[str] = mapped_column(String(80))
    chosen_at: Mapped[datetime] = mapped_column(UtcInstant)
    result: Mapped[str | None] = mapped_column(String(16))  # in-order | not-in-order
    note: Mapped[str | None] = mapped_column(EncryptedText("sampled_checks.note"))
    checked_by: Mapped[str | None] = mapped_column(String(80))
    checked_at: Mapped[datetime | None] = mapped_column(UtcInstant)
