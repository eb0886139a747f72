"""Hearings held before a decision (R7, R9, R10): notice, who came, minutes, and what the person said of them."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from issuer.records.base import Base, UtcInstant
from issuer.records.certificates import Invalidation
from issuer.records.encryption import EncryptedText
from issuer.records.people import Registration
from issuer.records.reviews import DefenceStatement

SCAN_PURPOSE = "hearings.scan"
"""Encryption purpose of the scanned minutes under `scan_key`."""
RECORD_PURPOSE = "hearings.record"
"""Encryption purpose of the sealed record under `record_key`."""


class Hearing(Base):
    """听证 about one statement of defence or one proposed case: one for each; moving it keeps the row."""

    __tablename__ = "hearings"
    __table_args__ = (
        CheckConstraint("(defence_id IS NULL) <> (case_id IS NULL)", name="about_one_thing"),
        CheckConstraint("chair IS NULL OR notified_at IS NOT NULL", name="notified"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str | None] = mapped_column(String(24), unique=True)
    """Given with the first notice."""
    registration_id: Mapped[int] = mapped_column(ForeignKey(Registration.id), index=True)
    defence_id: Mapped[int | None] = mapped_column(ForeignKey(DefenceStatement.id), unique=True)
    case_id: Mapped[int | None] = mapped_column(ForeignKey(Invalidation.id), unique=True)
    clause: Mapped[str] = mapped_column(String(8))
    state: Mapped[str] = mapped_column(String(12))
    """`issuer.rules.hearing.HearingState`."""
    asked_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    asked_why: Mapped[str | None] = mapped_column(EncryptedText("hearings.asked_why"))
    notified_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    notified_by: Mapped[str | None] = mapped_column(String(80))
    starts_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    place: Mapped[str | None] = mapped_column(String(200))
    chair: Mapped[str | None] = mapped_column(String(80))
    present: Mapped[str | None] = mapped_column(EncryptedText("hearings.present"))
    """JSON list of [capacity, name]."""
    minutes: Mapped[str | None] = mapped_column(EncryptedText("hearings.minutes"))
    scan_key: Mapped[str | None] = mapped_column(String(160))
    scan_type: Mapped[str | None] = mapped_column(String(40))
    scan_sha256: Mapped[str | None] = mapped_column(String(64))
    recorded_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    answer_due_on: Mapped[date | None] = mapped_column(Date)
    """Last day on which the person can confirm the minutes or object to them."""
    answered_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    answered_by: Mapped[str | None] = mapped_column(String(80))
    """`holder`, or the account that noted a paper signature, a refusal or that nobody came."""
    answer: Mapped[str | None] = mapped_column(EncryptedText("hearings.answer"))
    """What the person objects to, or why there is no signature."""
    record_key: Mapped[str | None] = mapped_column(String(160))
    record_sha256: Mapped[str | None] = mapped_column(String(64))
    """SHA-256 of the sealed file."""
    record_of: Mapped[str | None] = mapped_column(String(64))
    """SHA-256 of the page it was sealed from: another page is sealed anew."""
