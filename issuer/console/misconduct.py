"""The misconduct record for the few who may see it (R10; Order 31): looking is put on record, two people lift one."""

import hashlib
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, File, Form, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from issuer.console.session import Visit, acts, looks
from issuer.errors import DomainError
from issuer.holders.files import pdf_response
from issuer.invalidation import lifting, misconduct
from issuer.invalidation import transfer as notes
from issuer.invalidation.misconduct import DECIDERS, READERS, list_records
from issuer.invalidation.record_page import show_record
from issuer.invalidation.subject import named
from issuer.problems import status_of
from issuer.rules.misconduct import RecordState

router = APIRouter(prefix="/console/misconduct", include_in_schema=False)
Looking = Annotated[Visit, looks(*READERS)]
Deciding = Annotated[Visit, acts(*DECIDERS)]
Short = Annotated[str, Form(max_length=200)]
Text = Annotated[str, Form(max_length=4000)]
SHOWN = 50


@router.get("")
def list_(visit: Looking, state: str | None = None, before: int | None = None) -> HTMLResponse:
    """Records newest first."""
    rows = list_records(visit.ctx, visit.actor, state=state or None, before=before, limit=SHOWN)
    following = rows[-1].id if len(rows) == SHOWN else None
    return visit.render(
        "misconduct.html", rows=rows, state=state or "", states=list(RecordState), following=following
    )


@router.get("/transfers/{number}.pdf")
def transfer_file(visit: Looking, number: str) -> Response:
    """A transfer note, sealed."""
    return pdf_response(notes.transfer_pdf(visit.ctx, visit.actor, number), f"移送函-{number}.pdf", None, None)


@router.get("/{record_id}")
def show(visit: Looking, record_id: int) -> HTMLResponse:
    """One record, and what this account may do about it."""
    return _one(visit, record_id)


@router.post("/{record_id}/consider")
def consider(
    visit: Deciding,
    record_id: int,
    management_no: Short = "",
    sitting: Short = "",
    admission_no: Short = "",
    note: Text = "",
) -> Response:
    """Let one registration of the person go on (article 12)."""

    def act() -> None:
        of = named(management_no.strip() or None, sitting.strip() or None, admission_no.strip() or None)
        misconduct.consider(visit.ctx, visit.actor, record_id, of, note)

    return _act(visit, record_id, act)


@router.post("/{record_id}/lift")
def lift(visit: Deciding, record_id: int, reason: Text = "") -> Response:
    """Ask to lift it, saying why."""
    return _act(visit, record_id, lambda: lifting.propose_lift(visit.ctx, visit.actor, record_id, reason))


@router.post("/{record_id}/lift/approve")
def approve_lift(visit: Deciding, record_id: int) -> Response:
    """Lift it, as another person."""
    return _act(visit, record_id, lambda: lifting.decide_lift(visit.ctx, visit.actor, record_id, approved=True))


@router.post("/{record_id}/lift/reject")
def reject_lift(visit: Deciding, record_id: int) -> Response:
    """Leave it running, as another person."""
    return _act(visit, record_id, lambda: lifting.decide_lift(visit.ctx, visit.actor, record_id, approved=False))


@router.post("/{record_id}/transfer")
def transfer(
    visit: Deciding,
    record_id: int,
    evidence: Annotated[list[UploadFile], File()],
    to: Short = "",
    facts: Text = "",
) -> Response:
    """Make and seal a transfer note; of each file of evidence its name and digest are written down, not the file."""

    def act() -> None:
        pieces = [notes.Evidence(file.filename or "", sha256_sent(file)) for file in evidence if file.filename]
        case = show_record(visit.ctx, visit.actor, record_id).record.case_id
        notes.transfer(visit.ctx, visit.actor, case, to=to, facts=facts, evidence=pieces)

    return _act(visit, record_id, act)


def sha256_sent(file: UploadFile) -> str:
    """SHA-256 of a file that was sent, read in pieces, as hex."""
    digest = hashlib.sha256()
    while piece := file.file.read(1024 * 1024):
        digest.update(piece)
    return digest.hexdigest()


def _act(visit: Visit, record_id: int, act: Callable[[], None]) -> Response:
    try:
        act()
    except DomainError as refusal:
        return _one(visit, record_id, refusal)
    return RedirectResponse(f"/console/misconduct/{record_id}", 303)


def _one(visit: Visit, record_id: int, refusal: DomainError | None = None) -> HTMLResponse:
    page = show_record(visit.ctx, visit.actor, record_id)
    running = page.record.state == RecordState.RUNNING
    asked = page.lift_proposed_by
    own = asked is not None and asked.casefold() == visit.actor.username.casefold()
    decides = visit.may(*DECIDERS)
    return visit.render(
        "misconduct_record.html",
        status_of(refusal) if refusal else 200,
        page=page,
        row=page.record,
        own=own,
        may_consider=decides and running,
        may_ask=decides and running and asked is None,
        may_decide=decides and running and asked is not None and not own,
        may_transfer=decides and page.record.state != RecordState.LIFTED,
        refusal=refusal,
    )
