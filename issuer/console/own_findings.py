"""One's own newest findings, and taking one back that was recorded by mistake (R4)."""

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from issuer.console.session import Visit, acts, looks
from issuer.errors import DomainError
from issuer.problems import status_of
from issuer.review.service import Candidate, own_findings, take_back_finding
from issuer.review.sitting import REVIEWERS

router = APIRouter(prefix="/console", include_in_schema=False)

Looking = Annotated[Visit, looks(*REVIEWERS)]
Reviewing = Annotated[Visit, acts(*REVIEWERS)]
SHOWN = 50


@router.get("/findings")
def list_(visit: Looking, before: int | None = None) -> HTMLResponse:
    """What this account found, newest first, and which of it may still be taken back."""
    return _list(visit, before)


@router.post("/findings/take-back")
def take_back(
    visit: Reviewing,
    sitting: Annotated[str, Form(max_length=32)],
    registration: Annotated[int, Form(ge=1, le=2**53)],
    why: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    """Take one back, saying why."""
    try:
        take_back_finding(visit.ctx, visit.actor, sitting, Candidate(registration_id=registration), why=why)
    except DomainError as refusal:
        return _list(visit, None, refusal)
    return RedirectResponse("/console/findings", 303)


def _list(visit: Visit, before: int | None, refusal: DomainError | None = None) -> HTMLResponse:
    rows = own_findings(visit.ctx, visit.actor, before=before, limit=SHOWN)
    return visit.render(
        "findings.html",
        status_of(refusal) if refusal else 200,
        rows=rows,
        following=rows[-1].event_id if len(rows) == SHOWN else None,
        refusal=refusal,
    )
