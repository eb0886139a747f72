"""Looking at sittings: what lists, sitting pages and the API show."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.errors import InputError, NotFoundError, Words
from issuer.ports import ServiceContext
from issuer.records.certificates import ECertificate
from issuer.records.paper import PaperCertificate
from issuer.records.people import Registration
from issuer.records.sittings import Programme, Sitting
from issuer.rules.paper_states import ENDED
from issuer.rules.terms import Role

READERS = tuple(Role)


@dataclass(frozen=True, slots=True)
class SittingView:
    """A sitting, its programme, and how many registrations and certificates, electronic or on paper, it has."""

    code: str
    programme_code: str
    programme: str
    level: str
    medium: str
    review_body: str
    authority: str
    exam_ended_on: date
    results_released_on: date
    notice_opens_on: date
    notice_closes_on: date
    review_report_due_on: date
    supplementary_closes_on: date
    approved_on: date
    specialties: tuple[str, ...]
    pass_marks: dict[str, int]
    registrations: int
    certificates: int

    def to_json(self) -> dict[str, Any]:
        """Plain values, days in ISO 8601."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()} | {
            "specialties": list(self.specialties)
        }


def list_sittings(
    ctx: ServiceContext, actor: Actor, *, before: str | None = None, limit: int = 50
) -> list[SittingView]:
    """Sittings, the latest score release first, a page at a time (`before`: the last page's last code).

    A review body sees its own programmes (R1). Raises NotAllowedError, InputError (unknown `before`).
    """
    actor.require(*READERS)
    query = select(Sitting, Programme).join(Programme, Sitting.programme_code == Programme.code)
    with ctx.database.read() as session:
        if before is not None:
            query = _after(session, query, before)
        if not actor.roles - {Role.REVIEW_BODY}:
            query = query.where(Sitting.programme_code.in_(actor.programmes))
        query = query.order_by(Sitting.results_released_on.desc(), Sitting.code.desc()).limit(limit)
        return _views(session, actor, session.execute(query).all())


def name_sittings(ctx: ServiceContext, actor: Actor, *, limit: int = 200) -> list[tuple[str, str]]:
    """(code, programme) of the latest sittings, to choose from; a review body's own (R1). Raises NotAllowedError."""
    actor.require(*READERS)
    query = select(Sitting.code, Programme.name).join(Programme, Sitting.programme_code == Programme.code)
    if not actor.roles - {Role.REVIEW_BODY}:
        query = query.where(Sitting.programme_code.in_(actor.programmes))
    query = query.order_by(Sitting.results_released_on.desc(), Sitting.code.desc()).limit(limit)
    with ctx.database.read() as session:
        return list(session.execute(query))


def show_sitting(ctx: ServiceContext, actor: Actor, code: str) -> SittingView:
    """One sitting. Raises NotFoundError, NotAllowedError (R1)."""
    actor.require(*READERS)
    with ctx.database.read() as session:
        sitting = session.get(Sitting, code)
        if sitting is None:
            raise NotFoundError(
                "sitting-unknown",
                Words("没有这个考试批次。", "There is no such sitting."),
                remedy=Words(
                    "请从考试列表打开，或先定义。", "Open it from the list of sittings, or define it first."
                ),
            )
        actor.require_programme(sitting.programme_code)
        return _views(session, actor, [(sitting, session.get_one(Programme, sitting.programme_code))])[0]


def _after(session: Session, query: Select[Sitting, Programme], before: str) -> Select[Sitting, Programme]:
    last = session.get(Sitting, before)
    if last is None:
        raise InputError("unknown-page", Words("没有这个起始位置。", "There is no such place to go on from."))
    day = last.results_released_on
    return query.where(
        or_(Sitting.results_released_on < day, and_(Sitting.results_released_on == day, Sitting.code < last.code))
    )


def _views(session: Session, actor: Actor, rows: Sequence[tuple[Sitting, Programme]]) -> list[SittingView]:
    sat = select(func.count()).where(Registration.sitting_code == Sitting.code)
    made = select(func.count()).where(ECertificate.sitting_code == Sitting.code, ECertificate.state == "published")
    sheets = select(func.count()).where(
        PaperCertificate.sitting_code == Sitting.code, PaperCertificate.state.not_in(sorted(ENDED))
    )
    if not actor.roles - {Role.REVIEW_BODY} and actor.cities:
        sat = sat.where(Registration.city.in_(actor.cities))
        near = (ECertificate.registration_id == Registration.id) & Registration.city.in_(actor.cities)
        made = made.join_from(ECertificate, Registration, near)
        near = (PaperCertificate.registration_id == Registration.id) & Registration.city.in_(actor.cities)
        sheets = sheets.join_from(PaperCertificate, Registration, near)
    # A subquery for each sitting and no grouping: its part of an index is counted and nothing else is done.
    counted = (one.correlate(Sitting).scalar_subquery() for one in (sat, made, sheets))
    codes = [sitting.code for sitting, _ in rows]
    query = select(Sitting.code, *counted).where(Sitting.code.in_(codes))
    found = session.execute(query)
    counts = {code: (people or 0, (files or 0) + (paper or 0)) for code, people, files, paper in found}
    return [_view(*row, *counts[row[0].code]) for row in rows]


def _view(sitting: Sitting, programme: Programme, registrations: int, certificates: int) -> SittingView:
    return SittingView(
        code=sitting.code,
        programme_code=programme.code,
        programme=programme.name,
        level=programme.level,
        medium=programme.medium,
        review_body=programme.review_body,
        authority=programme.authority,
        exam_ended_on=sitting.exam_ended_on,
        results_released_on=sitting.results_released_on,
        notice_opens_on=sitting.notice_opens_on,
        notice_closes_on=sitting.notice_closes_on,
        review_report_due_on=sitting.review_report_due_on,
        supplementary_closes_on=sitting.supplementary_closes_on,
        approved_on=sitting.approved_on,
        specialties=tuple(sitting.specialties),
        pass_marks=dict(sitting.pass_marks),
        registrations=registrations,
        certificates=certificates,
    )
