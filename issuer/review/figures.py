"""A sitting in figures: from those who passed to those who hold a certificate that counts, and what fell and why."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from issuer.access.actor import Actor
from issuer.errors import Words
from issuer.ports import ServiceContext
from issuer.records.certificates import ECertificate, Invalidation
from issuer.records.paper import PaperCertificate
from issuer.records.people import Registration
from issuer.records.reviews import EligibilityReview
from issuer.review.sitting import READERS, limited_to_cities, open_sitting, within_reach
from issuer.rules.paper_states import ENDED
from issuer.rules.terms import ReviewOutcome


@dataclass(frozen=True, slots=True)
class Step:
    """One bar of the funnel: how many people came so far."""

    name: str
    words: Words
    tone: str
    count: int


@dataclass(frozen=True, slots=True)
class SittingFigures:
    """`funnel` from the widest to the narrowest; `fallen`: (ground, how many), the most frequent first."""

    funnel: tuple[Step, ...]
    fallen: tuple[tuple[str, int], ...]

    @property
    def widest(self) -> int:
        """The first bar, at least 1."""
        return max(1, *(step.count for step in self.funnel))


def sitting_figures(ctx: ServiceContext, actor: Actor, sitting_code: str) -> SittingFigures:
    """Within the reader's reach; raises NotFoundError, NotAllowedError (role, R1)."""
    review, certificate, paper = EligibilityReview, ECertificate, PaperCertificate
    live = (certificate.sitting_code == sitting_code, certificate.state == "published")
    sheet = (paper.sitting_code == sitting_code, paper.slot == "live", paper.state.not_in(sorted(ENDED)))

    def reached(query: Any, column: Any) -> Any:
        """Joined with registrations only where the reader sees some cities alone."""
        if not limited_to_cities(actor):
            return query
        return query.join(Registration, Registration.id == column).where(within_reach(actor))

    people = select(func.count()).select_from(review).where(review.sitting_code == sitting_code)
    ground = select(Invalidation.ground, func.count()).join(
        Registration, Registration.id == Invalidation.registration_id
    )
    ground = ground.where(
        Registration.sitting_code == sitting_code, Registration.void_since.is_not(None), within_reach(actor)
    ).where(Invalidation.kind == "invalidate", Invalidation.state == "applied")
    with ctx.database.read() as session:
        open_sitting(session, actor, sitting_code, READERS)

        def count(query: Any, column: Any) -> int:
            return session.scalar(reached(query, column)) or 0

        passed = count(people, review.registration_id)
        eligible = count(people.where(review.outcome == ReviewOutcome.ELIGIBLE), review.registration_id)
        electronic = count(select(func.count()).select_from(certificate).where(*live), certificate.registration_id)
        sheets = count(select(func.count()).select_from(paper).where(*sheet), paper.registration_id)
        gone = select(func.count()).select_from(certificate).where(*live, certificate.status != "valid")
        lost = count(gone, certificate.registration_id)
        fallen = session.execute(ground.group_by(Invalidation.ground).order_by(func.count().desc())).all()
    made = electronic + sheets
    return SittingFigures(
        (
            Step("passed", Words("成绩合格", "passed"), "none", passed),
            Step("eligible", Words("核查合格", "found eligible"), "good", eligible),
            Step("made", Words("已制发", "certificates made"), "good", made),
            Step("count", Words("现行有效", "valid now"), "good", made - lost),
        ),
        tuple((str(name), number) for name, number in fallen),
    )
