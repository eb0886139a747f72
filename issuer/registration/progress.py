"""How the facts of a sitting stand altogether, and who still owes what."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import record_event
from issuer.errors import NotFoundError, Words
from issuer.ports import ServiceContext
from issuer.records.people import Registration
from issuer.records.registration import CommitmentAcceptance, ComparisonResultRow, ComparisonRun, Material
from issuer.records.reviews import EligibilityReview
from issuer.records.sittings import Sitting
from issuer.registration.commitments import TextView, text_for
from issuer.registration.dossier import Dossier, load_dossiers
from issuer.registration.view import RegistrationFacts, facts_of
from issuer.review.sitting import READERS, OpenSitting, open_sitting, within_reach
from issuer.rules.comparison import FactItem
from issuer.rules.queues import CaseKind, CaseState, is_open
from issuer.rules.terms import Role

VIEWERS = (*READERS, Role.OPERATOR)
CHUNK = 2000
RUNS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class RunView:
    """One answer of a source."""

    id: int
    source: str
    version: str
    compared_at: datetime
    actor: str
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class FactsProgress:
    """Counts within the reader's reach. `outcomes`: item → outcome → people, of the answers that hold."""

    sitting: str
    programme: str
    programme_name: str
    items: tuple[FactItem, ...]
    people: int
    promised: int
    outcomes: dict[str, dict[str, int]]
    materials: dict[str, int]
    runs: tuple[RunView, ...]
    text: TextView | None

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "sitting": self.sitting,
            "items": [item.value for item in self.items],
            "people": self.people,
            "promised": self.promised,
            "outcomes": self.outcomes,
            "materials": self.materials,
            "runs": [
                {
                    "id": run.id,
                    "source": run.source,
                    "version": run.version,
                    "compared_at": run.compared_at.isoformat(),
                    "counts": run.counts,
                }
                for run in self.runs
            ],
        }


@dataclass(frozen=True, slots=True)
class Owing:
    """Somebody whose review is open and who still owes a material, or waits for a comparison."""

    registration_id: int
    admission_no: str
    city: str
    missing: tuple[str, ...]
    due_on: date | None
    waiting: tuple[str, ...]


def facts_progress(ctx: ServiceContext, actor: Actor, sitting_code: str) -> FactsProgress:
    """The counts. Raises NotFoundError, NotAllowedError (role, R1)."""
    with ctx.database.read() as session:
        sitting = open_sitting(session, actor, sitting_code, VIEWERS)
        reach = (Registration.sitting_code == sitting_code, within_reach(actor))
        people = session.scalar(select(func.count(Registration.id)).where(*reach)) or 0
        promised = session.scalar(
            select(func.count(CommitmentAcceptance.id))
            .join(Registration, Registration.id == CommitmentAcceptance.registration_id)
            .where(*reach, CommitmentAcceptance.withdrawn_at.is_(None))
        )
        outcomes: dict[str, dict[str, int]] = {}
        counted = session.execute(
            select(ComparisonResultRow.item, ComparisonResultRow.outcome, func.count())
            .join(Registration, Registration.id == ComparisonResultRow.registration_id)
            .where(*reach, ComparisonResultRow.superseded_by.is_(None))
            .group_by(ComparisonResultRow.item, ComparisonResultRow.outcome)
        )
        for item, outcome, count in counted:
            outcomes.setdefault(item, {})[outcome] = count
        materials = session.execute(
            select(Material.state, func.count())
            .join(Registration, Registration.id == Material.registration_id)
            .where(*reach)
            .group_by(Material.state)
        )
        runs = session.scalars(
            select(ComparisonRun)
            .where(ComparisonRun.sitting_code == sitting_code)
            .order_by(ComparisonRun.id.desc())
            .limit(RUNS_SHOWN)
        )
        return FactsProgress(
            sitting=sitting_code,
            programme=sitting.programme_code,
            programme_name=sitting.programme_name,
            items=sitting.policy.comparison_items,
            people=people,
            promised=promised or 0,
            outcomes=outcomes,
            materials={row[0]: row[1] for row in materials},
            runs=tuple(
                RunView(row.id, row.source, row.source_version, row.compared_at, row.actor, dict(row.counts))
                for row in runs
            ),
            text=text_for(session, sitting.programme_code, ctx.clock.today()),
        )


def who_owes(ctx: ServiceContext, actor: Actor, sitting_code: str, *, limit: int = 200) -> list[Owing]:
    """Those with an open review who owe a material or wait for a comparison, by admission number, at most `limit`.

    Raises NotFoundError, NotAllowedError (role, R1).
    """
    found: list[Owing] = []
    with ctx.database.read() as session:
        sitting = open_sitting(session, actor, sitting_code, VIEWERS)
        if not sitting.policy.comparison_items:
            return found
        for row, dossier in _open_dossiers(session, actor, sitting, ctx.clock.today()):
            if dossier.missing or dossier.waiting:
                found.append(
                    Owing(
                        registration_id=row.id,
                        admission_no=row.admission_no,
                        city=row.city,
                        missing=tuple(each.kind.value for each in dossier.missing),
                        due_on=min((each.due_on for each in dossier.missing), default=None),
                        waiting=tuple(item.value for item in dossier.waiting),
                    )
                )
                if len(found) >= limit:
                    return found
    return found


def show_facts(ctx: ServiceContext, actor: Actor, registration_id: int) -> RegistrationFacts:
    """One registration's facts for staff; the look is recorded. Raises NotFoundError, NotAllowedError (role, R1)."""
    actor.require(*READERS)
    with ctx.database.write() as session:
        registration = session.get(Registration, registration_id)
        if registration is None:
            raise NotFoundError("registration-unknown", Words("没有这个报名。", "There is no such registration."))
        sitting = session.get_one(Sitting, registration.sitting_code)
        actor.require_programme(sitting.programme_code, registration.city)
        facts = facts_of(session, registration, ctx.clock.today())
        subject = f"registration:{registration_id}"
        record_event(session, ctx.clock, actor, "person.look", subject, details={"page": "facts"})
        return facts


def registration_of(ctx: ServiceContext, actor: Actor, sitting_code: str, admission_no: str) -> int:
    """The registration behind an admission number. Raises NotFoundError, NotAllowedError (role, R1)."""
    with ctx.database.read() as session:
        open_sitting(session, actor, sitting_code, READERS)
        number = session.scalar(
            select(Registration.id).where(
                Registration.sitting_code == sitting_code,
                Registration.admission_no == admission_no.strip().upper(),
                within_reach(actor),
            )
        )
    if number is None:
        raise NotFoundError(
            "registration-unknown", Words("本考次没有这个准考证号。", "No such admission number in this sitting.")
        )
    return number


def _open_dossiers(
    session: Session, actor: Actor, sitting: OpenSitting, today: date
) -> Iterator[tuple[Any, Dossier]]:
    rows = [
        row
        for row in session.execute(
            select(Registration.id, Registration.admission_no, Registration.city, EligibilityReview.outcome)
            .join(EligibilityReview, EligibilityReview.registration_id == Registration.id)
            .where(Registration.sitting_code == sitting.code, Registration.void_since.is_(None), within_reach(actor))
            .order_by(Registration.admission_no)
        )
        if is_open(CaseState(CaseKind.REVIEW, row.outcome))
    ]
    for start in range(0, len(rows), CHUNK):
        part = rows[start : start + CHUNK]
        dossiers = load_dossiers(session, sitting, [row.id for row in part], today)
        yield from ((row, dossiers[row.id]) for row in part)
