"""Paper certificates over HTTP: replacement (R14) here; the desk and the registers beside it."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from issuer.access.actor import Actor
from issuer.api.access import Ctx, Proposer, Reader, requires
from issuer.api.idempotency import Key, once
from issuer.api.models import Numbered, problems
from issuer.api.paper_models import DecisionRequest, ReplacementPrinted
from issuer.paper import replacing, requests, service
from issuer.paper.sheets import SECONDS

router = APIRouter(prefix="/api/v1/paper", tags=["paper"])

Second = Annotated[Actor, requires(*SECONDS)]


class ReplacementRequest(BaseModel):
    """Name the registration by management number, or by sitting and admission number."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=500)
    management_no: str | None = Field(None, max_length=40)
    sitting_code: str | None = Field(None, max_length=32)
    admission_no: str | None = Field(None, max_length=40)
    kind: Literal["lost", "damaged"] | None = None


class Replacement(BaseModel):
    """A request; refused ones carry the clause."""

    id: int
    registration_id: int
    sitting_code: str
    qualification: str
    state: str
    clause: str | None
    code: str | None
    requested_by: str
    requested_at: datetime
    kind: str | None
    approved_by: str | None


class Replacements(BaseModel):
    """Requests newest first; `next` is the `before` of the following page."""

    items: list[Replacement]
    next: int | None


@router.post("/replacements", status_code=201, response_model=Numbered, responses=problems(404, 409, 422))
def request_replacement(ctx: Ctx, actor: Proposer, body: ReplacementRequest, key: Key = None) -> JSONResponse:
    """Ask for a paper certificate to be replaced; 409 with clause R14 once an e-certificate was made."""

    def act() -> dict[str, Any]:
        request_id = service.request_replacement(
            ctx,
            actor,
            reason=body.reason,
            management_no=body.management_no,
            sitting_code=body.sitting_code,
            admission_no=body.admission_no,
            kind=body.kind,
        )
        return {"id": request_id, "state": "accepted"}

    return once(ctx, actor, key, "paper.replace", body.model_dump(mode="json"), act, 201)


@router.get("/replacements", response_model=Replacements, responses=problems())
def list_replacements(
    ctx: Ctx,
    actor: Reader,
    state: str | None = None,
    sitting_code: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> dict[str, Any]:
    """Requests newest first, refused ones too; `next` is the `before` of the following page."""
    limit = min(max(limit, 1), 200)
    rows = requests.list_replacements(ctx, actor, state=state, sitting_code=sitting_code, before=before, limit=limit)
    return {"items": [row.to_json() for row in rows], "next": rows[-1].id if len(rows) == limit else None}


@router.post("/replacements/{request_id}/decision", response_model=Replacement, responses=problems(404, 409, 422))
def decide_replacement(
    ctx: Ctx, actor: Second, request_id: int, body: DecisionRequest, key: Key = None
) -> JSONResponse:
    """Allow or reject an accepted request after looking at the statement; another person than who took it in."""
    act = lambda: replacing.decide(ctx, actor, request_id, approve=body.approve, note=body.note).to_json()  # noqa: E731
    return once(ctx, actor, key, "paper.decide", {"id": request_id, **body.model_dump()}, act)


@router.post("/replacements/{request_id}/print", response_model=ReplacementPrinted, responses=problems(404, 409, 422))
def print_replacement(ctx: Ctx, actor: Proposer, request_id: int, key: Key = None) -> JSONResponse:
    """Print an approved replacement on the next form; the old sheet is void and stays findable."""

    def act() -> dict[str, Any]:
        serial, void = replacing.print_replacement(ctx, actor, request_id)
        return {"request": request_id, "serial": serial, "void": void}

    return once(ctx, actor, key, "paper.print-replacement", {"id": request_id}, act)


@router.post("/replacements/{request_id}/{state}", response_model=Replacement, responses=problems(404, 409, 422))
def close_replacement(ctx: Ctx, actor: Proposer, request_id: int, state: str, key: Key = None) -> JSONResponse:
    """End an accepted request: `fulfilled` or `withdrawn`."""
    act = lambda: service.close_replacement(ctx, actor, request_id, state).to_json()  # noqa: E731
    return once(ctx, actor, key, "paper.close", {"id": request_id, "state": state}, act)
