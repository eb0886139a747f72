"""What every way into the console shares: the sign-in page, cookies, and where one is led to."""

from fastapi import Request
from fastapi.responses import Response

from issuer.access import passkeys, service
from issuer.access.seen import Seen, seen
from issuer.access.sign_in import WAITING_MINUTES, SignedIn
from issuer.api.access import SESSION_COOKIE
from issuer.console.origin import origin_of
from issuer.context import Context
from issuer.errors import DomainError
from issuer.pages import client_address, is_secure, page
from issuer.problems import status_of

STEP_COOKIE = "ecert_staff_step"
"""Names a sign-in that waits for its second step; opens nothing."""
STEP_PATH = "/console/sign-in"


def sign_in_page(
    request: Request,
    ctx: Context,
    refusal: DomainError | None,
    next: str,
    *,
    username: str = "",
    subject: str | None = None,
) -> Response:
    """The page everybody begins at: the ways in that this house offers."""
    provider = request.app.state.oidc
    origin = origin_of(request, ctx.settings)
    local = not ctx.settings.oidc_only
    ask = passkeys.ask_anybody(ctx.clock, origin) if local and origin else None
    return page(
        "staff/sign_in.html",
        200 if refusal is None else status_of(refusal),
        refusal=refusal,
        next=inside(next),
        username=username,
        subject=subject,
        label=provider.label if provider is not None else None,
        local=local,
        passkey=ask,
    )


def enter(request: Request, signed_in: SignedIn, response: Response) -> Response:
    """Give the browser its session."""
    set_cookie(request, response, SESSION_COOKIE, signed_in.secret, service.SESSION_HOURS * 3600, "/")
    if STEP_COOKIE in request.cookies:
        response.delete_cookie(STEP_COOKIE, path=STEP_PATH)
    return response


def waiting_cookie(request: Request, response: Response, signed_in: SignedIn) -> Response:
    """Give the browser the name of a sign-in that waits for its second step."""
    set_cookie(request, response, STEP_COOKIE, signed_in.secret, WAITING_MINUTES * 60, STEP_PATH)
    return response


def set_cookie(request: Request, response: Response, name: str, secret: str, seconds: int, path: str) -> None:
    """A cookie no script reads and no other site's page sends."""
    response.set_cookie(
        name, secret, max_age=seconds, path=path, secure=is_secure(request), httponly=True, samesite="strict"
    )


def seen_of(request: Request) -> Seen:
    """From where and with what, coarse."""
    return seen(client_address(request), request.headers.get("user-agent", ""))


def inside(address: str) -> str:
    """Only our own console: a sign-in must not send anybody elsewhere."""
    plain = address.startswith("/console/") and "\\" not in address and address.isprintable()
    return address if plain and not address.startswith("/console/sign-") else "/console/"
