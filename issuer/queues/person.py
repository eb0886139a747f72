"""One person's whole history across sittings, and every look at it: the looks are part of the history."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import record_event
from issuer.errors import InputError, NotAllowedError, NotFoundError, Words
from issuer.ports import ServiceContext
from issuer.queues.happenings import Happening, happenings_of
from issuer.queues.review_desk import masked
from issuer.records.certificates import ECertificate
from issuer.records.ledger import AuditEvent
from issuer.records.paper import PaperCertificate
from issuer.records.people import Person, Registration
from issuer.records.reviews import EligibilityReview
from issuer.records.sittings import Programme, Sitting
from issuer.rules.identity import canonical_id
from issuer.rules.terms import Role
from verifier.record.names import name_key

READERS: Final = (
    Role.AUTHORITY_ISSUER,
    Role.AUTHORITY_APPROVER,
    Role.REVIEW_BODY,
    Role.SUPERVISOR,
    Role.AUDITOR,
)
MOST: Final = 100
_LOOKS: Final = ("person.", "certificate.download", "holder.download", "copy.download", "paper.look")
LOOKS_SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class Found:
    """One registration found by a search. Holds a name: for screens, never for logs."""

    person_id: int
    name: str
    id_masked: str
    sitting: str
    admission_no: str
    void: bool


@dataclass(frozen=True, slots=True)
class RegistrationView:
    """One registration with where it stands."""

    id: int
    sitting: str
    programme: str
    admission_no: str
    name: str
    specialty: str
    level: str
    city: str
    outcome: str | None
    round: str | None
    void: bool
    certificates: tuple[tuple[str, str | None], ...]
    papers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody looked at the person's data or took a file of it."""

    sequence: int
    at: datetime
    actor: str
    act: str
    subject: str


@dataclass(frozen=True, slots=True)
class PersonHistory:
    """All of it, within the reader's reach; `subjects` are the row references of its audit events."""

    person_id: int
    names: tuple[str, ...]
    id_type: str
    id_masked: str
    registrations: tuple[RegistrationView, ...]
    happenings: tuple[Happening, ...]
    looks: tuple[Look, ...]
    subjects: tuple[str, ...]
    partial: bool
    """Whether registrations outside the reader's reach were left out (R1)."""


def find_people(
    ctx: ServiceContext, actor: Actor, *, name: str = "", id_no: str = "", admission_no: str = ""
) -> list[Found]:
    """Registrations by exact name, ID number or admission number, within reach; at most MOST.

    The look-up is put on record, not what was looked for. Raises NotAllowedError, InputError (nothing given).
    """
    actor.require(*READERS)
    name, id_no, admission_no = name.strip(), id_no.strip(), admission_no.strip()
    if not (name or id_no or admission_no):
        raise InputError(
            "nothing-to-search",
            Words("请填写姓名、证件号码或准考证号。", "Give a name, an ID number or an admission number."),
        )
    query = _reachable(actor)
    if name:
        query = query.where(
            Registration.name_index.in_(ctx.data_key.blind_indexes("registrations.name", name_key(name[:200])))
        )
    if id_no:
        query = query.where(
            Person.id_index.in_(ctx.data_key.blind_indexes("persons.id_no", canonical_id(id_no)[:64]))
        )
    if admission_no:
        query = query.where(Registration.admission_no == admission_no[:40])
    given = (("name", name), ("id", id_no), ("admission", admission_no))
    with ctx.database.write() as session:
        rows = session.execute(query.order_by(Registration.id.desc()).limit(MOST)).all()
        details = {"by": "+".join(kind for kind, value in given if value), "found": len(rows)}
        record_event(session, ctx.clock, actor, "person.search", "persons", details=details)
        return [
            Found(
                person.id,
                row.name,
                masked(person.id_no),
                row.sitting_code,
                row.admission_no,
                row.void_since is not None,
            )
            for row, person in rows
        ]


def show_person(ctx: ServiceContext, actor: Actor, person_id: int, *, page: str = "person") -> PersonHistory:
    """The whole history; this look is recorded first and is the newest of its looks.

    Raises NotFoundError, NotAllowedError (operators; a review body with no registration of theirs, R1).
    """
    actor.require(*READERS)
    with ctx.database.write() as session:
        person = session.get(Person, person_id)
        if person is None:
            raise NotFoundError("person-unknown", Words("没有这个人员。", "There is no such person."))
        rows = session.execute(
            _reachable(actor).where(Registration.person_id == person_id).order_by(Registration.id)
        ).all()
        registrations = [row for row, _ in rows]
        if not registrations:
            raise NotAllowedError(
                "outside-own-programmes",
                Words("该人员没有本部门考试项目的报名。", "This person has no registration in your programmes."),
                remedy=Words("请联系相应的资格核查部门。", "Contact the review body concerned."),
                clause="R1",
            )
        every = session.scalars(select(Registration.id).where(Registration.person_id == person_id)).all()
        record_event(session, ctx.clock, actor, "person.look", f"person:{person_id}", details={"page": page})
        ids = [row.id for row in registrations]
        subjects, happenings = happenings_of(session, registrations)
        subjects = [f"person:{person_id}", *(f"registration:{number}" for number in ids), *subjects]
        return PersonHistory(
            person_id=person_id,
            names=tuple(dict.fromkeys(row.name for row in registrations)),
            id_type=person.id_type,
            id_masked=masked(person.id_no),
            registrations=tuple(_registration(session, row) for row in registrations),
            happenings=tuple(sorted(happenings, key=lambda each: each.at, reverse=True)),
            looks=_looks(session, subjects),
            subjects=tuple(subjects),
            partial=len(every) > len(ids),
        )


def events_about(session: Session, subjects: tuple[str, ...]) -> list[AuditEvent]:
    """Every audit event about one of the subjects, oldest first."""
    found: list[AuditEvent] = []
    for start in range(0, len(subjects), 200):
        part = subjects[start : start + 200]
        found.extend(session.scalars(select(AuditEvent).where(AuditEvent.subject.in_(part))))
    return sorted(found, key=lambda event: event.sequence)


def _looks(session: Session, subjects: list[str]) -> tuple[Look, ...]:
    events = events_about(session, tuple(subjects))
    looks = [event for event in events if event.act.startswith(_LOOKS)]
    return tuple(
        Look(event.sequence, event.at, event.actor, event.act, event.subject)
        for event in reversed(looks[-LOOKS_SHOWN:])
    )


def _reachable(actor: Actor) -> Select[Registration, Person]:
    query = (
        select(Registration, Person)
        .join(Person, Person.id == Registration.person_id)
        .join(Sitting, Sitting.code == Registration.sitting_code)
    )
    if not actor.roles - {Role.REVIEW_BODY}:
        query = query.where(Sitting.programme_code.in_(actor.programmes))
        if actor.cities:
            query = query.where(Registration.city.in_(actor.cities))
    return query


def _registration(session: Session, row: Registration) -> RegistrationView:
    review = session.get(EligibilityReview, row.id)
    sitting = session.get_one(Sitting, row.sitting_code)
    certificates = session.scalars(
        select(ECertificate).where(ECertificate.registration_id == row.id).order_by(ECertificate.id)
    )
    papers = session.scalars(
        select(PaperCertificate).where(PaperCertificate.registration_id == row.id).order_by(PaperCertificate.id)
    )
    return RegistrationView(
        id=row.id,
        sitting=row.sitting_code,
        programme=session.get_one(Programme, sitting.programme_code).name,
        admission_no=row.admission_no,
        name=row.name,
        specialty=row.specialty,
        level=row.level,
        city=row.city,
        outcome=review.outcome if review else None,
        round=review.round if review else None,
        void=row.void_since is not None,
        certificates=tuple((each.management_no, each.status) for each in certificates),
        papers=tuple((each.serial, each.state) for each in papers),
    )
