"""`/my/data`: a copy of everything held about the holder, and asking for erasure (PIPL arts. 45 and 47)."""

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from issuer.api.access import Ctx
from issuer.context import Context
from issuer.errors import DomainError
from issuer.holders.sign_in import Holder
from issuer.holders.visiting import Acting, Looking
from issuer.pages import page
from issuer.personal_data.erasing import list_erasures, plan_erasure, propose_erasure
from issuer.personal_data.export import export_person
from issuer.personal_data.wording import KEPT, KINDS, REASONS, STATES
from issuer.problems import STATUS

router = APIRouter(prefix="/my/data", include_in_schema=False)

Text = Annotated[str, Form(max_length=2000)]
ASKED = ("purpose-reached", "time-over", "consent-withdrawn", "unlawful")


@router.get("")
def show(ctx: Ctx, holder: Looking) -> Response:
    """What may be erased today, what is kept until when and why, what was asked before."""
    return _page(ctx, holder)


@router.post("/export")
def export(ctx: Ctx, holder: Acting) -> Response:
    """The zip with everything; that it was fetched is put on record."""
    made = export_person(ctx, holder.actor, holder.person_id)
    headers = {"Content-Disposition": f'attachment; filename="{made.name}"', "Cache-Control": "no-store"}
    return Response(made.content, media_type="application/zip", headers=headers)


@router.post("/erase")
def erase(ctx: Ctx, holder: Acting, reason: Annotated[str, Form(max_length=24)] = "", note: Text = "") -> Response:
    """Ask for erasure; the office decides."""
    try:
        propose_erasure(ctx, holder.actor, holder.person_id, reason, note)
    except DomainError as refusal:
        return _page(ctx, holder, refusal)
    return RedirectResponse("/my/data#erasures", 303)


def _page(ctx: Context, holder: Holder, refusal: DomainError | None = None) -> HTMLResponse:
    return page(
        "holder/data.html",
        STATUS.get(refusal.status_hint, 409) if refusal else 200,
        plan=plan_erasure(ctx, holder.person_id),
        rows=list_erasures(ctx, holder.actor, person_id=holder.person_id),
        asked=ASKED,
        kinds=KINDS,
        kept=KEPT,
        reasons=REASONS,
        states=STATES,
        csrf=holder.csrf,
        refusal=refusal,
    )
