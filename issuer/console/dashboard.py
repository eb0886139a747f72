"""The first page: what runs, what is due, what waits for a decision."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from issuer.console.session import Visit, looks
from issuer.invalidation.overview import READERS as CASE_READERS
from issuer.invalidation.overview import list_cases
from issuer.issuance.queries import list_corrections
from issuer.personal_data.stock_take import READERS as STOCK_READERS
from issuer.personal_data.stock_take import count_findings
from issuer.queues.reading import READERS as QUEUE_READERS
from issuer.queues.reading import list_queues
from issuer.queues.wording import TITLES
from issuer.review.late import late_items
from issuer.review.progress import SittingProgress, progress_of_sittings
from issuer.review.sitting import READERS as REVIEW_READERS
from issuer.roster.definition import DEFINERS
from issuer.roster.overview import list_sittings
from issuer.rules.terms import ReviewOutcome, Role
from issuer.sharing.undelivered import READERS as MESSAGE_READERS
from issuer.sharing.undelivered import count_given_up

router = APIRouter(prefix="/console", include_in_schema=False)

Anybody = Annotated[Visit, looks(*Role)]
SHOWN, WAITING = 8, 20
"""Sittings, and cases that wait, on one page."""

TONES = {
    ReviewOutcome.ELIGIBLE: "good",
    ReviewOutcome.AWAITING: "none",
    ReviewOutcome.CONDITIONS_PENDING: "caution",
    ReviewOutcome.DEFENCE_OPEN: "caution",
    ReviewOutcome.INELIGIBLE: "bad",
    ReviewOutcome.DEEMED_WAIVED: "bad",
}


@router.get("/")
def dashboard(visit: Anybody, before: Annotated[str | None, Query(max_length=32)] = None) -> HTMLResponse:
    """Sittings with their numbers (`before`: the earlier ones), the next deadlines, cases that wait."""
    ctx, actor = visit.ctx, visit.actor
    sittings = list_sittings(ctx, actor, before=before, limit=SHOWN)
    progress: dict[str, SittingProgress] = {}
    if visit.may(*REVIEW_READERS):
        progress = progress_of_sittings(ctx, actor, [sitting.code for sitting in sittings])
    due = sorted(
        (
            (found.next_deadline, sitting)
            for sitting in sittings
            if (found := progress.get(sitting.code)) and found.next_deadline
        ),
        key=lambda pair: pair[0].last_day,
    )
    waiting = list_cases(ctx, actor, state="proposed", limit=WAITING) if visit.may(*CASE_READERS) else []
    may_decide = visit.may(Role.AUTHORITY_APPROVER)
    corrections = (
        list_corrections(ctx, actor, "proposed", limit=WAITING)
        if visit.may(Role.AUTHORITY_ISSUER, Role.AUTHORITY_APPROVER)
        else []
    )
    return visit.render(
        "dashboard.html",
        sittings=sittings,
        following=sittings[-1].code if len(sittings) == SHOWN else None,
        bars={code: bar(found) for code, found in progress.items()},
        progress=progress,
        due=due[:5],
        late=sum(item.last_day is not None for item in late_items(ctx, actor)) if visit.may(*REVIEW_READERS) else 0,
        undelivered=count_given_up(ctx, actor) if visit.may(*MESSAGE_READERS) else 0,
        waiting=waiting,
        corrections=corrections,
        found=_findings(visit),
        queues=list_queues(ctx, actor) if visit.may(*QUEUE_READERS) else [],
        titles=TITLES,
        may_decide=may_decide,
        may_define=visit.may(*DEFINERS),
    )


def _findings(visit: Visit) -> int:
    if not visit.may(*STOCK_READERS):
        return 0
    with visit.ctx.database.read() as session:
        return count_findings(session)


def bar(progress: SittingProgress) -> list[tuple[str, str, int]]:
    """(outcome, tone, how many) in a fixed order, for a bar of all reviews of a sitting."""
    counts = dict.fromkeys(TONES, 0)
    for (_, outcome), count in progress.counts.items():
        counts[outcome] += count
    return [(outcome.value, TONES[outcome], count) for outcome, count in counts.items() if count]
