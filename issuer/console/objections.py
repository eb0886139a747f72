"""What holders say is wrong: the open ones first, each with the form to answer it."""

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from issuer.console.session import Visit, acts, looks
from issuer.errors import DomainError
from issuer.holders.objections import ANSWERERS, READERS, answer_objection, list_objections
from issuer.problems import status_of

router = APIRouter(prefix="/console/objections", include_in_schema=False)

Looking = Annotated[Visit, looks(*READERS)]
Answering = Annotated[Visit, acts(*ANSWERERS)]


@router.get("")
def list_(visit: Looking) -> HTMLResponse:
    """Open objections, oldest first, and what was answered lately."""
    return _page(visit)


@router.post("/{objection_id}/answer")
def answer(
    visit: Answering,
    objection_id: int,
    accepted: Annotated[str, Form(max_length=5)] = "",
    text: Annotated[str, Form(max_length=4000)] = "",
) -> Response:
    """Answer one; the holder reads the answer on their page."""
    try:
        answer_objection(visit.ctx, visit.actor, objection_id, accepted=accepted == "true", answer=text)
    except DomainError as refusal:
        return _page(visit, refusal)
    return RedirectResponse("/console/objections", 303)


def _page(visit: Visit, refusal: DomainError | None = None) -> HTMLResponse:
    rows = list_objections(visit.ctx, visit.actor, None)
    return visit.render(
        "objections.html",
        status_of(refusal) if refusal else 200,
        waiting=[row for row in rows if row.state == "open"],
        settled=[row for row in reversed(rows) if row.state != "open"][:50],
        may_answer=visit.may(*ANSWERERS),
        refusal=refusal,
    )
