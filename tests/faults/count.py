"""The count after the faults: who has what, what nobody has, and what belongs to nobody."""

import hashlib
import subprocess
import sys
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pymupdf
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
    """What is wrong after recovery; all zero when nothing is.

    `seals`: by the signers' own journals; `recorded_seals`: with their digest in the database; `intended_seals`: the
    others of which the database knows by the intent they were made under; `unknown_seals`: the rest. `misdrawn`: not
    wholly of the template version on record. `drawn`: certificates of each version.
    """

    eligible: int
    lost: int
    doubled: int
    orphans: int
    misdrawn: int
    drawn: dict[str, int]
    seals: int
    recorded_seals: int
    intended_seals: int
    unknown_seals: int
    audit_intact: bool
    found: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether everybody has exactly one of everything."""
        return self.audit_intact and not (
            self.lost or self.doubled or self.orphans or self.misdrawn or self.unknown_seals
        )


def count(world: World, journals: Path, kept_back: Collection[int], trees: Mapping[str, Path]) -> Count:
    """Hold every certificate, number, file, public record and log leaf against the people they belong to.

    And every seal in the signers' journals against the seals the database knows. `kept_back`: registrations that
    were found ineligible in time. `trees`: by a line of the page, the folder whose templates say so; with none, no
    page is read.
    """
    ctx, found = world.ctx, list[str]()
    with ctx.database.read() as session:
        rows = list(session.scalars(select(ECertificate)))
        eligible = set(session.scalars(select(BatchItem.registration_id))) - set(kept_back)
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
    doubled = [f"registration {n} has {times}" for n, times in per_person.items() if times > 1]
    for name, values in (
        ("number", [row.management_no for row in rows]),
        ("token", [row.token for row in rows]),
        ("list entry", [f"{row.list_id}/{row.list_index}" for row in rows]),
        ("file", [row.file_sha256 for row in published]),
        ("public record", [token for token, _ in public]),
        ("public file", [token for token, _ in filed]),
    ):
        doubled += [f"{name} {value} {times} times" for value, times in Counter(values).items() if times > 1]
    if leaves != len(published):
        doubled.append(f"{leaves} log leaves for {len(published)} certificates")
    orphans = _orphans(world, published, dict(tuple(pair) for pair in public))
    orphans += [f"registration {n} has one and is not eligible" for n in per_person.keys() - eligible]
    if unapplied:
        orphans.append(f"{unapplied} events the public record was not told")
    misdrawn, drawn = _misdrawn(world, published, trees)
    seals = [tuple(line.split(" ")) for path in journals.glob("journal-*") for line in path.read_text().splitlines()]
    recorded, intended, unknown = _hold_against_intents(seals, rows, intents)
    return Count(
        eligible=len(eligible),
        lost=len(lost),
        doubled=len(doubled),
        orphans=len(orphans),
        misdrawn=len(misdrawn),
        drawn=drawn,
        seals=len(seals),
        recorded_seals=recorded,
        intended_seals=intended,
        unknown_seals=len(unknown),
        audit_intact=intact,
        found=[*found, *doubled, *orphans, *misdrawn, *unknown][:50],
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


def _misdrawn(
    world: World, published: list[ECertificate], trees: Mapping[str, Path]
) -> tuple[list[str], dict[str, int]]:
    """Certificates whose page is not of the one version on record, and how many there are of each version."""
    if not trees:
        return [], {}
    versions = {line: _version_in(tree) for line, tree in trees.items()}
    misdrawn, drawn = [], Counter[str]()
    for row in published:
        with pymupdf.open(world.folder / "files" / str(row.file_key)) as document:  # type: ignore[no-untyped-call]
            text = document[0].get_text()
        lines = [line for line in trees if line in text]
        drawn.update(lines)
        if [versions[line] for line in lines] != [row.template_version]:
            misdrawn.append(f"certificate {row.id} says {lines} and is on record with another template")
    return misdrawn, dict(drawn)


def _version_in(tree: Path) -> str:
    code = "from templates.certificate.wording import template_version; print(template_version('default'))"
    done = subprocess.run([sys.executable, "-c", code], cwd=tree, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def _hold_against_intents(
    seals: list[tuple[str, ...]], rows: list[ECertificate], intents: list[SealIntent]
) -> tuple[int, int, list[str]]:
    """How many seals have their digest on record, how many are known by their intent alone, and what is neither.

    A worker that dies between seal and record leaves an intent without outcome: it must be there for every such
    seal, and no digest may be on record that no signer made.
    """
    made = Counter(digest for digest, _ in seals)
    recorded = {intent.sealed_sha256 for intent in intents if intent.sealed_sha256}
    unknown = [f"seal {digest} on record, made by nobody" for digest in recorded - made.keys()]
    unknown += [f"seal {digest} made {times} times" for digest, times in made.items() if times > 1]
    of_token = {row.token: row.id for row in rows}
    open_intents = Counter(intent.certificate_id for intent in intents if intent.sealed_sha256 is None)
    alone = Counter(of_token.get(token, 0) for digest, token in seals if digest not in recorded)
    for certificate_id, times in alone.items():
        if times > open_intents[certificate_id]:
            unknown.append(
                f"{times} seals for {open_intents[certificate_id]} intents of certificate {certificate_id}"
            )
    return len(recorded), alone.total(), unknown


def summary(count: Count) -> dict[str, object]:
    """For printing."""
    return asdict(count)
