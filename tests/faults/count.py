"""The count after the faults: who has what, what nobody has, and what belongs to nobody."""

import hashlib
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

from sqlalchemy import func, select

from issuer.audit import verify_chain
from issuer.records.certificates import BatchItem, ECertificate
from issuer.records.ledger import OutboxEvent, SealIntent
from tests.factories.world import World
from verifier.record.tables import certificates as public_certificates
from verifier.record.tables import files as public_files
from verifier.record.tables import log_leaves


@dataclass
class Count:
    """What is wrong after recovery; all zero when nothing is. `seals`: by the signers' own journals."""

    eligible: int
    lost: int
    doubled: int
    orphans: int
    unknown_seals: int
    seals: int
    recorded_seals: int
    audit_intact: bool
    found: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether everybody has exactly one of everything."""
        return not (self.lost or self.doubled or self.orphans or self.unknown_seals) and self.audit_intact


def count(world: World, journals: Path) -> Count:
    """Hold every certificate, number, file, public record and log leaf against the people they belong to.

    And every seal in the signers' journals against the seals the database knows.
    """
    ctx, found = world.ctx, list[str]()
    with ctx.database.read() as session:
        rows = list(session.scalars(select(ECertificate)))
        eligible = set(session.scalars(select(BatchItem.registration_id)))
        intents = list(session.scalars(select(SealIntent)))
        unapplied = session.scalar(
            select(func.count()).select_from(OutboxEvent).where(OutboxEvent.applied_at.is_(None))
        )
        intact = verify_chain(session).intact
    with ctx.register_engine.connect() as connection:
        public = list(connection.execute(select(public_certificates.c.token, public_certificates.c.file_sha256)))
        filed = list(connection.execute(select(public_files.c.token, public_files.c.sha256)))
        leaves = connection.execute(select(func.count()).select_from(log_leaves)).scalar() or 0
    published = [row for row in rows if row.state == "published"]
    per_person = Counter(row.registration_id for row in published)
    lost = [number for number in eligible if not per_person[number]]
    found += [f"registration {number} has no certificate" for number in lost]
    tokens = Counter(token for token, _ in public)
    doubled = [f"registration {n} has {times}" for n, times in per_person.items() if times > 1]
    for name, values in (
        ("number", [row.management_no for row in rows]),
        ("token", [row.token for row in rows]),
        ("file", [row.file_sha256 for row in published]),
        ("public record", list(tokens.elements())),
        ("public file", [token for token, _ in filed]),
    ):
        doubled += [f"{name} {value} {times} times" for value, times in Counter(values).items() if times > 1]
    if leaves != len(published):
        doubled.append(f"{leaves} log leaves for {len(published)} certificates")
    orphans = _orphans(world, published, dict(tuple(pair) for pair in public))
    if unapplied:
        orphans.append(f"{unapplied} events the public record was not told")
    seals = [line for path in journals.glob("journal-*") for line in path.read_text().split()]
    recorded = {intent.sealed_sha256 for intent in intents if intent.sealed_sha256}
    # A seal whose worker died before writing it down is known by its intent, which has no outcome then.
    unfinished = sum(1 for intent in intents if intent.sealed_sha256 is None)
    unknown = max(0, len(set(seals) - recorded) - unfinished) + len(recorded - set(seals))
    return Count(
        eligible=len(eligible),
        lost=len(lost),
        doubled=len(doubled),
        orphans=len(orphans),
        unknown_seals=unknown,
        seals=len(seals),
        recorded_seals=len(recorded),
        audit_intact=intact,
        found=[*found, *doubled, *orphans][:50],
    )


def _orphans(world: World, published: list[ECertificate], public: dict[str, str]) -> list[str]:
    files = world.folder / "files"
    there = {str(path.relative_to(files)): path for path in (files / "certificates").rglob("*") if path.is_file()}
    wanted = {row.file_key: row for row in published}
    orphans = [f"file without record: {key}" for key in there.keys() - wanted.keys()]
    for key, row in wanted.items():
        path = there.get(key or "")
        if path is None or hashlib.sha256(path.read_bytes()).hexdigest() != row.file_sha256:
            orphans.append(f"record without its file: {key}")
        if public.get(row.token) != row.file_sha256:
            orphans.append(f"certificate without its public record: {row.id}")
    return orphans + [f"public record without certificate: {t}" for t in public.keys() - {r.token for r in published}]


def summary(count: Count) -> dict[str, object]:
    """For printing."""
    return asdict(count)
