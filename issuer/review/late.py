"""What is late, across sittings: the notice's calendar days (R5–R8) and the promises in working days (R15)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Date, cast, func, literal_column, select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.errors import Words
from issuer.ports import ServiceContext
from issuer.records.announcements import Announcement
from issuer.records.holder_requests import DataObjection
from issuer.records.people import Registration
from issuer.records.reviews import DefenceStatement, EligibilityReview, Objection
from issuer.records.sittings import Programme, Sitting
from issuer.review.sitting import READERS, limited_to_cities, within_reach
from issuer.rules.announcements import AnnouncementKind
from issuer.rules.policy import Policy
from issuer.rules.promises import Promise, promised_days
from issuer.rules.terms import ReviewOutcome, ReviewRound, Role
from issuer.working_days import promised_day

_CALENDAR, _WORKING = Words("日历日", "calendar days"), Words("工作日", "working days")


@dataclass(frozen=True, slots=True)
class LateItem:
    """Something not done by its last day. `count` people or requests; `days` calendar days since `last_day`.

    `kind`: what the last day was counted in. `last_day` is None where it lies in a year whose holidays are not
    known yet; such an item is listed as open, not as late.
    """

    name: str
    words: Words
    sitting_code: str
    programme: str
    clause: str
    kind: Words
    count: int
    last_day: date | None
    days: int


def late_items(ctx: ServiceContext, actor: Actor) -> list[LateItem]:
    """Everything late within the reader's reach (R1), the longest first. Raises NotAllowedError (role)."""
    actor.require(*READERS)
    today = ctx.clock.today()
    found: list[LateItem] = []
    query = select(Sitting, Programme).join(Programme, Sitting.programme_code == Programme.code)
    if not actor.roles - {Role.REVIEW_BODY}:
        query = query.where(Sitting.programme_code.in_(actor.programmes))
    with ctx.database.read() as session:
        sittings = session.execute(query).all()
        open_, asked_for = _open_reviews(session, actor), _requests(session, actor)
        told = _to_tell(session, actor)
        for sitting, programme in sittings:
            policy = Policy.from_dict(programme.policy)
            for item in (
                *_by_calendar(session, actor, sitting, open_, told),
                *_by_promise(asked_for.get(sitting.code, ()), policy),
            ):
                name, words, clause, kind, count, last_day = item
                overdue = (today - last_day).days if last_day else 0
                if count and (last_day is None or overdue > 0):
                    place = (sitting.code, programme.name)
                    found.append(LateItem(name, words, *place, clause, kind, count, last_day, overdue))
    return sorted(found, key=lambda item: -item.days)


_Found = tuple[str, Words, str, Words, int, date | None]
_Open = dict[tuple[str, str, str], int]
"""How many reviews are open, by sitting, round and outcome."""
_Request = tuple[Promise, date, int]
"""What was asked, on which day it came, how many that day."""


def _by_calendar(
    session: Session, actor: Actor, sitting: Sitting, open_: _Open, told: dict[tuple[str, str], int]
) -> Iterator[_Found]:
    """Days of the notice itself."""
    if "notice_opened_on" not in (sitting.extra or {}):
        waiting = _people(session, actor, sitting)
        words = Words("公示未按期开始", "public notice not opened")
        yield "notice-not-opened", words, "R5", _CALENDAR, waiting, sitting.notice_opens_on
    first = open_.get((sitting.code, ReviewRound.FIRST, ReviewOutcome.AWAITING), 0)
    words = Words("首轮核查未报送", "first round not reported")
    yield "first-round-open", words, "R5", _CALENDAR, first, sitting.review_report_due_on
    pending = open_.get((sitting.code, ReviewRound.FIRST, ReviewOutcome.CONDITIONS_PENDING), 0)
    pending += open_.get((sitting.code, ReviewRound.SUPPLEMENTARY, ReviewOutcome.AWAITING), 0)
    words = Words("补充核查截止后未办结", "supplementary round not closed")
    yield "supplementary-open", words, "R7", _CALENDAR, pending, sitting.supplementary_closes_on
    for kind, last_day in (
        (AnnouncementKind.RESULTS, sitting.review_report_due_on),
        (AnnouncementKind.SUPPLEMENTARY, sitting.supplementary_closes_on),
    ):
        if to_tell := told.get((sitting.code, kind.value), 0):
            words = Words("核查结果未公告", "results not announced")
            yield f"{kind.value}-not-announced", words, kind.clause, _CALENDAR, to_tell, last_day


def _by_promise(requests: Iterable[_Request], policy: Policy) -> Iterator[_Found]:
    """Promises in working days, and R7's own last day for a defence where that is earlier."""
    counts: dict[tuple[Promise, date | None], int] = {}
    for promise, received, count in requests:
        due = promised_day(received, promised_days(promise, policy), policy)
        counts[promise, due] = counts.get((promise, due), 0) + count
    for (promise, due), count in counts.items():
        clause, words = _PROMISED[promise]
        yield f"{promise.value}-open", words, clause, _WORKING, count, due


_PROMISED = {
    Promise.OBJECTION: ("R5", Words("公示异议未处理", "objection not resolved")),
    Promise.DEFENCE: ("R7", Words("申辩未处理", "defence not decided")),
    Promise.CORRECTION: ("R15", Words("更正申请未答复", "correction not answered")),
}


def _open_reviews(session: Session, actor: Actor) -> _Open:
    review = EligibilityReview
    query = select(review.sitting_code, review.round, review.outcome, func.count()).where(
        review.outcome.in_((ReviewOutcome.AWAITING, ReviewOutcome.CONDITIONS_PENDING))
    )
    query = query.group_by(review.sitting_code, review.round, review.outcome)
    if limited_to_cities(actor):
        query = query.join(Registration, review.registration_id == Registration.id).where(within_reach(actor))
    return {(code, round, outcome): count for code, round, outcome, count in session.execute(query)}


def _requests(session: Session, actor: Actor) -> dict[str, list[_Request]]:
    """What waits for an answer, by sitting and by the day in Shanghai on which it came."""
    found: dict[str, list[_Request]] = {}
    for promise, table, received, is_open in (
        (Promise.OBJECTION, Objection, Objection.raised_at, Objection.resolved_at.is_(None)),
        (Promise.DEFENCE, DefenceStatement, DefenceStatement.filed_at, DefenceStatement.decided_at.is_(None)),
        (Promise.CORRECTION, DataObjection, DataObjection.filed_at, DataObjection.state == "open"),
    ):
        day = _day(session, received)
        sitting = _says_sitting(table, limited_to_cities(actor))
        query = select(sitting, day, func.count()).select_from(table).where(is_open).group_by(sitting, day)
        if sitting is Registration.sitting_code:
            query = query.join(Registration, table.registration_id == Registration.id).where(within_reach(actor))
        elif sitting is EligibilityReview.sitting_code:
            review = EligibilityReview
            waits = (review.registration_id == table.registration_id) & (review.outcome == ReviewOutcome.DEFENCE_OPEN)
            query = query.join(review, waits)
        for code, on, count in session.execute(query):
            found.setdefault(code, []).append((promise, date.fromisoformat(str(on)), count))
    return found


def _says_sitting(table: Any, by_city: bool) -> Any:
    """The column that says a request's sitting with the least to read: registrations are many, open reviews few.

    The review of an undecided defence is open: filing brought it there, and only deciding leads away (R7).
    """
    if by_city or table is DataObjection:
        return Registration.sitting_code
    return Objection.sitting_code if table is Objection else EligibilityReview.sitting_code


def _people(session: Session, actor: Actor, sitting: Sitting) -> int:
    review = EligibilityReview
    query = select(func.count()).select_from(review).where(review.sitting_code == sitting.code)
    if limited_to_cities(actor):
        query = query.join(Registration, review.registration_id == Registration.id).where(within_reach(actor))
    return session.scalar(query) or 0


def _to_tell(session: Session, actor: Actor) -> dict[tuple[str, str], int]:
    """How many were found eligible in a round whose results were not announced, by sitting and announcement."""
    found: dict[tuple[str, str], int] = {}
    for kind, round in (
        (AnnouncementKind.RESULTS, ReviewRound.FIRST),
        (AnnouncementKind.SUPPLEMENTARY, ReviewRound.SUPPLEMENTARY),
    ):
        done = select(1).where(
            Announcement.sitting_code == Sitting.code,
            Announcement.kind == kind.value,
            Announcement.state == "published",
        )
        review = EligibilityReview
        people = select(func.count()).where(
            review.sitting_code == Sitting.code, review.round == round, review.outcome == ReviewOutcome.ELIGIBLE
        )
        if limited_to_cities(actor):
            people = people.where(review.registration_id == Registration.id, within_reach(actor))
        # A subquery for each sitting: its index is read where it begins and nowhere else.
        query = select(Sitting.code, people.correlate(Sitting).scalar_subquery()).where(~done.exists())
        found |= {(code, kind.value): count or 0 for code, count in session.execute(query)}
    return found


def _day(session: Session, instant: Any) -> Any:
    """The day in Asia/Shanghai of a column of instants. China has had no summer time since 1991."""
    if session.get_bind().dialect.name == "sqlite":
        return func.date(instant, literal_column("'+8 hours'"))
    return cast(func.timezone(literal_column("'Asia/Shanghai'"), instant), Date)
