"""Invalidation by list over HTTP: the plan first, then proposed, approved by somebody else, carried out (R9, R10)."""

import tempfile
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, File, Form, Query, UploadFile
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from issuer.access.actor import Actor
from issuer.api.access import Approver, Ctx, Proposer, Reader, requires
from issuer.api.events import events
from issuer.api.idempotency import Key, once
from issuer.api.invalidations import Note
from issuer.api.models import Finding, problems
from issuer.api.uploads import on_disk, sha256_of
from issuer.context import Context
from issuer.errors import InputError, Words
from issuer.invalidation import mass, mass_report
from issuer.invalidation.grounds import parse_ground
from issuer.invalidation.mass_file import Defaults
from issuer.invalidation.mass_plan import MassPlan
from issuer.jobs.pausing import ROLES, pause_act, resume_act

router = APIRouter(prefix="/api/v1/invalidations/lists", tags=["invalidations"])

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
EVENTS = "text/event-stream"
Pausing = Annotated[Actor, requires(*ROLES[mass.KIND])]


class Touched(BaseModel):
    """What falls besides the certificates."""

    subjects: int
    copies: int
    paper: int


class Line(BaseModel):
    """One row of the list and what would become of it: invalidate, unchanged or refused."""

    row: int
    management_no: str
    effect: str
    ground: str
    clause: str
    basis: str
    effective_on: date | None
    certificate_id: int | None
    registration_id: int | None
    about: str = Field(description="certificate | paper | score-report")
    sitting: str
    status: str | None
    case: int | None
    touched: Touched
    finding: Finding | None


class ListPlan(BaseModel):
    """The plan of a list. `id` is its number once it was written down; None when nothing is to be done."""

    id: int | None
    file_sha256: str
    digest: str
    rows: int
    invalidate: int
    unchanged: int
    refused: int
    touched: Touched
    lines: list[Line]


class ListAnswer(BaseModel):
    """How far a list has come."""

    id: int
    state: str
    digest: str
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    decision_note: str | None
    finished_at: datetime | None
    counts: dict[str, int]
    paused: bool
    total: int
    finished: int


class ListPage(BaseModel):
    """Lists newest first; `next` is the `before` of the following page."""

    items: list[ListAnswer]
    next: int | None


class Row(BaseModel):
    """One row of a list that was written down, and what became of it."""

    row: int
    management_no: str
    ground: str
    basis: str
    effective_on: date | None
    result: str
    code: str | None
    clause: str | None
    case: int | None
    certificate_id: int | None
    registration_id: int | None


class RowPage(BaseModel):
    """Rows in order; `next` is the `after` of the following page."""

    items: list[Row]
    next: int | None


class Decided(BaseModel):
    """What was decided is being carried out; ask for the list by its number."""

    id: int
    state: str


@router.post("", status_code=202, response_model=ListPlan, responses=problems(403, 409, 413, 422))
def propose(
    ctx: Ctx,
    actor: Proposer,
    file: Annotated[UploadFile, File(description=".xlsx, .csv: 管理号 or 准考证号, 考次, 无效事由, 依据, 生效日期")],
    digest: Annotated[str, Form(max_length=64, description="of the plan; not needed for a dry run")] = "",
    ground: Annotated[str, Form(max_length=40, description="for rows without one")] = "",
    basis: Annotated[str, Form(max_length=4000, description="for rows without one")] = "",
    effective_on: Annotated[date | None, Form(description="for rows without one")] = None,
    dry_run: Annotated[bool, Form()] = False,
    key: Key = None,
) -> JSONResponse:
    """The plan of a list (`dry_run`), or the list proposed, if its plan still has that digest."""
    with on_disk(file) as (content,):
        if content is None:
            raise no_list()
        asked = {"file": sha256_of(content), "digest": digest, "ground": ground, "basis": basis, "on": effective_on}

        def act() -> dict[str, Any]:
            defaults = Defaults(parse_ground(ground) if ground else None, basis, effective_on)
            plan = mass.plan_many(ctx, actor, content, defaults)
            number = None if dry_run else mass.propose_many(ctx, actor, content, defaults, digest)
            return answer_of(plan, number)

        return once(ctx, actor, None if dry_run else key, "invalidations.list", asked, act, 202)


@router.get("", response_model=ListPage, responses=problems())
def list_(
    ctx: Ctx, actor: Reader, before: int | None = None, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> dict[str, Any]:
    """Lists newest first; a review body sees its own (R1)."""
    rows = mass_report.list_many(ctx, actor, before=before, limit=limit)
    return {"items": [row.to_json() for row in rows], "next": rows[-1].id if len(rows) == limit else None}


@router.get("/{number}", response_model=ListAnswer, responses=problems(404))
def show(ctx: Ctx, actor: Reader, number: int) -> dict[str, Any]:
    """How far a list has come."""
    return mass_report.show_many(ctx, actor, number).to_json()


@router.get("/{number}/rows", response_model=RowPage, responses=problems(404))
def rows_(
    ctx: Ctx, actor: Reader, number: int, after: int = 0, limit: Annotated[int, Query(ge=1, le=1000)] = 200
) -> dict[str, Any]:
    """What became of each row."""
    rows = mass_report.items_of(ctx, actor, number, after=after, limit=limit)
    return {"items": [row.to_json() for row in rows], "next": rows[-1].row if len(rows) == limit else None}


@router.get(
    "/{number}/events",
    response_class=Response,
    responses=problems(404, 503)
    | {
        200: {
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
            "description": "`progress`, then `end`",
        }
    },
)
def stream(ctx: Ctx, actor: Reader, number: int) -> Response:
    """How far a list has come, told with every change (server-sent events)."""
    return events(lambda: mass_report.progress_of(ctx, actor, number))


@router.get(
    "/{number}/outcome.xlsx",
    response_class=Response,
    responses=problems(404) | {200: {"content": {XLSX: {}}, "description": "The rows with what became of each"}},
)
def outcome(ctx: Ctx, actor: Reader, number: int) -> Response:
    """The rows with what became of each, as a workbook."""
    return workbook_answer(ctx, actor, number)


@router.post("/{number}/approve", status_code=202, response_model=Decided, responses=problems(404, 409))
def approve(ctx: Ctx, actor: Approver, number: int, key: Key = None) -> JSONResponse:
    """Approve the whole list as another person; it is carried out row by row."""
    return _decide(ctx, actor, number, "approve", "", key)


@router.post("/{number}/reject", status_code=202, response_model=Decided, responses=problems(404, 409, 422))
def reject(ctx: Ctx, actor: Approver, number: int, body: Note, key: Key = None) -> JSONResponse:
    """Refuse the whole list."""
    return _decide(ctx, actor, number, "reject", body.note, key)


@router.post("/{number}/withdraw", status_code=202, response_model=Decided, responses=problems(404, 409, 422))
def withdraw(ctx: Ctx, actor: Proposer, number: int, body: Note, key: Key = None) -> JSONResponse:
    """Take one's own list back."""
    return _decide(ctx, actor, number, "withdraw", body.note, key)


@router.post("/{number}/pause", response_model=Decided, responses=problems(404, 409))
def pause(ctx: Ctx, actor: Pausing, number: int, key: Key = None) -> JSONResponse:
    """Hold before the next rows; what is done stands. `resume` lets it go on."""
    return _rest(ctx, actor, number, "pause", key)


@router.post("/{number}/resume", response_model=Decided, responses=problems(404, 409))
def resume(ctx: Ctx, actor: Pausing, number: int, key: Key = None) -> JSONResponse:
    """Let a paused list go on where it stopped."""
    return _rest(ctx, actor, number, "resume", key)


def _rest(ctx: Context, actor: Actor, number: int, verb: Literal["pause", "resume"], key: str | None) -> JSONResponse:
    def act() -> dict[str, Any]:
        (pause_act if verb == "pause" else resume_act)(ctx, actor, number, mass.KIND)
        return {"id": number, "state": mass_report.show_many(ctx, actor, number).state}

    return once(ctx, actor, key, f"invalidations.list-{verb}", {"id": number}, act)


def answer_of(plan: MassPlan, number: int | None) -> dict[str, Any]:
    """The plan as the API answers it."""
    return {"id": number, **plan.to_json()}


def no_list() -> InputError:
    """Nothing was chosen."""
    return InputError(
        "file-missing", Words("没有选择清单文件，未作任何改动。", "No list was chosen; nothing was changed.")
    )


def workbook_answer(ctx: Context, actor: Actor, number: int) -> Response:
    """The workbook of a list; raises as `mass_report.show_many`."""
    items = mass_report.items_of(ctx, actor, number)
    with tempfile.TemporaryDirectory(prefix="ecert-list-") as scratch:
        path = Path(scratch) / "list.xlsx"
        mass_report.write_workbook((), items, path)
        content = path.read_bytes()
    headers = {"Content-Disposition": f'attachment; filename="list-{number}.xlsx"', "Cache-Control": "no-store"}
    return Response(content, media_type=XLSX, headers=headers)


def _decide(
    ctx: Context,
    actor: Actor,
    number: int,
    verb: Literal["approve", "reject", "withdraw"],
    note: str,
    key: str | None,
) -> JSONResponse:
    states = {"approve": "running", "reject": "rejecting", "withdraw": "withdrawing"}

    def act() -> dict[str, Any]:
        mass.decide_many(ctx, actor, number, verb, note)
        return {"id": number, "state": states[verb]}

    return once(ctx, actor, key, f"invalidations.list-{verb}", {"id": number, "note": note}, act, 202)
