"""A sitting's page: its days, how its review stands, uploads, acts by the calendar, its certificates."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Query, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from issuer.api import reviews as review_api
from issuer.api.rosters import returned as returned_file
from issuer.api.rosters import take_in
from issuer.api.uploads import on_disk
from issuer.console.dashboard import bar
from issuer.console.session import Visit, acts, looks
from issuer.errors import DomainError
from issuer.issuance.requests import READERS as BATCH_READERS
from issuer.issuance.requests import list_batches
from issuer.problems import status_of
from issuer.review import service as review
from issuer.review.figures import sitting_figures
from issuer.review.open_statements import open_statements
from issuer.review.sitting import READERS, REVIEWERS
from issuer.review.statements import RECEIVERS, Candidate
from issuer.review.timeline import sitting_days
from issuer.roster.definition import DEFINERS
from issuer.roster.overview import show_sitting
from issuer.roster.service import IMPORTERS, define_sitting
from issuer.roster.sittings import MAX_TOML_BYTES
from issuer.rules.terms import ReviewRound, Role

router = APIRouter(prefix="/console/sittings", include_in_schema=False)

Looking = Annotated[Visit, looks(*Role)]
Defining = Annotated[Visit, acts(*DEFINERS)]
Importing = Annotated[Visit, acts(*IMPORTERS)]
Fetching = Annotated[Visit, looks(*IMPORTERS)]
Reviewing = Annotated[Visit, acts(*REVIEWERS)]
Exporting = Annotated[Visit, looks(*REVIEWERS)]
Receiving = Annotated[Visit, acts(*RECEIVERS)]
Text = Annotated[str, Form(max_length=4000)]

ROUND_ACTS: dict[str, Callable[..., Any]] = {
    "open-notice": review.open_notice,
    "close-first-round": review.close_first_round,
    "open-supplementary": review.open_supplementary,
    "lapse": review.lapse_supplementary,
}


@router.post("")
def define(visit: Defining, file: Annotated[UploadFile, File()]) -> Response:
    """Take in a sitting.toml."""
    sitting = define_sitting(visit.ctx, visit.actor, file.file.read(MAX_TOML_BYTES + 1))
    return RedirectResponse(f"/console/sittings/{sitting.code}", 303)


@router.get("/{code}")
def show(
    visit: Looking, code: str, objection: Annotated[int, Query(ge=0)] = 0, defence: Annotated[int, Query(ge=0)] = 0
) -> HTMLResponse:
    """Everything about a sitting that this account has a use for; what waits, from these numbers on."""
    return _sitting(visit, code, begin=(objection, defence))


@router.post("/{code}/roster")
def roster(
    visit: Importing,
    code: str,
    file: Annotated[UploadFile, File()],
    photos: Annotated[UploadFile | None, File()] = None,
    mode: Annotated[str, Form(max_length=8)] = "check",
) -> HTMLResponse:
    """Check a roster, or take it in; the findings row by row."""
    try:
        report, kept = take_in(visit.ctx, visit.actor, code, file, photos, dry_run=mode != "import")
    except DomainError as refusal:
        return _sitting(visit, code, refusal, at="roster")
    return visit.render("roster_report.html", code=code, report=report, kept=kept)


@router.get("/{code}/returned/{name}.xlsx")
def returned(visit: Fetching, code: str, name: str) -> Response:
    """The rows to mend."""
    return returned_file(visit.ctx, visit.actor, name)


@router.get("/{code}/template")
def template(visit: Exporting, code: str, round: ReviewRound) -> Response:
    """The decision file to fill in."""
    return review_api.template(visit.ctx, visit.actor, code, round)


@router.post("/{code}/decisions")
def decisions(
    visit: Reviewing,
    code: str,
    round: Annotated[ReviewRound, Form()],
    file: Annotated[UploadFile, File()],
    mode: Annotated[str, Form(max_length=8)] = "check",
) -> HTMLResponse:
    """Check a decision file, or take it in."""
    try:
        with on_disk(file) as (content,):
            if content is None:
                raise review_api.no_file()
            report = review.apply_decisions(
                visit.ctx, visit.actor, code, round, content=content, dry_run=mode != "import"
            )
    except DomainError as refusal:
        return _sitting(visit, code, refusal, at="decisions")
    return visit.render("decision_report.html", code=code, report=report)


@router.post("/{code}/acts")
def act(visit: Reviewing, code: str, name: Annotated[str, Form(max_length=40)]) -> Response:
    """One act on the whole sitting by the calendar (R5, R7)."""
    try:
        if name in ROUND_ACTS:
            ROUND_ACTS[name](visit.ctx, visit.actor, code)
    except DomainError as refusal:
        return _sitting(visit, code, refusal, at="acts")
    return RedirectResponse(f"/console/sittings/{code}#acts", 303)


@router.post("/{code}/objections")
def object_(visit: Receiving, code: str, admission_no: Annotated[str, Form(max_length=40)], text: Text) -> Response:
    """Write down an objection (R5)."""
    try:
        review.raise_objection(visit.ctx, visit.actor, code, Candidate(admission_no=admission_no), text)
    except DomainError as refusal:
        return _sitting(visit, code, refusal, at="objections")
    return RedirectResponse(f"/console/sittings/{code}#objections", 303)


@router.post("/{code}/objections/{number}")
def resolve(visit: Reviewing, code: str, number: int, resolution: Text, upheld: Annotated[bool, Form()]) -> Response:
    """Decide on an objection (R5)."""
    try:
        review.resolve_objection(visit.ctx, visit.actor, number, upheld=upheld, resolution=resolution)
    except DomainError as refusal:
        return _sitting(visit, code, refusal, at="objections")
    return RedirectResponse(f"/console/sittings/{code}#objections", 303)


@router.post("/{code}/defences/{registration_id}")
def decide_defence(
    visit: Reviewing, code: str, registration_id: int, note: Text, accepted: Annotated[bool, Form()]
) -> Response:
    """Decide on a defence (R7)."""
    try:
        who = Candidate(registration_id=registration_id)
        review.decide_defence(visit.ctx, visit.actor, code, who, accepted=accepted, note=note)
    except DomainError as refusal:
        return _sitting(visit, code, refusal, at="defences")
    return RedirectResponse(f"/console/sittings/{code}#defences", 303)


def _sitting(
    visit: Visit, code: str, refusal: DomainError | None = None, at: str = "", begin: tuple[int, int] = (0, 0)
) -> HTMLResponse:
    ctx, actor = visit.ctx, visit.actor
    objection, defence = begin
    sitting = show_sitting(ctx, actor, code)
    progress = review.sitting_progress(ctx, actor, code) if visit.may(*READERS) else None
    return visit.render(
        "sitting.html",
        status_of(refusal) if refusal else 200,
        sitting=sitting,
        days=sitting_days(ctx, code),
        progress=progress,
        bar=bar(progress) if progress else [],
        figures=sitting_figures(ctx, actor, code) if visit.may(*READERS) else None,
        statements=open_statements(ctx, actor, code, objection=objection, defence=defence)
        if visit.may(*REVIEWERS)
        else None,
        batches=list_batches(ctx, actor, sitting_code=code, limit=5) if visit.may(*BATCH_READERS) else None,
        may_import=visit.may(*IMPORTERS),
        may_review=visit.may(*REVIEWERS),
        may_object=visit.may(*RECEIVERS),
        may_issue=visit.may(Role.AUTHORITY_ISSUER) and sitting.medium == "electronic",
        refusal=refusal,
        at=at,
    )
