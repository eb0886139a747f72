"""What is known of registrations when the law is asked whether a certificate may be made."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from issuer.errors import NotFoundError, Words
from issuer.invalidation.running_records import facts_of
from issuer.records.certificates import ECertificate
from issuer.records.holdings import qualification_key
from issuer.records.people import Person, Registration, Score
from issuer.records.reviews import EligibilityReview, Objection
from issuer.records.sittings import Programme, Sitting
from issuer.records.suspensions import suspended_registrations
from issuer.rules.eligibility import IssueFacts, ScoreFact, may_issue
from issuer.rules.misconduct import RecordFacts, require_no_record
from issuer.rules.notice import PublicNotice
from issuer.rules.suspension import require_not_suspended
from issuer.rules.terms import Medium, ReviewOutcome


@dataclass(frozen=True, slots=True)
class Examination:
    """A sitting with its programme."""

    sitting: Sitting
    programme: Programme

    @property
    def notice(self) -> PublicNotice:
        """The public notice of the sitting (R5)."""
        return PublicNotice(self.sitting.notice_opens_on, self.sitting.notice_closes_on)


@dataclass(frozen=True, slots=True)
class Case:
    """One registration as it stands in this unit of work. `open_certificate` is pending or live, or None."""

    registration: Registration
    person: Person
    outcome: ReviewOutcome
    review_version: int
    scores: tuple[ScoreFact, ...]
    open_objections: int
    qualification: str
    open_certificate: ECertificate | None
    misconduct: tuple[RecordFacts, ...] = ()
    """The person's misconduct records (R10)."""
    suspended: str | None = None
    """Clause of the case that holds this registration back (R9, R10)."""

    def require_issuable(self, examination: Examination, today: date, *, own_certificate: bool = False) -> None:
        """Return if the law allows issue today; raise RuleViolation.

        `own_certificate`: the open certificate is the very one that is being made, so it is no obstacle.
        """
        facts = IssueFacts(
            medium=Medium(examination.programme.medium),
            outcome=self.outcome,
            notice=examination.notice,
            approved_on=examination.sitting.approved_on,
            scores=self.scores,
            open_objections=self.open_objections,
            registration_void=self.registration.void_since is not None,
            live_certificate=self.open_certificate is not None and not own_certificate,
        )
        may_issue(facts, today)
        if not own_certificate:  # what is being made, or corrected, was looked at when it was begun
            require_no_record(self.misconduct, today)
            require_not_suspended(self.suspended)


def load_examination(session: Session, sitting_code: str) -> Examination:
    """The sitting and its programme; raises NotFoundError."""
    sitting = session.get(Sitting, sitting_code)
    if sitting is None:
        raise NotFoundError(
            "sitting-unknown",
            Words("没有这个考试批次。", "There is no such sitting."),
            remedy=Words("用 `ecert sitting list` 查看。", "See `ecert sitting list`."),
        )
    return Examination(sitting, session.get_one(Programme, sitting.programme_code))


def candidates(session: Session, sitting_code: str) -> list[int]:
    """Registrations of everybody whose review was opened (R4: all who passed), by id."""
    statement = (
        select(EligibilityReview.registration_id)
        .where(EligibilityReview.sitting_code == sitting_code)
        .order_by(EligibilityReview.registration_id)
    )
    return list(session.scalars(statement))


def load_cases(
    session: Session, examination: Examination, registration_ids: Sequence[int], *, lock: bool = False
) -> list[Case]:
    """The cases of these registrations, in order of id.

    `lock`: keep reviews from changing until the unit of work ends (PostgreSQL; on SQLite a writer is alone).
    """
    ids = sorted(registration_ids)
    reviews_query = select(EligibilityReview).where(EligibilityReview.registration_id.in_(ids))
    if lock:
        reviews_query = reviews_query.order_by(EligibilityReview.registration_id).with_for_update()
    reviews = {review.registration_id: review for review in session.scalars(reviews_query)}
    people = session.execute(
        select(Registration, Person)
        .join(Person, Registration.person_id == Person.id)
        .where(Registration.id.in_(ids))
        .order_by(Registration.id)
    ).all()
    scores: dict[int, list[ScoreFact]] = defaultdict(list)
    for number, passed, void_since in session.execute(
        select(Score.registration_id, Score.passed, Score.void_since).where(Score.registration_id.in_(ids))
    ):
        scores[number].append(ScoreFact(passed=passed, void=void_since is not None))
    objections = dict(
        session.execute(
            select(Objection.registration_id, func.count())
            .where(Objection.registration_id.in_(ids), Objection.resolved_at.is_(None))
            .group_by(Objection.registration_id)
        ).all()
    )
    certificates = {
        (certificate.person_id, certificate.qualification): certificate
        for certificate in session.scalars(
            select(ECertificate).where(
                ECertificate.person_id.in_([person.id for _, person in people]),
                ECertificate.slot.in_(("pending", "live")),
                ECertificate.supersedes_id.is_(None) | (ECertificate.slot == "live"),
            )
        )
    }
    records = facts_of(session, [registration for registration, _ in people])
    suspended = suspended_registrations(session, ids)
    cases = []
    for registration, person in people:
        review = reviews.get(registration.id)
        key = qualification_of(examination, registration)
        cases.append(
            Case(
                registration=registration,
                person=person,
                outcome=ReviewOutcome(review.outcome) if review else ReviewOutcome.AWAITING,
                review_version=review.version if review else 0,
                scores=tuple(scores[registration.id]),
                open_objections=objections.get(registration.id, 0),
                qualification=key,
                open_certificate=certificates.get((person.id, key)),
                misconduct=records.get(registration.id, ()),
                suspended=suspended.get(registration.id),
            )
        )
    return cases


def qualification_of(examination: Examination, registration: Registration) -> str:
    """The key of the one qualification this registration can lead to."""
    level = registration.level or examination.programme.level
    return qualification_key(examination.programme.code, level, registration.specialty, examination.sitting.code)
