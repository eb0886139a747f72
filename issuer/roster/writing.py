"""Rows into the database: what is new, what changed, what may no longer change."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, cast

from sqlalchemy import Table, insert, select, update
from sqlalchemy.orm import Session

from issuer.records.certificates import ECertificate
from issuer.records.encryption import DataKey
from issuer.records.people import Person, Registration, Score
from issuer.records.reviews import EligibilityReview
from issuer.registration.from_roster import write_facts, write_promises
from issuer.roster.findings import Finding, error, note
from issuer.roster.photos import photo_key
from issuer.roster.reviewed import changed_head, decided_facts
from issuer.roster.row import RosterRow
from issuer.rules.review import START
from verifier.record.names import name_key

# Plain tables where no generated key is wanted back: the mapper costs as much as the statement.
_SCORES = cast(Table, Score.__table__)
_REVIEWS = cast(Table, EligibilityReview.__table__)

CHUNK = 500
"""Rows that are written in one statement."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A registration as the database has it."""

    registration_id: int
    person_id: int
    identity: tuple[str, str]
    name_index: str
    row_digest: str
    photo_key: str | None
    void: bool
    issued: bool
    review_version: int


@dataclass(slots=True)
class Sorted:
    """The rows of a file, sorted by what is to be done with them."""

    new: list[RosterRow] = field(default_factory=list)
    changed: list[tuple[RosterRow, Standing]] = field(default_factory=list)
    unchanged: int = 0
    findings: list[Finding] = field(default_factory=list)


def standings(
    session: Session, sitting_code: str, renewed: Mapping[tuple[str, str], tuple[str, str]]
) -> dict[str, Standing]:
    """Admission number → registration, for all of a sitting; identities in `renewed` as they will be."""
    issued = set(
        session.scalars(
            select(ECertificate.registration_id).where(ECertificate.sitting_code == sitting_code).distinct()
        )
    )
    statement = (
        select(
            Registration.id,
            Registration.admission_no,
            Registration.person_id,
            Registration.name_index,
            Registration.row_digest,
            Registration.photo_key,
            Registration.void_since,
            Person.id_type,
            Person.id_index,
            EligibilityReview.version,
        )
        .join(Person, Person.id == Registration.person_id)
        .join(EligibilityReview, EligibilityReview.registration_id == Registration.id, isouter=True)
        .where(Registration.sitting_code == sitting_code)
        .execution_options(yield_per=2000)
    )
    return {
        row.admission_no: Standing(
            registration_id=row.id,
            person_id=row.person_id,
            identity=renewed.get((row.id_type, row.id_index), (row.id_type, row.id_index)),
            name_index=row.name_index,
            row_digest=row.row_digest,
            photo_key=row.photo_key,
            void=row.void_since is not None,
            issued=row.id in issued,
            review_version=row.version or 0,
        )
        for row in session.execute(statement)
    }


def sort_rows(
    session: Session,
    rows: Sequence[RosterRow],
    key: DataKey,
    sitting_code: str,
    subjects: Sequence[str],
    head: Callable[[str], str],
) -> Sorted:
    """Compare a file's rows with what stands; `head` gives the sender's head of a field, for findings."""
    out = Sorted()
    reviewed: list[tuple[RosterRow, Standing]] = []
    known = standings(session, sitting_code, _renewed(rows, key))
    holders = {standing.identity: admission_no for admission_no, standing in known.items()}
    for row in rows:
        identity = identity_of(row, key)
        standing = known.get(row.admission_no)
        holder = holders.get(identity)
        if holder is not None and holder != row.admission_no:
            out.findings.append(error(row.row, head("id_no"), "duplicate"))
        elif standing is None:
            holders[identity] = row.admission_no
            out.new.append(row)
        elif _same(row, standing, key, sitting_code):
            out.unchanged += 1
        elif standing.issued:
            out.findings.append(error(row.row, head("admission_no"), "already_issued"))
        elif standing.void:
            out.findings.append(error(row.row, head("admission_no"), "registration_void", clause="R9"))
        elif standing.review_version:
            reviewed.append((row, standing))
        elif identity != standing.identity and standing.name_index not in _name_indexes(row, key):
            # Another name with another number is another person, not a mended number.
            out.findings.append(error(row.row, head("admission_no"), "admission_no_taken"))
        else:
            if identity != standing.identity:
                out.findings.append(note(row.row, head("id_no"), "identity_replaced"))
            holders.pop(standing.identity, None)
            holders[identity] = row.admission_no
            out.changed.append((row, standing))
    facts = decided_facts(session, [standing.registration_id for _, standing in reviewed], key)
    for row, standing in reviewed:
        # A decision was made on these very facts: a list sent again must not put others under it (R4).
        decided = facts[standing.registration_id] | {"id_no": standing.identity}
        changed = changed_head(row, identity_of(row, key), subjects, decided, head)
        if changed is not None:
            out.findings.append(error(row.row, changed, "already_reviewed", clause="R4"))
        else:
            out.findings.append(note(row.row, head("admission_no"), "updated_after_review"))
            out.changed.append((row, standing))
    return out


def identity_of(row: RosterRow, key: DataKey) -> tuple[str, str]:
    """(ID type, blind index of the number): who a person is (reading of R14)."""
    return row.identity.id_type.value, key.blind_index("persons.id_no", row.identity.value)


def _renewed(rows: Iterable[RosterRow], key: DataKey) -> dict[tuple[str, str], tuple[str, str]]:
    """While the index key is being rotated: an identity as it may still rest → the same under the key in use."""
    if len(key.numbers) == 1:
        return {}
    found = {}
    for row in rows:
        id_type = row.identity.id_type.value
        now, *before = key.blind_indexes("persons.id_no", row.identity.value)
        found.update({(id_type, each): (id_type, now) for each in before})
    return found


def row_digest(row: RosterRow, key: DataKey) -> str:
    """Keyed digest of the row without its photo: 64 hex characters."""
    return key.blind_index("registrations.row_digest", row.fingerprint())


def write_new(
    session: Session,
    sitting_code: str,
    subjects: Sequence[str],
    rows: Sequence[RosterRow],
    key: DataKey,
    now: datetime,
    on_progress: Callable[[int], None],
) -> None:
    """Insert persons, registrations, scores and the first state of their reviews."""
    done = 0
    begun: dict[str, Any] = {"sitting_code": sitting_code, "round": START.round.value, "outcome": START.outcome.value}
    begun |= {"version": 0, "changed_at": now}
    for chunk in _chunks(rows):
        persons = _persons(session, [(row, identity_of(row, key)) for row in chunk], key, now)
        values = [
            {
                "sitting_code": sitting_code,
                "person_id": person_id,
                "imported_at": now,
                "photo_key": photo_key(sitting_code, row.photo_sha256) if row.photo_sha256 else None,
                "extra": {},
                **_values(row, key),
            }
            for row, person_id in zip(chunk, persons, strict=True)
        ]
        ids = session.scalars(
            insert(Registration).returning(Registration.id, sort_by_parameter_order=True), values
        ).all()
        session.execute(
            insert(_SCORES),
            [score for i, row in zip(ids, chunk, strict=True) for score in _scores(i, row, subjects, key)],
        )
        session.execute(
            insert(_REVIEWS),
            [{**begun, "registration_id": registration_id} for registration_id in ids],
        )
        _write_said(session, list(zip(ids, chunk, strict=True)), now, anew=False)
        done += len(chunk)
        on_progress(done)


def write_changed(
    session: Session,
    sitting_code: str,
    subjects: Sequence[str],
    changed: Sequence[tuple[RosterRow, Standing]],
    key: DataKey,
    now: datetime,
) -> None:
    """Bring registrations to what the file now says. The time of the first import stays."""
    for row, standing in changed:
        identity = identity_of(row, key)
        values = _values(row, key)
        if row.photo_sha256:
            values["photo_key"] = photo_key(sitting_code, row.photo_sha256)
        if identity != standing.identity:
            values["person_id"] = _persons(session, [(row, identity)], key, now)[0]
        session.execute(update(Registration).where(Registration.id == standing.registration_id).values(values))
        for score in _scores(standing.registration_id, row, subjects, key):
            session.execute(
                update(Score)
                .where(Score.registration_id == standing.registration_id, Score.subject == score["subject"])
                .values(score=score["score"], passed=score["passed"])
            )
        _write_said(session, [(standing.registration_id, row)], now, anew=True)


def _write_said(session: Session, rows: Sequence[tuple[int, RosterRow]], now: datetime, *, anew: bool) -> None:
    write_facts(session, [(number, row.facts) for number, row in rows], now, anew=anew)
    promises = [(number, row.promise) for number, row in rows if row.promise is not None]
    write_promises(session, promises, now, anew=anew)


def _same(row: RosterRow, standing: Standing, key: DataKey, sitting_code: str) -> bool:
    # A file sent without photos does not take away those that are there.
    new_photo = row.photo_sha256 is not None and photo_key(sitting_code, row.photo_sha256) != standing.photo_key
    return not new_photo and row_digest(row, key) == standing.row_digest


def _name_indexes(row: RosterRow, key: DataKey) -> tuple[str, ...]:
    return key.blind_indexes("registrations.name", name_key(row.name))


def _name_index(row: RosterRow, key: DataKey) -> str:
    return key.blind_index("registrations.name", name_key(row.name))


def _values(row: RosterRow, key: DataKey) -> dict[str, Any]:
    return {
        "admission_no": row.admission_no,
        "name": row.name,
        "name_index": _name_index(row, key),
        "gender": row.gender,
        "birth_date": row.birth_date or None,
        "mobile": row.mobile or None,
        "employer": row.employer or None,
        "city": row.city,
        "specialty": row.specialty,
        "level": row.level,
        "basis": row.basis,
        "row_digest": row_digest(row, key),
    }


def _scores(registration_id: int, row: RosterRow, subjects: Sequence[str], key: DataKey) -> Iterator[dict[str, Any]]:
    for subject, score in zip(subjects, row.scores, strict=True):
        yield {
            "registration_id": registration_id,
            "subject": subject,
            "score": key.seal("scores.score", score.encode()),
            "passed": True,
        }


def _persons(
    session: Session, rows: Sequence[tuple[RosterRow, tuple[str, str]]], key: DataKey, now: datetime
) -> list[int]:
    """Person ids of the rows, in order; persons not known yet are added."""
    renewed = _renewed([row for row, _ in rows], key)
    indexes = [index for _, (_, index) in rows] + [index for _, index in renewed]
    known = {
        renewed.get((person.id_type, person.id_index), (person.id_type, person.id_index)): person.id
        for person in session.execute(
            select(Person.id, Person.id_type, Person.id_index).where(Person.id_index.in_(indexes))
        )
    }
    missing = {identity: row for row, identity in rows if identity not in known}
    if missing:
        values = [
            {"id_type": id_type, "id_index": index, "id_no": row.identity.value, "created_at": now}
            for (id_type, index), row in missing.items()
        ]
        ids = session.scalars(insert(Person).returning(Person.id, sort_by_parameter_order=True), values).all()
        known.update(zip(missing, ids, strict=True))
    return [known[identity] for _, identity in rows]


def _chunks(rows: Sequence[RosterRow]) -> Iterator[list[RosterRow]]:
    iterator = iter(rows)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk
