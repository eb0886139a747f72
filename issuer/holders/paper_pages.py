"""`/my/paper/…`: a holder's own paper certificate: book the mail, change the address, fetch a pick-up code (R12)."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from issuer.api.access import Ctx
from issuer.context import Context
from issuer.errors import DomainError
from issuer.holders.sign_in import Holder
from issuer.holders.visiting import Acting, Looking
from issuer.pages import page
from issuer.paper import handouts, mail
from issuer.paper.holder_view import held_paper
from issuer.paper.mail import Destination
from issuer.problems import STATUS

router = APIRouter(prefix="/my/paper", include_in_schema=False)

Text = Annotated[str, Form(max_length=600)]


@router.get("/{registration_id}")
def show(ctx: Ctx, holder: Looking, registration_id: int) -> Response:
    """Where the certificate is, and what the holder may do until when."""
    return _page(ctx, holder, registration_id)


@router.post("/{registration_id}/address")
def address(
    ctx: Ctx, holder: Acting, registration_id: int, recipient: Text = "", phone: Text = "", address: Text = ""
) -> Response:
    """Book the mail, or change its address until the courier's scan."""
    to = Destination(recipient, phone, address)

    def act() -> None:
        paper = held_paper(ctx, holder.actor, registration_id, holder.person_id)
        if paper.state == "available":
            mail.book(ctx, holder.actor, paper.serial, to, person_id=holder.person_id)
        else:
            mail.change_address(ctx, holder.actor, paper.serial, to, person_id=holder.person_id)

    return _act(ctx, holder, registration_id, act)


@router.post("/{registration_id}/cancel")
def cancel(ctx: Ctx, holder: Acting, registration_id: int) -> Response:
    """Take the booking back."""

    def act() -> None:
        paper = held_paper(ctx, holder.actor, registration_id, holder.person_id)
        mail.cancel(ctx, holder.actor, paper.serial, person_id=holder.person_id)

    return _act(ctx, holder, registration_id, act)


@router.post("/{registration_id}/code")
def code(ctx: Ctx, holder: Acting, registration_id: int) -> Response:
    """A fresh pick-up code, shown once; only its digest is kept."""
    try:
        paper = held_paper(ctx, holder.actor, registration_id, holder.person_id)
        made, until = handouts.make_pickup_code(ctx, holder.actor, paper.serial, holder.person_id)
    except DomainError as refusal:
        return _page(ctx, holder, registration_id, refusal)
    return _page(ctx, holder, registration_id, code=(f"{made[:4]} {made[4:]}", until))


def _act(ctx: Context, holder: Holder, registration_id: int, act: Callable[[], None]) -> Response:
    try:
        act()
    except DomainError as refusal:
        return _page(ctx, holder, registration_id, refusal)
    return RedirectResponse(f"/my/paper/{registration_id}", 303)


def _page(
    ctx: Context,
    holder: Holder,
    registration_id: int,
    refusal: DomainError | None = None,
    *,
    code: object | None = None,
) -> HTMLResponse:
    return page(
        "holder/paper.html",
        STATUS.get(refusal.status_hint, 409) if refusal else 200,
        paper=held_paper(ctx, holder.actor, registration_id, holder.person_id),
        code=code,
        today=ctx.clock.today(),
        csrf=holder.csrf,
        refusal=refusal,
    )
