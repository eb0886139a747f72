"""What is late, across sittings: for the supervisor, and for whoever is late."""

from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from issuer.console.session import Visit, looks
from issuer.review.late import late_items
from issuer.review.sitting import READERS

router = APIRouter(prefix="/console/late", include_in_schema=False)

Looking = Annotated[Visit, looks(*READERS)]


@router.get("")
def late(visit: Looking) -> HTMLResponse:
    """Late items, the longest first; what waits for a calendar stands below."""
    found = late_items(visit.ctx, visit.actor)
    return visit.render(
        "late.html",
        rows=[item for item in found if item.last_day is not None],
        unknown=[item for item in found if item.last_day is None],
    )
