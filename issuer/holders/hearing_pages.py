"""`/my/hearings/…`: a holder's own hearing: ask for it, read notice and minutes, confirm or object (R7, R9, R10)."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from issuer.api.access import Ctx
from issuer.context import Context
from issuer.errors import DomainError
from issuer.hearings import holder as own
from issuer.hearings.matter import About
from issuer.hearings.reading import own_hearing
from issuer.hearings.sealed_record import record_of
from issuer.holders.files import pdf_response
from issuer.holders.pages import home_page
from issuer.holders.sign_in import Holder
from issuer.holders.visiting import Acting, Looking
from issuer.pages import page
from issuer.problems import STATUS

router = APIRouter(prefix="/my/hearings", include_in_schema=False)

Text = Annotated[str, Form(max_length=5000)]
Row = Annotated[int | None, Form(ge=1, le=2**31 - 1)]


@router.post("")
def ask(ctx: Ctx, holder: Acting, case: Row = None, registration_id: Row = None, why: Text = "") -> Response:
    """Ask to be heard about one's own open defence or proposed case."""
    about = About(case_id=case) if case is not None else About(defence_of=registration_id)
    try:
        number = own.ask_for_hearing(ctx, holder.actor, holder.person_id, about, why)
    except DomainError as refusal:
        return home_page(ctx, holder, refusal)
    return RedirectResponse(f"/my/hearings/{number}", 303)


@router.get("/{number}")
def show(ctx: Ctx, holder: Looking, number: int) -> Response:
    """What is asked, until when, what was said and decided."""
    return _page(ctx, holder, number)


@router.get("/{number}/record.pdf")
def record(ctx: Ctx, holder: Looking, number: int) -> Response:
    """The record as it stands: sealed when nobody is to answer it any more."""
    view = own_hearing(ctx, holder.person_id, number)
    return pdf_response(record_of(ctx, holder.actor, view), f"听证笔录-{view.number}.pdf", None, None)


@router.post("/{number}/answer")
def answer(
    ctx: Ctx, holder: Acting, number: int, confirmed: Annotated[bool, Form()] = False, text: Text = ""
) -> Response:
    """Confirm the minutes, or note what one objects to."""

    def act() -> None:
        own.answer_minutes(ctx, holder.actor, holder.person_id, number, confirmed=confirmed, text=text)

    return _act(ctx, holder, number, act)


@router.post("/{number}/take-back")
def take_back(ctx: Ctx, holder: Acting, number: int) -> Response:
    """Give the hearing up."""
    return _act(ctx, holder, number, lambda: own.take_back(ctx, holder.actor, holder.person_id, number))


def _act(ctx: Context, holder: Holder, number: int, act: Callable[[], None]) -> Response:
    try:
        act()
    except DomainError as refusal:
        return _page(ctx, holder, number, refusal)
    return RedirectResponse(f"/my/hearings/{number}", 303)


def _page(ctx: Context, holder: Holder, number: int, refusal: DomainError | None = None) -> HTMLResponse:
    today = ctx.clock.today()
    view = own_hearing(ctx, holder.person_id, number)
    return page(
        "holder/hearing.html",
        STATUS.get(refusal.status_hint, 409) if refusal else 200,
        view=view,
        days=view.days(today),
        may_answer=view.state == "held" and view.answer_due_on is not None and today <= view.answer_due_on,
        csrf=holder.csrf,
        refusal=refusal,
    )
