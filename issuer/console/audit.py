"""The audit trail, page by page, and whether its chain is whole."""

from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from issuer.audit import ChainReport, chain_head, verify_chain
from issuer.audit_view import READERS, list_events
from issuer.console.session import Visit, looks
from issuer.long_work import Tell

router = APIRouter(prefix="/console/audit", include_in_schema=False)

Looking = Annotated[Visit, looks(*READERS)]
SHOWN = 50
FEW = 2000
"""A chain of so many events is walked while the page is made."""


@router.get("")
def list_(
    visit: Looking, subject: str = "", act: str = "", by: str = "", before: int | None = None, check: bool = False
) -> HTMLResponse:
    """Events newest first; with `check` the whole hash chain is walked, beside the page when it is long."""
    rows = list_events(
        visit.ctx, visit.actor, subject=subject.strip(), act=act.strip(), by=by.strip(), before=before, limit=SHOWN
    )
    ctx, work = visit.ctx, None
    if check:
        with ctx.database.read() as session:
            last = chain_head(session).sequence

        def walk(tell: Tell) -> ChainReport:
            with ctx.database.read() as session:
                return verify_chain(session, tell=lambda done: tell(done, max(last, done)))

        work = ctx.works.ask(visit.actor.username, "audit", walk, here=last <= FEW)
    report = work.result() if work is not None and work.finished else None
    place = visit.ctx.second_place.standing() if report and visit.ctx.second_place is not None else None
    return visit.render(
        "audit.html",
        rows=rows,
        subject=subject,
        act=act,
        by=by,
        following=rows[-1].sequence if len(rows) == SHOWN else None,
        report=report,
        work=work,
        place=place,
    )
