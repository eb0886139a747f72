"""Cases in hand over HTTP: take one, put it back, take it over with a reason. Deciding has its own addresses (R1)."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from issuer.access.actor import Actor
from issuer.api.access import Ctx, Reader, requires
from issuer.api.idempotency import Key, once
from issuer.api.models import problems
from issuer.context import Context
from issuer.queues import claims
from issuer.queues.claims import TAKERS, WORKERS, ClaimView
from issuer.rules.queues import CaseKind

router = APIRouter(prefix="/api/v1/work", tags=["work"])

Worker = Annotated[Actor, requires(*WORKERS)]
Taker = Annotated[Actor, requires(*TAKERS)]


class Hold(BaseModel):
    """Who has a case in hand and until when; nobody where `holder` is null."""

    kind: CaseKind
    id: int
    holder: str | None
    until: datetime | None
    taken_from: str | None
    taken_by: str | None


class TakeOver(BaseModel):
    """A supervisor's take-over; `to` empty: back to the queue."""

    model_config = ConfigDict(extra="forbid")

    to: str = Field("", max_length=80)
    reason: str = Field(min_length=4, max_length=400)


@router.get("/{kind}/{case_id}", response_model=Hold, responses=problems(404))
def show(ctx: Ctx, actor: Reader, kind: CaseKind, case_id: int) -> dict[str, Any]:
    """Who has an open case in hand."""
    return _told(kind, case_id, claims.show_claim(ctx, actor, kind, case_id))


@router.post("/{kind}/{case_id}/claim", response_model=Hold, responses=problems(404, 409))
def claim(ctx: Ctx, actor: Worker, kind: CaseKind, case_id: int, key: Key = None) -> JSONResponse:
    """Take a case, or hold it longer."""

    def act() -> dict[str, Any]:
        claims.claim(ctx, actor, kind, case_id)
        return _hold(ctx, actor, kind, case_id)

    return once(ctx, actor, key, "work.claim", {"kind": kind, "id": case_id}, act)


@router.post("/{kind}/{case_id}/release", response_model=Hold, responses=problems(404, 409))
def release(ctx: Ctx, actor: Worker, kind: CaseKind, case_id: int, key: Key = None) -> JSONResponse:
    """Put a case back; its draft stays with it."""

    def act() -> dict[str, Any]:
        claims.let_go(ctx, actor, kind, case_id)
        return _hold(ctx, actor, kind, case_id)

    return once(ctx, actor, key, "work.release", {"kind": kind, "id": case_id}, act)


@router.post("/{kind}/{case_id}/take-over", response_model=Hold, responses=problems(404, 409, 422))
def take_over(ctx: Ctx, actor: Taker, kind: CaseKind, case_id: int, body: TakeOver, key: Key = None) -> JSONResponse:
    """Take a case from whoever has it, saying why; the draft stays."""

    def act() -> dict[str, Any]:
        claims.take_over(ctx, actor, kind, case_id, to=body.to, reason=body.reason)
        return _hold(ctx, actor, kind, case_id)

    return once(ctx, actor, key, "work.take-over", {"kind": kind, "id": case_id, **body.model_dump()}, act)


def _hold(ctx: Context, actor: Actor, kind: CaseKind, case_id: int) -> dict[str, Any]:
    with ctx.database.write() as session:  # part of the unit of work the act was done in
        return _told(kind, case_id, claims.claim_in(session, ctx, actor, kind, case_id))


def _told(kind: CaseKind, case_id: int, view: ClaimView) -> dict[str, Any]:
    return {
        "kind": kind.value,
        "id": case_id,
        "holder": view.holder,
        "until": view.until.isoformat() if view.until else None,
        "taken_from": view.taken_from,
        "taken_by": view.taken_by,
    }
