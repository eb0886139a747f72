"""How far long work is (`issuer.long_work`): the box that renews itself, the figures as they change."""

from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from issuer.api.events import events
from issuer.console.session import Visit, looks
from issuer.rules.terms import Role

router = APIRouter(prefix="/console/working", include_in_schema=False)

Looking = Annotated[Visit, looks(*Role)]


@router.get("/{name}/progress")
def progress(visit: Looking, name: str) -> HTMLResponse:
    """The box while one's own work is under way; without it the page that began the work is asked again."""
    work = visit.ctx.works.named(visit.actor.username, name)
    if work is not None and work.finished:
        work = None
    return visit.render("working.html", work=work)


@router.get("/{name}/events")
def stream(visit: Looking, name: str) -> Response:
    """The figures of one's own work; `done` also when it is not known here any more."""
    username, works = visit.actor.username, visit.ctx.works

    def figures() -> dict[str, Any]:
        work = works.named(username, name)
        if work is None or work.finished:
            return {"state": "done", "finished": 0, "total": 0, "counts": {}}
        return {"state": "running", "finished": work.done, "total": work.total, "counts": {}}

    return events(figures)
