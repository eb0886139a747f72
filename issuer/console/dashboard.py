"""The first page: what runs, what is due, what waits for a decision."""

from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from issuer.console.session import Visit, looks
from issuer.invalidation.overview import READERS as CASE_READERS
from issuer.invalidation.overview import list_cases
from issuer.issuance.queries import list_corrections
from issuer.review.progress import SittingProgress, sitting_progress
from issuer.review.sitting import READERS as REVIEW_READERS
from issuer.roster.definition import DEFINERS
from issuer.roster.overview import list_sittings
from issuer.rules.terms import ReviewOutcome, Role

router = APIRouter(prefix="/console", include_in_schema=False)

Anybody = Annotated[Visit, looks(*Role)]
SHOWN = 20

TONES = {
    ReviewOutcome.ELIGIBLE: "good",
    ReviewOutcome.AWAITING: "none",
    ReviewOutcome.CONDITIONS_PENDING: "caution",
    ReviewOutcome.DEFENCE_OPEN: "caution",
    ReviewOutcome.INELIGIBLE: "bad",
    ReviewOutcome.DEEMED_WAIVED: "bad",
}


@router.get("/")
def dashboard(visit: Anybody) -> HTMLResponse:
    """Sittings with their numbers, the next deadlines, cases that wait."""
    ctx, actor = visit.ctx, visit.actor
    sittings = list_sittings(ctx, actor, limit=SHOWN)
    progress: dict[str, SittingProgress] = {}
    if visit.may(*REVIEW_READERS):
        progress = {sitting.code: sitting_progress(ctx, actor, sitting.code) for sitting in sittings}
    due = sorted(
        (
            (found.next_deadline, sitting)
            for sitting in sittings
            if (found := progress.get(sitting.code)) and found.next_deadline
        ),
        key=lambda pair: pair[0].last_day,
    )
    waiting = list_cases(ctx, actor, state="proposed", limit=SHOWN) if visit.may(*CASE_READERS) else []
    may_decide = visit.may(Role.AUTHORITY_APPROVER)
    corrections = (
        list_corrections(ctx, actor, "proposed") if visit.may(Role.AUTHORITY_ISSUER, Role.AUTHORITY_APPROVER) else []
    )
    return visit.render(
        "dashboard.html",
        sittings=sittings,
        bars={code: bar(found) for code, found in progress.items()},
        progress=progress,
        due=due[:5],
        waiting=waiting,
        corrections=corrections,
        may_decide=may_decide,
        may_define=visit.may(*DEFINERS),
    )


def bar(progress: SittingProgress) -> list[tuple[str, str, int]]:
    """(outcome, tone, how many) in a fixed order, for a bar of all reviews of a sitting."""
    counts = dict.fromkeys(TONES, 0)
    for (_, outcome), count in progress.counts.items():
        counts[outcome] += count
    return [(outcome.value, TONES[outcome], count) for outcome, count in counts.items() if count]
