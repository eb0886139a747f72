"""Who watches which certificate, and the messages about its changes on their way to them."""

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, Index, Integer, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from issuer.records.base import Base, UtcInstant
from issuer.records.certificates import ECertificate
from issuer.records.encryption import EncryptedText

STANDING = text("ended_at IS NULL")
WAITING = text("state = 'waiting'")


class Watcher(Base):
    """An address that wants to be told, and whose it is. Address and organisation rest encrypted."""

    __tablename__ = "watchers"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), unique=True)
    """First half of the links sent to the address; the second is a keyed digest of it."""
    kind: Mapped[str] = mapped_column(String(8))  # email | webhook
    address: Mapped[str] = mapped_column(EncryptedText("watchers.address"))
    address_index: Mapped[str] = mapped_column(String(64), index=True)
    organisation: Mapped[str] = mapped_column(EncryptedText("watchers.organisation"))
    state: Mapped[str] = mapped_column(String(8), default="pending")  # pending | active | ended
    signing_key: Mapped[str | None] = mapped_column(EncryptedText("watchers.signing_key"))
    """Webhooks: the private half of this address's own Ed25519 key, base64."""
    created_at: Mapped[datetime] = mapped_column(UtcInstant)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    ended_at: Mapped[datetime | None] = mapped_column(UtcInstant)


class Watch(Base):
    """One certificate watched from one address, until its last day or until somebody ends it."""

    __tablename__ = "watches"
    __table_args__ = (
        Index(
            "uq_watches_standing",
            "certificate_id",
            "watcher_id",
            unique=True,
            sqlite_where=STANDING,
            postgresql_where=STANDING,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    watcher_id: Mapped[int] = mapped_column(ForeignKey(Watcher.id), index=True)
    certificate_id: Mapped[int] = mapped_column(ForeignKey(ECertificate.id))
    created_at: Mapped[datetime] = mapped_column(UtcInstant)
    expires_on: Mapped[date] = mapped_column(Date)
    ended_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    ended_by: Mapped[str | None] = mapped_column(String(8))  # watcher | holder | moved
    label: Mapped[str | None] = mapped_column(EncryptedText("watches.label"))
    """What the watcher calls it, and reads again in messages."""


class WatchMessage(Base):
    """Something a watcher must be told, written in the transaction that made it true, and how far it has come."""

    __tablename__ = "watch_messages"
    __table_args__ = (
        UniqueConstraint("watch_id", "kind", "sequence"),
        Index("ix_watch_messages_due", "next_at", sqlite_where=WAITING, postgresql_where=WAITING),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[str] = mapped_column(String(40), unique=True)
    """`webhook-id` and the mail's Message-ID: the same however often it is sent."""
    kind: Mapped[str] = mapped_column(String(8))  # confirm | status | ended
    watcher_id: Mapped[int] = mapped_column(ForeignKey(Watcher.id), index=True)
    watch_id: Mapped[int | None] = mapped_column(ForeignKey(Watch.id))
    sequence: Mapped[int | None] = mapped_column(Integer)
    """Number of the status event of the watched certificate."""
    state: Mapped[str] = mapped_column(String(8), default="waiting")  # waiting | sent | dead | dropped
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    created_at: Mapped[datetime] = mapped_column(UtcInstant)
    next_at: Mapped[datetime] = mapped_column(UtcInstant)
    """Not before; while somebody is sending it, when it may be taken to have failed with them."""
    last_error: Mapped[str | None] = mapped_column(String(40))
    sent_at: Mapped[datetime | None] = mapped_column(UtcInstant)
