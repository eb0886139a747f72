"""Purpose-bound copies (加注件) of certificates: what was asked, sealed, published and taken back."""

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from issuer.records.base import Base, UtcInstant
from issuer.records.certificates import ECertificate
from issuer.records.encryption import EncryptedText


class AnnotatedCopy(Base):
    """加注件: a sealed file of its own with a purpose and a last day. It stands and falls with its certificate.

    `state`: intent (stored before any key is used), published, failed. A copy has no status beside its certificate's:
    whether it may be relied on follows from that, from `valid_until` and from `withdrawn_at`.
    """

    __tablename__ = "annotated_copies"
    __table_args__ = (Index("uq_annotated_copies_list_entry", "list_id", "list_index", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    certificate_id: Mapped[int] = mapped_column(ForeignKey(ECertificate.id), index=True)
    token: Mapped[str] = mapped_column(String(32), unique=True)
    copy_no: Mapped[str] = mapped_column(String(48), unique=True)
    """The certificate's management number, a hyphen and four letters of its own: what a person types."""
    purpose: Mapped[str] = mapped_column(EncryptedText("annotated_copies.purpose"))
    valid_until: Mapped[date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(String(16), default="intent")
    list_id: Mapped[str] = mapped_column(String(32))
    list_index: Mapped[int] = mapped_column(Integer)
    """The copy's own entry: set when the holder takes it back. Its certificate's entry tells the rest."""
    content_sha256: Mapped[str] = mapped_column(String(64))
    seal_kid: Mapped[str] = mapped_column(String(32))
    file_key: Mapped[str | None] = mapped_column(String(160))
    file_sha256: Mapped[str | None] = mapped_column(String(64))
    file_size: Mapped[int | None] = mapped_column(Integer)
    credential_sha256: Mapped[str | None] = mapped_column(String(64))
    intended_at: Mapped[datetime] = mapped_column(UtcInstant)
    published_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcInstant)
