"""Paper on its way: booking windows, bookings, parcels, and what proves that it was handed out (R12)."""

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from issuer.records.base import Base, UtcInstant
from issuer.records.encryption import EncryptedText
from issuer.records.paper import PaperCertificate
from issuer.records.sittings import Sitting

OPEN = text("state = 'open'")
UNDER_WAY = text("state IN ('labelled', 'packed', 'posted')")


class PaperBookingWindow(Base):
    """When mail may be booked for a sitting: opened by the announcement of its review results."""

    __tablename__ = "paper_booking_windows"

    sitting_code: Mapped[str] = mapped_column(ForeignKey(Sitting.code), primary_key=True)
    opens_on: Mapped[date] = mapped_column(Date)
    closes_on: Mapped[date] = mapped_column(Date)
    opened_by: Mapped[str] = mapped_column(String(80))
    opened_at: Mapped[datetime] = mapped_column(UtcInstant)


class MailBooking(Base):
    """预约邮寄. Where one certificate is to be sent; `revision` counts changes of the address."""

    __tablename__ = "mail_bookings"
    __table_args__ = (
        Index("uq_mail_bookings_open", "paper_id", unique=True, sqlite_where=OPEN, postgresql_where=OPEN),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    paper_id: Mapped[int] = mapped_column(ForeignKey(PaperCertificate.id), index=True)
    state: Mapped[str] = mapped_column(String(12))  # open | cancelled | delivered
    revision: Mapped[int] = mapped_column(Integer, default=1)
    recipient: Mapped[str] = mapped_column(EncryptedText("mail_bookings.recipient"))
    phone: Mapped[str] = mapped_column(EncryptedText("mail_bookings.phone"))
    address: Mapped[str] = mapped_column(EncryptedText("mail_bookings.address"))
    freight: Mapped[str] = mapped_column(String(12))
    booked_by: Mapped[str] = mapped_column(String(80))
    booked_at: Mapped[datetime] = mapped_column(UtcInstant)
    changed_at: Mapped[datetime] = mapped_column(UtcInstant)


class Parcel(Base):
    """One envelope with one waybill; at most one of a booking is under way."""

    __tablename__ = "parcels"
    __table_args__ = (
        Index("uq_parcels_under_way", "booking_id", unique=True, sqlite_where=UNDER_WAY, postgresql_where=UNDER_WAY),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    booking_id: Mapped[int] = mapped_column(ForeignKey(MailBooking.id), index=True)
    paper_id: Mapped[int] = mapped_column(ForeignKey(PaperCertificate.id), index=True)
    waybill: Mapped[str] = mapped_column(String(40), unique=True)
    revision: Mapped[int] = mapped_column(Integer)
    """The revision of the address on its label."""
    state: Mapped[str] = mapped_column(String(12))
    """`issuer.rules.paper_mail.ParcelState`."""
    labelled_at: Mapped[datetime] = mapped_column(UtcInstant)
    packed_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    posted_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    ended_at: Mapped[datetime | None] = mapped_column(UtcInstant)


class PaperHandout(Base):
    """现场领取: who came, what was shown, who handed it over. Once for each certificate."""

    __tablename__ = "paper_handouts"

    id: Mapped[int] = mapped_column(primary_key=True)
    paper_id: Mapped[int] = mapped_column(ForeignKey(PaperCertificate.id), unique=True)
    receiver: Mapped[str] = mapped_column(String(8))  # holder | agent
    proof: Mapped[str] = mapped_column(String(12))  # signature | code
    signature: Mapped[str | None] = mapped_column(EncryptedText("paper_handouts.signature"))
    """The picture, base64."""
    agent_name: Mapped[str | None] = mapped_column(EncryptedText("paper_handouts.agent_name"))
    agent_id_no: Mapped[str | None] = mapped_column(EncryptedText("paper_handouts.agent_id_no"))
    letter: Mapped[str | None] = mapped_column(EncryptedText("paper_handouts.letter"))
    """The letter of authorisation: its number or date."""
    handed_by: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime] = mapped_column(UtcInstant)


class PickupCode(Base):
    """The code a holder takes to the counter; only its keyed digest is kept, and it serves once."""

    __tablename__ = "paper_pickup_codes"

    paper_id: Mapped[int] = mapped_column(ForeignKey(PaperCertificate.id), primary_key=True)
    code_index: Mapped[str] = mapped_column(String(64))
    expires_at: Mapped[datetime] = mapped_column(UtcInstant)
    tries: Mapped[int] = mapped_column(Integer, default=0)
    used_at: Mapped[datetime | None] = mapped_column(UtcInstant)
