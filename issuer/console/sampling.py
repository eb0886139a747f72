"""Random samples and targeted checks of a sitting: seed, draw, who was picked, what was found (R15)."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Form, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from issuer.console.session import Visit, acts, looks
from issuer.errors import DomainError
from issuer.problems import status_of
from issuer.queues.pack import MAKERS, MOST_SAMPLED
from issuer.review import sampling
from issuer.review.sampling import CHECKING, RESULTS, SUPERVISING
from issuer.review.sitting import READERS
from issuer.roster.overview import show_sitting

router = APIRouter(prefix="/console/samples", include_in_schema=False)

Looking = Annotated[Visit, looks(*READERS)]
Supervising = Annotated[Visit, acts(*SUPERVISING)]
Checking = Annotated[Visit, acts(*CHECKING)]
Text = Annotated[str, Form(max_length=4000)]
SHOWN = 50


@router.get("/{code}")
def show(visit: Looking, code: str, after: Annotated[int | None, Query(ge=1)] = None) -> HTMLResponse:
    """The sitting's seeds and everybody picked, the open ones first."""
    return _page(visit, code, after=after)


@router.post("/{code}/seed")
def seed(visit: Supervising, code: str, per_mille: Annotated[int, Form()]) -> Response:
    """Publish the seed."""
    return _act(visit, code, lambda: sampling.fix_seed(visit.ctx, visit.actor, code, per_mille))


@router.post("/{code}/draw")
def draw(visit: Supervising, code: str) -> Response:
    """Draw with it."""
    return _act(visit, code, lambda: sampling.draw_sample(visit.ctx, visit.actor, code))


@router.post("/{code}/targets")
def target(
    visit: Supervising, code: str, admission_no: Annotated[str, Form(max_length=40)], reason: Text
) -> Response:
    """Pick one for a reason."""
    return _act(visit, code, lambda: sampling.target_check(visit.ctx, visit.actor, code, admission_no, reason))


@router.post("/{code}/checks/{number}")
def record(
    visit: Checking, code: str, number: int, note: Text, result: Annotated[str, Form(max_length=16)]
) -> Response:
    """Write down what a check found."""
    return _act(visit, code, lambda: sampling.record_result(visit.ctx, visit.actor, number, result, note))


def _act(visit: Visit, code: str, act: Callable[[], object]) -> Response:
    try:
        act()
    except DomainError as refusal:
        return _page(visit, code, refusal)
    return RedirectResponse(f"/console/samples/{code}", 303)


def _page(visit: Visit, code: str, refusal: DomainError | None = None, after: int | None = None) -> HTMLResponse:
    checks = sampling.list_checks(visit.ctx, visit.actor, code, after=after, limit=SHOWN)
    seeds = sampling.samplings_of(visit.ctx, visit.actor, code)
    return visit.render(
        "samples.html",
        status_of(refusal) if refusal else 200,
        sitting=show_sitting(visit.ctx, visit.actor, code),
        seeds=seeds,
        waiting=next((one for one in seeds if one.population is None), None),
        checks=checks,
        following=checks[-1].id if len(checks) == SHOWN else None,
        results=RESULTS,
        may_supervise=visit.may(*SUPERVISING),
        may_check=visit.may(*CHECKING),
        may_pack=visit.may(*MAKERS),
        most_packed=MOST_SAMPLED,
        refusal=refusal,
    )
