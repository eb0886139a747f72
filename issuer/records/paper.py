"""Paper certificates: blank forms, what was printed on them, requests for replacement (R11, R14)."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from issuer.records.base import Base, UtcInstant
from issuer.records.encryption import EncryptedText
from issuer.records.people import Person, Registration
from issuer.records.sittings import Programme, Sitting

OPEN = text("state = 'accepted'")
LIVE = text("slot = 'live'")


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
    state: Mapped[str] = mapped_column(String(16))  # accepted | refused | fulfilled | withdrawn | rejected
    clause: Mapped[str | None] = mapped_column(String(8))
    code: Mapped[str | None] = mapped_column(String(40))
    requested_by: Mapped[str] = mapped_column(String(80))
    requested_at: Mapped[datetime] = mapped_column(UtcInstant)
    kind: Mapped[str | None] = mapped_column(String(12))
    """lost or damaged; None where it was not said."""
    approved_by: Mapped[str | None] = mapped_column(String(80))
    """Who looked at the statement and allowed it; another person than who took it in."""
    approved_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    decision_note: Mapped[str | None] = mapped_column(EncryptedText("paper_replacement_requests.decision_note"))
    new_paper_id: Mapped[int | None] = mapped_column(Integer)
    """The certificate that was made instead."""


class PaperReceipt(Base):
    """Blank forms that came in, by range of serials: counted by one person, confirmed by another (R16)."""

    __tablename__ = "paper_receipts"
    __table_args__ = (
        CheckConstraint(
            "state <> 'confirmed' OR (confirmed_by IS NOT NULL AND confirmed_by <> counted_by)", name="two_people"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    programme_code: Mapped[str] = mapped_column(ForeignKey(Programme.code), index=True)
    prefix: Mapped[str] = mapped_column(String(40))
    first: Mapped[int] = mapped_column(BigInteger)
    last: Mapped[int] = mapped_column(BigInteger)
    digits: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(12))  # counted | confirmed | rejected
    counted_by: Mapped[str] = mapped_column(String(80))
    counted_at: Mapped[datetime] = mapped_column(UtcInstant)
    confirmed_by: Mapped[str | None] = mapped_column(String(80))
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcInstant)


class PaperBlank(Base):
    """One form by its printed serial: in stock, used, or spoiled; never deleted, never used twice."""

    __tablename__ = "paper_blanks"
    __table_args__ = (Index("ix_paper_blanks_stock", "programme_code", "state", "serial"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    programme_code: Mapped[str] = mapped_column(ForeignKey(Programme.code))
    serial: Mapped[str] = mapped_column(String(40), unique=True)
    receipt_id: Mapped[int] = mapped_column(ForeignKey(PaperReceipt.id))
    state: Mapped[str] = mapped_column(String(12))  # in-stock | used | spoiled
    reason: Mapped[str | None] = mapped_column(String(24))
    """Why it was spoiled: a code."""
    changed_by: Mapped[str] = mapped_column(String(80))
    changed_at: Mapped[datetime] = mapped_column(UtcInstant)


class PaperCertificate(Base):
    """One sheet that was printed for one person. A replaced one stays, void; its successor names it.

    `management_no` is the person's and stays through reprints and replacements; the serial is the sheet's.
    """

    __tablename__ = "paper_certificates"
    __table_args__ = (
        Index(
            "uq_paper_certificates_live",
            "person_id",
            "qualification",
            unique=True,
            sqlite_where=LIVE,
            postgresql_where=LIVE,
        ),
        Index(
            "uq_paper_certificates_number",
            "management_no",
            unique=True,
            sqlite_where=LIVE,
            postgresql_where=LIVE,
        ),
        Index("ix_paper_certificates_work", "sitting_code", "state", "id"),
        Index("ix_paper_certificates_person", "person_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey(Registration.id), index=True)
    sitting_code: Mapped[str] = mapped_column(ForeignKey(Sitting.code))
    person_id: Mapped[int] = mapped_column(ForeignKey(Person.id))
    qualification: Mapped[str] = mapped_column(String(255))
    management_no: Mapped[str] = mapped_column(String(40), index=True)
    blank_id: Mapped[int] = mapped_column(ForeignKey(PaperBlank.id), unique=True)
    serial: Mapped[str] = mapped_column(String(40), unique=True)
    state: Mapped[str] = mapped_column(String(12))
    """`issuer.rules.paper_states.PaperState`."""
    slot: Mapped[str] = mapped_column(String(8))  # live | ended
    version: Mapped[int] = mapped_column(Integer, default=0)
    box_id: Mapped[int | None] = mapped_column(Integer)
    """The safekeeping box it lies in; set exactly while it is in safekeeping."""
    register_id: Mapped[int | None] = mapped_column(Integer)
    """The handover register it stands on."""
    replaces_id: Mapped[int | None] = mapped_column(Integer)
    printed_by: Mapped[str] = mapped_column(String(80))
    printed_at: Mapped[datetime] = mapped_column(UtcInstant)
    changed_at: Mapped[datetime] = mapped_column(UtcInstant)


class PaperEvent(Base):
    """One step of one paper certificate, never changed afterwards."""

    __tablename__ = "paper_events"
    __table_args__ = (UniqueConstraint("paper_id", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    paper_id: Mapped[int] = mapped_column(ForeignKey(PaperCertificate.id))
    version: Mapped[int] = mapped_column(Integer)
    action: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(12))
    place: Mapped[str] = mapped_column(String(16))
    clause: Mapped[str] = mapped_column(String(8))
    reference: Mapped[str | None] = mapped_column(String(60))
    """A waybill, a box, a register, a reason code; never a person."""
    actor: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime] = mapped_column(UtcInstant)
