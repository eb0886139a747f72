"""Rosters over HTTP: a spreadsheet and its portraits in, findings row by row out (R5)."""

from typing import Annotated, Any

from fastapi import APIRouter, File, Form, UploadFile
from fastapi.responses import JSONResponse, Response

from issuer.access.actor import Actor
from issuer.api.access import Ctx, requires
from issuer.api.idempotency import Key, once
from issuer.api.models import RosterAnswer, problems
from issuer.api.uploads import on_disk, sha256_of
from issuer.context import Context
from issuer.errors import InputError, Words
from issuer.holders.files import content_disposition
from issuer.roster.report import RosterReport
from issuer.roster.returned import fetch_returned, keep_returned
from issuer.roster.service import IMPORTERS, import_roster

router = APIRouter(prefix="/api/v1/rosters", tags=["rosters"])

Importer = Annotated[Actor, requires(*IMPORTERS)]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@router.post("", response_model=RosterAnswer, responses=problems(404, 409, 413, 422))
def upload(
    ctx: Ctx,
    actor: Importer,
    sitting: Annotated[str, Form(max_length=32)],
    file: Annotated[UploadFile, File(description=".xlsx, .csv (UTF-8, GB18030)")],
    photos: Annotated[UploadFile | None, File(description=".zip of portraits")] = None,
    dry_run: Annotated[bool, Form()] = False,
    key: Key = None,
) -> JSONResponse:
    """Take in a roster; good rows go in, bad ones come back as findings. A dry run writes nothing.

    The same file a second time changes nothing.
    """
    with on_disk(file, photos) as (content, archive):
        asked = {"sitting": sitting, "file": sha256_of(content), "photos": sha256_of(archive), "dry_run": dry_run}

        def act() -> dict[str, Any]:
            report, kept = take_in(ctx, actor, sitting, file, photos, dry_run=dry_run)
            return report.to_json() | {"annotated": f"/api/v1/rosters/returned/{kept}.xlsx" if kept else None}

        return once(ctx, actor, None if dry_run else key, "rosters.import", asked, act)


@router.get(
    "/returned/{name}.xlsx",
    response_class=Response,
    responses=problems(404) | {200: {"content": {XLSX: {}}, "description": "The rows to mend"}},
)
def returned(ctx: Ctx, actor: Importer, name: str) -> Response:
    """The rows to mend, in the sender's own layout, each faulty cell marked."""
    headers = {"Content-Disposition": content_disposition("需更正名单.xlsx"), "Cache-Control": "no-store"}
    return Response(fetch_returned(ctx, actor, name), media_type=XLSX, headers=headers)


def take_in(
    ctx: Context, actor: Actor, sitting: str, file: UploadFile, photos: UploadFile | None, *, dry_run: bool
) -> tuple[RosterReport, str | None]:
    """Import an upload; (report, name of the kept rows to mend or None). Raises what `import_roster` raises."""
    with on_disk(file, photos) as (content, archive):
        if content is None:
            raise InputError(
                "file-missing",
                Words("没有选择名单文件，未作任何改动。", "No roster was chosen; nothing was changed."),
            )
        name = file.filename or "roster"
        report = import_roster(ctx, actor, sitting, file_name=name, content=content, photos=archive, dry_run=dry_run)
        return report, keep_returned(ctx, actor, content, report)
