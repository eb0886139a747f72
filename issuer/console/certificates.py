"""Finding a certificate, its page, and what can be proposed about it."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Header
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from issuer.api.certificates import certificate_pdf
from issuer.console.proposing import Basis, Proposed, propose
from issuer.console.session import Visit, acts, looks
from issuer.errors import DomainError
from issuer.holders.certificate import watches_of
from issuer.invalidation import service
from issuer.invalidation.overview import list_cases, plan_invalidation
from issuer.invalidation.service import PROPOSERS
from issuer.issuance.queries import list_corrections, show_certificate
from issuer.issuance.search import READERS, find_by_person, list_certificates
from issuer.issuance.supersede import supersede
from issuer.problems import status_of
from issuer.rules.terms import InvalidationGround, Role
from issuer.sharing.touched import copies_for_staff

router = APIRouter(prefix="/console/certificates", include_in_schema=False)

Looking = Annotated[Visit, looks(*READERS)]
Searching = Annotated[Visit, acts(*READERS)]
Planning = Annotated[Visit, looks(*PROPOSERS)]
Proposing = Annotated[Visit, acts(*PROPOSERS)]
Correcting = Annotated[Visit, acts(Role.AUTHORITY_ISSUER)]
SHOWN = 25


@router.get("")
def list_(
    visit: Looking, sitting: str | None = None, status: str | None = None, before: int | None = None
) -> HTMLResponse:
    """Certificates newest first."""
    rows = list_certificates(
        visit.ctx, visit.actor, sitting_code=sitting or None, status=status or None, before=before, limit=SHOWN
    )
    following = rows[-1].id if len(rows) == SHOWN else None
    return _list(visit, rows, sitting=sitting or "", chosen=status or "", following=following)


@router.post("/search")
def search(
    visit: Searching,
    management_no: Annotated[str, Form(max_length=40)] = "",
    name: Annotated[str, Form(max_length=200)] = "",
    id_no: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """By number straight to the page; by person to the list of what was found. Never by address."""
    try:
        if management_no.strip():
            number = show_certificate(visit.ctx, visit.actor, management_no).certificate.management_no
            return RedirectResponse(f"/console/certificates/{number}", 303)
        rows = find_by_person(visit.ctx, visit.actor, name=name, id_no=id_no)
    except DomainError as refusal:
        return _list(visit, [], refusal=refusal, searched=True)
    return _list(visit, rows, searched=True)


@router.get("/{management_no}")
def show(visit: Looking, management_no: str, renewed: Literal["extended", "unchanged"] | None = None) -> HTMLResponse:
    """All facts of one certificate, its history, what may be proposed. `renewed`: what just became of its file."""
    return _certificate(visit, management_no, renewed=renewed)


@router.get("/{management_no}/pdf")
def pdf(
    visit: Looking, management_no: str, range_header: Annotated[str | None, Header(alias="Range")] = None
) -> Response:
    """The sealed file, shown in the browser."""
    return certificate_pdf(visit.ctx, visit.actor, management_no, range_header, inline=True)


@router.get("/{management_no}/invalidate")
def invalidation_form(visit: Planning, management_no: str, ground: str = "") -> HTMLResponse:
    """Choose the ground, then see what would fall before proposing it."""
    return _form(visit, management_no, ground)


@router.post("/{management_no}/invalidate")
def invalidate(
    visit: Proposing,
    management_no: str,
    proposed: Proposed,
) -> Response:
    """Propose; somebody else decides."""
    try:
        number = propose(visit, management_no, proposed)
    except DomainError as refusal:
        return _form(visit, management_no, proposed.ground, refusal, proposed.basis)
    return RedirectResponse(f"/console/cases/{number}", 303)


@router.post("/{management_no}/reinstate")
def reinstate(visit: Proposing, management_no: str, basis: Basis) -> Response:
    """Propose to reinstate after an appeal; somebody else decides."""
    try:
        number = service.overturn(visit.ctx, visit.actor, management_no, basis)
    except DomainError as refusal:
        return _certificate(visit, management_no, refusal)
    return RedirectResponse(f"/console/cases/{number}", 303)


@router.post("/{management_no}/correct")
def correct(
    visit: Correcting, management_no: str, new_name: Annotated[str, Form(max_length=200)], basis: Basis
) -> Response:
    """Propose a corrected name; somebody else decides."""
    try:
        supersede(visit.ctx, visit.actor, management_no, new_name, basis)
    except DomainError as refusal:
        return _certificate(visit, management_no, refusal)
    return RedirectResponse("/console/cases#corrections", 303)


def _list(visit: Visit, rows: list[Any], *, refusal: DomainError | None = None, **values: Any) -> HTMLResponse:
    values = {"sitting": "", "chosen": "", "following": None, "searched": False} | values
    status_code = status_of(refusal) if refusal else 200
    return visit.render("certificates.html", status_code, rows=rows, refusal=refusal, **values)


def _certificate(
    visit: Visit, management_no: str, refusal: DomainError | None = None, renewed: str | None = None
) -> HTMLResponse:
    view = show_certificate(visit.ctx, visit.actor, management_no)
    number = view.certificate.management_no
    cases = list_cases(visit.ctx, visit.actor, management_no=number, limit=20)
    may_correct = visit.may(Role.AUTHORITY_ISSUER)
    corrections = (
        list_corrections(visit.ctx, visit.actor, management_no=number)
        if visit.may(Role.AUTHORITY_ISSUER, Role.AUTHORITY_APPROVER, Role.AUDITOR)
        else []
    )
    busy = any(case.state == "proposed" for case in cases) or any(
        row["state"] in ("proposed", "approved") for row in corrections
    )
    with visit.ctx.database.read() as session:
        copies = copies_for_staff(session, view.certificate.id)
        watches = watches_of(session, view.certificate.id, visit.ctx.clock.today())
    return visit.render(
        "certificate.html",
        status_of(refusal) if refusal else 200,
        copies=copies,
        watches=watches,
        renewed=renewed,
        view=view,
        row=view.certificate,
        cases=cases,
        corrections=corrections,
        may_propose=visit.may(*PROPOSERS) and not busy,
        may_correct=may_correct and not busy,
        refusal=refusal,
    )


def _form(
    visit: Visit, management_no: str, ground: str, refusal: DomainError | None = None, basis: str = ""
) -> HTMLResponse:
    view = show_certificate(visit.ctx, visit.actor, management_no)
    known = ground in {each.value for each in InvalidationGround}
    plan = plan_invalidation(visit.ctx, visit.actor, management_no, ground) if known else None
    return visit.render(
        "invalidate.html",
        status_of(refusal) if refusal else 200,
        view=view,
        row=view.certificate,
        grounds=list(InvalidationGround),
        plan=plan,
        basis=basis,
        refusal=refusal,
    )
