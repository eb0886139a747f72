"""A sitting as its review sees it: its days by the rules, its programme's scope, who may act on it."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.clock import Clock
from issuer.errors import InputError, NotAllowedError, NotFoundError, Words
from issuer.records.people import Registration
from issuer.records.sittings import Programme, Sitting
from issuer.rules.deadlines import report_due_on
from issuer.rules.notice import PublicNotice
from issuer.rules.policy import Policy
from issuer.rules.review import ReviewDates
from issuer.rules.terms import Role

REVIEWERS = (Role.REVIEW_BODY, Role.AUTHORITY_ISSUER)
READERS = (*REVIEWERS, Role.AUTHORITY_APPROVER, Role.SUPERVISOR, Role.AUDITOR)


@dataclass(frozen=True, slots=True)
class OpenSitting:
    """A sitting's code, programme, policy and days."""

    code: str
    programme_code: str
    programme_name: str
    level: str
    policy: Policy
    dates: ReviewDates
    notice: PublicNotice
    extra: dict[str, Any]


def open_sitting(
    session: Session, actor: Actor, sitting_code: str, roles: tuple[Role, ...] = REVIEWERS
) -> OpenSitting:
    """The sitting, if the actor has one of `roles` and the programme is theirs (R1).

    Raises NotFoundError, NotAllowedError.
    """
    actor.require(*roles)
    sitting = session.get(Sitting, sitting_code)
    if sitting is None:
        raise NotFoundError(
            "sitting-not-found",
            Words("没有这个考次。", "There is no such sitting."),
            remedy=Words("请核对考次代码，或先定义考次。", "Check the code, or define the sitting first."),
        )
    programme = session.get_one(Programme, sitting.programme_code)
    actor.require_programme(programme.code)
    policy = Policy.from_dict(programme.policy)
    announced = sitting.review_report_due_on != report_due_on(sitting.results_released_on, policy)
    return OpenSitting(
        code=sitting.code,
        programme_code=programme.code,
        programme_name=programme.name,
        level=programme.level,
        policy=policy,
        dates=ReviewDates(
            results_released_on=sitting.results_released_on,
            report_due_on=sitting.review_report_due_on,
            supplementary_closes_on=sitting.supplementary_closes_on,
            report_clause="R6" if announced else "R5",
            defence_decision_days=policy.defence_decision_days,
        ),
        notice=PublicNotice(sitting.notice_opens_on, sitting.notice_closes_on),
        extra=dict(sitting.extra or {}),
    )


def lock_results(session: Session, sitting_code: str) -> None:
    """Until the unit of work ends, a list of results and the taking back of a finding wait for each other."""
    query = select(Sitting.code).where(Sitting.code == sitting_code)
    session.execute(query.with_for_update(key_share=True))


def acting_day(clock: Clock, actor: Actor, on: date | None) -> date:
    """The day an act counts for: today, or an earlier day on which it was taken and is entered late.

    Only the department enters acts late; the audit event names both days. Raises InputError (a day to
    come), NotAllowedError.
    """
    today = clock.today()
    if on is None or on == today:
        return today
    if on > today:
        raise InputError(
            "day-to-come",
            Words("办理日期不能晚于今日，未作任何更改。", "The day lies in the future; nothing was changed."),
            remedy=Words("请核对日期。", "Check the day."),
        )
    actor.require(Role.AUTHORITY_ISSUER)
    return on


def require_whole_programme(actor: Actor) -> None:
    """Raise NotAllowedError (R1) when a city office would act on the whole sitting."""
    if not limited_to_cities(actor):
        return
    raise NotAllowedError(
        "outside-own-city",
        Words("市级核查部门不能办理全考次事项。", "A city office cannot act on the whole sitting."),
        remedy=Words("请由省级核查部门或省厅办理。", "Ask the provincial review body or the department."),
        clause="R1",
    )


def within_reach(actor: Actor) -> ColumnElement[bool]:
    """Condition on `Registration` for what the actor may see: a city office only its own city (R1)."""
    return Registration.city.in_(actor.cities) if limited_to_cities(actor) else true()


def limited_to_cities(actor: Actor) -> bool:
    """Whether `within_reach` asks anything of a registration: true of a city office only (R1)."""
    return not actor.roles - {Role.REVIEW_BODY} and bool(actor.cities)
