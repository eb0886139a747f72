"""One's own passkeys: registering with a name, removing. Both ask for a sign-in of the last minutes."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from issuer.access import passkeys, sign_in
from issuer.audit import record_event
from issuer.console.account import account_page
from issuer.console.origin import origin_of
from issuer.console.session import Visit, acts
from issuer.errors import DomainError
from issuer.rules.terms import Role

router = APIRouter(prefix="/console/account/passkeys", include_in_schema=False)

Acting = Annotated[Visit, acts(*Role)]


@router.post("")
def register(
    request: Request,
    visit: Acting,
    ticket: Annotated[str, Form(min_length=1, max_length=2000)],
    answer: Annotated[str, Form(min_length=1, max_length=20_000)],
    label: Annotated[str, Form(min_length=1, max_length=60)],
) -> Response:
    """Take a new passkey into use; the first second factor comes with recovery codes, shown once."""
    ctx, username = visit.ctx, visit.actor.username
    try:
        visit.own.require_fresh(ctx.clock)
        with ctx.database.write() as session:
            sign_in.locked_account(session, username)
            codes = passkeys.register(
                session,
                ctx.clock,
                origin_of(request, ctx.settings),
                username,
                ticket=ticket,
                answer=answer,
                label=label,
                bound=visit.own.key,
            )
            record_event(session, ctx.clock, visit.actor, "staff.passkey", sign_in.subject(username))
    except DomainError as refusal:
        return account_page(request, visit, refusal)
    if codes:
        return visit.render("account_codes.html", codes=codes)
    return RedirectResponse("/console/account", 303)


@router.post("/{passkey_id}/remove")
def remove(request: Request, visit: Acting, passkey_id: int) -> Response:
    """Take a passkey away; not the last second factor where the house requires one."""
    ctx, username = visit.ctx, visit.actor.username
    required = ctx.settings.second_factor == "required"
    try:
        visit.own.require_fresh(ctx.clock)
        with ctx.database.write() as session:
            sign_in.locked_account(session, username)
            passkeys.remove(session, username, passkey_id, required=required)
            record_event(session, ctx.clock, visit.actor, "staff.passkey-removed", sign_in.subject(username))
    except DomainError as refusal:
        return account_page(request, visit, refusal)
    return RedirectResponse("/console/account", 303)
