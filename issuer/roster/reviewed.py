"""What a later roster may still change about a person whose review has begun: how to reach them, and the portrait."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from issuer.records.encryption import DataKey
from issuer.records.people import Person, Registration, Score
from issuer.registration.dossier import fact_of
from issuer.registration.from_roster import declared_digests
from issuer.roster.declared import FACT_COLUMNS
from issuer.roster.row import RosterRow

_CHUNK = 500
_SCORE = "score:"


def decided_facts(session: Session, registrations: Sequence[int], key: DataKey) -> dict[int, dict[str, Any]]:
    """Registration → everything its review looked at, by field (scores as `score:<subject>`); personal data."""
    facts: dict[int, dict[str, Any]] = {}
    for start in range(0, len(registrations), _CHUNK):
        chunk = registrations[start : start + _CHUNK]
        rows = session.execute(
            select(
                *(Registration.id, Registration.name, Registration.gender, Registration.birth_date),
                *(Registration.specialty, Registration.level, Registration.city, Registration.basis),
                *(Person.id_type, Person.id_index),
            )
            .join(Person, Person.id == Registration.person_id)
            .where(Registration.id.in_(chunk))
        )
        for row in rows:
            facts[row.id] = {
                "id_no": (row.id_type, row.id_index),
                "name": row.name,
                "gender": row.gender,
                "birth_date": row.birth_date or "",
                "specialty": row.specialty,
                "level": row.level,
                "city": row.city,
                "basis": row.basis,
            }
        for registration_id, declared in declared_digests(session, chunk).items():
            facts[registration_id].update({FACT_COLUMNS[item]: digest for item, digest in declared.items()})
        for score in session.scalars(select(Score).where(Score.registration_id.in_(chunk))):
            value = key.open("scores.score", score.score).decode()
            facts[score.registration_id][f"{_SCORE}{score.subject}"] = value
    return facts


def changed_head(
    row: RosterRow,
    identity: tuple[str, str],
    subjects: Sequence[str],
    facts: Mapping[str, Any],
    head: Callable[[str], str],
) -> str | None:
    """The sender's head of the first column in which the row differs from `facts`; None when it does in none."""
    now = {
        "id_no": identity,
        "name": row.name,
        "specialty": row.specialty,
        **{f"{_SCORE}{subject}": score for subject, score in zip(subjects, row.scores, strict=True)},
        "gender": row.gender,
        "birth_date": row.birth_date,
        "level": row.level,
        "city": row.city,
        "basis": row.basis,
    }
    # What was never declared before may be added: no review looked at it.
    declared = ((FACT_COLUMNS[item], fact_of(item, value)) for item, value in row.facts.items())
    now |= {field: digest for field, digest in declared if field in facts}
    field = next((field for field, value in now.items() if facts.get(field) != value), None)
    if field is None:
        return None
    return field.removeprefix(_SCORE) if field.startswith(_SCORE) else head(field)
