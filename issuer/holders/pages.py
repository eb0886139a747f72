"""`/my/`: the holder's pages."""

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Header, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from issuer.api.access import Ctx
from issuer.context import Context
from issuer.errors import DomainError, NotAllowedError
from issuer.holders import copies, objections, service
from issuer.holders.certificate import detail_of, end_watch
from issuer.holders.files import pdf_response
from issuer.holders.limits import SignInLimits
from issuer.holders.progress import progress_of
from issuer.holders.sign_in import SESSION_MINUTES, Holder, holder_of, sign_in, sign_out
from issuer.holders.visiting import COOKIE, Acting, Looking, signed_in
from issuer.pages import client_address, is_secure, page, require_same_site
from issuer.paper.requests import list_replacements
from issuer.paper.service import request_replacement
from issuer.problems import STATUS
from issuer.queues.wording import legal_basis, reason_of
from issuer.registration.view import facts_by_registration
from issuer.review.statements import Candidate, file_defence

router = APIRouter(prefix="/my", include_in_schema=False)

Secret = Annotated[str, Form(max_length=200)]


@router.get("", include_in_schema=False)
def without_slash() -> Response:
    """One address for the page."""
    return RedirectResponse("/my/", 307)


@router.get("/")
def home(request: Request, ctx: Ctx) -> HTMLResponse:
    """The sign-in form, or everything on record for the holder who is signed in."""
    holder = holder_of(ctx, request.cookies.get(COOKIE))
    return home_page(ctx, holder) if holder else page("holder/sign_in.html", refusal=None)


@router.post("/sign-in")
def open_session(request: Request, ctx: Ctx, id_no: Secret, name: Secret, admission_no: Secret) -> Response:
    """Check the three facts and open a session; refusals say nothing about which fact was wrong."""
    require_same_site(request)
    limits: SignInLimits = request.app.state.sign_in_limits
    address = client_address(request)
    try:
        signed_in = sign_in(ctx, limits, address=address, id_no=id_no, name=name, admission_no=admission_no)
    except NotAllowedError as refusal:
        status = 429 if refusal.code == "too-many-attempts" else 403
        return page("holder/sign_in.html", status, refusal=refusal)
    response = RedirectResponse("/my/", 303)
    response.set_cookie(
        COOKIE,
        signed_in.secret,
        max_age=SESSION_MINUTES * 60,
        path="/my",
        secure=is_secure(request),
        httponly=True,
        samesite="strict",
    )
    return response


@router.post("/sign-out")
def close_session(request: Request, ctx: Ctx, csrf: Secret = "") -> Response:
    """End the session."""
    holder = signed_in(request, ctx, csrf)
    if holder is not None:
        sign_out(ctx, request.cookies[COOKIE])
    response = RedirectResponse("/my/", 303)
    response.delete_cookie(COOKIE, path="/my")
    return response


@router.get("/certificates/{management_no}.pdf")
def download(
    ctx: Ctx, holder: Looking, management_no: str, range_header: Annotated[str | None, Header(alias="Range")] = None
) -> Response:
    """The holder's own PDF, whole or in ranges."""
    try:
        file = service.download(ctx, holder, management_no)
    except DomainError as refusal:
        return home_page(ctx, holder, refusal)
    return pdf_response(file.content, file.file_name, file.sha256, range_header)


@router.get("/certificates/{management_no}")
def certificate(ctx: Ctx, holder: Looking, management_no: str) -> Response:
    """One certificate: purpose-bound copies, who watches it, who opened its file."""
    return _certificate(ctx, holder, management_no)


@router.post("/certificates/{management_no}/copies")
def make_copy(
    ctx: Ctx,
    holder: Acting,
    management_no: str,
    valid_until: Annotated[date, Form()],
    purpose: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Make a copy for one purpose."""
    try:
        copies.make_copy(ctx, holder, management_no, purpose, valid_until)
    except DomainError as refusal:
        return _certificate(ctx, holder, management_no, refusal, purpose)
    return RedirectResponse(f"/my/certificates/{management_no}#copies", 303)


@router.get("/copies/{copy_id}.pdf")
def download_copy(
    ctx: Ctx, holder: Looking, copy_id: int, range_header: Annotated[str | None, Header(alias="Range")] = None
) -> Response:
    """The copy's own PDF."""
    content, file_name, sha256 = copies.copy_file(ctx, holder, copy_id)
    return pdf_response(content, file_name, sha256, range_header)


@router.post("/copies/{copy_id}/withdraw")
def withdraw_copy(ctx: Ctx, holder: Acting, copy_id: int) -> Response:
    """Take a copy back."""
    number = copies.withdraw_copy(ctx, holder, copy_id).copy_no.rpartition("-")[0]
    return RedirectResponse(f"/my/certificates/{number}#copies", 303)


@router.post("/watches/{watch_id}/end")
def refuse_watch(ctx: Ctx, holder: Acting, watch_id: int) -> Response:
    """End somebody's watch of one's own certificate."""
    return RedirectResponse(f"/my/certificates/{end_watch(ctx, holder, watch_id)}#watches", 303)


@router.post("/objections")
def object_to_data(
    ctx: Ctx,
    holder: Acting,
    registration_id: Annotated[int, Form()],
    matter: Annotated[str, Form(max_length=16)] = "",
    text: Annotated[str, Form(max_length=4000)] = "",
) -> Response:
    """Say that something on record is wrong."""
    try:
        objections.file_objection(ctx, holder, registration_id, matter, text)
    except DomainError as refusal:
        return home_page(ctx, holder, refusal)
    return RedirectResponse("/my/#objections", 303)


@router.post("/objections/{objection_id}/withdraw")
def withdraw_objection(ctx: Ctx, holder: Acting, objection_id: int) -> Response:
    """Take one's own objection back."""
    objections.withdraw_objection(ctx, holder, objection_id)
    return RedirectResponse("/my/#objections", 303)


@router.post("/paper-replacements")
def ask_for_paper(
    ctx: Ctx,
    holder: Acting,
    registration_id: Annotated[int, Form()],
    reason: Annotated[str, Form(max_length=600)] = "",
) -> Response:
    """Ask for a paper certificate to be replaced; the refusal with its clause is shown in place (R14)."""
    try:
        request_replacement(
            ctx, holder.actor, reason=reason, registration_id=registration_id, person_id=holder.person_id
        )
    except DomainError as refusal:
        return home_page(ctx, holder, refusal)
    return RedirectResponse("/my/#requests", 303)


@router.post("/defences")
def defend(
    ctx: Ctx,
    holder: Acting,
    registration_id: Annotated[int, Form()],
    sitting_code: Annotated[str, Form(max_length=32)],
    text: Annotated[str, Form(max_length=5000)] = "",
) -> Response:
    """Hand in a statement of defence against a finding (R7)."""
    who = Candidate(registration_id=registration_id, person_id=holder.person_id)
    try:
        file_defence(ctx, holder.actor, sitting_code, who, text)
    except DomainError as refusal:
        return home_page(ctx, holder, refusal)
    return RedirectResponse("/my/", 303)


def home_page(ctx: Context, holder: Holder, refusal: DomainError | None = None) -> HTMLResponse:
    """Everything on record for the holder, with what was refused on top."""
    status = STATUS.get(refusal.status_hint, 409) if refusal else 200
    return page(
        "holder/home.html",
        status,
        registrations=service.registrations_of(ctx, holder),
        replacements=list_replacements(ctx, holder.actor, person_id=holder.person_id),
        verify_base_url=ctx.settings.verify_base_url,
        progress=progress_of(ctx, holder),
        facts=facts_by_registration(ctx, holder.person_id),
        reason_of=reason_of,
        legal_basis=legal_basis,
        objections=objections.objections_of(ctx, holder),
        matters=objections.MATTERS,
        today=ctx.clock.today(),
        csrf=holder.csrf,
        refusal=refusal,
    )


def _certificate(
    ctx: Context, holder: Holder, management_no: str, refusal: DomainError | None = None, purpose: str = ""
) -> HTMLResponse:
    today = ctx.clock.today()
    detail = detail_of(ctx, holder, management_no)
    return page(
        "holder/certificate.html",
        STATUS.get(refusal.status_hint, 409) if refusal else 200,
        detail=detail,
        verify_base_url=ctx.settings.verify_base_url,
        today=today,
        suggested=min(today + timedelta(days=29), detail.terms.last_day),
        purpose=purpose,
        csrf=holder.csrf,
        refusal=refusal,
    )
