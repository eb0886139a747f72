"""Cases against people without an electronic certificate: found by number or seat, planned, proposed (R9, R10)."""

from typing import Annotated

from fastapi import APIRouter, Form, Path
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from issuer.console.cases import list_page
from issuer.console.proposing import Basis, Proposed, propose
from issuer.console.session import Visit, acts, looks
from issuer.errors import DomainError
from issuer.invalidation import service
from issuer.invalidation.grounds import parse_ground
from issuer.invalidation.overview import READERS, plan_invalidation
from issuer.invalidation.service import PROPOSERS
from issuer.invalidation.subject import named
from issuer.invalidation.subject_page import show_subject
from issuer.problems import status_of
from issuer.rules.terms import InvalidationGround

router = APIRouter(prefix="/console/cases", include_in_schema=False)

Looking = Annotated[Visit, looks(*READERS)]
Finding = Annotated[Visit, acts(*READERS)]
Proposing = Annotated[Visit, acts(*PROPOSERS)]
RowNumber = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.post("/search")
def find(
    visit: Finding,
    management_no: Annotated[str, Form(max_length=40)] = "",
    sitting: Annotated[str, Form(max_length=40)] = "",
    admission_no: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """By number or seat to the page of the registration, or of the electronic certificate. Never by address."""
    try:
        reference = named(management_no.strip() or None, sitting.strip() or None, admission_no.strip() or None)
        found = show_subject(visit.ctx, visit.actor, reference)
    except DomainError as refusal:
        return list_page(visit, refusal=refusal)
    if found.about == "certificate":
        return RedirectResponse(f"/console/certificates/{found.management_no}", 303)
    return RedirectResponse(f"/console/cases/about/{found.registration_id}", 303)


@router.get("/about/{registration_id}")
def show(visit: Looking, registration_id: RowNumber, ground: str = "") -> HTMLResponse:
    """The registration, its cases, what an invalidation would touch, and what may be proposed."""
    return _page(visit, registration_id, ground)


@router.post("/about/{registration_id}/invalidate")
def invalidate(
    visit: Proposing,
    registration_id: RowNumber,
    proposed: Proposed,
) -> Response:
    """Propose; somebody else decides."""
    try:
        case = propose(visit, registration_id, proposed)
    except DomainError as refusal:
        return _page(visit, registration_id, proposed.ground, refusal, proposed.basis)
    return RedirectResponse(f"/console/cases/{case}", 303)


@router.post("/about/{registration_id}/reinstate")
def reinstate(visit: Proposing, registration_id: RowNumber, basis: Basis) -> Response:
    """Propose to reinstate after an appeal; somebody else decides."""
    try:
        case = service.overturn(visit.ctx, visit.actor, registration_id, basis)
    except DomainError as refusal:
        return _page(visit, registration_id, "", refusal)
    return RedirectResponse(f"/console/cases/{case}", 303)


def _page(
    visit: Visit, registration_id: int, ground: str = "", refusal: DomainError | None = None, basis: str = ""
) -> HTMLResponse:
    subject = show_subject(visit.ctx, visit.actor, registration_id)
    chosen = parse_ground(ground) if ground in {each.value for each in InvalidationGround} else None
    may_propose = visit.may(*PROPOSERS) and subject.open_case is None
    standing = subject.void_since is None
    plan = plan_invalidation(visit.ctx, visit.actor, registration_id, chosen) if chosen and standing else None
    return visit.render(
        "case_subject.html",
        status_of(refusal) if refusal else 200,
        subject=subject,
        grounds=list(InvalidationGround),
        plan=plan if may_propose else None,
        may_propose=may_propose,
        basis=basis,
        refusal=refusal,
    )
