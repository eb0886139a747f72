"""Issuing a sitting over HTTP: plan, then a batch that runs in the background."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from issuer.access.actor import Actor
from issuer.api.access import Ctx, Issuer, requires
from issuer.api.idempotency import Key, once
from issuer.api.models import BatchAnswer, BatchItemPage, BatchPage, PlanAnswer, problems
from issuer.issuance.batches import cancel_batch
from issuer.issuance.queries import show_batch
from issuer.issuance.requests import READERS, list_batches, list_items, request_batch
from issuer.issuance.service import preview_issue

router = APIRouter(prefix="/api/v1/batches", tags=["batches"])

BatchReader = Annotated[Actor, requires(*READERS)]


class BatchRequest(BaseModel):
    """Which sitting, and optionally the plan it must still match."""

    model_config = ConfigDict(extra="forbid")

    sitting: str = Field(min_length=1, max_length=32)
    plan_digest: str | None = Field(None, max_length=64, description="from GET /api/v1/batches/plan")


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
    """Issue to everybody to whom the law allows it now, in the background."""

    def act() -> dict[str, Any]:
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


@router.post("/{batch}/cancel", response_model=BatchBegun, responses=problems(404, 409))
def cancel(ctx: Ctx, actor: Issuer, batch: int, key: Key = None) -> JSONResponse:
    """Stop before the next group; what is published stands."""

    def act() -> dict[str, Any]:
        cancel_batch(ctx, actor, batch)
        return {"batch": batch, "sitting": show_batch(ctx, actor, batch)["sitting"], "state": "cancelled"}

    return once(ctx, actor, key, "batches.cancel", {"batch": batch}, act)
