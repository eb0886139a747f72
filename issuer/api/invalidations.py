"""Invalidation and reinstatement over HTTP (R9, R10)."""

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from issuer.api.access import Approver, Ctx, Proposer, Reader
from issuer.api.idempotency import Key, once
from issuer.api.models import Numbered, problems
from issuer.invalidation import service
from issuer.invalidation.overview import list_cases, plan_invalidation, show_case
from issuer.invalidation.subject import named

RowNumber = Annotated[int | None, Query(ge=1, le=2**31 - 1)]
router = APIRouter(prefix="/api/v1/invalidations", tags=["invalidations"])


class Proposal(BaseModel):
    """A proposal to invalidate: by management number, or by sitting and admission number."""

    model_config = ConfigDict(extra="forbid")

    management_no: str | None = Field(None, min_length=1, max_length=40, description="电子或纸质 / either kind")
    sitting: str | None = Field(None, max_length=40, description="尚无证书时 / where there is no certificate")
    admission_no: str | None = Field(None, max_length=40)
    ground: str = Field(
        description="ineligible-in-review, ineligible-in-supervision, false-materials, improper-means"
    )
    basis: str = Field(min_length=1, max_length=4000, description="法律依据和认定事实 / legal basis and finding")
    effective_on: date | None = None
    from_beginning: bool = True
    suspend: bool = False
    misconduct_term: str | None = Field(None, max_length=16, description="five-years | long-term (R10)")


class Appeal(BaseModel):
    """A proposal to reinstate after a successful appeal, named as a proposal is."""

    model_config = ConfigDict(extra="forbid")

    management_no: str | None = Field(None, min_length=1, max_length=40)
    sitting: str | None = Field(None, max_length=40)
    admission_no: str | None = Field(None, max_length=40)
    basis: str = Field(min_length=1, max_length=4000)


class Note(BaseModel):
    """Why a proposal is rejected or withdrawn."""

    model_config = ConfigDict(extra="forbid")

    note: str = Field(min_length=1, max_length=4000)


class Case(BaseModel):
    """A case as staff see it."""

    id: int
    registration_id: int
    certificate_id: int | None
    about: str = Field(description="certificate | paper | score-report")
    management_no: str | None
    paper_serial: str | None
    sitting_code: str
    admission_no: str
    kind: str
    ground: str
    clause: str
    state: str
    basis: str
    effective_on: date
    from_beginning: bool
    suspended: bool
    misconduct_term: str | None
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    decision_note: str | None
    overturns_id: int | None
    overturned_by: str | None
    overturned_at: datetime | None


class Cases(BaseModel):
    """Cases newest first; `next` is the `before` of the following page."""

    items: list[Case]
    next: int | None


class Plan(BaseModel):
    """What an invalidation would touch, and a digest of the state it rests on."""

    management_no: str | None
    certificate_id: int | None
    ground: str
    clause: str
    reason_shown: str
    status_now: str | None
    status_then: str
    subjects_void: int
    registration_void: bool
    open_case: int | None
    copies_live: int
    watchers: int
    about: str
    registration_id: int
    sitting_code: str
    paper_serial: str | None
    paper_state: str | None
    digest: str


@router.get("", response_model=Cases, responses=problems(422))
def list_invalidations(
    ctx: Ctx,
    actor: Reader,
    state: str | None = None,
    management_no: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> dict[str, Any]:
    """Cases newest first; `next` is the `before` of the following page."""
    limit = min(max(limit, 1), 200)
    cases = list_cases(ctx, actor, state=state, management_no=management_no, before=before, limit=limit)
    return {
        "items": [case.to_json() for case in cases],
        "next": cases[-1].id if len(cases) == limit else None,
    }


@router.get("/plan", response_model=Plan, responses=problems(404, 422))
def plan(
    ctx: Ctx, actor: Proposer, ground: str, management_no: str | None = None, registration_id: RowNumber = None
) -> dict[str, Any]:
    """What an invalidation would touch, with a digest of the state it rests on; nothing is changed.

    Named by `management_no` or by `registration_id` (an admission number does not belong into an address).
    """
    return plan_invalidation(ctx, actor, named(management_no, None, None, registration_id), ground).to_json()


@router.get("/{case_id}", response_model=Case, responses=problems(404))
def show(ctx: Ctx, actor: Reader, case_id: int) -> dict[str, Any]:
    """One case."""
    return show_case(ctx, actor, case_id).to_json()


@router.post("", status_code=201, response_model=Numbered, responses=problems(404, 409, 422))
def propose(ctx: Ctx, actor: Proposer, body: Proposal, key: Key = None) -> JSONResponse:
    """Propose to invalidate; somebody else approves."""

    def act() -> dict[str, Any]:
        case_id = service.propose(
            ctx,
            actor,
            named(body.management_no, body.sitting, body.admission_no),
            body.ground,
            body.basis,
            body.effective_on,
            body.from_beginning,
            body.suspend,
            body.misconduct_term,
        )
        return {"id": case_id, "state": "proposed"}

    return once(ctx, actor, key, "invalidations.propose", body.model_dump(mode="json"), act, 201)


@router.post("/reinstatements", status_code=201, response_model=Numbered, responses=problems(404, 409, 422))
def propose_reinstatement(ctx: Ctx, actor: Proposer, body: Appeal, key: Key = None) -> JSONResponse:
    """Propose to reinstate after an appeal; somebody else approves."""

    def act() -> dict[str, Any]:
        reference = named(body.management_no, body.sitting, body.admission_no)
        return {"id": service.overturn(ctx, actor, reference, body.basis), "state": "proposed"}

    return once(ctx, actor, key, "invalidations.reinstate", body.model_dump(mode="json"), act, 201)


@router.post("/{case_id}/approve", response_model=Case, responses=problems(404, 409))
def approve(ctx: Ctx, actor: Approver, case_id: int, key: Key = None) -> JSONResponse:
    """Approve a proposal; when this answers, every way of checking shows it."""
    act = lambda: service.approve(ctx, actor, case_id).to_json()  # noqa: E731
    return once(ctx, actor, key, "invalidations.approve", {"id": case_id}, act)


@router.post("/{case_id}/reject", response_model=Case, responses=problems(404, 409))
def reject(ctx: Ctx, actor: Approver, case_id: int, body: Note, key: Key = None) -> JSONResponse:
    """Refuse a proposal."""
    act = lambda: service.reject(ctx, actor, case_id, body.note).to_json()  # noqa: E731
    return once(ctx, actor, key, "invalidations.reject", {"id": case_id, "note": body.note}, act)


@router.post("/{case_id}/withdraw", response_model=Case, responses=problems(404, 409))
def withdraw(ctx: Ctx, actor: Proposer, case_id: int, body: Note, key: Key = None) -> JSONResponse:
    """Take one's own proposal back."""
    act = lambda: service.withdraw(ctx, actor, case_id, body.note).to_json()  # noqa: E731
    return once(ctx, actor, key, "invalidations.withdraw", {"id": case_id, "note": body.note}, act)
