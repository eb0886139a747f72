"""Where the facts of registrations stand by the rules: for one person's page, and for twenty thousand at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from issuer.records.encryption import data_key
from issuer.records.people import Registration
from issuer.records.registration import FACT_PURPOSE
from issuer.registration.dossier_rows import (
    HANDED_IN,
    MaterialFile,
    acceptances_of,
    accepted_proofs,
    day_of,
    declared_of,
    known_of,
    materials_of,
    results_of,
    texts_of,
)
from issuer.review.sitting import OpenSitting
from issuer.rules.commitment import CommitmentStanding, commitment_standing
from issuer.rules.comparison import ComparisonResult, FactItem, canonical, standing_result
from issuer.rules.materials import (
    AskedMaterial,
    ItemFacts,
    ItemState,
    Judgement,
    MaterialKind,
    asked_materials,
    judge_item,
)
from issuer.rules.terms import ApplicationBasis


@dataclass(frozen=True, slots=True)
class Dossier:
    """How one registration stands on a day. Holds no personal data."""

    registration_id: int
    person_id: int
    basis: ApplicationBasis
    commitment: CommitmentStanding
    judgements: tuple[Judgement, ...]
    results: Mapping[FactItem, ComparisonResult | None]
    asked: tuple[AskedMaterial, ...]
    materials: tuple[MaterialFile, ...]

    @property
    def missing(self) -> tuple[AskedMaterial, ...]:
        """Asked for, and neither handed in nor accepted."""
        given = {material.kind for material in self.materials if material.state in HANDED_IN}
        return tuple(asked for asked in self.asked if asked.kind not in given)

    @property
    def waiting(self) -> tuple[FactItem, ...]:
        """Still to be compared."""
        return tuple(each.item for each in self.judgements if each.state is ItemState.WAITING)


def fact_of(item: FactItem, declared: str | None) -> str:
    """Keyed digest of a declaration in its canonical form: 64 hex characters. An absent one has its own."""
    return data_key().blind_index(FACT_PURPOSE, f"{item}\x1f{canonical(item, declared or '')}")


def load_dossiers(session: Session, sitting: OpenSitting, ids: Sequence[int], on: date) -> dict[int, Dossier]:
    """The dossiers of registrations of one sitting (a few thousand at a time), judged on the day `on`."""
    registrations = session.execute(
        select(Registration.id, Registration.person_id, Registration.basis, Registration.imported_at).where(
            Registration.id.in_(ids), Registration.sitting_code == sitting.code
        )
    ).all()
    items = sitting.policy.comparison_items
    texts = texts_of(session, sitting.programme_code)
    acceptances = acceptances_of(session, ids)
    declared = declared_of(session, ids)
    results = results_of(session, ids)
    materials = materials_of(session, ids)
    accepted = accepted_proofs(session, ids)
    known = known_of(session, sitting.code, {row.person_id for row in registrations}) if items else {}
    nothing = {item: fact_of(item, None) for item in items}
    out: dict[int, Dossier] = {}
    for row in registrations:
        standing = commitment_standing(texts, acceptances.get(row.id))
        basis = ApplicationBasis(row.basis)
        facts = {item: declared.get((row.id, item), nothing[item]) for item in items}
        found = {item: standing_result(results.get((row.id, item), ()), facts[item]) for item in items}
        judgements = []
        for item in items:
            result = found[item]
            # Without a declaration there is nothing an earlier sitting could have proved.
            earlier = known.get((row.person_id, item, facts[item]), ()) if facts[item] != nothing[item] else ()
            judgements.append(
                judge_item(
                    ItemFacts(
                        item,
                        result,
                        day_of(result.compared_at) if result else None,
                        tuple(earlier),
                        (row.id, item, facts[item]) in accepted,
                    ),
                    basis=basis,
                    commitment=standing,
                    commitment_required=sitting.policy.commitment_required,
                    registered_on=day_of(row.imported_at),
                    on=on,
                    known_days=sitting.policy.known_fact_days,
                )
            )
        own = materials.get(row.id, ())
        out[row.id] = Dossier(
            registration_id=row.id,
            person_id=row.person_id,
            basis=basis,
            commitment=standing,
            judgements=tuple(judgements),
            results=found,
            asked=_asked(sitting, judgements, own),
            materials=tuple(own),
        )
    return out


def _asked(
    sitting: OpenSitting, judgements: Iterable[Judgement], materials: Iterable[MaterialFile]
) -> tuple[AskedMaterial, ...]:
    """A kind that was declined is asked for anew, from the day it was declined."""
    policy = sitting.policy
    declined: dict[MaterialKind, date] = {}
    for material in materials:
        if material.state == "declined" and material.decided_at is not None:
            declined[material.kind] = day_of(material.decided_at)
    moved = [
        Judgement(each.item, each.state, each.why, max(each.since, declined[policy.materials[each.item]]), each.known)
        if each.since is not None and policy.materials[each.item] in declined
        else each
        for each in judgements
    ]
    return asked_materials(moved, policy.materials, sitting.dates, policy.material_days)
