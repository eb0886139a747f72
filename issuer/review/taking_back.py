"""Taking back a finding recorded by mistake (R4–R8): nothing is deleted, the review stands where it stood before."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import record_event
from issuer.clock import SHANGHAI
from issuer.ports import ServiceContext
from issuer.queues.binding import require_not_held
from issuer.records.announcements import Announcement
from issuer.records.certificates import Invalidation
from issuer.records.people import Registration
from issuer.records.registration import Material
from issuer.records.reviews import EligibilityReview, ReviewEvent
from issuer.refusals import refusal_from
from issuer.review.moves import ReviewRow, Step, hold_the_eligible, moved_meanwhile, write_moves
from issuer.review.sitting import REVIEWERS, OpenSitting, lock_results, open_sitting, within_reach
from issuer.review.statements import Candidate, find_candidate, usable_text
from issuer.rules.announcements import AnnouncementKind
from issuer.rules.queues import CaseKind
from issuer.rules.review import ReviewAction, ReviewState
from issuer.rules.taking_back import FINDINGS, Followed, LastStep, take_back
from issuer.rules.terms import ReviewOutcome, ReviewRound
from issuer.rules.violation import RuleViolation

LISTED_DAYS = 31
SLIP = "slip"
"""Reason code of a finding taken back."""
TOLD = "此前的核查结论系录入有误，已撤回，将重新作出结论。"
"""What the candidate reads before the reviewer's own words."""
_TELLS_RESULTS = (AnnouncementKind.RESULTS, AnnouncementKind.SUPPLEMENTARY, AnnouncementKind.ISSUE)


@dataclass(frozen=True, slots=True)
class OwnFinding:
    """One's own newest finding about a candidate; `refusal` says why it stands, None where it may be taken back."""

    event_id: int
    registration_id: int
    sitting: str
    admission_no: str
    outcome: str
    at: datetime
    refusal: RuleViolation | None


def take_back_finding(
    ctx: ServiceContext, actor: Actor, sitting_code: str, who: Candidate, *, why: str
) -> ReviewState:
    """Take back one's own last finding about a candidate; the state the review stands at again.

    `why` is kept with the step and read by the candidate. Raises NotFoundError, NotAllowedError (role, R1),
    InputError (no reason), ConflictError (not one's own, too late, something followed, the case in other hands).
    """
    why = usable_text(why)
    with ctx.database.write() as session:
        sitting = open_sitting(session, actor, sitting_code, REVIEWERS)
        registration = find_candidate(session, actor, sitting, who)
        lock_results(session, sitting.code)
        held = hold_the_eligible(session, sitting, [registration.id], lock=True)
        row = _locked(session, registration.id)
        event = _last(session, row) if row is not None else None
        if row is None or event is None:
            raise moved_meanwhile() if row is not None and row.version else _nothing()
        if row.outcome == ReviewOutcome.ELIGIBLE and registration.id not in held:
            raise moved_meanwhile()
        require_not_held(session, ctx.clock, actor, CaseKind.REVIEW, registration.id)
        followed = _followed(session, registration, event, certificate=held.get(registration.id, False))
        try:
            move = take_back(_step_of(event, actor), followed, sitting.dates, sitting.policy, ctx.clock.today())
        except RuleViolation as violation:
            raise refusal_from(violation) from violation
        step = Step(registration.id, ReviewAction.TAKE_BACK, SLIP, f"{TOLD}{why}")
        write_moves(session, ctx.clock, actor, [(row, step, move)])
        _restore_reason(session, row)
        materials = _reopen_materials(session, actor, event)
        details = {
            "action": ReviewAction.TAKE_BACK.value,
            "before": f"{row.round}/{row.outcome}",
            "after": f"{move.to.round}/{move.to.outcome}",
            "version": row.version + 1,
            "taken_back": event.version,
            "reason": SLIP,
            "materials": materials,
        }
        subject = f"registration:{registration.id}"
        record_event(session, ctx.clock, actor, "review.take-back", subject, clause=move.clause, details=details)
        return move.to


def own_findings(
    ctx: ServiceContext, actor: Actor, *, before: int | None = None, limit: int = 50
) -> list[OwnFinding]:
    """The newest findings this account recorded and that nothing has changed since, newest first, within its reach.

    The last LISTED_DAYS only: longer terms of a policy are used by admission number (command, API).
    """
    actor.require(*REVIEWERS)
    since = ctx.clock.now() - timedelta(days=LISTED_DAYS)
    query = (
        select(ReviewEvent, Registration)
        .join(EligibilityReview, EligibilityReview.registration_id == ReviewEvent.registration_id)
        .join(Registration, Registration.id == ReviewEvent.registration_id)
        .where(
            ReviewEvent.actor == actor.username,
            ReviewEvent.action.in_(sorted(FINDINGS)),
            ReviewEvent.at >= since,
            ReviewEvent.version == EligibilityReview.version,
            within_reach(actor),
        )
        .order_by(ReviewEvent.id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(ReviewEvent.id < before)
    with ctx.database.read() as session:
        sittings: dict[str, OpenSitting] = {}
        found = []
        for event, registration in session.execute(query):
            code = registration.sitting_code
            sitting = sittings.get(code) or open_sitting(session, actor, code, REVIEWERS)
            sittings[code] = sitting
            found.append(_own(session, ctx, actor, sitting, registration, event))
        return found


def _own(
    session: Session,
    ctx: ServiceContext,
    actor: Actor,
    sitting: OpenSitting,
    registration: Registration,
    event: ReviewEvent,
) -> OwnFinding:
    made = hold_the_eligible(session, sitting, [registration.id], lock=False).get(registration.id, False)
    followed = _followed(session, registration, event, certificate=made)
    refusal = None
    try:
        take_back(_step_of(event, actor), followed, sitting.dates, sitting.policy, ctx.clock.today())
    except RuleViolation as violation:
        refusal = violation
    return OwnFinding(
        event.id,
        registration.id,
        sitting.code,
        registration.admission_no,
        event.outcome_after,
        event.at,
        refusal,
    )


def _locked(session: Session, registration_id: int) -> ReviewRow | None:
    return session.execute(
        select(
            EligibilityReview.registration_id,
            EligibilityReview.round,
            EligibilityReview.outcome,
            EligibilityReview.version,
        )
        .where(EligibilityReview.registration_id == registration_id)
        .with_for_update()
    ).one_or_none()


def _last(session: Session, row: ReviewRow) -> ReviewEvent | None:
    newest = select(ReviewEvent).where(
        ReviewEvent.registration_id == row.registration_id, ReviewEvent.version == row.version
    )
    return session.scalars(newest).one_or_none()


def _step_of(event: ReviewEvent, actor: Actor) -> LastStep:
    round = ReviewRound(event.round)
    return LastStep(
        action=ReviewAction(event.action),
        before=ReviewState(round, ReviewOutcome(event.outcome_before)),
        after=ReviewState(round, ReviewOutcome(event.outcome_after)),
        on=event.at.astimezone(SHANGHAI).date(),
        own=event.actor.casefold() == actor.username.casefold(),
        answers_objection=event.reason_code == "objection-upheld",
    )


def _followed(session: Session, registration: Registration, event: ReviewEvent, *, certificate: bool) -> Followed:
    announced = session.scalars(
        select(Announcement.id)
        .where(
            Announcement.sitting_code == registration.sitting_code,
            Announcement.kind.in_([kind.value for kind in _TELLS_RESULTS]),
            Announcement.published_at >= event.at,
        )
        .limit(1)
    ).first()
    case = session.scalars(
        select(Invalidation.id)
        .where(Invalidation.registration_id == registration.id, Invalidation.proposed_at >= event.at)
        .limit(1)
    ).first()
    return Followed(
        announced=announced is not None,
        certificate=certificate,
        case_open=case is not None,
        registration_void=registration.void_since is not None,
    )


def _restore_reason(session: Session, row: ReviewRow) -> None:
    """The review carries the reason it carried before the finding; the slip's own stands in its step."""
    earlier = session.scalars(
        select(ReviewEvent.reason_code).where(
            ReviewEvent.registration_id == row.registration_id, ReviewEvent.version == row.version - 1
        )
    ).one_or_none()
    session.execute(
        update(EligibilityReview)
        .where(EligibilityReview.registration_id == row.registration_id)
        .values(reason_code=earlier)
    )


def _reopen_materials(session: Session, actor: Actor, event: ReviewEvent) -> int:
    """Materials that the finding accepted are to be looked at again; how many."""
    accepted = session.scalars(
        select(Material)
        .where(
            Material.registration_id == event.registration_id,
            Material.state == "accepted",
            Material.decided_by == actor.username,
            Material.decided_at >= event.at,
        )
        .with_for_update()
    ).all()
    for material in accepted:
        material.state, material.decided_by, material.decided_at = "given", None, None
    session.flush()
    return len(accepted)


def _nothing() -> Exception:
    start = RuleViolation(
        "R4",
        "nothing-to-take-back",
        found=("尚无核查结论", "nothing has been found yet"),
        expected=("最近一步为核查结论", "a finding as the last step"),
    )
    return refusal_from(start)
