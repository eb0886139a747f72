"""What registrations rest on, over HTTP: commitment texts, comparison with registers, materials (R2, R3)."""

import tempfile
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, UploadFile
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from issuer.access.actor import Actor
from issuer.api.access import Ctx, requires
from issuer.api.idempotency import Key, once
from issuer.api.models import Finding, Numbered, problems
from issuer.api.rosters import XLSX
from issuer.api.uploads import on_disk, sha256_of
from issuer.context import Context
from issuer.errors import InputError, Words
from issuer.holders.files import content_disposition
from issuer.registration import commitments, materials, progress
from issuer.registration.comparing import COMPARERS
from issuer.registration.report import ComparisonReport, annotated_file, compare_file
from issuer.roster.returned import fetch_file, keep_file

router = APIRouter(prefix="/api/v1/registrations", tags=["registrations"])

Publisher = Annotated[Actor, requires(*commitments.PUBLISHERS)]
TextReader = Annotated[Actor, requires(*commitments.READERS)]
Recorder = Annotated[Actor, requires(*commitments.RECORDERS)]
Comparer = Annotated[Actor, requires(*COMPARERS)]
Viewer = Annotated[Actor, requires(*progress.VIEWERS)]
Judge = Annotated[Actor, requires(*materials.JUDGES)]
Seer = Annotated[Actor, requires(*materials.VIEWERS)]
PNG_HEADERS = {
    "Cache-Control": "private, no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


class NewText(BaseModel):
    """A version of a commitment text; it counts from the day it comes into force."""

    model_config = ConfigDict(extra="forbid")

    version: str = Field(min_length=1, max_length=40)
    in_force_from: date
    text_zh: str = Field(min_length=10, max_length=commitments.MAX_TEXT)
    text_en: str = Field(min_length=10, max_length=commitments.MAX_TEXT)


class CommitmentTextAnswer(BaseModel):
    """One version, whole; `digest` is SHA-256 over both languages."""

    programme: str
    version: str
    in_force_from: date
    digest: str
    text_zh: str
    text_en: str
    published_by: str
    published_at: datetime


class CommitmentTexts(BaseModel):
    """Newest first."""

    items: list[CommitmentTextAnswer]


class ComparisonAnswer(BaseModel):
    """What a register's file did. `outcomes`: item → outcome → people. `annotated`: the rows back with what each came
    to, for a few days, for their sender."""

    sitting: str
    source: str
    source_version: str
    file_sha256: str
    dry_run: bool
    run_id: int | None
    people: int
    rows: int
    elsewhere: int
    refused: int
    new: int
    unchanged: int
    undeclared: int
    outcomes: dict[str, dict[str, int]]
    findings: list[Finding]
    annotated: str | None


class FactsProgressAnswer(BaseModel):
    """Counts within the caller's reach."""

    sitting: str
    items: list[str]
    people: int
    promised: int
    outcomes: dict[str, dict[str, int]]
    materials: dict[str, int]
    runs: list[dict[str, Any]]


class FactsAnswer(BaseModel):
    """Where one registration stands, without declared values or names."""

    registration_id: int
    sitting: str
    basis: str
    commitment: dict[str, Any]
    items: list[dict[str, Any]]
    asked: list[dict[str, Any]]
    materials: list[dict[str, Any]]


class Signed(BaseModel):
    """The day a commitment was signed on paper."""

    model_config = ConfigDict(extra="forbid")

    signed_on: date


class MaterialDecision(BaseModel):
    """Accepted or not; the candidate reads `note` where it was not."""

    model_config = ConfigDict(extra="forbid")

    accepted: bool
    note: str = Field(default="", max_length=materials.MAX_NOTE)


@router.get("/texts/{programme}", response_model=CommitmentTexts, responses=problems(404))
def texts(ctx: Ctx, actor: TextReader, programme: str) -> dict[str, Any]:
    """Every version of a programme's commitment text (R2)."""
    views = commitments.list_texts(ctx, actor, programme)
    return {"items": [_text(view) for view in views]}


@router.post("/texts/{programme}", response_model=CommitmentTextAnswer, responses=problems(404, 409, 422))
def publish(ctx: Ctx, actor: Publisher, programme: str, body: NewText, key: Key = None) -> JSONResponse:
    """Publish a version; what somebody accepted before stays what it was."""

    def act() -> dict[str, Any]:
        return _text(commitments.publish_text(ctx, actor, programme, **body.model_dump()))

    asked = {"programme": programme, **body.model_dump()}
    return once(ctx, actor, key, "registrations.text", asked, act)


@router.post("/comparisons", response_model=ComparisonAnswer, responses=problems(404, 409, 413, 422))
def compare(
    ctx: Ctx,
    actor: Comparer,
    sitting: Annotated[str, Form(max_length=32)],
    source: Annotated[str, Form(max_length=40, description="short name: education, employment")],
    file: Annotated[UploadFile, File(description=".xlsx, .csv: 证件号码 or 准考证号, and the register's answers")],
    version: Annotated[str, Form(max_length=80, description="what day its data is of")] = "",
    complete: Annotated[bool, Form(description="who is not in it is not found")] = False,
    dry_run: Annotated[bool, Form()] = False,
    key: Key = None,
) -> JSONResponse:
    """Compare a sitting with a register's file (R3). The same file a second time changes nothing."""
    with on_disk(file) as (content,):
        asked = {"sitting": sitting, "source": source, "file": sha256_of(content), "version": version}
        asked["complete"] = str(complete)

        def act() -> dict[str, Any]:
            report, kept = take_in(
                ctx, actor, sitting, source, content, version=version, complete=complete, dry_run=dry_run
            )
            where = f"/api/v1/registrations/comparisons/returned/{kept}.xlsx"
            return report.to_json() | {"annotated": where}

        return once(ctx, actor, None if dry_run else key, "registrations.compare", asked, act)


@router.get(
    "/comparisons/returned/{name}.xlsx",
    response_class=Response,
    responses=problems(404) | {200: {"content": {XLSX: {}}, "description": "The rows with what each came to"}},
)
def returned(ctx: Ctx, actor: Comparer, name: str) -> Response:
    """The sender's rows with what each came to."""
    headers = {"Content-Disposition": content_disposition("比对结果.xlsx"), "Cache-Control": "no-store"}
    return Response(fetch_file(ctx, actor, name), media_type=XLSX, headers=headers)


@router.get("/sittings/{sitting}", response_model=FactsProgressAnswer, responses=problems(404))
def sitting_facts(ctx: Ctx, actor: Viewer, sitting: str) -> dict[str, Any]:
    """How the facts of a sitting stand altogether."""
    return progress.facts_progress(ctx, actor, sitting).to_json()


@router.get("/{registration_id}", response_model=FactsAnswer, responses=problems(404))
def one(ctx: Ctx, actor: Seer, registration_id: int) -> dict[str, Any]:
    """Where one registration stands; the look is recorded."""
    return progress.show_facts(ctx, actor, registration_id).to_json()


@router.post("/{registration_id}/commitment", response_model=Numbered, responses=problems(404, 409, 422))
def signed(ctx: Ctx, actor: Recorder, registration_id: int, body: Signed, key: Key = None) -> JSONResponse:
    """Write down a commitment signed on paper (R2)."""

    def act() -> dict[str, Any]:
        commitments.record_at_counter(ctx, actor, registration_id, body.signed_on)
        return {"id": registration_id, "state": "recorded"}

    asked = {"id": registration_id, **body.model_dump()}
    return once(ctx, actor, key, "registrations.commitment", asked, act)


@router.get(
    "/materials/{material_id}/pages/{page}.png",
    response_class=Response,
    responses=problems(404, 422, 503) | {200: {"content": {"image/png": {}}, "description": "The page, painted"}},
)
def material_page(ctx: Ctx, actor: Seer, material_id: int, page: int) -> Response:
    """One page of a material as a picture; the look is recorded. The file itself is never served."""
    return Response(materials.look(ctx, actor, material_id, page), media_type="image/png", headers=PNG_HEADERS)


@router.post("/materials/{material_id}/decision", response_model=Numbered, responses=problems(404, 409, 422))
def decide(ctx: Ctx, actor: Judge, material_id: int, body: MaterialDecision, key: Key = None) -> JSONResponse:
    """Accept or decline a material (R3)."""

    def act() -> dict[str, Any]:
        materials.judge(ctx, actor, material_id, accepted=body.accepted, note=body.note)
        return {"id": material_id, "state": "accepted" if body.accepted else "declined"}

    asked = {"id": material_id, **body.model_dump()}
    return once(ctx, actor, key, "registrations.material", asked, act)


def take_in(
    ctx: Context,
    actor: Actor,
    sitting: str,
    source: str,
    content: Path | None,
    *,
    version: str,
    complete: bool,
    dry_run: bool,
) -> tuple[ComparisonReport, str]:
    """Compare an upload; (report, name of the annotated rows). Raises what `compare_file` raises."""
    if content is None:
        raise InputError(
            "file-missing", Words("没有选择文件，未作任何改动。", "No file was chosen; nothing was changed.")
        )
    report = compare_file(ctx, actor, sitting, source, content, version=version, complete=complete, dry_run=dry_run)
    with tempfile.TemporaryDirectory(prefix="ecert-") as scratch:
        out = Path(scratch) / "compared.xlsx"
        annotated_file(report, out)
        return report, keep_file(ctx, actor, out.read_bytes())


def _text(view: commitments.TextView) -> dict[str, Any]:
    values = {name: getattr(view, name) for name in CommitmentTextAnswer.model_fields}
    return CommitmentTextAnswer(**values).model_dump(mode="json")
