"""Issuing a sitting over HTTP: plan, then a batch that runs in the background."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from issuer.access.actor import Actor
from issuer.api.access import Ctx, Issuer, requires
from issuer.api.events import events
from issuer.api.idempotency import Key, once
from issuer.api.models import BatchAnswer, BatchItemPage, BatchPage, OutcomeAnswer, PlanAnswer, problems
from issuer.context import Context
from issuer.issuance.batches import cancel_batch, pause_batch, resume_batch
from issuer.issuance.outcome import READERS as OUTCOME_READERS
from issuer.issuance.outcome import outcome, outcome_json, outcome_workbook
from issuer.issuance.queries import show_batch
from issuer.issuance.requests import (
    READERS,
    batch_progress,
    list_batches,
    list_items,
    request_batch,
    request_retry,
    request_urgent,
)
from issuer.issuance.service import preview_issue

router = APIRouter(prefix="/api/v1/batches", tags=["batches"])

BatchReader = Annotated[Actor, requires(*READERS)]
OutcomeReader = Annotated[Actor, requires(*OUTCOME_READERS)]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PIECE = 64 * 1024


class BatchRequest(BaseModel):
    """Which sitting, and optionally the plan it must still match; or one registration, before all others."""

    model_config = ConfigDict(extra="forbid")

    sitting: str = Field(min_length=1, max_length=32)
    plan_digest: str | None = Field(None, max_length=64, description="from GET /api/v1/batches/plan")
    registration: int | None = Field(None, ge=1, le=2**31 - 1, description="加急：只办这一人 / urgent: only this one")


class BatchBegun(BaseModel):
    """The batch is being worked on; ask for it by its number."""

    batch: int
    sitting: str
    state: str


@router.get("/plan", response_model=PlanAnswer, responses=problems(404))
def plan(ctx: Ctx, actor: Issuer, sitting: str) -> dict[str, Any]:
    """What issuing would do now, and to whom the law does not allow it; nothing is changed."""
    return preview_issue(ctx, actor, sitting).to_json()


@router.post("", status_code=202, response_model=BatchBegun, responses=problems(404, 409, 422))
def create(ctx: Ctx, actor: Issuer, body: BatchRequest, key: Key = None) -> JSONResponse:
    """Issue to everybody to whom the law allows it now, in the background; or to one person at once."""

    def act() -> dict[str, Any]:
        if body.registration is not None:
            number = request_urgent(ctx, actor, body.sitting, body.registration)
        else:
            number = request_batch(ctx, actor, body.sitting, body.plan_digest)
        return {"batch": number, "sitting": body.sitting, "state": "running"}

    return once(ctx, actor, key, "batches.create", body.model_dump(), act, 202)


@router.get("", response_model=BatchPage, responses=problems())
def list_(
    ctx: Ctx,
    actor: BatchReader,
    sitting: str | None = None,
    before: int | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """Batches newest first."""
    rows = list_batches(ctx, actor, sitting_code=sitting, before=before, limit=limit)
    return {"items": rows, "next": rows[-1]["batch"] if len(rows) == limit else None}


@router.get("/{batch}", response_model=BatchAnswer, responses=problems(404))
def show(ctx: Ctx, actor: BatchReader, batch: int) -> dict[str, Any]:
    """How far a batch has come."""
    return show_batch(ctx, actor, batch)


@router.get("/{batch}/items", response_model=BatchItemPage, responses=problems(404))
def items(
    ctx: Ctx,
    actor: BatchReader,
    batch: int,
    result: Literal["waiting", "published", "refused", "cancelled"] | None = None,
    after: int = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> dict[str, Any]:
    """What became of each registration."""
    show_batch(ctx, actor, batch)
    rows = list_items(ctx, actor, batch, result=result, after=after, limit=limit)
    return {"items": rows, "next": rows[-1]["registration"] if len(rows) == limit else None}


@router.get(
    "/{batch}/events",
    response_class=Response,
    responses=problems(404, 503)
    | {
        200: {
            "content": {"text/event-stream": {"schema": {"type": "object", "required": ["event", "data"]}}},
            "description": "`progress`, then `end`",
        }
    },
)
def stream(ctx: Ctx, actor: BatchReader, batch: int) -> Response:
    """How far a batch has come, told with every change (server-sent events)."""
    return events(lambda: batch_progress(ctx, actor, batch))


@router.get(
    "/{batch}/outcome.json",
    response_class=JSONResponse,
    response_model=OutcomeAnswer,
    responses=problems(404),
)
def outcome_as_json(ctx: Ctx, actor: OutcomeReader, batch: int) -> Response:
    """What became of each person, with reason codes, in one document."""
    pieces = outcome_json(outcome(ctx, actor, batch), batch)
    return StreamingResponse(pieces, media_type="application/json", headers={"Cache-Control": "no-store"})


@router.get(
    "/{batch}/outcome.xlsx",
    response_class=Response,
    responses=problems(404) | {200: {"content": {XLSX: {}}, "description": "The same as a workbook"}},
)
def outcome_as_workbook(ctx: Ctx, actor: OutcomeReader, batch: int) -> Response:
    """What became of each person, with reason codes, as a workbook."""
    return workbook_answer(ctx, actor, batch)


def workbook_answer(ctx: Context, actor: Actor, batch: int) -> Response:
    """The workbook, made on disk and sent in pieces. Raises as `outcome`."""
    rows = outcome(ctx, actor, batch)
    scratch = tempfile.TemporaryDirectory(prefix="ecert-outcome-")
    try:
        path = Path(scratch.name) / "outcome.xlsx"
        outcome_workbook(rows, path)
        size = path.stat().st_size
    except BaseException:
        scratch.cleanup()
        raise

    def pieces() -> Iterator[bytes]:
        with scratch, path.open("rb") as file:
            while piece := file.read(PIECE):
                yield piece

    headers = {
        "Cache-Control": "no-store",
        "Content-Length": str(size),
        "Content-Disposition": f'attachment; filename="batch-{batch}.xlsx"',
    }
    return StreamingResponse(pieces(), media_type=XLSX, headers=headers)


@router.post("/{batch}/pause", response_model=BatchBegun, responses=problems(404, 409))
def pause(ctx: Ctx, actor: Issuer, batch: int, key: Key = None) -> JSONResponse:
    """Hold before the next group; `resume` lets it go on."""
    return _move(ctx, actor, batch, key, "pause", "paused", pause_batch)


@router.post("/{batch}/resume", response_model=BatchBegun, responses=problems(404, 409))
def resume(ctx: Ctx, actor: Issuer, batch: int, key: Key = None) -> JSONResponse:
    """Let a paused batch go on."""
    return _move(ctx, actor, batch, key, "resume", "running", resume_batch)


@router.post("/{batch}/cancel", response_model=BatchBegun, responses=problems(404, 409))
def cancel(ctx: Ctx, actor: Issuer, batch: int, key: Key = None) -> JSONResponse:
    """Stop before the next group; what is published stands."""
    return _move(ctx, actor, batch, key, "cancel", "cancelled", cancel_batch)


@router.post("/{batch}/retry", status_code=202, response_model=BatchBegun, responses=problems(404, 409))
def retry(ctx: Ctx, actor: Issuer, batch: int, key: Key = None) -> JSONResponse:
    """A new batch for those whom this one refused or left behind, and nobody else."""

    def act() -> dict[str, Any]:
        number = request_retry(ctx, actor, batch)
        return {"batch": number, "sitting": show_batch(ctx, actor, batch)["sitting"], "state": "running"}

    return once(ctx, actor, key, "batches.retry", {"batch": batch}, act, 202)


def _move(
    ctx: Context,
    actor: Actor,
    batch: int,
    key: str | None,
    name: str,
    state: str,
    move: Callable[[Context, Actor, int], None],
) -> JSONResponse:
    def act() -> dict[str, Any]:
        move(ctx, actor, batch)
        return {"batch": batch, "sitting": show_batch(ctx, actor, batch)["sitting"], "state": state}

    return once(ctx, actor, key, f"batches.{name}", {"batch": batch}, act)
