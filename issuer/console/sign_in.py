"""Signing in to the console and out of it."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from issuer.access import service
from issuer.api.access import SESSION_COOKIE, Ctx
from issuer.audit import record_event
from issuer.console.session import Visit, acts
from issuer.errors import NotAllowedError
from issuer.holders.limits import SignInLimits
from issuer.pages import client_address, is_secure, page, require_same_site
from issuer.problems import status_of
from issuer.rules.terms import Role

router = APIRouter(prefix="/console", include_in_schema=False)

Leaving = Annotated[Visit, acts(*Role)]


@router.get("")
def without_slash() -> Response:
    """One address for the console."""
    return RedirectResponse("/console/", 307)


@router.get("/sign-in")
def form(next: str = "/console/") -> Response:
    """The form."""
    return page("staff/sign_in.html", refusal=None, next=_inside(next), username="")


@router.post("/sign-in")
def open_session(
    request: Request,
    ctx: Ctx,
    username: Annotated[str, Form(max_length=80)],
    password: Annotated[str, Form(max_length=1000)],
    next: Annotated[str, Form(max_length=500)] = "/console/",
) -> Response:
    """Check the password and open a session of eight hours."""
    require_same_site(request)
    limits: SignInLimits = request.app.state.sign_in_limits
    address = client_address(request)
    try:
        limits.require_room(address)
        signed_in = service.sign_in(ctx.database, ctx.clock, username.strip(), password)
    except NotAllowedError as refusal:
        limits.count_failure(address)
        return page("staff/sign_in.html", status_of(refusal), refusal=refusal, next=_inside(next), username=username)
    with ctx.database.write() as session:
        actor = service.actor_for(session, signed_in.username, "console")
        record_event(session, ctx.clock, actor, "staff.sign-in", f"staff:{actor.username}")
    response = RedirectResponse(_inside(next), 303)
    response.set_cookie(
        SESSION_COOKIE,
        signed_in.secret,
        max_age=service.SESSION_HOURS * 3600,
        secure=is_secure(request),
        httponly=True,
        samesite="strict",
    )
    return response


@router.post("/sign-out")
def close_session(request: Request, visit: Leaving) -> Response:
    """End the session."""
    with visit.ctx.database.write() as session:
        service.sign_out(session, request.cookies[SESSION_COOKIE])
        record_event(session, visit.ctx.clock, visit.actor, "staff.sign-out", f"staff:{visit.actor.username}")
    response = RedirectResponse("/console/sign-in", 303)
    response.delete_cookie(SESSION_COOKIE)
    return response


def _inside(address: str) -> str:
    """Only our own console: a sign-in must not send anybody elsewhere."""
    plain = address.startswith("/console/") and "\\" not in address and address.isprintable()
    return address if plain and not address.startswith("/console/sign-") else "/console/"
