"""Messages to watchers that were given up: who was not told, why, and a button that tries again."""

from typing import Annotated

from fastapi import APIRouter, Form, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from issuer.console.session import Visit, acts, looks
from issuer.sharing import undelivered as service

router = APIRouter(prefix="/console/undelivered", include_in_schema=False)

Looking = Annotated[Visit, looks(*service.READERS)]
Retrying = Annotated[Visit, acts(*service.RETRIERS)]


@router.get("")
def undelivered(
    visit: Looking,
    before: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    waiting: Annotated[int | None, Query(ge=0, le=2**31 - 1)] = None,
) -> HTMLResponse:
    """The newest ones, and how all messages stand."""
    return visit.render(
        "undelivered.html",
        found=service.undelivered(visit.ctx, visit.actor, before=before),
        standing=service.standing(visit.ctx, visit.actor),
        may_retry=visit.may(*service.RETRIERS),
        waiting=waiting,
    )


@router.post("/retry")
def retry(visit: Retrying, message: Annotated[int | None, Form(ge=1, le=2**31 - 1)] = None) -> Response:
    """Try one again, or all."""
    count = service.retry(visit.ctx, visit.actor, None if message is None else [message])
    return RedirectResponse(f"/console/undelivered?waiting={count}", 303)
