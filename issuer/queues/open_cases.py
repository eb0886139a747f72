"""All cases that may be open, as queries with one set of columns for every kind; `issuer.rules.queues` decides."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import Any

from sqlalchemy import and_, false, func, literal, null, or_, select, true
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.records.certificates import ECertificate, Invalidation
from issuer.records.corrections import Correction
from issuer.records.holder_requests import DataObjection
from issuer.records.paper import PaperReplacementRequest
from issuer.records.people import Registration
from issuer.records.reviews import EligibilityReview, Objection
from issuer.records.sittings import Sitting
from issuer.rules.queues import CaseKind, CaseState, WorkQueue, is_open, owning_queue
from issuer.rules.terms import ReviewOutcome, ReviewRound, Role

_IN_FIRST, _NO = literal(ReviewRound.FIRST.value), false()


def groups(session: Session, actor: Actor, kind: CaseKind) -> Iterator[tuple[CaseState, str | None, int, datetime]]:
    """(how they stand, sitting, how many, the oldest) of all cases of a kind that may be open.

    The sitting is told of reviews only, whose last days are its own (`None` of other kinds). Whether the registration
    fell decides about reviews only, too; so other kinds are counted in their own table, without the registrations.
    """
    rows = (_reviews(actor) if kind is CaseKind.REVIEW else _others(actor, kind)).subquery()
    group = (rows.c.state, rows.c.round, rows.c.approved, rows.c.watching, rows.c.void, rows.c.sitting)
    query = select(*group, func.count().label("how_many"), func.min(rows.c.since).label("since")).group_by(*group)
    for row in session.execute(query):
        yield state_of(kind, row), row.sitting, row.how_many, row.since


def _others(actor: Actor, kind: CaseKind) -> Any:
    """What `groups` needs of cases that are not reviews. Registrations are read where somebody may not see all."""
    table = _table(kind)
    columns = (*table.standing, false().label("void"), null().label("sitting"), table.since.label("since"))
    if actor.roles - {Role.REVIEW_BODY}:
        return select(*columns).where(table.waits)
    return _within(_with_registration(select(*columns), table), actor)


def state_of(kind: CaseKind, row: Any) -> CaseState:
    """How the case of a row stands."""
    return CaseState(kind, row.state, ReviewRound(row.round), bool(row.approved), bool(row.watching), bool(row.void))


def owned_by(rows: Any, kind: CaseKind, queue: WorkQueue) -> Any:
    """Condition on the rows of `cases`: just those that the rules give to a queue."""
    every = product(states_of(kind), ReviewRound, (False, True), (False, True), (False, True))
    owned = [state for values in every if owning_queue(state := CaseState(kind, *values)) is queue]
    return or_(
        *(
            and_(
                rows.c.state == state.state,
                rows.c.round == state.round.value,
                rows.c.approved == (true() if state.approved else false()),
                rows.c.watching == (true() if state.watching else false()),
                rows.c.void == (true() if state.void else false()),
            )
            for state in owned
        )
    )


def _reviews(actor: Actor) -> Any:
    """What `groups` needs of the open reviews. Those of registrations that fell are few, and found by their index."""
    review = EligibilityReview
    no = false()
    query = select(
        review.outcome.label("state"),
        review.round.label("round"),
        no.label("approved"),
        no.label("watching"),
        Registration.id.is_not(None).label("void"),
        review.changed_at.label("since"),
        review.sitting_code.label("sitting"),
    ).where(review.outcome.in_(states_of(CaseKind.REVIEW)))
    fell = (Registration.id == review.registration_id) & Registration.void_since.is_not(None)
    query = query.outerjoin(Registration, fell)
    if not actor.roles - {Role.REVIEW_BODY}:
        own = select(Sitting.code).where(Sitting.programme_code.in_(actor.programmes))
        query = query.where(review.sitting_code.in_(own))
        if actor.cities:
            near = select(Registration.id).where(Registration.city.in_(actor.cities))
            query = query.where(review.registration_id.in_(near.correlate(None)))
    return query


def cases(actor: Actor, kind: CaseKind) -> Any:
    """All cases of a kind that may be open, with one set of columns; the rules decide which are."""
    table = _table(kind)
    query = select(
        table.id.label("case_id"),
        *table.standing,
        Registration.void_since.is_not(None).label("void"),
        table.since.label("since"),
        table.by.label("by"),
        Registration.id.label("registration_id"),
        Registration.person_id.label("person_id"),
        Registration.sitting_code.label("sitting"),
        Registration.admission_no.label("label"),
        Registration.city.label("city"),
    )
    return _within(_with_registration(query, table), actor)


def _with_registration(query: Any, table: "_Table") -> Any:
    """Those that wait, joined with their registrations."""
    query = query.select_from(table.id.class_)
    if table.through is not None:
        query = query.join(*table.through)
    return query.join(Registration, Registration.id == table.registration).where(table.waits)


def _within(query: Any, actor: Actor) -> Any:
    """Only what a review body may see: its programmes, its cities (R1)."""
    if not actor.roles - {Role.REVIEW_BODY}:
        query = query.join(Sitting, Sitting.code == Registration.sitting_code)
        query = query.where(Sitting.programme_code.in_(actor.programmes))
        if actor.cities:
            query = query.where(Registration.city.in_(actor.cities))
    return query


@dataclass(frozen=True, slots=True)
class _Table:
    """Where cases of a kind stand: SQL expressions. `waits`: may be open; `registration`: whose it is.

    `through`: a table, and how it is joined, that says whose it is.
    """

    id: Any
    state: Any
    since: Any
    by: Any
    registration: Any
    waits: Any
    round: Any = _IN_FIRST
    approved: Any = _NO
    watching: Any = _NO
    through: tuple[Any, Any] | None = None

    @property
    def standing(self) -> tuple[Any, ...]:
        """What the rules ask about a case itself."""
        names = ("state", "round", "approved", "watching")
        return tuple(getattr(self, name).label(name) for name in names)


def _table(kind: CaseKind) -> _Table:
    states = states_of(kind)
    match kind:
        case CaseKind.REVIEW:
            it = EligibilityReview
            waits = it.outcome.in_(states)
            whose = it.registration_id
            return _Table(whose, it.outcome, it.changed_at, null(), whose, waits, round=it.round)
        case CaseKind.OBJECTION:
            said = Objection
            unresolved = said.resolved_at.is_(None)
            return _Table(said.id, literal("open"), said.raised_at, said.raised_by, said.registration_id, unresolved)
        case CaseKind.INVALIDATION:
            act = Invalidation
            waits = act.state.in_(states)
            return _Table(act.id, act.state, act.proposed_at, act.proposed_by, act.registration_id, waits)
        case CaseKind.CORRECTION:
            new = Correction
            through = (ECertificate, ECertificate.id == new.certificate_id)
            whose = ECertificate.registration_id
            waits = new.state.in_(states)
            return _Table(new.id, new.state, new.proposed_at, new.proposed_by, whose, waits, through=through)
        case CaseKind.REPLACEMENT:
            asked = PaperReplacementRequest
            allowed = asked.approved_by.is_not(None)
            whose, waits = asked.registration_id, asked.state.in_(states)
            return _Table(
                asked.id, asked.state, asked.requested_at, asked.requested_by, whose, waits, approved=allowed
            )
        case _:
            wrong = DataObjection
            watching = wrong.matter == "watch"
            whose, waits = wrong.registration_id, wrong.state.in_(states)
            return _Table(wrong.id, wrong.state, wrong.filed_at, null(), whose, waits, watching=watching)


def states_of(kind: CaseKind) -> list[str]:
    """The states in which a case of a kind may be open."""
    every = [*ReviewOutcome] if kind is CaseKind.REVIEW else ["open", "proposed", "approved", "accepted"]
    return [str(state) for state in every if is_open(CaseState(kind, state))]
