"""Erasure of personal data over HTTP: what may be erased, proposed by one, decided by another (PIPL art. 47)."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from issuer.access.actor import Actor
from issuer.api.access import Ctx, requires
from issuer.api.idempotency import Key, once
from issuer.api.models import Numbered, problems
from issuer.personal_data.erasing import (
    DECIDERS,
    MAX_NOTE,
    PROPOSERS,
    READERS,
    decide_erasure,
    list_erasures,
    plan_erasure,
    propose_erasure,
)
from issuer.records.personal_data import Erasure
from issuer.rules.keeping import ErasureReason

router = APIRouter(prefix="/api/v1/erasures", tags=["erasures"])

Reader = Annotated[Actor, requires(*READERS)]
Proposer = Annotated[Actor, requires(*PROPOSERS)]
Decider = Annotated[Actor, requires(*DECIDERS)]
Row = Annotated[int, Path(ge=1, le=2**31 - 1)]


class Proposal(BaseModel):
    """Whose data, on which ground, and why."""

    model_config = ConfigDict(extra="forbid")

    person: int = Field(ge=1, le=2**31 - 1)
    reason: ErasureReason
    note: str = Field(min_length=1, max_length=MAX_NOTE)


class Decision(BaseModel):
    """Approval erases at once and for good; a refusal says why."""

    model_config = ConfigDict(extra="forbid")

    approve: bool
    note: str = Field("", max_length=MAX_NOTE)


class KeptLine(BaseModel):
    """What is kept, until which day, and why; no day where it is kept for good."""

    kind: str
    until: date | None
    reason: str


class PlanAnswer(BaseModel):
    """What the law lets be erased of a person today."""

    person: int
    kinds: list[str]
    kept: list[KeptLine]


class ErasureLine(BaseModel):
    """An erasure, without what was said about it."""

    id: int
    person: int
    state: str
    reason: str
    kinds: list[str]
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    cells: int | None


class Erasures(BaseModel):
    """The latest 200, newest first."""

    items: list[ErasureLine]


@router.get("", response_model=Erasures, responses=problems(422))
def list_(
    ctx: Ctx,
    actor: Reader,
    person: int | None = None,
    state: Literal["proposed", "done", "refused", "withdrawn"] | None = None,
) -> dict[str, Any]:
    """Erasures newest first; of one person, or in one state."""
    if person is not None and not 1 <= person < 2**31:
        return {"items": []}
    rows = list_erasures(ctx, actor, person_id=person, state=state or "")
    return {"items": [_line(row) for row in rows]}


@router.get("/plan/{person_id}", response_model=PlanAnswer, responses=problems(404, 422))
def plan(ctx: Ctx, actor: Reader, person_id: Row) -> dict[str, Any]:
    """What may be erased of a person today, what is kept until when and why. Nothing is written."""
    found = plan_erasure(ctx, person_id)
    kept = [{"kind": each.kind, "until": each.until, "reason": each.reason} for each in found.kept]
    return {"person": person_id, "kinds": [kind.value for kind in found.kinds], "kept": kept}


@router.post("", status_code=201, response_model=Numbered, responses=problems(404, 409, 422))
def propose(ctx: Ctx, actor: Proposer, body: Proposal, key: Key = None) -> JSONResponse:
    """Propose to erase what may be erased; somebody else decides."""

    def act() -> dict[str, Any]:
        return {"id": propose_erasure(ctx, actor, body.person, body.reason.value, body.note), "state": "proposed"}

    return once(ctx, actor, key, "erasures.propose", body.model_dump(mode="json"), act, 201)


@router.post("/{number}/decide", response_model=Numbered, responses=problems(404, 409, 422))
def decide(ctx: Ctx, actor: Decider, number: Row, body: Decision, key: Key = None) -> JSONResponse:
    """Approve, which erases at once, or refuse; never by whoever proposed it."""

    def act() -> dict[str, Any]:
        row = decide_erasure(ctx, actor, number, approve=body.approve, note=body.note)
        return {"id": row.id, "state": row.state}

    return once(ctx, actor, key, "erasures.decide", {"id": number, **body.model_dump()}, act)


def _line(row: Erasure) -> dict[str, Any]:
    return {
        "id": row.id,
        "person": row.person_id,
        "state": row.state,
        "reason": row.reason,
        "kinds": list(row.kinds),
        "proposed_by": row.proposed_by,
        "proposed_at": row.proposed_at,
        "decided_by": row.decided_by,
        "decided_at": row.decided_at,
        "cells": row.cells,
    }
