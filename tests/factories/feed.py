"""Both databases, a relay between them, and records to announce, on SQLite or PostgreSQL."""

import hashlib
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from issuer.clock import SimulatedClock
from issuer.migrations.runner import migrate
from issuer.publication.entries import list_entry
from issuer.publication.outbox import announce_certificate, announce_status
from issuer.publication.relay import Relay
from issuer.records.database import Database, make_engine
from issuer.records.ledger import OutboxEvent
from tests.factories.signing import NOW, Bench
from verifier.record.public_record import PublicRecord, StatusChange
from verifier.record.qr import b32
from verifier.record.register import SqlRegister
from verifier.record.status import CertificateStatus, ReasonClass

BASE_URL = "https://verify.example"


def token_of(n: int) -> str:
    """The n-th test token."""
    return b32(hashlib.sha256(b"token %d" % n).digest()[:16])


def digest_of(n: int, what: str) -> str:
    """A digest of the n-th test certificate."""
    return hashlib.sha256(f"{what} {n}".encode()).hexdigest()


def sample_record(n: int, **changes: Any) -> PublicRecord:
    """The n-th test certificate as it is published."""
    list_id, index = list_entry(n, b"k" * 32)
    record = PublicRecord(
        token=token_of(n),
        status=CertificateStatus.VALID,
        reason_class=None,
        programme_code="EJJZ",
        programme_name="二级建造师",
        level="二级",
        specialty="建筑工程",
        approved_on=date(2025, 6, 8),
        issued_on=date(2025, 10, 27),
        file_sha256=digest_of(n, "file"),
        credential_sha256=digest_of(n, "credential"),
        number_digest=digest_of(n, "number"),
        holder_digest=digest_of(n, "holder"),
        list_id=list_id,
        list_index=index,
        published_at=NOW,
    )
    return replace(record, **changes)


def sample_change(
    n: int, sequence: int, status: CertificateStatus, reason: ReasonClass | None = ReasonClass.MISCONDUCT
) -> StatusChange:
    """A status change of the n-th test certificate."""
    return StatusChange(token_of(n), sequence, status, reason, date(2025, 11, 1), NOW)


@dataclass
class Feed:
    """A relay with both ends. `register` reads what it wrote."""

    issuer_url: str
    register_url: str
    database: Database
    relay: Relay
    register: SqlRegister
    bench: Bench
    clock: SimulatedClock

    def publish(self, *numbers: int) -> None:
        """Announce the given certificates in one unit of work."""
        with self.database.write() as session:
            for n in numbers:
                announce_certificate(session, sample_record(n))

    def change(
        self,
        n: int,
        sequence: int,
        status: CertificateStatus,
        reason: ReasonClass | None = ReasonClass.MISCONDUCT,
        superseded_by: str | None = None,
    ) -> None:
        """Announce a status change in a unit of work of its own."""
        with self.database.write() as session:
            announce_status(session, sample_change(n, sequence, status, reason), superseded_by)

    def unmarked(self) -> int:
        """Events the outbox does not yet hold for public."""
        return self.relay.backlog()

    def close(self) -> None:
        """Let go of all connections."""
        self.register.close()
        self.database.engine.dispose()
        self.relay._register.dispose()


def open_feed(issuer_url: str, register_url: str, *, bench: Bench | None = None) -> Feed:
    """Migrate both sides when needed and connect them."""
    issuer_engine, register_engine = make_engine(issuer_url), make_engine(register_url)
    migrate(issuer_engine, "issuer")
    migrate(register_engine, "public_record")
    bench = bench or Bench()
    clock = SimulatedClock(NOW)
    database = Database(issuer_engine)
    relay = Relay(database, register_engine, lambda: bench, clock, base_url=BASE_URL)
    return Feed(issuer_url, register_url, database, relay, SqlRegister(register_url), bench, clock)


def outbox(feed: Feed) -> list[OutboxEvent]:
    """Every event ever announced, in order."""
    with feed.database.read() as session:
        events = list(session.query(OutboxEvent).order_by(OutboxEvent.sequence))
        session.expunge_all()
        return events
