"""Correcting a name over HTTP: a new certificate takes the old one's place, by two people."""

from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from issuer.access.actor import Actor
from issuer.api.access import Approver, Ctx, Issuer, requires
from issuer.api.idempotency import Key, is_replayed, once
from issuer.api.models import Numbered, problems
from issuer.issuance.queries import list_corrections
from issuer.issuance.supersede import approve_supersession, is_unfinished, refuse_supersession, supersede
from issuer.rules.terms import Role

router = APIRouter(prefix="/api/v1/corrections", tags=["corrections"])

CorrectionReader = Annotated[Actor, requires(Role.AUTHORITY_ISSUER, Role.AUTHORITY_APPROVER, Role.AUDITOR)]
Decider = Annotated[Actor, requires(Role.AUTHORITY_ISSUER, Role.AUTHORITY_APPROVER)]


class NameCorrection(BaseModel):
    """The right name, and what it rests on."""

    model_config = ConfigDict(extra="forbid")

    management_no: str = Field(min_length=1, max_length=40)
    new_name: str = Field(min_length=1, max_length=200)
    basis: str = Field(min_length=1, max_length=4000)


class CorrectionLine(BaseModel):
    """A correction. `new_name` only for who may decide."""

    id: int
    management_no: str
    state: str
    new_name: str | None
    proposed_by: str
    decided_by: str | None


class Corrections(BaseModel):
    """The latest 200, newest first."""

    items: list[CorrectionLine]


class Successor(BaseModel):
    """The corrected certificate."""

    id: int
    management_no: str


@router.get("", response_model=Corrections, responses=problems())
def list_(ctx: Ctx, actor: CorrectionReader, state: str | None = None) -> dict[str, Any]:
    """Corrections newest first."""
    return {"items": list_corrections(ctx, actor, state)}


@router.post("", status_code=201, response_model=Numbered, responses=problems(404, 409, 422))
def propose(ctx: Ctx, actor: Issuer, body: NameCorrection, key: Key = None) -> JSONResponse:
    """Propose a corrected name; somebody else approves."""

    def act() -> dict[str, Any]:
        return {"id": supersede(ctx, actor, body.management_no, body.new_name, body.basis), "state": "proposed"}

    return once(ctx, actor, key, "corrections.propose", body.model_dump(), act, 201)


@router.post("/{correction_id}/approve", response_model=Successor, responses=problems(404, 409, 503))
def approve(ctx: Ctx, actor: Approver, correction_id: int, key: Key = None) -> JSONResponse:
    """Approve: the new certificate is made and published, and the old one reads superseded.

    Decision, intent and key are committed together before anything is sealed; where sealing failed, the same
    call, with the same key or none, finishes what was begun.
    """

    def act() -> dict[str, Any]:
        return {"id": correction_id, "management_no": approve_supersession(ctx, actor, correction_id)}

    answer = once(ctx, actor, key, "corrections.approve", {"id": correction_id}, act)
    if is_replayed(answer) and is_unfinished(ctx, correction_id):
        approve_supersession(ctx, actor, correction_id)
    return answer


@router.post("/{correction_id}/refuse", response_model=Numbered, responses=problems(404, 409))
def refuse(ctx: Ctx, actor: Decider, correction_id: int, key: Key = None) -> JSONResponse:
    """Reject as an approver, or withdraw one's own proposal."""

    def act() -> dict[str, Any]:
        refuse_supersession(ctx, actor, correction_id)
        return {"id": correction_id, "state": "closed"}

    return once(ctx, actor, key, "corrections.refuse", {"id": correction_id}, act)
