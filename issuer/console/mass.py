"""Invalidation by list from the console: check, see what would fall, propose; another person decides (R9, R10)."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, File, Form, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from issuer.access.actor import Actor
from issuer.api.events import events
from issuer.api.mass_invalidations import XLSX, no_list, workbook_answer
from issuer.console.session import Visit, acts, looks
from issuer.context import Context
from issuer.errors import DomainError, InputError, Words
from issuer.invalidation import mass, mass_report
from issuer.invalidation.grounds import parse_ground
from issuer.invalidation.mass_file import MAX_FILE_BYTES, Defaults
from issuer.invalidation.mass_plan import MassPlan
from issuer.invalidation.people import possible_approvers
from issuer.invalidation.service import APPROVERS, PROPOSERS
from issuer.jobs.large_acts import AT_WORK
from issuer.jobs.pausing import ROLES, pause_act, resume_act
from issuer.problems import status_of
from issuer.roster.returned import fetch_file, keep_file
from issuer.rules.terms import InvalidationGround

router = APIRouter(prefix="/console/lists", include_in_schema=False)

Looking = Annotated[Visit, looks(*mass_report.READERS)]
Planning = Annotated[Visit, looks(*PROPOSERS)]
Proposing = Annotated[Visit, acts(*PROPOSERS)]
Approving = Annotated[Visit, acts(*APPROVERS)]
Pausing = Annotated[Visit, acts(*ROLES[mass.KIND])]
Text = Annotated[str, Form(max_length=4000)]
Short = Annotated[str, Form(max_length=64)]
SHOWN = 100


@router.get("")
def list_(visit: Looking) -> HTMLResponse:
    """Lists newest first, and a place to send one in."""
    return _list(visit)


@router.post("/check")
def check(
    visit: Proposing,
    file: Annotated[UploadFile | None, File()] = None,
    ground: Short = "",
    basis: Text = "",
    effective_on: Short = "",
) -> Response:
    """Look at a list row by row; nothing is changed. The file is kept for this account until it is proposed."""
    try:
        content = file.file.read(MAX_FILE_BYTES + 1) if file is not None else b""
        if not content:
            raise no_list()
        with _on_disk(content) as path:
            plan = mass.plan_many(visit.ctx, visit.actor, path, _defaults(ground, basis, effective_on))
        name = keep_file(visit.ctx, visit.actor, content)
    except DomainError as refusal:
        return _list(visit, refusal, ground=ground, basis=basis, effective_on=effective_on)
    return _plan(visit, plan, name, ground, basis, effective_on)


@router.post("")
def propose(
    visit: Proposing,
    name: Short = "",
    digest: Short = "",
    ground: Short = "",
    basis: Text = "",
    effective_on: Short = "",
) -> Response:
    """Propose the list that was looked at; refused when things have moved since."""
    try:
        content = fetch_file(visit.ctx, visit.actor, name)
        with _on_disk(content) as path:
            defaults = _defaults(ground, basis, effective_on)
            try:
                number = mass.propose_many(visit.ctx, visit.actor, path, defaults, digest)
            except DomainError as refusal:
                plan = mass.plan_many(visit.ctx, visit.actor, path, defaults)
                return _plan(visit, plan, name, ground, basis, effective_on, refusal)
    except DomainError as refusal:
        return _list(visit, refusal)
    return RedirectResponse(f"/console/lists/{number}" if number else "/console/lists", 303)


@router.get("/checked/{name}.xlsx")
def checked(visit: Planning, name: str) -> Response:
    """The rows of a list that was looked at, with what would become of each."""
    headers = {"Content-Disposition": 'attachment; filename="list-checked.xlsx"', "Cache-Control": "no-store"}
    return Response(fetch_file(visit.ctx, visit.actor, name), media_type=XLSX, headers=headers)


@router.get("/{number}")
def show(visit: Looking, number: int) -> HTMLResponse:
    """One list: how far it has come, and what this account may do with it."""
    return _show(visit, "mass_act.html", number)


@router.get("/{number}/progress")
def progress(visit: Looking, number: int) -> HTMLResponse:
    """The part of the page that changes while it is worked on."""
    return _show(visit, "mass_progress.html", number)


@router.get("/{number}/events")
def stream(visit: Looking, number: int) -> Response:
    """The figures as they change."""
    return events(lambda: mass_report.progress_of(visit.ctx, visit.actor, number))


@router.get("/{number}/outcome.xlsx")
def outcome(visit: Looking, number: int) -> Response:
    """The rows with what became of each."""
    return workbook_answer(visit.ctx, visit.actor, number)


@router.post("/{number}/approve")
def approve(visit: Approving, number: int) -> Response:
    """Approve; the rows are carried out one after another."""
    return _decide(visit, number, "approve", "")


@router.post("/{number}/reject")
def reject(visit: Approving, number: int, note: Text = "") -> Response:
    """Refuse, saying why."""
    return _decide(visit, number, "reject", note)


@router.post("/{number}/withdraw")
def withdraw(visit: Proposing, number: int, note: Text = "") -> Response:
    """Take one's own list back, saying why."""
    return _decide(visit, number, "withdraw", note)


@router.post("/{number}/pause")
def pause(visit: Pausing, number: int) -> Response:
    """Hold before the next rows."""
    return _rest(visit, number, pause_act)


@router.post("/{number}/resume")
def resume(visit: Pausing, number: int) -> Response:
    """Let a paused list go on."""
    return _rest(visit, number, resume_act)


def _rest(visit: Visit, number: int, move: Callable[[Context, Actor, int, str], None]) -> Response:
    try:
        mass_report.show_many(visit.ctx, visit.actor, number)
        move(visit.ctx, visit.actor, number, mass.KIND)
    except DomainError as refusal:
        return _show(visit, "mass_act.html", number, refusal)
    return RedirectResponse(f"/console/lists/{number}", 303)


def _decide(visit: Visit, number: int, verb: Literal["approve", "reject", "withdraw"], note: str) -> Response:
    try:
        mass.decide_many(visit.ctx, visit.actor, number, verb, note)
    except DomainError as refusal:
        return _show(visit, "mass_act.html", number, refusal)
    return RedirectResponse(f"/console/lists/{number}", 303)


def _list(visit: Visit, refusal: DomainError | None = None, **typed: str) -> HTMLResponse:
    return visit.render(
        "mass_lists.html",
        status_of(refusal) if refusal else 200,
        rows=mass_report.list_many(visit.ctx, visit.actor),
        grounds=list(InvalidationGround),
        may_propose=visit.may(*PROPOSERS),
        typed={"ground": "", "basis": "", "effective_on": ""} | typed,
        refusal=refusal,
    )


def _plan(
    visit: Visit,
    plan: MassPlan,
    name: str,
    ground: str,
    basis: str,
    effective_on: str,
    refusal: DomainError | None = None,
) -> HTMLResponse:
    with tempfile.TemporaryDirectory(prefix="ecert-list-") as scratch:
        out = Path(scratch) / "list.xlsx"
        mass_report.write_workbook(plan.lines, (), out)
        workbook = keep_file(visit.ctx, visit.actor, out.read_bytes())
    kept: dict[str, Any] = {"name": name, "ground": ground, "basis": basis, "effective_on": effective_on}
    first = [line for line in plan.lines if line.effect == "refused"]
    rest = [line for line in plan.lines if line.effect != "refused"]
    return visit.render(
        "mass_plan.html",
        status_of(refusal) if refusal else 200,
        plan=plan,
        lines=(first + rest)[:SHOWN],
        shown=SHOWN,
        kept=kept,
        workbook=workbook,
        refusal=refusal,
    )


def _show(visit: Visit, template: str, number: int, refusal: DomainError | None = None) -> HTMLResponse:
    view = mass_report.show_many(visit.ctx, visit.actor, number)
    own = view.proposed_by.casefold() == visit.actor.username.casefold()
    waits = view.state == "proposed"
    return visit.render(
        template,
        status_of(refusal) if refusal else 200,
        view=view,
        rows=mass_report.items_of(visit.ctx, visit.actor, number, limit=SHOWN),
        shown=SHOWN,
        clauses={ground: ground.clause for ground in InvalidationGround},
        at_work=view.state in AT_WORK,
        may_pause=visit.may(*ROLES[mass.KIND]),
        may_decide=waits and not own and visit.may(*APPROVERS),
        may_withdraw=waits and own and visit.may(*PROPOSERS),
        approvers=possible_approvers(visit.ctx, view.proposed_by) if waits else [],
        refusal=refusal,
    )


def _defaults(ground: str, basis: str, effective_on: str) -> Defaults:
    try:
        day = date.fromisoformat(effective_on) if effective_on.strip() else None
    except ValueError as exc:
        raise InputError("day-unusable", Words("日期应如 2026-01-31。", "A day is written 2026-01-31.")) from exc
    return Defaults(parse_ground(ground) if ground else None, basis, day)


@contextmanager
def _on_disk(content: bytes) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ecert-list-") as scratch:
        path = Path(scratch) / "list"
        path.write_bytes(content)
        yield path
