"""Archive timestamps from the console: the plan first, then an act one can watch, pause and let go on."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from issuer.access.actor import Actor
from issuer.api.events import events
from issuer.console.session import Visit, acts, looks
from issuer.context import Context
from issuer.errors import DomainError, InputError, Words
from issuer.issuance import extensions as service
from issuer.issuance.extension import extend_certificate
from issuer.jobs.large_acts import AT_WORK
from issuer.jobs.pausing import pause_act, resume_act
from issuer.problems import status_of
from issuer.roster.overview import list_sittings
from issuer.rules.terms import Role

router = APIRouter(prefix="/console/extensions", include_in_schema=False)

Looking = Annotated[Visit, looks(*service.READERS)]
Asking = Annotated[Visit, acts(Role.AUTHORITY_ISSUER)]
Short = Annotated[str, Form(max_length=64)]
MOST_DAYS = 36_500
SHOWN = 100


@router.get("")
def list_(visit: Looking) -> HTMLResponse:
    """Acts newest first, and a form that says which files are due."""
    return _list(visit)


@router.post("/plan")
def plan(visit: Asking, sitting: Short = "", older_than_days: Short = "") -> HTMLResponse:
    """Which files are due; nothing is changed."""
    try:
        chosen, days = _chosen(sitting, older_than_days)
        found = service.plan_extensions(visit.ctx, visit.actor, sitting_code=chosen, older_than_days=days)
    except DomainError as refusal:
        return _list(visit, refusal, sitting=sitting, older_than_days=older_than_days)
    return _list(visit, plan=found, sitting=sitting, older_than_days=older_than_days)


@router.post("")
def begin(visit: Asking, sitting: Short = "", older_than_days: Short = "", digest: Short = "") -> Response:
    """Renew the files of the plan that was looked at; refused when things have moved since."""
    try:
        chosen, days = _chosen(sitting, older_than_days)
        number = service.request_extensions(
            visit.ctx, visit.actor, sitting_code=chosen, older_than_days=days, expected_digest=digest
        )
    except DomainError as refusal:
        return _list(visit, refusal, sitting=sitting, older_than_days=older_than_days)
    return RedirectResponse(f"/console/extensions/{number}" if number else "/console/extensions", 303)


@router.post("/one")
def one(visit: Asking, management_no: Short = "") -> Response:
    """One certificate's file, from its own page."""
    done = extend_certificate(visit.ctx, visit.actor, management_no.strip())
    return RedirectResponse(f"/console/certificates/{done.management_no}?renewed={done.outcome}", 303)


@router.get("/{number}")
def show(visit: Looking, number: int) -> HTMLResponse:
    """One act: how far it has come."""
    return _show(visit, "extension.html", number)


@router.get("/{number}/progress")
def progress(visit: Looking, number: int) -> HTMLResponse:
    """The part of the page that changes."""
    return _show(visit, "extension_progress.html", number)


@router.get("/{number}/events")
def stream(visit: Looking, number: int) -> Response:
    """The figures as they change."""
    return events(lambda: service.progress_of(visit.ctx, visit.actor, number))


@router.post("/{number}/pause")
def pause(visit: Asking, number: int) -> Response:
    """Hold before the next files."""
    return _move(visit, number, pause_act)


@router.post("/{number}/resume")
def resume(visit: Asking, number: int) -> Response:
    """Let a paused act go on."""
    return _move(visit, number, resume_act)


def _move(visit: Visit, number: int, move: Callable[[Context, Actor, int, str], None]) -> Response:
    try:
        move(visit.ctx, visit.actor, number, service.KIND)
    except DomainError as refusal:
        return _show(visit, "extension.html", number, refusal)
    return RedirectResponse(f"/console/extensions/{number}", 303)


def _show(visit: Visit, template: str, number: int, refusal: DomainError | None = None) -> HTMLResponse:
    view = service.progress_of(visit.ctx, visit.actor, number)
    return visit.render(
        template,
        status_of(refusal) if refusal else 200,
        view=view,
        at_work=view["state"] in AT_WORK,
        refused=service.refusals_of(visit.ctx, visit.actor, number, limit=SHOWN),
        may_act=visit.may(Role.AUTHORITY_ISSUER),
        refusal=refusal,
    )


def _list(
    visit: Visit,
    refusal: DomainError | None = None,
    *,
    plan: service.ExtensionPlan | None = None,
    sitting: str = "",
    older_than_days: str = "",
) -> HTMLResponse:
    may_act = visit.may(Role.AUTHORITY_ISSUER)
    return visit.render(
        "extensions.html",
        status_of(refusal) if refusal else 200,
        rows=service.list_extensions(visit.ctx, visit.actor),
        sittings=list_sittings(visit.ctx, visit.actor, limit=100) if may_act else [],
        typed={"sitting": sitting, "older_than_days": older_than_days},
        plan=plan,
        may_act=may_act,
        refusal=refusal,
    )


def _chosen(sitting: str, older_than_days: str) -> tuple[str | None, int | None]:
    days = older_than_days.strip()
    if days and not (days.isascii() and days.isdigit() and 1 <= int(days) <= MOST_DAYS):
        raise InputError(
            "days-unusable",
            Words("天数应为 1 至 36500 的整数。", "Days are a whole number from 1 to 36500."),
        )
    return sitting.strip() or None, int(days) if days else None
