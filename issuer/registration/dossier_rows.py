"""The rows behind `dossier`, a few thousand registrations at a time; plain columns only, nothing is decrypted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from issuer.clock import SHANGHAI
from issuer.records.people import Registration
from issuer.records.registration import (
    CommitmentAcceptance,
    CommitmentTextRow,
    ComparisonResultRow,
    DeclaredFact,
    Material,
    MaterialProof,
)
from issuer.rules.commitment import Acceptance, AcceptanceChannel, CommitmentText
from issuer.rules.comparison import ComparisonOutcome, ComparisonResult, FactItem
from issuer.rules.materials import Known, MaterialKind, Why

HANDED_IN = ("given", "accepted")


@dataclass(frozen=True, slots=True)
class MaterialFile:
    """A material by its plain columns: nothing personal."""

    id: int
    kind: MaterialKind
    state: str
    pages: int
    given_at: datetime
    decided_at: datetime | None


def day_of(at: datetime) -> date:
    """The day an instant falls on in Asia/Shanghai."""
    return at.astimezone(SHANGHAI).date()


def texts_of(session: Session, programme_code: str) -> tuple[CommitmentText, ...]:
    """All versions of a programme's commitment text, without the words."""
    rows = session.execute(
        select(CommitmentTextRow.version, CommitmentTextRow.in_force_from, CommitmentTextRow.digest)
        .where(CommitmentTextRow.programme_code == programme_code)
        .order_by(CommitmentTextRow.in_force_from)
    )
    return tuple(CommitmentText(*row) for row in rows)


def acceptances_of(session: Session, ids: Sequence[int]) -> dict[int, Acceptance]:
    """Each registration's latest acceptance, standing or taken back."""
    rows = session.execute(
        select(
            CommitmentAcceptance.registration_id,
            CommitmentAcceptance.version,
            CommitmentAcceptance.accepted_at,
            CommitmentAcceptance.channel,
            CommitmentAcceptance.own,
            CommitmentAcceptance.withdrawn_at,
        )
        .where(CommitmentAcceptance.registration_id.in_(ids))
        .order_by(CommitmentAcceptance.id)
    )
    return {
        row.registration_id: Acceptance(
            row.version,
            day_of(row.accepted_at),
            AcceptanceChannel(row.channel),
            row.own,
            day_of(row.withdrawn_at) if row.withdrawn_at else None,
        )
        for row in rows
    }


def declared_of(session: Session, ids: Sequence[int]) -> dict[tuple[int, FactItem], str]:
    """Digest of what was declared, by registration and item."""
    rows = session.execute(
        select(DeclaredFact.registration_id, DeclaredFact.item, DeclaredFact.fact).where(
            DeclaredFact.registration_id.in_(ids)
        )
    )
    return {(row.registration_id, FactItem(row.item)): row.fact for row in rows}


def results_of(session: Session, ids: Sequence[int]) -> dict[tuple[int, FactItem], list[ComparisonResult]]:
    """What each source said last, by registration and item."""
    row_of = ComparisonResultRow
    rows = session.execute(
        select(row_of.registration_id, row_of.item, row_of.outcome, row_of.source, row_of.compared_at, row_of.fact)
        .where(row_of.registration_id.in_(ids), row_of.superseded_by.is_(None))
        .order_by(row_of.id)
    )
    out: dict[tuple[int, FactItem], list[ComparisonResult]] = {}
    for row in rows:
        item = FactItem(row.item)
        result = ComparisonResult(item, ComparisonOutcome(row.outcome), row.source, row.compared_at, row.fact)
        out.setdefault((row.registration_id, item), []).append(result)
    return out


def materials_of(session: Session, ids: Sequence[int]) -> dict[int, list[MaterialFile]]:
    """Materials handed in, accepted or declined, oldest first."""
    rows = session.execute(
        select(
            Material.registration_id,
            Material.id,
            Material.kind,
            Material.state,
            Material.pages,
            Material.given_at,
            Material.decided_at,
        )
        .where(Material.registration_id.in_(ids), Material.state.in_((*HANDED_IN, "declined")))
        .order_by(Material.id)
    )
    out: dict[int, list[MaterialFile]] = {}
    for row in rows:
        file = MaterialFile(row.id, MaterialKind(row.kind), row.state, row.pages, row.given_at, row.decided_at)
        out.setdefault(row.registration_id, []).append(file)
    return out


def accepted_proofs(session: Session, ids: Sequence[int]) -> set[tuple[int, FactItem, str]]:
    """Registration, item and declaration for which a material was accepted."""
    rows = session.execute(
        select(Material.registration_id, MaterialProof.item, MaterialProof.fact)
        .join(MaterialProof, MaterialProof.material_id == Material.id)
        .where(Material.registration_id.in_(ids), Material.state == "accepted")
    )
    return {(row.registration_id, FactItem(row.item), row.fact) for row in rows}


def known_of(session: Session, sitting_code: str, persons: set[int]) -> dict[tuple[int, FactItem, str], list[Known]]:
    """What other sittings proved of these people. A registration that fell (R9) proves nothing."""
    elsewhere = (
        Registration.person_id.in_(persons),
        Registration.sitting_code != sitting_code,
        Registration.void_since.is_(None),
    )
    out: dict[tuple[int, FactItem, str], list[Known]] = {}
    compared = session.execute(
        select(
            Registration.person_id,
            Registration.sitting_code,
            ComparisonResultRow.item,
            ComparisonResultRow.fact,
            ComparisonResultRow.compared_at,
        )
        .join(ComparisonResultRow, ComparisonResultRow.registration_id == Registration.id)
        .where(
            *elsewhere,
            ComparisonResultRow.superseded_by.is_(None),
            ComparisonResultRow.outcome == ComparisonOutcome.MATCH,
        )
    )
    for row in compared:
        known = Known(Why.KNOWN_COMPARED, day_of(row.compared_at), row.sitting_code)
        out.setdefault((row.person_id, FactItem(row.item), row.fact), []).append(known)
    proved = session.execute(
        select(
            Registration.person_id,
            Registration.sitting_code,
            MaterialProof.item,
            MaterialProof.fact,
            Material.decided_at,
        )
        .join(Material, Material.registration_id == Registration.id)
        .join(MaterialProof, MaterialProof.material_id == Material.id)
        .where(*elsewhere, Material.state == "accepted")
    )
    for line in proved:
        if line.decided_at is not None:
            known = Known(Why.KNOWN_MATERIAL, day_of(line.decided_at), line.sitting_code)
            out.setdefault((line.person_id, FactItem(line.item), line.fact), []).append(known)
    return out
