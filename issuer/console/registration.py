"""What registrations rest on, at the console: registers' files, commitment texts, materials looked at (R2, R3)."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, File, Form, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from issuer.api import registrations as api
from issuer.api.uploads import on_disk
from issuer.console.session import Visit, acts, looks
from issuer.errors import DomainError
from issuer.problems import status_of
from issuer.queues.reading import find_open_case
from issuer.registration import commitments, materials, progress
from issuer.registration.comparing import COMPARERS
from issuer.rules.queues import CaseKind

router = APIRouter(prefix="/console", include_in_schema=False)

Looking = Annotated[Visit, looks(*progress.VIEWERS)]
Comparing = Annotated[Visit, acts(*COMPARERS)]
Fetching = Annotated[Visit, looks(*COMPARERS)]
Publishing = Annotated[Visit, acts(*commitments.PUBLISHERS)]
Recording = Annotated[Visit, acts(*commitments.RECORDERS)]
Seeing = Annotated[Visit, looks(*materials.VIEWERS)]
Judging = Annotated[Visit, acts(*materials.JUDGES)]
Short = Annotated[str, Form(max_length=80)]
Text = Annotated[str, Form(max_length=commitments.MAX_TEXT)]
OWING_SHOWN = 100


@router.get("/registrations/{code}")
def show(visit: Looking, code: str) -> HTMLResponse:
    """How the facts of a sitting stand; files in; the commitment text; who still owes what."""
    return _page(visit, code)


@router.post("/registrations/{code}/comparisons")
def compare(
    visit: Comparing,
    code: str,
    file: Annotated[UploadFile, File()],
    source: Short = "",
    version: Short = "",
    complete: Annotated[bool, Form()] = False,
    mode: Annotated[str, Form(max_length=8)] = "check",
) -> HTMLResponse:
    """Check a register's file, or compare with it; what each row came to can be fetched."""
    try:
        with on_disk(file) as (content,):
            report, kept = api.take_in(
                visit.ctx,
                visit.actor,
                code,
                source.strip(),
                content,
                version=version.strip(),
                complete=complete,
                dry_run=mode != "import",
            )
    except DomainError as refusal:
        return _page(visit, code, refusal, at="comparison")
    return visit.render("comparison_report.html", code=code, report=report, outcomes=report.outcomes(), kept=kept)


@router.get("/registrations/{code}/returned/{name}.xlsx")
def returned(visit: Fetching, code: str, name: str) -> Response:
    """The sender's rows with what each came to."""
    return api.returned(visit.ctx, visit.actor, name)


@router.post("/registrations/{code}/texts")
def publish(
    visit: Publishing,
    code: str,
    in_force_from: Annotated[date, Form()],
    version: Short = "",
    text_zh: Text = "",
    text_en: Text = "",
) -> Response:
    """Publish a version of the programme's commitment text (R2)."""
    programme = progress.facts_progress(visit.ctx, visit.actor, code).programme
    try:
        commitments.publish_text(
            visit.ctx,
            visit.actor,
            programme,
            version=version,
            in_force_from=in_force_from,
            text_zh=text_zh,
            text_en=text_en,
        )
    except DomainError as refusal:
        return _page(visit, code, refusal, at="text", typed=(version, in_force_from.isoformat(), text_zh, text_en))
    return RedirectResponse(f"/console/registrations/{code}#text", 303)


@router.post("/work/review/{registration_id}/commitment")
def signed(visit: Recording, registration_id: int, signed_on: Annotated[date, Form()]) -> Response:
    """Write down a commitment signed on paper before staff (R2)."""
    commitments.record_at_counter(visit.ctx, visit.actor, registration_id, signed_on)
    return RedirectResponse(f"/console/work/review/{registration_id}#facts", 303)


@router.get("/materials/{material_id}")
def material(visit: Seeing, material_id: int, page: int = 1) -> HTMLResponse:
    """One material, page by page."""
    return _material(visit, material_id, page)


@router.get("/materials/{material_id}/{page}.png")
def material_page(visit: Seeing, material_id: int, page: int) -> Response:
    """One page as a picture painted here; the look is recorded, the file itself never leaves."""
    picture = materials.look(visit.ctx, visit.actor, material_id, page)
    return Response(picture, media_type="image/png", headers=api.PNG_HEADERS)


@router.post("/materials/{material_id}/decision")
def decide(
    visit: Judging,
    material_id: int,
    accepted: Annotated[bool, Form()],
    note: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Accept a material, or decline it with a reason the candidate reads (R3)."""
    try:
        registration = materials.judge(visit.ctx, visit.actor, material_id, accepted=accepted, note=note)
    except DomainError as refusal:
        return _material(visit, material_id, 1, refusal, note)
    desk = _desk(visit, registration)
    return RedirectResponse(f"{desk}#materials" if desk else f"/console/materials/{material_id}", 303)


def _desk(visit: Visit, registration_id: int) -> str | None:
    """Where the review is worked on; None when it waits for nobody."""
    try:
        find_open_case(visit.ctx, visit.actor, CaseKind.REVIEW, registration_id)
    except DomainError:
        return None
    return f"/console/work/review/{registration_id}"


def _material(
    visit: Visit, material_id: int, page: int, refusal: DomainError | None = None, note: str = ""
) -> HTMLResponse:
    shown = materials.describe(visit.ctx, visit.actor, material_id)
    return visit.render(
        "material.html",
        status_of(refusal) if refusal else 200,
        file=shown,
        desk=_desk(visit, shown.registration_id),
        page=min(max(page, 1), shown.pages),
        may_judge=visit.may(*materials.JUDGES) and shown.state == "given",
        note=note,
        refusal=refusal,
    )


def _page(
    visit: Visit,
    code: str,
    refusal: DomainError | None = None,
    at: str = "",
    typed: tuple[str, str, str, str] = ("", "", "", ""),
) -> HTMLResponse:
    ctx, actor = visit.ctx, visit.actor
    stands = progress.facts_progress(ctx, actor, code)
    reads_texts = visit.may(*commitments.READERS)
    return visit.render(
        "registration.html",
        status_of(refusal) if refusal else 200,
        code=code,
        stands=stands,
        owing=progress.who_owes(ctx, actor, code, limit=OWING_SHOWN),
        shown=OWING_SHOWN,
        texts=commitments.list_texts(ctx, actor, stands.programme) if reads_texts else [],
        may_compare=visit.may(*COMPARERS),
        may_publish=visit.may(*commitments.PUBLISHERS),
        may_open=visit.may(*materials.VIEWERS),
        typed=typed,
        refusal=refusal,
        at=at,
    )
