"""Issuing from the console: the plan first, then a batch one can watch."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from issuer.console.session import Visit, acts, looks
from issuer.errors import DomainError
from issuer.issuance.batches import cancel_batch
from issuer.issuance.plan import IssuePlan
from issuer.issuance.queries import show_batch
from issuer.issuance.requests import READERS, list_items, request_batch
from issuer.issuance.search import READERS as CERTIFICATE_READERS
from issuer.issuance.service import preview_issue
from issuer.problems import status_of
from issuer.rules.terms import Role

router = APIRouter(prefix="/console", include_in_schema=False)

Looking = Annotated[Visit, looks(*READERS)]
Planning = Annotated[Visit, looks(Role.AUTHORITY_ISSUER)]
Issuing = Annotated[Visit, acts(Role.AUTHORITY_ISSUER)]
SHOWN = 200


@router.get("/sittings/{code}/issue")
def plan(visit: Planning, code: str) -> HTMLResponse:
    """What issuing would do now, and to whom the law does not allow it."""
    return _plan(visit, preview_issue(visit.ctx, visit.actor, code), None)


@router.post("/sittings/{code}/issue")
def issue(visit: Issuing, code: str, digest: Annotated[str, Form(max_length=64)]) -> Response:
    """Begin the batch that was looked at; refused when things have moved since."""
    try:
        number = request_batch(visit.ctx, visit.actor, code, digest)
    except DomainError as refusal:
        return _plan(visit, preview_issue(visit.ctx, visit.actor, code), refusal)
    return RedirectResponse(f"/console/batches/{number}", 303)


@router.get("/batches/{number}")
def batch(visit: Looking, number: int) -> HTMLResponse:
    """How far a batch has come, and who was refused."""
    return _batch(visit, "batch.html", number)


@router.get("/batches/{number}/progress")
def progress(visit: Looking, number: int) -> HTMLResponse:
    """The part of the batch's page that is asked for again and again while it runs."""
    return _batch(visit, "batch_progress.html", number)


@router.post("/batches/{number}/cancel")
def cancel(visit: Issuing, number: int) -> Response:
    """Stop before the next group; what is published stands."""
    cancel_batch(visit.ctx, visit.actor, number)
    return RedirectResponse(f"/console/batches/{number}", 303)


def _plan(visit: Visit, found: IssuePlan, refusal: DomainError | None) -> HTMLResponse:
    return visit.render("plan.html", status_of(refusal) if refusal else 200, plan=found, refusal=refusal, shown=SHOWN)


def _batch(visit: Visit, template: str, number: int) -> HTMLResponse:
    batch = show_batch(visit.ctx, visit.actor, number)
    return visit.render(
        template,
        batch=batch,
        created_at=datetime.fromisoformat(batch["created_at"]),
        refused=list_items(visit.ctx, visit.actor, number, result="refused", limit=SHOWN),
        may_list=visit.may(*CERTIFICATE_READERS),
        may_stop=visit.may(Role.AUTHORITY_ISSUER),
    )
