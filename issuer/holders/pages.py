"""`/my/`: the holder's pages."""

from typing import Annotated

from fastapi import APIRouter, Form, Header, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from issuer.api.access import Ctx
from issuer.context import Context
from issuer.errors import DomainError, NotAllowedError, Words
from issuer.holders import service
from issuer.holders.files import pdf_response
from issuer.holders.limits import SignInLimits
from issuer.holders.sign_in import SESSION_MINUTES, Holder, holder_of, sign_in, sign_out
from issuer.pages import client_address, is_secure, page, require_same_site
from issuer.paper.requests import list_replacements
from issuer.paper.service import request_replacement
from issuer.problems import STATUS
from issuer.review.statements import Candidate, file_defence

COOKIE = "ecert_holder"

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
    return _home(ctx, holder) if holder else page("holder/sign_in.html", refusal=None)


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
    holder = _signed_in(request, ctx, csrf)
    if holder is not None:
        sign_out(ctx, request.cookies[COOKIE])
    response = RedirectResponse("/my/", 303)
    response.delete_cookie(COOKIE, path="/my")
    return response


@router.get("/certificates/{management_no}.pdf")
def download(
    request: Request, ctx: Ctx, management_no: str, range_header: Annotated[str | None, Header(alias="Range")] = None
) -> Response:
    """The holder's own PDF, whole or in ranges."""
    holder = holder_of(ctx, request.cookies.get(COOKIE))
    if holder is None:
        return RedirectResponse("/my/", 303)
    try:
        file = service.download(ctx, holder, management_no)
    except DomainError as refusal:
        return _home(ctx, holder, refusal)
    return pdf_response(file.content, file.file_name, file.sha256, range_header)


@router.post("/paper-replacements")
def ask_for_paper(
    request: Request,
    ctx: Ctx,
    registration_id: Annotated[int, Form()],
    reason: Annotated[str, Form(max_length=600)] = "",
    csrf: Secret = "",
) -> Response:
    """Ask for a paper certificate to be replaced; the refusal with its clause is shown in place (R14)."""
    holder = _signed_in(request, ctx, csrf)
    if holder is None:
        return RedirectResponse("/my/", 303)
    try:
        request_replacement(
            ctx, holder.actor, reason=reason, registration_id=registration_id, person_id=holder.person_id
        )
    except DomainError as refusal:
        return _home(ctx, holder, refusal)
    return RedirectResponse("/my/#requests", 303)


@router.post("/defences")
def defend(
    request: Request,
    ctx: Ctx,
    registration_id: Annotated[int, Form()],
    sitting_code: Annotated[str, Form(max_length=32)],
    text: Annotated[str, Form(max_length=5000)] = "",
    csrf: Secret = "",
) -> Response:
    """Hand in a statement of defence against a finding (R7)."""
    holder = _signed_in(request, ctx, csrf)
    if holder is None:
        return RedirectResponse("/my/", 303)
    who = Candidate(registration_id=registration_id, person_id=holder.person_id)
    try:
        file_defence(ctx, holder.actor, sitting_code, who, text)
    except DomainError as refusal:
        return _home(ctx, holder, refusal)
    return RedirectResponse("/my/", 303)


def _signed_in(request: Request, ctx: Context, csrf: str) -> Holder | None:
    require_same_site(request)
    holder = holder_of(ctx, request.cookies.get(COOKIE))
    if holder is not None and holder.csrf != csrf:
        raise NotAllowedError("csrf", Words("页面已过期，请刷新后重试。", "The page is out of date; load it again."))
    return holder


def _home(ctx: Context, holder: Holder, refusal: DomainError | None = None) -> HTMLResponse:
    status = STATUS.get(refusal.status_hint, 409) if refusal else 200
    return page(
        "holder/home.html",
        status,
        registrations=service.registrations_of(ctx, holder),
        replacements=list_replacements(ctx, holder.actor, person_id=holder.person_id),
        verify_base_url=ctx.settings.verify_base_url,
        today=ctx.clock.today(),
        csrf=holder.csrf,
        refusal=refusal,
    )
