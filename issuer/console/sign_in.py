"""Signing in to the console, with a second step where one is asked for, and out of it."""

from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from issuer.access import passkey_sign_in, passkeys, second_factor, service
from issuer.access import sign_in as steps
from issuer.access.oidc import Provider
from issuer.api.access import SESSION_COOKIE, Ctx
from issuer.audit import record_event
from issuer.console.entering import (
    STEP_COOKIE,
    STEP_PATH,
    enter,
    inside,
    seen_of,
    sign_in_page,
    waiting_cookie,
)
from issuer.console.origin import origin_of
from issuer.console.session import Visit, acts
from issuer.context import Context
from issuer.errors import NotAllowedError, Words
from issuer.holders.limits import SignInLimits
from issuer.pages import client_address, page, require_same_site
from issuer.problems import status_of
from issuer.rules.terms import Role

router = APIRouter(prefix="/console", include_in_schema=False)

Leaving = Annotated[Visit, acts(*Role)]
Code = Annotated[str, Form(min_length=1, max_length=60)]
Next = Annotated[str, Form(max_length=500)]
Ticket = Annotated[str, Form(min_length=1, max_length=2000)]
Answer = Annotated[str, Form(min_length=1, max_length=20_000)]
Label = Annotated[str, Form(min_length=1, max_length=60)]


@router.get("")
def without_slash() -> Response:
    """One address for the console."""
    return RedirectResponse("/console/", 307)


@router.get("/sign-in")
def form(request: Request, ctx: Ctx, next: str = "/console/") -> Response:
    """The ways in."""
    return sign_in_page(request, ctx, None, next)


@router.post("/sign-in")
def open_session(
    request: Request,
    ctx: Ctx,
    username: Annotated[str, Form(max_length=80)],
    password: Annotated[str, Form(max_length=1000)],
    next: Next = "/console/",
) -> Response:
    """Check the password; open a session of eight hours, or ask for the second step."""
    require_same_site(request)
    limits: SignInLimits = request.app.state.sign_in_limits
    address = client_address(request)
    try:
        limits.require_room(address)
        _require_local(ctx, username.strip())
        signed_in = steps.sign_in(
            ctx.database, ctx.clock, username.strip(), password, ctx.settings.second_factor, seen_of(request)
        )
    except NotAllowedError as refusal:
        limits.count_failure(address)
        return sign_in_page(request, ctx, refusal, next, username=username)
    if signed_in.waits_for is None:
        return enter(request, signed_in, RedirectResponse(inside(next), 303))
    response = RedirectResponse(f"{STEP_PATH}/code?next={quote(inside(next))}", 303)
    return waiting_cookie(request, response, signed_in)


@router.post("/sign-in/passkey")
def passkey_alone(request: Request, ctx: Ctx, ticket: Ticket, answer: Answer, next: Next = "/console/") -> Response:
    """Open a session by a passkey whose authenticator verified the user: both factors in one."""
    require_same_site(request)
    limits: SignInLimits = request.app.state.sign_in_limits
    address = client_address(request)
    try:
        limits.require_room(address)
        _require_local(ctx, "")
        signed_in = passkey_sign_in.sign_in(
            ctx.database,
            ctx.clock,
            origin_of(request, ctx.settings),
            ticket=ticket,
            answer=answer,
            seen=seen_of(request),
        )
    except NotAllowedError as refusal:
        limits.count_failure(address)
        return sign_in_page(request, ctx, refusal, next)
    return enter(request, signed_in, RedirectResponse(inside(next), 303))


@router.get("/sign-in/code")
def second_form(request: Request, ctx: Ctx, next: str = "/console/") -> Response:
    """The second step: the app's code, or setting the app up where the house requires one."""
    try:
        return _second_page(request, ctx, inside(next), None)
    except NotAllowedError as refusal:
        return _start_again(request, ctx, refusal, next)


@router.post("/sign-in/code")
def second_step(request: Request, ctx: Ctx, code: Code, next: Next = "/console/") -> Response:
    """Check the code and open the session, under a new secret."""

    def step(secret: str) -> steps.SignedIn:
        return steps.finish(ctx.database, ctx.clock, secret, code, seen_of(request))

    return _finish(request, ctx, next, step)


@router.post("/sign-in/code/passkey")
def second_step_passkey(
    request: Request, ctx: Ctx, ticket: Ticket, answer: Answer, next: Next = "/console/"
) -> Response:
    """Check the passkey's answer and open the session, under a new secret."""

    def step(secret: str) -> steps.SignedIn:
        origin, where = origin_of(request, ctx.settings), seen_of(request)
        return passkey_sign_in.finish(
            ctx.database, ctx.clock, secret, origin, ticket=ticket, answer=answer, seen=where
        )

    return _finish(request, ctx, next, step)


@router.post("/sign-in/enrol")
def enrol(request: Request, ctx: Ctx, code: Code, next: Next = "/console/") -> Response:
    """Take the app into use, open the session and show the recovery codes, once."""

    def step(secret: str) -> steps.SignedIn:
        return steps.enrol_and_finish(ctx.database, ctx.clock, secret, code, seen_of(request))

    return _finish(request, ctx, next, step)


@router.post("/sign-in/enrol/passkey")
def enrol_passkey(
    request: Request, ctx: Ctx, ticket: Ticket, answer: Answer, label: Label, next: Next = "/console/"
) -> Response:
    """Register the first passkey, open the session and show the recovery codes, once."""

    def step(secret: str) -> steps.SignedIn:
        origin, where = origin_of(request, ctx.settings), seen_of(request)
        return passkey_sign_in.enrol_and_finish(
            ctx.database, ctx.clock, secret, origin, ticket=ticket, answer=answer, label=label, seen=where
        )

    return _finish(request, ctx, next, step)


@router.post("/sign-out")
def close_session(request: Request, visit: Leaving) -> Response:
    """End the session; where it was opened by the identity provider, lead on to where that ends its own."""
    with visit.ctx.database.write() as session:
        service.sign_out(session, request.cookies[SESSION_COOKIE])
        record_event(session, visit.ctx.clock, visit.actor, "staff.sign-out", f"staff:{visit.actor.username}")
    provider: Provider | None = request.app.state.oidc
    origin = origin_of(request, visit.ctx.settings)
    away = None
    if provider is not None and origin is not None and (visit.means or "").startswith("oidc"):
        away = provider.sign_out_address(f"{origin}/console/sign-in")
    # A form may not be answered by a redirect to another site (form-action 'self'): a page of ours leads there.
    response = page("staff/signed_out.html", away=away) if away else RedirectResponse("/console/sign-in", 303)
    response.delete_cookie(SESSION_COOKIE)
    return response


def _finish(request: Request, ctx: Context, next: str, step: Callable[[str], steps.SignedIn]) -> Response:
    """Run a second step: into the console, by way of the recovery codes where there are new ones, or once more."""
    require_same_site(request)
    limits: SignInLimits = request.app.state.sign_in_limits
    address = client_address(request)
    try:
        limits.require_room(address)
        signed_in = step(request.cookies.get(STEP_COOKIE, ""))
    except NotAllowedError as refusal:
        limits.count_failure(address)
        try:
            return _second_page(request, ctx, inside(next), refusal)
        except NotAllowedError as ended:
            return _start_again(request, ctx, ended, next)
    if signed_in.recovery_codes:
        shown = page("staff/sign_in_codes.html", codes=signed_in.recovery_codes, next=inside(next))
        return enter(request, signed_in, shown)
    return enter(request, signed_in, RedirectResponse(inside(next), 303))


def _second_page(request: Request, ctx: Context, next: str, refusal: NotAllowedError | None) -> Response:
    secret = request.cookies.get(STEP_COOKIE, "")
    username, waits_for = steps.waiting(ctx.database, ctx.clock, secret, ctx.settings.second_factor)
    status = 200 if refusal is None else status_of(refusal)
    origin, bound = origin_of(request, ctx.settings), service.digest(secret)
    shown: dict[str, Any] = {"refusal": refusal, "next": next, "username": username}
    if waits_for != "enrol":
        with ctx.database.read() as session:
            ways = second_factor.ways(session, username)
            ask = passkeys.ask_account(session, ctx.clock, origin, username, bound)
        return page("staff/sign_in_code.html", status, ways=ways, passkey=ask, **shown)
    username, key = steps.begin_enrolment(ctx.database, ctx.clock, secret)
    picture = second_factor.qr_code(second_factor.address(username, key))
    with ctx.database.read() as session:
        ask = passkeys.ask_new(session, ctx.clock, origin, username, bound)
    return page("staff/sign_in_enrol.html", status, key=key, picture=picture, passkey=ask, **shown)


def _start_again(request: Request, ctx: Context, refusal: NotAllowedError, next: str) -> Response:
    response = sign_in_page(request, ctx, refusal, next)
    response.delete_cookie(STEP_COOKIE, path=STEP_PATH)
    return response


def _require_local(ctx: Context, username: str) -> None:
    if ctx.settings.oidc_only and (not username or username != ctx.settings.oidc_break_glass):
        raise NotAllowedError(
            "local-sign-in-off",
            Words("本单位只通过身份认证平台登录。", "Here one signs in by the identity provider only."),
            remedy=Words(
                "平台不可用时，由管理员用应急账号处理。",
                "While it is down, administrators use the break-glass account.",
            ),
        )
