"""Requests for paper replacement: taken in at the counter, refused with the clause, ended."""

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from issuer.console.session import Visit, acts, looks
from issuer.errors import DomainError
from issuer.paper.requests import READERS, list_replacements
from issuer.paper.service import CLERKS, close_replacement, request_replacement
from issuer.problems import status_of

router = APIRouter(prefix="/console/paper", include_in_schema=False)

Looking = Annotated[Visit, looks(*READERS)]
Clerk = Annotated[Visit, acts(*CLERKS)]
SHOWN = 50


@router.get("")
def list_(visit: Looking, before: int | None = None) -> HTMLResponse:
    """Requests newest first, refused ones too."""
    return _list(visit, before)


@router.post("")
def request(
    visit: Clerk,
    reason: Annotated[str, Form(max_length=600)] = "",
    management_no: Annotated[str, Form(max_length=40)] = "",
    sitting: Annotated[str, Form(max_length=32)] = "",
    admission_no: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """Take in a request; refused with clause R14 once an e-certificate was made."""
    try:
        request_replacement(
            visit.ctx,
            visit.actor,
            reason=reason,
            management_no=management_no.strip() or None,
            sitting_code=sitting.strip() or None,
            admission_no=admission_no.strip() or None,
        )
    except DomainError as refusal:
        return _list(visit, refusal=refusal)
    return RedirectResponse("/console/paper", 303)


@router.post("/{request_id}/{state}")
def close(visit: Clerk, request_id: int, state: str) -> Response:
    """End a request: fulfilled or withdrawn."""
    try:
        close_replacement(visit.ctx, visit.actor, request_id, state)
    except DomainError as refusal:
        return _list(visit, refusal=refusal)
    return RedirectResponse("/console/paper", 303)


def _list(visit: Visit, before: int | None = None, refusal: DomainError | None = None) -> HTMLResponse:
    rows = list_replacements(visit.ctx, visit.actor, before=before, limit=SHOWN)
    return visit.render(
        "paper.html",
        status_of(refusal) if refusal else 200,
        rows=rows,
        following=rows[-1].id if len(rows) == SHOWN else None,
        may_request=visit.may(*CLERKS),
        refusal=refusal,
    )
