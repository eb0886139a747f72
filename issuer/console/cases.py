"""Cases and corrections: what waits for a second person, and deciding it."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from issuer.console.session import Visit, acts, looks
from issuer.errors import DomainError
from issuer.invalidation import service
from issuer.invalidation.misconduct import READERS as RECORD_READERS
from issuer.invalidation.overview import READERS, STATES, list_cases, plan_invalidation, show_case
from issuer.invalidation.people import possible_approvers
from issuer.issuance.queries import list_corrections
from issuer.issuance.supersede import approve_supersession, refuse_supersession
from issuer.problems import status_of
from issuer.rules.terms import Role

router = APIRouter(prefix="/console", include_in_schema=False)

CORRECTORS = (Role.AUTHORITY_ISSUER, Role.AUTHORITY_APPROVER)
Looking = Annotated[Visit, looks(*READERS)]
Approving = Annotated[Visit, acts(Role.AUTHORITY_APPROVER)]
Proposing = Annotated[Visit, acts(Role.AUTHORITY_ISSUER, Role.REVIEW_BODY)]
Closing = Annotated[Visit, acts(*CORRECTORS)]
Note = Annotated[str, Form(max_length=4000)]
SHOWN = 50
CORRECTIONS = 30


@router.get("/cases")
def list_(visit: Looking, state: str | None = None, before: int | None = None) -> HTMLResponse:
    """Cases newest first, and corrections of names."""
    return list_page(visit, state or None, before)


@router.get("/cases/{case_id}")
def show(visit: Looking, case_id: int) -> HTMLResponse:
    """One case, and what this account may do with it."""
    return _case(visit, case_id)


@router.post("/cases/{case_id}/approve")
def approve(visit: Approving, case_id: int) -> Response:
    """Approve; when this answers, every way of checking shows it."""
    return _decide(visit, case_id, lambda: service.approve(visit.ctx, visit.actor, case_id))


@router.post("/cases/{case_id}/reject")
def reject(visit: Approving, case_id: int, note: Note = "") -> Response:
    """Refuse, saying why."""
    return _decide(visit, case_id, lambda: service.reject(visit.ctx, visit.actor, case_id, note))


@router.post("/cases/{case_id}/withdraw")
def withdraw(visit: Proposing, case_id: int, note: Note = "") -> Response:
    """Take one's own proposal back, saying why."""
    return _decide(visit, case_id, lambda: service.withdraw(visit.ctx, visit.actor, case_id, note))


@router.post("/corrections/{correction_id}/approve")
def approve_correction(visit: Approving, correction_id: int) -> Response:
    """Approve a corrected name; the new certificate is made and published before this answers."""
    try:
        number = approve_supersession(visit.ctx, visit.actor, correction_id)
    except DomainError as refusal:
        return list_page(visit, refusal=refusal)
    return RedirectResponse(f"/console/certificates/{number}", 303)


@router.post("/corrections/{correction_id}/refuse")
def refuse_correction(visit: Closing, correction_id: int) -> Response:
    """Reject, or withdraw one's own."""
    try:
        refuse_supersession(visit.ctx, visit.actor, correction_id)
    except DomainError as refusal:
        return list_page(visit, refusal=refusal)
    return RedirectResponse("/console/cases#corrections", 303)


def list_page(
    visit: Visit, state: str | None = None, before: int | None = None, refusal: DomainError | None = None
) -> HTMLResponse:
    """The list of cases, with the corrections for whoever may see them, and the form that finds a person."""
    rows = list_cases(visit.ctx, visit.actor, state=state, before=before, limit=SHOWN)
    may_see = visit.may(*CORRECTORS, Role.AUDITOR)
    return visit.render(
        "cases.html",
        status_of(refusal) if refusal else 200,
        rows=rows,
        state=state or "",
        states=STATES,
        following=rows[-1].id if len(rows) == SHOWN else None,
        corrections=list_corrections(visit.ctx, visit.actor, limit=CORRECTIONS) if may_see else [],
        may_approve=visit.may(Role.AUTHORITY_APPROVER),
        may_close=visit.may(*CORRECTORS),
        may_see_record=visit.may(*RECORD_READERS),
        refusal=refusal,
    )


def _decide(visit: Visit, case_id: int, act: Callable[[], Any]) -> Response:
    try:
        act()
    except DomainError as refusal:
        return _case(visit, case_id, refusal)
    return RedirectResponse(f"/console/cases/{case_id}", 303)


def _case(visit: Visit, case_id: int, refusal: DomainError | None = None) -> HTMLResponse:
    ctx, actor = visit.ctx, visit.actor
    case = show_case(ctx, actor, case_id)
    open_ = case.state == "proposed"
    own = case.proposed_by.casefold() == actor.username.casefold()
    decided_before = None
    if case.overturns_id is not None:
        decided_before = show_case(ctx, actor, case.overturns_id).decided_by
    barred = decided_before is not None and decided_before.casefold() == actor.username.casefold()
    invalidates = open_ and case.kind == "invalidate"
    return visit.render(
        "case.html",
        status_of(refusal) if refusal else 200,
        case=case,
        plan=plan_invalidation(ctx, actor, case.reference, case.ground) if invalidates else None,
        own=own,
        barred=barred,
        may_decide=open_ and not own and not barred and visit.may(Role.AUTHORITY_APPROVER),
        may_withdraw=open_ and own and visit.may(Role.AUTHORITY_ISSUER, Role.REVIEW_BODY),
        approvers=possible_approvers(ctx, case.proposed_by, decided_before) if open_ else [],
        refusal=refusal,
    )
