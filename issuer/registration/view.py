"""What the candidate and the review body see of a registration's facts: the same rows, from the same judgement."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from issuer.access.actor import SYSTEM
from issuer.ports import ServiceContext
from issuer.records.people import Registration
from issuer.records.registration import (
    CommitmentAcceptance,
    ComparisonResultRow,
    ComparisonRun,
    DeclaredFact,
    Material,
)
from issuer.records.reviews import EligibilityReview
from issuer.registration.commitments import TextView, text_for
from issuer.registration.dossier import Dossier, load_dossiers
from issuer.review.sitting import OpenSitting, open_sitting
from issuer.rules.commitment import CommitmentStanding
from issuer.rules.comparison import FactItem
from issuer.rules.materials import AskedMaterial, ItemState, Judgement, require_upload_open
from issuer.rules.terms import ReviewOutcome
from issuer.rules.violation import RuleViolation


@dataclass(frozen=True, slots=True)
class AnswerView:
    """What one source said last: its own value where it gave one, and what its data is of."""

    source: str
    version: str
    outcome: str
    found: str | None
    compared_at: datetime
    counts: bool
    """Whether it is the answer that counts."""


@dataclass(frozen=True, slots=True)
class ItemView:
    """One item: declared, compared, judged."""

    item: FactItem
    declared: str | None
    judgement: Judgement
    answers: tuple[AnswerView, ...]


@dataclass(frozen=True, slots=True)
class MaterialView:
    """One file handed in. `note` is why it was declined."""

    id: int
    kind: str
    state: str
    file_name: str
    media_type: str
    size: int
    pages: int
    given_at: datetime
    decided_at: datetime | None
    note: str | None


@dataclass(frozen=True, slots=True)
class PromiseView:
    """The latest acceptance."""

    version: str
    accepted_at: datetime
    channel: str
    own: bool
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True)
class RegistrationFacts:
    """All of it for one registration; personal data. `text` is the commitment text in force today."""

    registration_id: int
    sitting: str
    compares: bool
    basis: str
    commitment: CommitmentStanding
    promise: PromiseView | None
    text: TextView | None
    items: tuple[ItemView, ...]
    asked: tuple[AskedMaterial, ...]
    missing: tuple[AskedMaterial, ...]
    materials: tuple[MaterialView, ...]
    takes_materials: bool
    closes_on: date
    waiting_blocks: bool

    @property
    def has_gaps(self) -> bool:
        """Whether finding this person eligible needs a reason (R3)."""
        waits = any(each.judgement.state is ItemState.WAITING for each in self.items)
        return bool(self.missing) or (waits and self.waiting_blocks)

    @property
    def has_anything(self) -> bool:
        """Whether there is something to show at all."""
        return bool(self.compares or self.text or self.promise or self.materials)

    def to_json(self) -> dict[str, Any]:
        """For programs: no declared values, no file names."""
        return {
            "registration_id": self.registration_id,
            "sitting": self.sitting,
            "basis": self.basis,
            "commitment": {
                "standing": self.commitment.value,
                "version": self.promise.version if self.promise else None,
                "accepted_at": self.promise.accepted_at.isoformat() if self.promise else None,
                "channel": self.promise.channel if self.promise else None,
            },
            "items": [
                {
                    "item": each.item.value,
                    "state": each.judgement.state.value,
                    "why": each.judgement.why.value,
                    "answers": [
                        {
                            "source": answer.source,
                            "version": answer.version,
                            "outcome": answer.outcome,
                            "compared_at": answer.compared_at.isoformat(),
                            "counts": answer.counts,
                        }
                        for answer in each.answers
                    ],
                }
                for each in self.items
            ],
            "asked": [
                {
                    "kind": each.kind.value,
                    "items": [item.value for item in each.items],
                    "why": [why.value for why in each.why],
                    "due_on": each.due_on.isoformat(),
                    "missing": each in self.missing,
                }
                for each in self.asked
            ],
            "materials": [
                {
                    "id": each.id,
                    "kind": each.kind,
                    "state": each.state,
                    "media_type": each.media_type,
                    "pages": each.pages,
                    "given_at": each.given_at.isoformat(),
                }
                for each in self.materials
            ],
        }


def facts_by_registration(ctx: ServiceContext, person_id: int) -> dict[int, RegistrationFacts]:
    """The facts of all of one person's registrations, by registration."""
    with ctx.database.read() as session:
        rows = session.scalars(select(Registration).where(Registration.person_id == person_id))
        return {row.id: facts_of(session, row, ctx.clock.today()) for row in rows}


def facts_of(session: Session, registration: Registration, today: date) -> RegistrationFacts:
    """The facts of one registration as they stand today. Who may see them is the caller's to decide."""
    sitting = open_sitting(session, SYSTEM, registration.sitting_code)
    dossier = load_dossiers(session, sitting, [registration.id], today)[registration.id]
    review = session.get(EligibilityReview, registration.id)
    return RegistrationFacts(
        registration_id=registration.id,
        sitting=sitting.code,
        compares=bool(sitting.policy.comparison_items),
        basis=registration.basis,
        commitment=dossier.commitment,
        promise=_promise(session, registration.id),
        text=text_for(session, sitting.programme_code, today),
        items=_items(session, registration.id, dossier),
        asked=dossier.asked,
        missing=dossier.missing,
        materials=tuple(_materials(session, registration.id)),
        takes_materials=registration.void_since is None and _takes(review, sitting, today),
        closes_on=sitting.dates.supplementary_closes_on,
        waiting_blocks=sitting.policy.uncompared_blocks,
    )


def _takes(review: EligibilityReview | None, sitting: OpenSitting, today: date) -> bool:
    try:
        require_upload_open(ReviewOutcome(review.outcome if review else "awaiting"), sitting.dates, today)
    except RuleViolation:
        return False
    return True


def _promise(session: Session, registration_id: int) -> PromiseView | None:
    row = session.scalars(
        select(CommitmentAcceptance)
        .where(CommitmentAcceptance.registration_id == registration_id)
        .order_by(CommitmentAcceptance.id.desc())
        .limit(1)
    ).one_or_none()
    return PromiseView(row.version, row.accepted_at, row.channel, row.own, row.withdrawn_at) if row else None


def _items(session: Session, registration_id: int, dossier: Dossier) -> tuple[ItemView, ...]:
    declared = {
        row.item: row.value
        for row in session.scalars(select(DeclaredFact).where(DeclaredFact.registration_id == registration_id))
    }
    answers: dict[str, list[AnswerView]] = {}
    rows = session.execute(
        select(ComparisonResultRow, ComparisonRun.source_version)
        .join(ComparisonRun, ComparisonRun.id == ComparisonResultRow.run_id)
        .where(ComparisonResultRow.registration_id == registration_id, ComparisonResultRow.superseded_by.is_(None))
        .order_by(ComparisonResultRow.source)
    )
    for row, version in rows:
        chosen = dossier.results.get(FactItem(row.item))
        counts = chosen is not None and chosen.source == row.source and chosen.fact == row.fact
        view = AnswerView(row.source, version, row.outcome, row.found, row.compared_at, counts)
        answers.setdefault(row.item, []).append(view)
    return tuple(
        ItemView(each.item, declared.get(each.item), each, tuple(answers.get(each.item, ())))
        for each in dossier.judgements
    )


def _materials(session: Session, registration_id: int) -> Iterable[MaterialView]:
    rows = session.scalars(
        select(Material).where(Material.registration_id == registration_id).order_by(Material.kind, Material.id)
    )
    for row in rows:
        yield MaterialView(
            id=row.id,
            kind=row.kind,
            state=row.state,
            file_name=row.file_name,
            media_type=row.media_type,
            size=row.size,
            pages=row.pages,
            given_at=row.given_at,
            decided_at=row.decided_at,
            note=row.note,
        )
