"""`/announcements`: what was announced, for anybody; no account, nothing about who looks."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response

from issuer.announcements.reading import published, published_file, published_seeds, read_published
from issuer.api.access import Ctx
from issuer.holders.limits import SignInLimits
from issuer.pages import client_address, page


def counted(request: Request) -> None:
    """Count a page towards what one address may read; raises NotAllowedError (429)."""
    limits: SignInLimits = request.app.state.sign_in_limits
    limits.count_reading(client_address(request))


router = APIRouter(prefix="/announcements", include_in_schema=False, dependencies=[Depends(counted)])

SHOWN = 30
LAST = 2**31 - 1


@router.get("")
def list_(ctx: Ctx, before: Annotated[int | None, Query(ge=1, le=LAST)] = None) -> HTMLResponse:
    """Newest first, and the seeds of random samples (R15)."""
    rows = published(ctx, before=before, limit=SHOWN)
    following = rows[-1].id if len(rows) == SHOWN else None
    seeds = published_seeds(ctx) if before is None else []
    return page("announcements/list.html", rows=rows, following=following, seeds=seeds)


@router.get("/{number}.pdf")
def file(ctx: Ctx, number: str) -> Response:
    """The announcement as it was published, as PDF."""
    pdf = published_file(ctx, number)
    headers = {"Content-Disposition": f'inline; filename="announcement-{number}.pdf"', "Cache-Control": "no-store"}
    return Response(pdf, media_type="application/pdf", headers=headers)


@router.get("/{number}")
def one(ctx: Ctx, number: str, page_number: Annotated[int, Query(alias="page", ge=1, le=LAST)] = 1) -> HTMLResponse:
    """One announcement with its list."""
    return page("announcements/one.html", view=read_published(ctx, number, page=page_number))
