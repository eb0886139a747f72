"""Signing in by the identity provider: out to it, back from it, and on into the console.

Our session cookie is SameSite=Strict, and a page reached from another site is not given it: so the way back ends on
a page of ours that leads on by itself. What the browser must bring back is in a sealed cookie, Lax for that reason.
"""

from datetime import datetime, timedelta
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from issuer.access import oidc_sign_in, tickets
from issuer.access.oidc import Attempt, Identity, Provider, refuse_answer
from issuer.api.access import Ctx
from issuer.console.entering import enter, inside, seen_of, sign_in_page, waiting_cookie
from issuer.console.origin import origin_of
from issuer.context import Context
from issuer.errors import DomainError, NotAllowedError, NotFoundError, UnavailableError, Words
from issuer.holders.limits import SignInLimits
from issuer.pages import client_address, is_secure, page

router = APIRouter(prefix="/console/sign-in/oidc", include_in_schema=False)

ATTEMPT_COOKIE = "ecert_staff_oidc"
ATTEMPT_PATH = "/console/sign-in/oidc"
ATTEMPT_MINUTES = 10
_PURPOSE = "oidc-attempt"
_ANSWER = ("state", "code", "iss", "error")


@router.get("")
def begin(request: Request, ctx: Ctx, next: str = "/console/") -> Response:
    """Send the browser to the provider."""
    provider = _provider(request)
    try:
        address, attempt = provider.begin(_return_to(request, ctx))
    except UnavailableError as refusal:
        return sign_in_page(request, ctx, refusal, next)
    until = ctx.clock.now() + timedelta(minutes=ATTEMPT_MINUTES)
    facts = {"state": attempt.state, "nonce": attempt.nonce, "verifier": attempt.verifier, "next": inside(next)}
    response = RedirectResponse(address, 303, headers={"Cache-Control": "no-store"})
    response.set_cookie(
        ATTEMPT_COOKIE,
        tickets.make(_PURPOSE, facts, until),
        max_age=ATTEMPT_MINUTES * 60,
        path=ATTEMPT_PATH,
        secure=is_secure(request),
        httponly=True,
        samesite="lax",
    )
    return response


@router.get("/back")
def come_back(request: Request, ctx: Ctx) -> Response:
    """Take the provider's answer; open the session or go on to the second step."""
    provider = _provider(request)
    limits: SignInLimits = request.app.state.sign_in_limits
    address = client_address(request)
    facts = tickets.read(_PURPOSE, request.cookies.get(ATTEMPT_COOKIE, ""), ctx.clock.now())
    next = facts["next"] if facts else "/console/"
    identity: Identity | None = None
    try:
        limits.require_room(address)
        if facts is None:
            raise refuse_answer("no attempt")
        attempt = Attempt(facts["state"], facts["nonce"], facts["verifier"])
        answer = {name: request.query_params[name] for name in _ANSWER if name in request.query_params}
        identity = provider.finish(attempt, answer, _return_to(request, ctx))
        signed_in = oidc_sign_in.sign_in(
            ctx.database,
            ctx.clock,
            identity,
            attempt,
            datetime.fromisoformat(facts["until"]),
            ctx.settings.second_factor,
            proves_second=provider.is_second_factor(identity),
            seen=seen_of(request),
        )
    except DomainError as refusal:
        if isinstance(refusal, NotAllowedError):
            limits.count_failure(address)
        # One's own identifier on one's own screen, for the administrator who links it; kept nowhere.
        subject = identity.subject if identity is not None and refusal.code == "oidc-unlinked" else None
        response = sign_in_page(request, ctx, refusal, next, subject=subject)
    else:
        waits = signed_in.waits_for is not None
        response = page("staff/sign_in_on.html", next=f"/console/sign-in/code?next={quote(next)}" if waits else next)
        if waits:
            waiting_cookie(request, response, signed_in)
        else:
            enter(request, signed_in, response)
    response.delete_cookie(ATTEMPT_COOKIE, path=ATTEMPT_PATH)
    return response


def _provider(request: Request) -> Provider:
    provider: Provider | None = request.app.state.oidc
    if provider is None:
        raise NotFoundError(
            "oidc-off",
            Words("本系统没有接入身份认证平台。", "No identity provider is connected here."),
            remedy=Words("请用本地账号登录。", "Sign in with a local account."),
        )
    return provider


def _return_to(request: Request, ctx: Context) -> str:
    origin = origin_of(request, ctx.settings)
    if origin is None:
        raise UnavailableError(
            "console-url",
            Words(
                "没有设置管理台的地址，无法返回。", "The console's own address is not set, so nobody could come back."
            ),
            remedy=Words("请维护人员设置 ECERT_CONSOLE_URL。", "Operators set ECERT_CONSOLE_URL."),
        )
    return f"{origin}{ATTEMPT_PATH}/back"
