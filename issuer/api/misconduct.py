"""The misconduct record over HTTP, for the few who may see it: read, considered, lifted by two, transferred (R10)."""

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from issuer.access.actor import Actor
from issuer.api.access import Approver, Ctx, requires
from issuer.api.idempotency import Key, once
from issuer.api.models import problems
from issuer.holders.files import pdf_response
from issuer.invalidation import lifting, misconduct
from issuer.invalidation import transfer as notes
from issuer.invalidation.misconduct import READERS
from issuer.invalidation.record_page import show_record
from issuer.invalidation.subject import named
from issuer.rules.misconduct import RecordState

router = APIRouter(prefix="/api/v1/misconduct", tags=["misconduct"])

RecordReader = Annotated[Actor, requires(*READERS)]
PDF: dict[int | str, dict[str, Any]] = {200: {"content": {"application/pdf": {}}, "description": "The sealed note"}}


class Who(BaseModel):
    """A person by what they hold, or by sitting and admission number."""

    model_config = ConfigDict(extra="forbid")

    management_no: str | None = Field(None, min_length=1, max_length=40)
    sitting: str | None = Field(None, max_length=40)
    admission_no: str | None = Field(None, max_length=40)


class Consideration(Who):
    """What an approver found in the record before letting one registration go on."""

    note: str = Field(min_length=1, max_length=4000)


class Reason(BaseModel):
    """Why a record is to be lifted."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=4000)


class Piece(BaseModel):
    """A piece of evidence: what it is, and the SHA-256 of its file."""

    model_config = ConfigDict(extra="forbid")

    what: str = Field(min_length=1, max_length=200)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class Transfer(BaseModel):
    """A transfer note to be made for an applied case."""

    model_config = ConfigDict(extra="forbid")

    case: int = Field(ge=1, le=2**31 - 1)
    to: str = Field(min_length=1, max_length=200)
    facts: str = Field(min_length=1, max_length=4000)
    evidence: list[Piece] = Field(min_length=1, max_length=50)


class Record(BaseModel):
    """One record in a list."""

    id: int
    case_id: int
    name: str
    sitting_code: str
    article: str
    term: str
    state: str
    facts: str
    recorded_on: date
    ends_on: date | None
    proposed_by: str
    approved_by: str
    lifted_at: datetime | None
    considered_for: list[int]


class Considered(BaseModel):
    """An approver let one registration go on."""

    registration_id: int
    sitting_code: str
    note: str
    decided_by: str
    decided_at: datetime


class Transferred(BaseModel):
    """A note that hands the case to another authority."""

    number: str
    to: str
    made_by: str
    made_at: datetime
    pdf_sha256: str


class WholeRecord(Record):
    """One record with what was done about it."""

    registration_id: int
    lift_proposed_by: str | None
    lift_proposed_at: datetime | None
    lift_reason: str | None
    lifted_by: str | None
    considered: list[Considered]
    transfers: list[Transferred]


class Records(BaseModel):
    """Records newest first; `next` is the `before` of the following page."""

    items: list[Record]
    next: int | None


class Acted(BaseModel):
    """What was done about a record."""

    id: int
    act: str


class Made(BaseModel):
    """A transfer note that was made and sealed."""

    number: str
    sha256: str


@router.get("", response_model=Records, responses=problems())
def list_(
    ctx: Ctx,
    actor: RecordReader,
    state: RecordState | None = None,
    before: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """Records newest first; looking is put on record."""
    rows = misconduct.list_records(ctx, actor, state=state, before=before, limit=limit)
    return {"items": [row.to_json() for row in rows], "next": rows[-1].id if len(rows) == limit else None}


@router.post("/search", response_model=Records, responses=problems(404, 422))
def search(ctx: Ctx, actor: RecordReader, body: Who, key: Key = None) -> JSONResponse:
    """The records of one person; looking is put on record. Their number does not belong into an address."""

    def act() -> dict[str, Any]:
        of = named(body.management_no, body.sitting, body.admission_no)
        rows = misconduct.list_records(ctx, actor, of=of)
        return {"items": [row.to_json() for row in rows], "next": None}

    return once(ctx, actor, key, "misconduct.search", body.model_dump(), act)


@router.get("/transfers/{number}.pdf", response_class=Response, responses=problems(404) | PDF)
def transfer_file(ctx: Ctx, actor: RecordReader, number: str) -> Response:
    """A transfer note, sealed; reading it is put on record."""
    return pdf_response(notes.transfer_pdf(ctx, actor, number), f"移送函-{number}.pdf", None, None)


@router.post("/transfers", status_code=201, response_model=Made, responses=problems(404, 409, 422, 503))
def transfer(ctx: Ctx, actor: Approver, body: Transfer, key: Key = None) -> JSONResponse:
    """Make and seal a transfer note for an applied case of misconduct (suspected crime)."""

    def act() -> dict[str, Any]:
        evidence = [notes.Evidence(piece.what, piece.sha256) for piece in body.evidence]
        number, digest = notes.transfer(ctx, actor, body.case, to=body.to, facts=body.facts, evidence=evidence)
        return {"number": number, "sha256": digest}

    return once(ctx, actor, key, "misconduct.transfer", body.model_dump(), act, 201)


@router.get("/{record_id}", response_model=WholeRecord, responses=problems(404))
def show(ctx: Ctx, actor: RecordReader, record_id: int) -> dict[str, Any]:
    """One record with what was done about it; the look is put on record."""
    return show_record(ctx, actor, record_id).to_json()


@router.post("/{record_id}/consider", response_model=Acted, responses=problems(404, 409, 422))
def consider(ctx: Ctx, actor: Approver, record_id: int, body: Consideration, key: Key = None) -> JSONResponse:
    """Let one registration of the person go on in spite of a running record (Order 31, article 12)."""

    def act() -> dict[str, Any]:
        of = named(body.management_no, body.sitting, body.admission_no)
        misconduct.consider(ctx, actor, record_id, of, body.note)
        return {"id": record_id, "act": "considered"}

    return once(ctx, actor, key, "misconduct.consider", {"id": record_id, **body.model_dump()}, act)


@router.post("/{record_id}/lift", response_model=Acted, responses=problems(404, 409, 422))
def lift(ctx: Ctx, actor: Approver, record_id: int, body: Reason, key: Key = None) -> JSONResponse:
    """Ask to lift a running record; another approver decides."""

    def act() -> dict[str, Any]:
        lifting.propose_lift(ctx, actor, record_id, body.reason)
        return {"id": record_id, "act": "lift-proposed"}

    return once(ctx, actor, key, "misconduct.lift", {"id": record_id, **body.model_dump()}, act)


@router.post("/{record_id}/lift/approve", response_model=Acted, responses=problems(404, 409))
def approve_lift(ctx: Ctx, actor: Approver, record_id: int, key: Key = None) -> JSONResponse:
    """Lift it, as somebody other than who asked."""

    def act() -> dict[str, Any]:
        lifting.decide_lift(ctx, actor, record_id, approved=True)
        return {"id": record_id, "act": "lifted"}

    return once(ctx, actor, key, "misconduct.approve-lift", {"id": record_id}, act)


@router.post("/{record_id}/lift/reject", response_model=Acted, responses=problems(404, 409))
def reject_lift(ctx: Ctx, actor: Approver, record_id: int, key: Key = None) -> JSONResponse:
    """Leave it running, as somebody other than who asked."""

    def act() -> dict[str, Any]:
        lifting.decide_lift(ctx, actor, record_id, approved=False)
        return {"id": record_id, "act": "kept"}

    return once(ctx, actor, key, "misconduct.reject-lift", {"id": record_id}, act)
