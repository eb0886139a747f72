"""Sittings over HTTP: define, list, show with progress and days (R5–R7)."""

import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, File, Query, UploadFile
from fastapi.responses import JSONResponse

from issuer.api.access import Ctx, Reader, requires
from issuer.api.idempotency import Key, once
from issuer.api.models import ProgressAnswer, SittingDays, SittingPage, SittingWithProgress, problems
from issuer.review.progress import sitting_progress
from issuer.roster.definition import DEFINERS
from issuer.roster.overview import list_sittings, show_sitting
from issuer.roster.service import define_sitting
from issuer.roster.sittings import MAX_TOML_BYTES

router = APIRouter(prefix="/api/v1/sittings", tags=["sittings"])

DAYS = (
    "exam_ended_on",
    "results_released_on",
    "notice_opens_on",
    "notice_closes_on",
    "review_report_due_on",
    "supplementary_closes_on",
    "approved_on",
)
Definer = Annotated[Any, requires(*DEFINERS)]


@router.post("", status_code=201, response_model=SittingDays, responses=problems(409, 413, 422))
def define(
    ctx: Ctx,
    actor: Definer,
    file: Annotated[UploadFile, File(description="sitting.toml")],
    key: Key = None,
) -> JSONResponse:
    """Define a sitting, or change one while the law still lets it change."""
    content = file.file.read(MAX_TOML_BYTES + 1)

    def act() -> dict[str, Any]:
        sitting = define_sitting(ctx, actor, content)
        days = {name: getattr(sitting, name).isoformat() for name in DAYS}
        return {"code": sitting.code, "programme_code": sitting.programme_code, **days}

    asked = {"sha256": hashlib.sha256(content).hexdigest()}
    return once(ctx, actor, key, "sittings.define", asked, act, 201)


@router.get("", response_model=SittingPage, responses=problems(422))
def list_(
    ctx: Ctx, actor: Reader, before: str | None = None, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> dict[str, Any]:
    """Sittings, the latest score release first."""
    rows = list_sittings(ctx, actor, before=before, limit=limit)
    return {"items": [row.to_json() for row in rows], "next": rows[-1].code if len(rows) == limit else None}


@router.get("/{code}", response_model=SittingWithProgress, responses=problems(404))
def show(ctx: Ctx, actor: Reader, code: str) -> dict[str, Any]:
    """One sitting with its days and how its review stands."""
    progress = sitting_progress(ctx, actor, code).to_json()
    return show_sitting(ctx, actor, code).to_json() | {"progress": progress}


@router.get("/{code}/progress", response_model=ProgressAnswer, responses=problems(404))
def progress(ctx: Ctx, actor: Reader, code: str) -> dict[str, Any]:
    """How the review stands, within the caller's reach."""
    return sitting_progress(ctx, actor, code).to_json()
