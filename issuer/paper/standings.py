"""How paper certificates stand: in groups that the database counts, and one by one; `queue_of` says whose turn."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, and_, false, func, literal, null, or_, select
from sqlalchemy.orm import Session, aliased

from issuer.access.actor import Actor
from issuer.ports import ServiceContext
from issuer.records.paper import PaperCertificate
from issuer.records.paper_post import MailBooking, PaperBookingWindow, Parcel
from issuer.records.people import Registration
from issuer.records.sittings import Programme, Sitting
from issuer.rules.deadlines import is_over
from issuer.rules.paper_keeping import DueState, keeping_due
from issuer.rules.paper_states import WITH_HOLDER, PaperQueue, PaperState, Standing, queue_of
from issuer.rules.policy import Policy
from issuer.rules.terms import Role

_S = PaperState
_STILL = (_S.PRINTED, _S.AVAILABLE, _S.POSTED, _S.SAFEKEEPING)


@dataclass(frozen=True, slots=True)
class Group:
    """Certificates of one sitting that stand alike. `deadline`: the last day of their queue, if it has one."""

    sitting: str
    standing: Standing
    deadline: date | None
    count: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class _Days:
    closes_on: date | None
    over: bool
    due: DueState
    kept_until: date


def groups(ctx: ServiceContext, session: Session, actor: Actor, sitting: str | None) -> Iterator[Group]:
    """All live certificates within reach but those that nobody has to do anything with any more."""
    days = _calendar(ctx, session)
    for query in (_still(), _booked(), _returned(), _fell_with_holder()):
        counted = _within(query, actor, sitting).add_columns(func.count(), func.min(PaperCertificate.changed_at))
        for code, state, void, parcel, mended, registered, count, oldest in session.execute(counted):
            day = days[code]
            known = (parcel, bool(mended), day.due, bool(registered))
            standing = Standing(PaperState(state), bool(void), day.over, *known)
            yield Group(code, standing, _deadline(queue_of(standing), day), count, oldest)


def standing_of(ctx: ServiceContext, session: Session, paper: PaperCertificate) -> Standing:
    """How one certificate stands."""
    day = _days(ctx, session, paper.sitting_code)
    booking = session.scalars(
        select(MailBooking).where(MailBooking.paper_id == paper.id, MailBooking.state == "open")
    ).one_or_none()
    parcels = session.scalars(select(Parcel).where(Parcel.booking_id == booking.id)).all() if booking else []
    waiting = next((row.state for row in parcels if row.state in ("labelled", "packed")), None)
    returned = max((row.revision for row in parcels if row.state == "returned"), default=0)
    void = session.get_one(Registration, paper.registration_id).void_since is not None
    mended = booking is not None and booking.revision > returned
    return Standing(PaperState(paper.state), void, day.over, waiting, mended, day.due, paper.register_id is not None)


def in_groups(wanted: Iterable[Group]) -> Any:
    """Condition on certificates (with their registrations): those that stand as the groups do."""
    sittings: dict[Standing, set[str]] = defaultdict(set)
    for group in wanted:
        sittings[group.standing].add(group.sitting)
    if not sittings:
        return false()
    return or_(*(and_(PaperCertificate.sitting_code.in_(codes), *_as(one)) for one, codes in sittings.items()))


def _as(standing: Standing) -> Iterator[Any]:
    """Conditions that a certificate of a group's sitting meets when it stands like this."""
    void = Registration.void_since
    yield PaperCertificate.slot == "live"
    yield PaperCertificate.state == standing.state.value
    yield void.is_not(None) if standing.registration_void else void.is_(None)
    registered = PaperCertificate.register_id
    yield registered.is_not(None) if standing.on_register else registered.is_(None)
    booking, parcel = aliased(MailBooking), aliased(Parcel)
    open_ = select(1).where(booking.paper_id == PaperCertificate.id, booking.state == "open")
    if standing.state is _S.BOOKED:
        waits = open_.where(parcel.booking_id == booking.id, parcel.state.in_(("labelled", "packed")))
        yield waits.where(parcel.state == standing.parcel).exists() if standing.parcel else ~waits.exists()
    if standing.state is _S.RETURNED:
        mended = open_.where(_mended(booking)).exists()
        yield mended if standing.mended else ~mended


def _still() -> Select[Any]:
    """Those that no mail is under way for."""
    return _grouped(null(), false()).where(PaperCertificate.state.in_(_STILL))


def _booked() -> Select[Any]:
    """With the parcel that waits for them, if one does."""
    parcel = aliased(Parcel)
    open_ = (MailBooking.paper_id == PaperCertificate.id) & (MailBooking.state == "open")
    waits = (parcel.booking_id == MailBooking.id) & parcel.state.in_(("labelled", "packed"))
    query = _grouped(parcel.state, false()).where(PaperCertificate.state == _S.BOOKED)
    return query.outerjoin(MailBooking, open_).outerjoin(parcel, waits)


def _returned() -> Select[Any]:
    """With whether the address was mended since."""
    open_ = (MailBooking.paper_id == PaperCertificate.id) & (MailBooking.state == "open")
    query = _grouped(null(), func.coalesce(_mended(MailBooking), false()))
    return query.where(PaperCertificate.state == _S.RETURNED).outerjoin(MailBooking, open_)


def _fell_with_holder() -> Select[Any]:
    """What a holder has is nobody's work, unless the registration fell (R9)."""
    query = _grouped(null(), false())
    return query.where(PaperCertificate.state.in_(sorted(WITH_HOLDER)), Registration.id.is_not(None))


def _grouped(parcel: Any, mended: Any) -> Select[Any]:
    """Registrations that fell are few and have an index of their own, so only those are joined."""
    paper = PaperCertificate
    fell = (Registration.id == paper.registration_id) & Registration.void_since.is_not(None)
    columns = (
        paper.sitting_code.label("in_sitting"),
        paper.state.label("stands_as"),
        Registration.id.is_not(None).label("is_void"),
        parcel.label("parcel_state"),
        mended.label("is_mended"),
        paper.register_id.is_not(None).label("is_registered"),
    )
    query = select(*columns).outerjoin(Registration, fell).where(paper.slot == "live")
    return query.group_by(*(column.name for column in columns))


def _mended(booking: Any) -> Any:
    """Whether the address is newer than the one that the last parcel came back from."""
    returned = select(func.max(Parcel.revision)).where(Parcel.booking_id == booking.id, Parcel.state == "returned")
    return booking.revision > func.coalesce(returned.correlate(booking).scalar_subquery(), literal(0))


def _within(query: Select[Any], actor: Actor, sitting: str | None) -> Select[Any]:
    paper = PaperCertificate
    if sitting:
        query = query.where(paper.sitting_code == sitting)
    if not actor.roles - {Role.REVIEW_BODY}:
        own = select(Sitting.code).where(Sitting.programme_code.in_(actor.programmes))
        query = query.where(paper.sitting_code.in_(own))
        if actor.cities:
            there = aliased(Registration)
            near = select(there.id).where(there.city.in_(actor.cities))
            query = query.where(paper.registration_id.in_(near))
    return query


def _deadline(queue: PaperQueue, day: _Days) -> date | None:
    if queue is PaperQueue.AWAITING_HOLDER:
        return day.closes_on
    kept = (PaperQueue.KEPT, PaperQueue.DUE_THIS_MONTH, PaperQueue.OVERDUE, PaperQueue.ON_REGISTER)
    return day.kept_until if queue in kept else None


def _calendar(ctx: ServiceContext, session: Session) -> dict[str, _Days]:
    """The days of every sitting, read at once."""
    rows = session.execute(
        select(Sitting, Programme, PaperBookingWindow)
        .join(Programme, Programme.code == Sitting.programme_code)
        .outerjoin(PaperBookingWindow, PaperBookingWindow.sitting_code == Sitting.code)
    )
    policies: dict[str, Policy] = {}
    found = {}
    for sitting, programme, window in rows:
        if programme.code not in policies:
            policies[programme.code] = Policy.from_dict(programme.policy)
        found[sitting.code] = _days_of(ctx, sitting, policies[programme.code], window)
    return found


def _days(ctx: ServiceContext, session: Session, sitting_code: str) -> _Days:
    sitting = session.get_one(Sitting, sitting_code)
    policy = Policy.from_dict(session.get_one(Programme, sitting.programme_code).policy)
    return _days_of(ctx, sitting, policy, session.get(PaperBookingWindow, sitting_code))


def _days_of(ctx: ServiceContext, sitting: Sitting, policy: Policy, window: PaperBookingWindow | None) -> _Days:
    due = keeping_due(sitting.exam_ended_on, policy, ctx.clock.today())
    over = window is not None and is_over(window.closes_on, ctx.clock.now())
    return _Days(window.closes_on if window else None, over, due.state, due.kept_until)
