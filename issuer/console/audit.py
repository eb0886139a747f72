"""The audit trail, page by page, and whether its chain is whole."""

from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from issuer.audit import verify_chain
from issuer.audit_view import READERS, list_events
from issuer.console.session import Visit, looks

router = APIRouter(prefix="/console/audit", include_in_schema=False)

Looking = Annotated[Visit, looks(*READERS)]
SHOWN = 50


@router.get("")
def list_(
    visit: Looking, subject: str = "", act: str = "", by: str = "", before: int | None = None, check: bool = False
) -> HTMLResponse:
    """Events newest first; with `check` the whole hash chain is walked."""
    rows = list_events(
        visit.ctx, visit.actor, subject=subject.strip(), act=act.strip(), by=by.strip(), before=before, limit=SHOWN
    )
    report = None
    if check:
        with visit.ctx.database.read() as session:
            report = verify_chain(session)
    return visit.render(
        "audit.html",
        rows=rows,
        subject=subject,
        act=act,
        by=by,
        following=rows[-1].sequence if len(rows) == SHOWN else None,
        report=report,
    )
