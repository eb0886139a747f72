"""One's own open sessions: where one is signed in, ending one, ending all."""

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import RedirectResponse, Response

from issuer.access import service, sessions
from issuer.access.sign_in import subject
from issuer.api.access import SESSION_COOKIE
from issuer.audit import record_event
from issuer.console.session import Visit, acts, looks
from issuer.errors import DomainError
from issuer.problems import status_of
from issuer.rules.terms import Role

router = APIRouter(prefix="/console/account/sessions", include_in_schema=False)

Looking = Annotated[Visit, looks(*Role)]
Acting = Annotated[Visit, acts(*Role)]
Name = Annotated[str, Path(pattern=f"^[0-9a-f]{{{sessions.NAME_LENGTH}}}$")]


@router.get("")
def show(visit: Looking) -> Response:
    """Where one is signed in."""
    return _page(visit, None)


@router.post("/end-all")
def end_all(visit: Acting) -> Response:
    """Sign out everywhere, here too."""
    ctx, username = visit.ctx, visit.actor.username
    with ctx.database.write() as session:
        ended = service.end_sessions(session, username)
        details = {"sessions": ended}
        record_event(session, ctx.clock, visit.actor, "staff.end-sessions", subject(username), details=details)
    response = RedirectResponse("/console/sign-in", 303)
    response.delete_cookie(SESSION_COOKIE)
    return response


@router.post("/{name}/end")
def end_one(visit: Acting, name: Name) -> Response:
    """End one session; one's own is signing out."""
    ctx, username = visit.ctx, visit.actor.username
    try:
        with ctx.database.write() as session:
            sessions.end(session, ctx.clock, username, name)
            details = {"session": name}
            record_event(session, ctx.clock, visit.actor, "staff.end-session", subject(username), details=details)
    except DomainError as refusal:
        return _page(visit, refusal)
    response = RedirectResponse("/console/account/sessions", 303)
    if name == visit.own.name:
        response.delete_cookie(SESSION_COOKIE)
    return response


def _page(visit: Visit, refusal: DomainError | None) -> Response:
    with visit.ctx.database.read() as session:
        rows = sessions.listing(session, visit.ctx.clock, visit.actor.username)
    status = 200 if refusal is None else status_of(refusal)
    return visit.render("account_sessions.html", status, rows=rows, refusal=refusal)
