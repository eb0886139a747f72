"""What a hearing is about: an open statement of defence (R7) or a proposed invalidation (R9, R10), under its lock."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.clock import SHANGHAI
from issuer.errors import ConflictError, NotFoundError, Words
from issuer.invalidation.subject import Reference, case_subject, find_subject, hold
from issuer.records.certificates import Invalidation
from issuer.records.hearings import Hearing
from issuer.records.people import Registration
from issuer.records.reviews import DefenceStatement, EligibilityReview, ReviewEvent
from issuer.records.sittings import Programme, Sitting
from issuer.rules.hearing import HearingDays, HearingState
from issuer.rules.policy import Policy
from issuer.rules.terms import ReviewOutcome, Role

STAFF = (Role.REVIEW_BODY, Role.AUTHORITY_ISSUER, Role.AUTHORITY_APPROVER)
"""Who may set and chair a hearing; whoever made the finding or the proposal may not chair it."""


@dataclass(frozen=True, slots=True)
class About:
    """One of the two: the person whose open defence it is, or the number of a proposed case."""

    defence_of: Reference | None = None
    case_id: int | None = None


@dataclass(frozen=True, slots=True)
class Matter:
    """What a hearing is about with its days, and who made the finding or the proposal."""

    registration: Registration
    sitting: Sitting
    programme: Programme
    clause: str
    defence: DefenceStatement | None
    case: Invalidation | None
    days: HearingDays
    investigators: tuple[str, ...]


def hold_matter(session: Session, about: About) -> Matter:
    """The matter, locked as deciding on it locks it. Raises NotFoundError, ConflictError (decided already)."""
    if about.case_id is not None:
        return _case(session, about.case_id)
    if about.defence_of is None:
        raise _nothing()
    registration = find_subject(session, about.defence_of).registration
    session.execute(
        select(EligibilityReview.version)
        .where(EligibilityReview.registration_id == registration.id)
        .with_for_update()
    )
    defence = session.scalars(
        select(DefenceStatement)
        .where(DefenceStatement.registration_id == registration.id, DefenceStatement.decided_at.is_(None))
        .execution_options(populate_existing=True)
    ).one_or_none()
    if defence is None:
        raise _nothing()
    sitting = session.get_one(Sitting, registration.sitting_code)
    programme = session.get_one(Programme, sitting.programme_code)
    policy = Policy.from_dict(programme.policy)
    decide_by = sitting.supplementary_closes_on + timedelta(days=policy.defence_decision_days)
    found = session.scalars(
        select(ReviewEvent.actor).where(
            ReviewEvent.registration_id == registration.id, ReviewEvent.outcome_after == ReviewOutcome.INELIGIBLE
        )
    )
    days = HearingDays(decide_by, decide_by, policy.hearing_notice_days, policy.hearing_answer_days)
    return Matter(registration, sitting, programme, "R7", defence, None, days, tuple(found))


def matter_of(session: Session, row: Hearing) -> About:
    """What names the matter of a hearing again."""
    return About(case_id=row.case_id) if row.case_id is not None else About(defence_of=row.registration_id)


def find_hearing(session: Session, hearing_id: int) -> Hearing:
    """One hearing, its row locked; raises NotFoundError."""
    row = session.get(Hearing, hearing_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise unknown_hearing()
    return row


def hearing_about(session: Session, matter: Matter) -> Hearing | None:
    """The hearing there is about a matter."""
    about = Hearing.case_id == matter.case.id if matter.case else Hearing.defence_id == _id(matter.defence)
    return session.scalars(select(Hearing).where(about).execution_options(populate_existing=True)).one_or_none()


def new_hearing(session: Session, matter: Matter) -> Hearing:
    """A row for a matter that has none yet; its state is the caller's."""
    row = Hearing(
        registration_id=matter.registration.id,
        defence_id=matter.defence.id if matter.defence else None,
        case_id=matter.case.id if matter.case else None,
        clause=matter.clause,
        state=HearingState.ASKED,
    )
    session.add(row)
    return row


def require_reach(session: Session, actor: Actor, row: Hearing) -> None:
    """Raise NotAllowedError when a review body reaches outside its programmes or city (R1)."""
    registration = session.get_one(Registration, row.registration_id)
    sitting = session.get_one(Sitting, registration.sitting_code)
    actor.require_programme(sitting.programme_code, registration.city)


def unknown_hearing() -> NotFoundError:
    """No such hearing, or not the person's own."""
    return NotFoundError(
        "hearing-not-found",
        Words("没有这个听证。", "There is no such hearing."),
        remedy=Words("请从听证列表打开。", "Open it from the list of hearings."),
    )


def _case(session: Session, case_id: int) -> Matter:
    case = session.get(Invalidation, case_id)
    if case is None:
        raise _nothing()
    subject = hold(session, case_subject(session, case))
    session.refresh(case)
    if case.state != "proposed" or case.kind != "invalidate":
        raise ConflictError(
            "hearing-not-now",
            Words(
                "只有待决定的无效认定可以听证，未作改动。",
                "Only a proposed invalidation is heard; nothing was changed.",
            ),
            remedy=Words("已决定的事项请走申诉、复议途径。", "After a decision the way is an appeal."),
            clause=case.clause,
        )
    policy = Policy.from_dict(subject.programme.policy)
    proposed_on = case.proposed_at.astimezone(SHANGHAI).date()
    days = HearingDays(
        proposed_on + timedelta(days=policy.hearing_ask_days),
        None,
        policy.hearing_notice_days,
        policy.hearing_answer_days,
    )
    return Matter(
        subject.registration,
        subject.sitting,
        subject.programme,
        case.clause,
        None,
        case,
        days,
        (case.proposed_by,),
    )


def _id(defence: DefenceStatement | None) -> int:
    return defence.id if defence else 0


def _nothing() -> NotFoundError:
    return NotFoundError(
        "nothing-to-hear",
        Words("没有待决定的申辩或无效认定可供听证。", "There is no open defence or proposed case to be heard."),
        remedy=Words(
            "听证在作出决定之前举行；请核对编号。", "A hearing comes before the decision; check the number."
        ),
    )
