"""Hearings over HTTP: notified, recorded, their minutes closed, their record as PDF (R7, R9, R10)."""

import hashlib
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Query, UploadFile
from fastapi.responses import JSONResponse, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from issuer.access.actor import Actor
from issuer.api.access import Ctx, Reader, requires
from issuer.api.idempotency import Key, once
from issuer.api.models import problems
from issuer.context import Context
from issuer.errors import InputError, Words
from issuer.hearings import reading, service
from issuer.hearings.matter import STAFF, About
from issuer.hearings.sealed_record import record_of
from issuer.hearings.service import CAPACITIES, MAX_SCAN, Present
from issuer.holders.files import pdf_response
from issuer.invalidation.subject import Seat
from issuer.words import say_in_both

router = APIRouter(prefix="/api/v1/hearings", tags=["hearings"])

Officer = Annotated[Actor, requires(*STAFF)]
PRESENT_FORM = f"a person a line, `capacity: name`; capacities: {', '.join(CAPACITIES)} (or in Chinese)"
PDF: dict[int | str, dict[str, Any]] = {200: {"content": {"application/pdf": {}}, "description": "The record"}}


class Notice(BaseModel):
    """A hearing to be notified: about a proposed case, or about the open defence of a candidate."""

    model_config = ConfigDict(extra="forbid")

    case: int | None = Field(None, ge=1, le=2**31 - 1)
    sitting: str | None = Field(None, max_length=40)
    admission_no: str | None = Field(None, max_length=40)
    starts_at: AwareDatetime = Field(description="RFC 3339 with its zone")
    place: str = Field(min_length=1, max_length=400)
    chair: str = Field(min_length=1, max_length=80, description="a user name; not who made the finding or proposal")


class Reason(BaseModel):
    """Why nobody came, or why the minutes bear no signature."""

    model_config = ConfigDict(extra="forbid")

    why: str = Field(min_length=1, max_length=4000)


class PresentOne(BaseModel):
    """Somebody who was there."""

    capacity: str
    name: str


class HearingAnswer(BaseModel):
    """One hearing as staff see it."""

    id: int
    number: str | None
    about: str
    case_id: int | None
    registration_id: int
    name: str
    admission_no: str
    programme: str
    sitting_code: str
    clause: str
    state: str
    open: bool
    asked_at: datetime | None
    asked_why: str | None
    notified_at: datetime | None
    starts_at: datetime | None
    place: str | None
    chair: str | None
    present: list[PresentOne]
    minutes: str | None
    scan_sha256: str | None
    recorded_at: datetime | None
    answer_due_on: date | None
    answered_at: datetime | None
    answered_by: str | None
    answer: str | None
    decision: str | None
    decided_at: datetime | None
    decision_note: str | None


class Hearings(BaseModel):
    """Hearings newest first; `next` is the `before` of the following page."""

    items: list[HearingAnswer]
    next: int | None


class Acted(BaseModel):
    """A hearing after an act on it."""

    id: int
    number: str | None
    state: str


@router.get("", response_model=Hearings, responses=problems())
def list_(
    ctx: Ctx,
    actor: Reader,
    open: bool = False,
    before: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """Hearings within reach (R1), newest first; `open`: those a decision waits for."""
    rows = reading.list_hearings(ctx, actor, open_only=open, before=before, limit=limit)
    return {"items": [row.to_json() for row in rows], "next": rows[-1].id if len(rows) == limit else None}


@router.get("/{number}", response_model=HearingAnswer, responses=problems(404))
def show(ctx: Ctx, actor: Reader, number: int) -> dict[str, Any]:
    """One hearing; the look is put on record."""
    return reading.show_hearing(ctx, actor, number).to_json()


@router.get("/{number}/record.pdf", response_class=Response, responses=problems(404, 422) | PDF)
def record_file(ctx: Ctx, actor: Reader, number: int) -> Response:
    """The record as it stands, to be read, printed and signed."""
    return record_response(ctx, actor, number)


@router.post("", status_code=201, response_model=Acted, responses=problems(404, 409, 422))
def notify(ctx: Ctx, actor: Officer, body: Notice, key: Key = None) -> JSONResponse:
    """Notify a hearing, or another time and place for it; the person reads it on their page."""

    def act() -> dict[str, Any]:
        about = named(body.case, body.sitting, body.admission_no)
        made = service.set_hearing(ctx, actor, about, starts_at=body.starts_at, place=body.place, chair=body.chair)
        return _acted(ctx, actor, made)

    return once(ctx, actor, key, "hearings.notify", body.model_dump(), act, 201)


@router.post("/{number}/record", response_model=Acted, responses=problems(404, 409, 413, 422))
def record(
    ctx: Ctx,
    actor: Officer,
    number: int,
    minutes: Annotated[str, Form(max_length=40_000)],
    present: Annotated[str, Form(max_length=8000, description=PRESENT_FORM)],
    signed: Annotated[bool, Form(description="signed on paper; the scan shows it")] = False,
    scan: Annotated[UploadFile | None, File(description="PDF, PNG or JPEG, at most 10 MB")] = None,
    key: Key = None,
) -> JSONResponse:
    """Write down who came and what was said; its chair only."""
    content = scan_of(scan)
    asked = {"id": number, "minutes": minutes, "present": present, "signed": signed, "scan": digest_of(content)}

    def act() -> dict[str, Any]:
        people = present_in(present)
        service.record_hearing(ctx, actor, number, present=people, minutes=minutes, scan=content, signed=signed)
        return _acted(ctx, actor, number)

    return once(ctx, actor, key, "hearings.record", asked, act)


@router.post("/{number}/absent", response_model=Acted, responses=problems(404, 409, 422))
def absent(ctx: Ctx, actor: Officer, number: int, body: Reason, key: Key = None) -> JSONResponse:
    """The person did not come without good reason; its chair only."""

    def act() -> dict[str, Any]:
        service.note_absence(ctx, actor, number, body.why)
        return _acted(ctx, actor, number)

    return once(ctx, actor, key, "hearings.absent", {"id": number, **body.model_dump()}, act)


@router.post("/{number}/unsigned", response_model=Acted, responses=problems(404, 409, 422))
def unsigned(ctx: Ctx, actor: Officer, number: int, body: Reason, key: Key = None) -> JSONResponse:
    """The person's days to answer the minutes are over; its chair notes why there is no signature."""

    def act() -> dict[str, Any]:
        service.close_unsigned(ctx, actor, number, body.why)
        return _acted(ctx, actor, number)

    return once(ctx, actor, key, "hearings.unsigned", {"id": number, **body.model_dump()}, act)


def named(case: int | None, sitting: str | None, admission_no: str | None) -> About:
    """What a request or a form names; raises InputError unless it is one thing."""
    if case is not None and not sitting and not admission_no:
        return About(case_id=case)
    if case is None and sitting and admission_no:
        return About(defence_of=Seat(sitting, admission_no))
    raise InputError(
        "hearing-about",
        Words(
            "请指明事项编号，或考次代码和准考证号，二者取一。", "Name a case, or a sitting and an admission number."
        ),
    )


def present_in(text: str) -> list[Present]:
    """Who was there, out of lines such as `当事人：张三` or `party: Zhang San`; raises InputError."""
    known = {say_in_both("capacity", code).zh: code for code in CAPACITIES} | {code: code for code in CAPACITIES}
    people = []
    for line in text.splitlines():
        if not line.strip():
            continue
        capacity, colon, name = line.replace("：", ":").partition(":")
        if not colon or capacity.strip() not in known:
            raise InputError(
                "present-unusable",
                Words("到场人员每行一人，写作“身份：姓名”。", "A person a line, written `capacity: name`."),
                remedy=Words(f"身份：{'、'.join(known)}", f"Capacities: {', '.join(CAPACITIES)}"),
            )
        people.append(Present(known[capacity.strip()], name.strip()))
    return people


def scan_of(upload: UploadFile | None) -> bytes | None:
    """The bytes of an attached scan; None for an empty field. One byte over the limit is enough to refuse it."""
    if upload is None or not upload.filename:
        return None
    upload.file.seek(0)
    return upload.file.read(MAX_SCAN + 1) or None


def digest_of(content: bytes | None) -> str | None:
    """SHA-256 of an attached file, hex."""
    return hashlib.sha256(content).hexdigest() if content else None


def record_response(ctx: Context, actor: Actor, hearing_id: int) -> Response:
    """The record as PDF, for staff."""
    view = reading.show_hearing(ctx, actor, hearing_id)
    return pdf_response(record_of(ctx, actor, view), f"听证笔录-{view.number}.pdf", None, None)


def _acted(ctx: Context, actor: Actor, hearing_id: int) -> dict[str, Any]:
    view = reading.show_hearing(ctx, actor, hearing_id)
    return {"id": view.id, "number": view.number, "state": view.state}
