"""What the law asks of people's misconduct records before a certificate is made (R10; Order 31, article 12)."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from issuer.records.misconduct import MisconductConsideration, MisconductRecord
from issuer.records.people import Registration
from issuer.rules.misconduct import RecordFacts


def facts_of(session: Session, registrations: Sequence[Registration]) -> dict[int, tuple[RecordFacts, ...]]:
    """What the law asks of the records of these people, by registration: two questions for any number of them."""
    people: dict[int, list[MisconductRecord]] = {}
    persons = {row.person_id for row in registrations}
    for record in session.scalars(select(MisconductRecord).where(MisconductRecord.person_id.in_(persons))):
        people.setdefault(record.person_id, []).append(record)
    if not people:
        return {}
    considered = set(
        session.execute(
            select(MisconductConsideration.record_id, MisconductConsideration.registration_id).where(
                MisconductConsideration.registration_id.in_([row.id for row in registrations])
            )
        )
    )
    return {
        row.id: tuple(
            RecordFacts(record.ends_on, record.lifted_at is not None, (record.id, row.id) in considered)
            for record in people.get(row.person_id, ())
        )
        for row in registrations
    }
