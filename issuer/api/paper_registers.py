"""Safekeeping and handover registers over HTTP (R13)."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from issuer.access.actor import Actor
from issuer.api.access import Approver, Ctx, Reader, requires
from issuer.api.idempotency import Key, once
from issuer.api.models import problems
from issuer.api.paper_models import BoxScan, DueLine, RegisterAnswer, RegisterRequest, ScanAnswer
from issuer.api.rosters import XLSX
from issuer.context import Context
from issuer.holders.files import content_disposition, pdf_response
from issuer.paper import keeping, registers
from issuer.paper.sheets import CLERKS
from issuer.rules.paper_keeping import DueState

router = APIRouter(prefix="/api/v1/paper", tags=["paper"])

Clerk = Annotated[Actor, requires(*CLERKS)]
REFUSALS = problems(404, 409, 422)
FILES: dict[int | str, dict[str, Any]] = {
    200: {"content": {XLSX: {}, "application/pdf": {}}, "description": "The file"}
}


@router.get("/due", response_model=list[DueLine], responses=problems(422))
def due(ctx: Ctx, actor: Reader, state: DueState | None = None, sitting: str | None = None) -> list[dict[str, Any]]:
    """Unclaimed certificates by sitting, the most urgent first; `state=this-month` or `overdue` narrows it."""
    return [line.to_json() for line in keeping.due_list(ctx, actor, state=state, sitting=sitting)]


@router.get("/registers", response_model=list[RegisterAnswer], responses=problems())
def list_(ctx: Ctx, actor: Reader) -> list[dict[str, Any]]:
    """Registers newest first."""
    return [row.to_json() for row in registers.list_registers(ctx, actor)]


@router.post("/registers", status_code=201, response_model=RegisterAnswer, responses=REFUSALS)
def open_(ctx: Ctx, actor: Clerk, body: RegisterRequest, key: Key = None) -> JSONResponse:
    """Begin a register over everything of a sitting that is in safekeeping; not before the five years are over."""
    act = lambda: registers.open_register(ctx, actor, body.sitting).to_json()  # noqa: E731
    return once(ctx, actor, key, "paper.register.open", body.model_dump(), act, 201)


@router.get("/registers/{number}.pdf", response_class=Response, responses=REFUSALS | FILES)
def pdf(ctx: Ctx, actor: Reader, number: str) -> Response:
    """The sealed register."""
    return file_response(ctx, actor, number, "pdf")


@router.get("/registers/{number}.xlsx", response_class=Response, responses=REFUSALS | FILES)
def xlsx(ctx: Ctx, actor: Reader, number: str) -> Response:
    """The register's lines as a workbook."""
    return file_response(ctx, actor, number, "xlsx")


@router.get("/registers/{number}", response_model=RegisterAnswer, responses=REFUSALS)
def show(ctx: Ctx, actor: Reader, number: str) -> dict[str, Any]:
    """One register with how its count stands."""
    return registers.show_register(ctx, actor, number).to_json()


@router.post("/registers/{number}/count", response_model=ScanAnswer, responses=REFUSALS)
def count(ctx: Ctx, actor: Clerk, number: str, body: BoxScan, key: Key = None) -> JSONResponse:
    """Scan a certificate in its box; another box than its own is a 409 with code wrong-box."""
    act = lambda: registers.count_one(ctx, actor, number, body.box, body.certificate).to_json()  # noqa: E731
    return once(ctx, actor, key, "paper.register.count", {"number": number, **body.model_dump()}, act)


@router.post("/registers/{number}/close", response_model=RegisterAnswer, responses=REFUSALS)
def close(ctx: Ctx, actor: Clerk, number: str, key: Key = None) -> JSONResponse:
    """The count equals the boxes; a difference is a 409 that names the boxes."""
    act = lambda: registers.close_count(ctx, actor, number).to_json()  # noqa: E731
    return once(ctx, actor, key, "paper.register.close", {"number": number}, act)


@router.post("/registers/{number}/send-back", response_model=RegisterAnswer, responses=REFUSALS)
def send_back(ctx: Ctx, actor: Approver, number: str, key: Key = None) -> JSONResponse:
    """The department does not countersign: the count is open again."""
    act = lambda: registers.send_back(ctx, actor, number).to_json()  # noqa: E731
    return once(ctx, actor, key, "paper.register.return", {"number": number}, act)


@router.post("/registers/{number}/countersign", response_model=RegisterAnswer, responses=problems(404, 409, 422, 503))
def countersign(ctx: Ctx, actor: Approver, number: str, key: Key = None) -> JSONResponse:
    """The department takes the boxes over: the register is sealed and its certificates are handed over, for good."""
    act = lambda: registers.countersign(ctx, actor, number).to_json()  # noqa: E731
    return once(ctx, actor, key, "paper.register.seal", {"number": number}, act)


def file_response(ctx: Context, actor: Actor, number: str, kind: Literal["pdf", "xlsx"]) -> Response:
    """A finished register's file, as the API and the console give it out."""
    content = registers.register_file(ctx, actor, number, kind)
    name = f"移交清册-{number}.{kind}"
    if kind == "pdf":
        return pdf_response(content, name, None, None)
    headers = {"Content-Disposition": content_disposition(name), "Cache-Control": "no-store"}
    return Response(content, media_type=XLSX, headers=headers)
