"""`/console/stock`: what the last stock-take found, and when it was."""

from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from issuer.console.session import Visit, looks
from issuer.personal_data.stock_take import READERS, last_take, standing_findings
from issuer.personal_data.wording import FINDINGS

router = APIRouter(prefix="/console/stock", include_in_schema=False)

Looking = Annotated[Visit, looks(*READERS)]


@router.get("")
def show(visit: Looking) -> HTMLResponse:
    """Standing findings, newest first."""
    with visit.ctx.database.read() as session:
        rows, last = standing_findings(session), last_take(session)
    return visit.render("stock.html", rows=rows, last=last, findings=FINDINGS)
