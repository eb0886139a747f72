"""Issuing from the console: the plan first, then a batch one can watch."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from issuer.api.batches import workbook_answer
from issuer.api.events import events
from issuer.console.session import Visit, acts, looks
from issuer.errors import DomainError
from issuer.issuance.batches import cancel_batch, pause_batch, resume_batch
from issuer.issuance.outcome import READERS as OUTCOME_READERS
from issuer.issuance.plan import IssuePlan
from issuer.issuance.queries import show_batch
from issuer.issuance.requests import (
    READERS,
    batch_progress,
    list_items,
    request_batch,
    request_retry,
    request_urgent,
)
from issuer.issuance.search import READERS as CERTIFICATE_READERS
from issuer.issuance.service import preview_issue
from issuer.long_work import Tell
from issuer.problems import status_of
from issuer.roster.overview import show_sitting
from issuer.rules.terms import Role

router = APIRouter(prefix="/console", include_in_schema=False)

Looking = Annotated[Visit, looks(*READERS)]
Planning = Annotated[Visit, looks(Role.AUTHORITY_ISSUER)]
Issuing = Annotated[Visit, acts(Role.AUTHORITY_ISSUER)]
Fetching = Annotated[Visit, looks(*OUTCOME_READERS)]
SHOWN = 100
FEW = 200
"""A plan for so many people is worked out while its page is made."""


@router.get("/sittings/{code}/issue")
def plan(visit: Planning, code: str) -> HTMLResponse:
    """What issuing would do now, and to whom the law does not allow it; beside the page for many."""
    return _plan(visit, code, None)


@router.post("/sittings/{code}/issue")
def issue(visit: Issuing, code: str, digest: Annotated[str, Form(max_length=64)]) -> Response:
    """Begin the batch that was looked at; refused when things have moved since."""
    try:
        number = request_batch(visit.ctx, visit.actor, code, digest)
    except DomainError as refusal:
        return _plan(visit, code, refusal)
    return RedirectResponse(f"/console/batches/{number}", 303)


@router.get("/batches/{number}")
def batch(visit: Looking, number: int) -> HTMLResponse:
    """How far a batch has come, and who was refused."""
    return _batch(visit, "batch.html", number)


@router.get("/batches/{number}/progress")
def progress(visit: Looking, number: int) -> HTMLResponse:
    """The part of the batch's page that is asked for again and again while it runs."""
    return _batch(visit, "batch_progress.html", number)


@router.get("/batches/{number}/events")
def stream(visit: Looking, number: int) -> Response:
    """The figures of a running batch, as they change."""
    return events(lambda: batch_progress(visit.ctx, visit.actor, number))


@router.get("/batches/{number}/outcome.xlsx")
def outcome(visit: Fetching, number: int) -> Response:
    """What became of each person."""
    return workbook_answer(visit.ctx, visit.actor, number)


@router.post("/batches/{number}/pause")
def pause(visit: Issuing, number: int) -> Response:
    """Hold before the next group."""
    return _act(visit, number, lambda: pause_batch(visit.ctx, visit.actor, number))


@router.post("/batches/{number}/resume")
def resume(visit: Issuing, number: int) -> Response:
    """Let it go on."""
    return _act(visit, number, lambda: resume_batch(visit.ctx, visit.actor, number))


@router.post("/batches/{number}/cancel")
def cancel(visit: Issuing, number: int) -> Response:
    """Stop before the next group; what is published stands."""
    return _act(visit, number, lambda: cancel_batch(visit.ctx, visit.actor, number))


@router.post("/batches/{number}/retry")
def retry(visit: Issuing, number: int) -> Response:
    """A new batch for those who got no certificate in this one, and nobody else."""
    return _act(visit, number, lambda: request_retry(visit.ctx, visit.actor, number))


@router.post("/batches/{number}/urgent")
def urgent(visit: Issuing, number: int, registration: Annotated[int, Form(ge=1, le=2**31 - 1)]) -> Response:
    """One person of this sitting, before all others."""
    sitting = show_batch(visit.ctx, visit.actor, number)["sitting"]
    return _act(visit, number, lambda: request_urgent(visit.ctx, visit.actor, sitting, registration))


def _act(visit: Visit, number: int, act: Callable[[], int | None]) -> Response:
    try:
        made = act()
    except DomainError as refusal:
        return _batch(visit, "batch.html", number, refusal)
    return RedirectResponse(f"/console/batches/{made or number}", 303)


def _plan(visit: Visit, code: str, refusal: DomainError | None) -> HTMLResponse:
    ctx, actor = visit.ctx, visit.actor
    people = show_sitting(ctx, actor, code).registrations

    def preview(tell: Tell) -> IssuePlan:
        return preview_issue(ctx, actor, code, tell)

    work = ctx.works.ask(actor.username, ("issue", code), preview, here=people <= FEW)
    return visit.render(
        "plan.html",
        status_of(refusal) if refusal else 200,
        code=code,
        work=work,
        plan=work.result() if work.finished else None,
        refusal=refusal,
        shown=SHOWN,
    )


def _batch(visit: Visit, template: str, number: int, refusal: DomainError | None = None) -> HTMLResponse:
    batch = show_batch(visit.ctx, visit.actor, number)
    return visit.render(
        template,
        status_of(refusal) if refusal else 200,
        batch=batch,
        refusal=refusal,
        shown=SHOWN,
        created_at=datetime.fromisoformat(batch["created_at"]),
        refused=list_items(visit.ctx, visit.actor, number, result="refused", limit=SHOWN),
        may_list=visit.may(*CERTIFICATE_READERS),
        may_act=visit.may(Role.AUTHORITY_ISSUER),
        may_fetch=visit.may(*OUTCOME_READERS),
    )
