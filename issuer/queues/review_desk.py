"""One review at a time: what the officer needs on one screen, and the decision (R4–R8)."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import select

from issuer.access.actor import Actor
from issuer.audit import record_event
from issuer.errors import InputError, Words
from issuer.ports import ServiceContext
from issuer.queues.claims import require_hold
from issuer.queues.reading import CaseLine, open_case
from issuer.queues.wording import AGAINST, DESPITE, REASONS, WAITING, Reason
from issuer.records.people import Person, Registration, Score
from issuer.records.reviews import DefenceStatement, EligibilityReview, ReviewEvent
from issuer.registration.view import RegistrationFacts, facts_of
from issuer.review.moves import Step, move_reviews
from issuer.review.sitting import open_sitting
from issuer.review.statements import Candidate, decide_defence
from issuer.rules.queues import CaseKind
from issuer.rules.review import ReviewAction, ReviewState, possible_actions
from issuer.rules.terms import ReviewOutcome, ReviewRound, Role

DECIDERS: Final = (Role.REVIEW_BODY, Role.AUTHORITY_ISSUER)
MAX_NOTE: Final = 1000


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that can be found, the key that chooses it, and the reasons one of which it needs."""

    action: ReviewAction
    key: str
    words: Words
    reasons: tuple[Reason, ...] = ()


CHOICES: Final = (
    Choice(ReviewAction.FIND_ELIGIBLE, "1", Words("核查合格", "Eligible")),
    Choice(ReviewAction.FIND_INELIGIBLE, "2", Words("核查不合格", "Not eligible"), AGAINST),
    Choice(ReviewAction.HOLD_PENDING, "3", Words("报考条件待核查", "Conditions pending"), WAITING),
    Choice(ReviewAction.ACCEPT_DEFENCE, "1", Words("申辩成立", "Accept the defence")),
    Choice(ReviewAction.REJECT_DEFENCE, "2", Words("申辩不成立", "Reject the defence"), AGAINST),
)


@dataclass(frozen=True, slots=True)
class ReviewStepView:
    """One move of a review, as staff see it."""

    at: datetime
    actor: str
    round: str
    outcome: str
    clause: str
    note: str | None


@dataclass(frozen=True, slots=True)
class ReviewFacts:
    """What the officer sees of a candidate. Holds a name: for screens, never for logs."""

    line: CaseLine
    name: str
    id_type: str
    id_masked: str
    admission_no: str
    specialty: str
    level: str
    basis: str
    employer: str | None
    round: str
    outcome: str
    subjects: tuple[tuple[str, str, bool], ...]
    steps: tuple[ReviewStepView, ...]
    defence: str | None
    choices: tuple[Choice, ...]
    facts: RegistrationFacts
    """Commitment, comparison and materials (R2, R3)."""


def show_review(ctx: ServiceContext, actor: Actor, registration_id: int) -> ReviewFacts:
    """An open review with its candidate; that the data was looked at is put on record.

    Raises NotFoundError (not open, not within reach), NotAllowedError.
    """
    with ctx.database.write() as session:
        line = open_case(session, ctx, actor, CaseKind.REVIEW, registration_id)
        who = session.get_one(Registration, registration_id)
        review = session.get_one(EligibilityReview, registration_id)
        sitting = open_sitting(session, actor, who.sitting_code, tuple(Role))
        scores = session.scalars(
            select(Score).where(Score.registration_id == registration_id).order_by(Score.subject)
        ).all()
        events = session.scalars(
            select(ReviewEvent).where(ReviewEvent.registration_id == registration_id).order_by(ReviewEvent.version)
        )
        defence = session.scalars(
            select(DefenceStatement).where(
                DefenceStatement.registration_id == registration_id, DefenceStatement.decided_at.is_(None)
            )
        ).first()
        person = session.get_one(Person, who.person_id)
        state = ReviewState(ReviewRound(review.round), ReviewOutcome(review.outcome))
        possible = possible_actions(state, sitting.dates, ctx.clock.today())
        stands = facts_of(session, who, ctx.clock.today())
        facts = ReviewFacts(
            line=line,
            name=who.name,
            id_type=person.id_type,
            id_masked=masked(person.id_no),
            admission_no=who.admission_no,
            specialty=who.specialty,
            level=who.level or sitting.level,
            basis=who.basis,
            employer=who.employer,
            round=review.round,
            outcome=review.outcome,
            subjects=tuple(
                (row.subject, ctx.data_key.open("scores.score", bytes(row.score)).decode(), row.passed)
                for row in scores
            ),
            steps=tuple(
                ReviewStepView(row.at, row.actor, row.round, row.outcome_after, row.clause, row.note)
                for row in events
            ),
            defence=defence.text if defence else None,
            choices=tuple(_asking(choice, stands) for choice in CHOICES if choice.action in possible),
            facts=stands,
        )
        subject = f"registration:{registration_id}"
        record_event(session, ctx.clock, actor, "person.look", subject, details={"page": "review"})
        return facts


def decide(
    ctx: ServiceContext, actor: Actor, registration_id: int, action: str, reason: str = "", note: str = ""
) -> None:
    """Decide the review one holds; the hold ends and the draft goes. The candidate reads reason and note.

    Raises InputError (no such finding or reason), ConflictError (hold over, somebody else's, rule says no),
    NotFoundError, NotAllowedError (role, R1).
    """
    actor.require(*DECIDERS)
    choice = next((choice for choice in CHOICES if choice.action == action), None)
    if choice is None:
        raise InputError("finding-missing", Words("请选择核查结论。", "Choose what was found."))
    note = note.strip()
    if len(note) > MAX_NOTE:
        raise InputError("note-too-long", Words(f"说明最多 {MAX_NOTE} 字。", f"At most {MAX_NOTE} characters."))
    if choice.action is ReviewAction.FIND_ELIGIBLE and reason:
        choice = replace(choice, reasons=DESPITE)
    if choice.reasons and reason not in {each.code for each in choice.reasons}:
        raise InputError(
            "reason-missing",
            Words("请选择原因，考生将看到该原因。", "Choose a reason; the candidate will read it."),
            clause="R4",
        )
    told = told_to_candidate(reason if choice.reasons else "", note)
    with ctx.database.together() as session:
        line = open_case(session, ctx, actor, CaseKind.REVIEW, registration_id)
        held = require_hold(session, ctx, actor, CaseKind.REVIEW, registration_id)
        if choice.action in (ReviewAction.ACCEPT_DEFENCE, ReviewAction.REJECT_DEFENCE):
            candidate = Candidate(registration_id=registration_id)
            accepted = choice.action is ReviewAction.ACCEPT_DEFENCE
            if choice.reasons:  # a defence keeps no reason code, so the note says it in both languages
                told = f"{told} {REASONS[reason].text.en}"
            decide_defence(ctx, actor, line.sitting, candidate, accepted=accepted, note=told or choice.words.zh)
        else:
            sitting = open_sitting(session, actor, line.sitting)
            step = Step(registration_id, choice.action, reason if choice.reasons else None, told or None)
            done = move_reviews(session, ctx.clock, actor, sitting, [step])
            if done.refused:
                raise done.refused[registration_id]
        held.holder, held.draft, held.draft_by, held.drafted_at = None, None, None, None


def _asking(choice: Choice, facts: RegistrationFacts) -> Choice:
    """Who has a material or a comparison open is found eligible for a stated reason only (R3)."""
    if choice.action is ReviewAction.FIND_ELIGIBLE and facts.has_gaps:
        return replace(choice, reasons=DESPITE)
    return choice


def told_to_candidate(reason: str, note: str) -> str:
    """What stands on the candidate's page: the reason's text, then the note."""
    return " ".join(part for part in (REASONS[reason].text.zh if reason else "", note) if part)


def masked(id_no: str) -> str:
    """An ID number with its middle hidden; short ones wholly but for the last two characters."""
    if len(id_no) < 10:
        return "*" * max(0, len(id_no) - 2) + id_no[-2:]
    return id_no[:4] + "*" * (len(id_no) - 8) + id_no[-4:]
