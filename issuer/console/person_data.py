"""`/console/people/N/data`: a person's copy of their data, and erasure: proposed by one, decided by another."""

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from issuer.console.session import Visit, acts, looks
from issuer.errors import DomainError
from issuer.personal_data.erasing import (
    DECIDERS,
    PROPOSERS,
    READERS,
    decide_erasure,
    list_erasures,
    plan_erasure,
    propose_erasure,
)
from issuer.personal_data.export import EXPORTERS, export_person
from issuer.personal_data.wording import KEPT, KINDS, REASONS, STATES
from issuer.problems import status_of

router = APIRouter(prefix="/console", include_in_schema=False)

Looking = Annotated[Visit, looks(*READERS)]
Exporting = Annotated[Visit, acts(*EXPORTERS)]
Proposing = Annotated[Visit, acts(*PROPOSERS)]
Deciding = Annotated[Visit, acts(*DECIDERS)]
Text = Annotated[str, Form(max_length=2000)]


@router.get("/erasures")
def waiting(visit: Looking) -> HTMLResponse:
    """Erasures that wait for a decision, then the newest others."""
    rows = list_erasures(visit.ctx, visit.actor)
    rows.sort(key=lambda row: row.state != "proposed")
    return visit.render("erasures.html", rows=rows, kinds=KINDS, reasons=REASONS, states=STATES)


@router.get("/people/{person_id}/data")
def show(visit: Looking, person_id: int) -> HTMLResponse:
    """What may be erased today, what is kept until when and why, and what was asked before."""
    return _page(visit, person_id)


@router.post("/people/{person_id}/data/export")
def export(visit: Exporting, person_id: int, reason: Text = "") -> Response:
    """The zip; the export and its reason's digest are put on record."""
    try:
        made = export_person(visit.ctx, visit.actor, person_id, reason)
    except DomainError as refusal:
        return _page(visit, person_id, refusal)
    headers = {"Content-Disposition": f'attachment; filename="{made.name}"', "Cache-Control": "no-store"}
    return Response(made.content, media_type="application/zip", headers=headers)


@router.post("/people/{person_id}/data/erase")
def propose(
    visit: Proposing, person_id: int, reason: Annotated[str, Form(max_length=24)] = "", note: Text = ""
) -> Response:
    """Propose; somebody else decides."""
    try:
        propose_erasure(visit.ctx, visit.actor, person_id, reason, note)
    except DomainError as refusal:
        return _page(visit, person_id, refusal)
    return RedirectResponse(f"/console/people/{person_id}/data#erasures", 303)


@router.post("/people/{person_id}/data/decide")
def decide(
    visit: Deciding,
    person_id: int,
    erasure: Annotated[int, Form()],
    approve: Annotated[bool, Form()] = False,
    note: Text = "",
) -> Response:
    """Approve, which erases at once, or refuse."""
    try:
        decide_erasure(visit.ctx, visit.actor, erasure, approve=approve, note=note)
    except DomainError as refusal:
        return _page(visit, person_id, refusal)
    return RedirectResponse(f"/console/people/{person_id}/data#erasures", 303)


def _page(visit: Visit, person_id: int, refusal: DomainError | None = None) -> HTMLResponse:
    return visit.render(
        "person_data.html",
        status_of(refusal) if refusal else 200,
        plan=plan_erasure(visit.ctx, person_id),
        rows=list_erasures(visit.ctx, visit.actor, person_id=person_id),
        may_export=visit.may(*EXPORTERS),
        may_propose=visit.may(*PROPOSERS),
        may_decide=visit.may(*DECIDERS),
        kinds=KINDS,
        kept=KEPT,
        reasons=REASONS,
        states=STATES,
        refusal=refusal,
    )
