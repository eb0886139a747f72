"""What an invalidation by list would do, row by row, before anybody proposes it; and the digest it is held to."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.errors import DomainError, NotAllowedError, Words
from issuer.invalidation.guards import open_case
from issuer.invalidation.judgement import require_proposal
from issuer.invalidation.mass_file import NUMBER, Defaults, MassRow, read_list
from issuer.invalidation.mass_numbers import subjects_of
from issuer.invalidation.subject import Subject, require_reach
from issuer.ports import ServiceContext
from issuer.records.copies import AnnotatedCopy
from issuer.records.paper import PaperReplacementRequest
from issuer.records.people import Score
from issuer.roster.findings import Finding

_AT_ONCE = 400


@dataclass(frozen=True, slots=True)
class Touched:
    """What falls with one certificate: subjects of the sitting (R9), live copies, open paper requests (R14)."""

    subjects: int = 0
    copies: int = 0
    paper: int = 0


@dataclass(frozen=True, slots=True)
class MassLine:
    """One row of the list and what would become of it. `basis` may name people: for screens and files only.

    effect: `invalidate`; `unchanged` (it is invalid already, or waits for a decision); `refused`, with a finding.
    """

    row: int
    management_no: str
    effect: Literal["invalidate", "unchanged", "refused"]
    ground: str = ""
    clause: str = ""
    basis: str = ""
    effective_on: date | None = None
    certificate_id: int | None = None
    registration_id: int | None = None
    about: str = ""
    """certificate, paper or score-report; empty for a refused row that names nothing."""
    sitting: str = ""
    status: str | None = None
    case: int | None = None
    touched: Touched = Touched()
    finding: Finding | None = None

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        body = asdict(self) | {"finding": self.finding.to_json() if self.finding else None}
        return body | {"effective_on": self.effective_on.isoformat() if self.effective_on else None}


@dataclass(frozen=True, slots=True)
class MassPlan:
    """All rows in order. `source_sha256`: of the file as it was sent in."""

    source_sha256: str
    today: date
    lines: tuple[MassLine, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many rows would be what."""
        found = Counter(line.effect for line in self.lines)
        return {effect: found.get(effect, 0) for effect in ("invalidate", "unchanged", "refused")}

    @property
    def touched(self) -> Touched:
        """What falls in all."""
        falling = [line.touched for line in self.lines if line.effect == "invalidate"]
        return Touched(
            sum(each.subjects for each in falling),
            sum(each.copies for each in falling),
            sum(each.paper for each in falling),
        )

    @property
    def digest(self) -> str:
        """SHA-256 over the day, the rows and the state they rest on: 16 hex characters, changed by any of them."""
        facts = [
            (
                *(line.row, line.management_no, line.effect, line.ground, line.basis, str(line.effective_on)),
                *(line.status, line.case, asdict(line.touched), line.finding.code if line.finding else None),
            )
            for line in self.lines
        ]
        text = json.dumps([self.source_sha256, str(self.today), facts])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def to_json(self) -> dict[str, Any]:
        """As --plan and the API write it."""
        return {
            "file_sha256": self.source_sha256,
            "digest": self.digest,
            "rows": len(self.lines),
            **self.counts,
            "touched": asdict(self.touched),
            "lines": [line.to_json() for line in self.lines],
        }


def plan_list(ctx: ServiceContext, actor: Actor, path: Path, defaults: Defaults) -> MassPlan:
    """The plan of a list within the actor's reach (R1); changes nothing. Raises what `read_list` raises.

    Each row is asked the very questions a single proposal is asked.
    """
    found = read_list(path, defaults)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    lines = [MassLine(each.row, found.said.get(each.row, ""), "refused", finding=each) for each in found.findings]
    today = ctx.clock.today()
    with ctx.database.read() as session:
        for rows in _groups(found.rows, _AT_ONCE):
            lines.extend(_judge(session, actor, rows, today))
    return MassPlan(digest, today, tuple(sorted(lines, key=lambda line: line.row)))


def _judge(session: Session, actor: Actor, rows: Sequence[MassRow], today: date) -> Iterator[MassLine]:
    found = subjects_of(session, rows)
    named = [subject for subject in found.values() if isinstance(subject, Subject)]
    touched = _touched(session, named, today)
    for row in rows:
        subject = found[row.row]
        if isinstance(subject, Finding):
            yield MassLine(row.row, row.management_no, "refused", row.ground, finding=subject)
            continue
        yield _line(session, actor, row, subject, touched.get(subject.registration.id, Touched()), today)


def _line(session: Session, actor: Actor, row: MassRow, subject: Subject, touched: Touched, today: date) -> MassLine:
    facts: dict[str, Any] = {
        "row": row.row,
        "management_no": row.management_no,
        "ground": str(row.ground),
        "clause": row.ground.clause,
        "basis": row.basis,
        "effective_on": row.effective_on,
        "certificate_id": subject.certificate.id if subject.certificate else None,
        "registration_id": subject.registration.id,
        "about": subject.kind,
        "sitting": subject.sitting.code,
        "status": subject.status,
    }
    try:
        require_reach(actor, subject)
        day = row.effective_on or today
        require_proposal(session, subject, row.ground, row.basis, day, True, today=today)
    except DomainError as refusal:
        finding = finding_of(row.row, refusal)
        if isinstance(refusal, NotAllowedError):  # whose it is and how it stands is not for this body (R1)
            return MassLine(row.row, row.management_no, "refused", finding=finding)
        if refusal.code == "already-invalid":
            return MassLine(effect="unchanged", finding=finding, **facts)
        waiting = open_case(session, subject) if refusal.code == "proposal-open" else None
        if waiting is not None and waiting.kind == "invalidate":
            return MassLine(effect="unchanged", case=waiting.id, finding=finding, **facts)
        return MassLine(effect="refused", finding=finding, **facts)
    return MassLine(effect="invalidate", touched=touched, **facts)


def finding_of(row: int, refusal: DomainError) -> Finding:
    """A refusal of the single path as a finding on its row."""
    level: Literal["error", "note"] = "note" if refusal.code in ("already-invalid", "proposal-open") else "error"
    remedy = refusal.remedy or Words("", "")
    return Finding(row, NUMBER, refusal.code, level, refusal.words, remedy, refusal.clause)


def _touched(session: Session, named: Sequence[Subject], today: date) -> dict[int, Touched]:
    """What falls with each, by registration."""
    registrations = [each.registration.id for each in named]
    certificates = {each.certificate.id: each.registration.id for each in named if each.certificate}
    subjects = dict(
        session.execute(
            select(Score.registration_id, func.count())
            .where(Score.registration_id.in_(registrations), Score.void_since.is_(None))
            .group_by(Score.registration_id)
        ).all()
    )
    copies = {
        certificates[certificate]: count
        for certificate, count in session.execute(
            select(AnnotatedCopy.certificate_id, func.count())
            .where(
                AnnotatedCopy.certificate_id.in_(list(certificates)),
                AnnotatedCopy.published_at.is_not(None),
                AnnotatedCopy.withdrawn_at.is_(None),
                AnnotatedCopy.valid_until >= today,
            )
            .group_by(AnnotatedCopy.certificate_id)
        )
    }
    paper = dict(
        session.execute(
            select(PaperReplacementRequest.registration_id, func.count())
            .where(
                PaperReplacementRequest.registration_id.in_(registrations),
                PaperReplacementRequest.state == "accepted",
            )
            .group_by(PaperReplacementRequest.registration_id)
        ).all()
    )
    return {each: Touched(subjects.get(each, 0), copies.get(each, 0), paper.get(each, 0)) for each in registrations}


def _groups(rows: Sequence[MassRow], size: int) -> Iterable[Sequence[MassRow]]:
    return (rows[at : at + size] for at in range(0, len(rows), size))
