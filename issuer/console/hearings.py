"""Hearings in the console: those that are open, the notice, the record, closing the minutes (R7, R9, R10)."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, File, Form, Query, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from issuer.api.hearings import present_in, record_response, scan_of
from issuer.clock import SHANGHAI
from issuer.console.session import Visit, acts, looks
from issuer.errors import DomainError, InputError, Words
from issuer.hearings import reading, service
from issuer.hearings.matter import STAFF, About
from issuer.hearings.service import CAPACITIES
from issuer.holders.files import content_disposition
from issuer.problems import status_of
from issuer.review.sitting import READERS

router = APIRouter(prefix="/console/hearings", include_in_schema=False)

Looking = Annotated[Visit, looks(*READERS)]
Acting = Annotated[Visit, acts(*STAFF)]
Number = Annotated[int | None, Query(ge=1, le=2**31 - 1)]
Short = Annotated[str, Form(max_length=400)]
Text = Annotated[str, Form(max_length=40_000)]
SHOWN = 50


@router.get("")
def list_(
    visit: Looking, open: bool = False, before: Number = None, case: Number = None, defence: Number = None
) -> HTMLResponse:
    """Hearings newest first; with `case` or `defence` (a registration) also the form that notifies one about it."""
    return _list(visit, open_only=open, before=before, case=case, defence=defence)


@router.post("")
def notify(
    visit: Acting,
    case: Annotated[int | None, Form(ge=1, le=2**31 - 1)] = None,
    defence: Annotated[int | None, Form(ge=1, le=2**31 - 1)] = None,
    starts_at: Short = "",
    place: Short = "",
    chair: Short = "",
) -> Response:
    """Notify a hearing, or another time and place for it."""
    about = About(defence, case)
    try:
        at = moment(starts_at)
        number = service.set_hearing(visit.ctx, visit.actor, about, starts_at=at, place=place, chair=chair)
    except DomainError as refusal:
        typed = {"starts_at": starts_at, "place": place, "chair": chair}
        return _list(visit, case=case, defence=defence, refusal=refusal, typed=typed)
    return RedirectResponse(f"/console/hearings/{number}", 303)


@router.get("/{number}")
def show(visit: Looking, number: int) -> HTMLResponse:
    """One hearing, and what this account may do about it."""
    return _one(visit, number)


@router.get("/{number}/record.pdf")
def record_file(visit: Looking, number: int) -> Response:
    """The record to read, print and sign."""
    return record_response(visit.ctx, visit.actor, number)


@router.get("/{number}/scan")
def scan_file(visit: Looking, number: int) -> Response:
    """The scanned minutes."""
    content, kind = reading.hearing_scan(visit.ctx, visit.actor, number)
    name = content_disposition(f"hearing-{number}.{kind.rpartition('/')[2]}")
    return Response(content, media_type=kind, headers={"Content-Disposition": name, "Cache-Control": "no-store"})


@router.post("/{number}/record")
def record(
    visit: Acting,
    number: int,
    present: Text = "",
    minutes: Text = "",
    signed: Annotated[bool, Form()] = False,
    scan: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Write down who came and what was said."""

    def act() -> None:
        people, content = present_in(present), scan_of(scan)
        service.record_hearing(
            visit.ctx, visit.actor, number, present=people, minutes=minutes, scan=content, signed=signed
        )

    return _act(visit, number, act, present=present, minutes=minutes)


@router.post("/{number}/absent")
def absent(visit: Acting, number: int, why: Text = "") -> Response:
    """The person did not come."""
    return _act(visit, number, lambda: service.note_absence(visit.ctx, visit.actor, number, why))


@router.post("/{number}/unsigned")
def unsigned(visit: Acting, number: int, why: Text = "") -> Response:
    """The days to answer are over."""
    return _act(visit, number, lambda: service.close_unsigned(visit.ctx, visit.actor, number, why))


def moment(text: str) -> datetime:
    """A time as a form gives it (2026-01-31T09:30, in Asia/Shanghai); raises InputError."""
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError as exc:
        raise InputError(
            "time-unusable",
            Words("请填写听证日期和时间，如 2026-01-31 09:30。", "Write day and time, such as 2026-01-31 09:30."),
        ) from exc
    return at if at.tzinfo else at.replace(tzinfo=SHANGHAI)


def _act(visit: Visit, number: int, act: Callable[[], None], **typed: str) -> Response:
    try:
        act()
    except DomainError as refusal:
        return _one(visit, number, refusal, typed)
    return RedirectResponse(f"/console/hearings/{number}", 303)


def _list(
    visit: Visit,
    *,
    open_only: bool = False,
    before: int | None = None,
    case: int | None = None,
    defence: int | None = None,
    refusal: DomainError | None = None,
    typed: dict[str, str] | None = None,
) -> HTMLResponse:
    rows = reading.list_hearings(visit.ctx, visit.actor, open_only=open_only, before=before, limit=SHOWN)
    return visit.render(
        "hearings.html",
        status_of(refusal) if refusal else 200,
        rows=rows,
        open_only=open_only,
        following=rows[-1].id if len(rows) == SHOWN else None,
        case=case,
        defence=defence,
        may_act=visit.may(*STAFF),
        typed={"starts_at": "", "place": "", "chair": ""} | (typed or {}),
        refusal=refusal,
    )


def _one(
    visit: Visit, number: int, refusal: DomainError | None = None, typed: dict[str, str] | None = None
) -> HTMLResponse:
    view = reading.show_hearing(visit.ctx, visit.actor, number)
    mine = (view.chair or "").casefold() == visit.actor.username.casefold()
    now = visit.ctx.clock.now()
    begun = view.starts_at is not None and view.starts_at <= now
    over = view.answer_due_on is not None and visit.ctx.clock.today() > view.answer_due_on
    return visit.render(
        "hearing.html",
        status_of(refusal) if refusal else 200,
        view=view,
        days=view.days(visit.ctx.clock.today()),
        may_set=view.state in ("asked", "set") and visit.may(*STAFF),
        may_record=view.state == "set" and begun and mine,
        may_close=view.state == "held" and over and mine,
        mine=mine,
        capacities=CAPACITIES,
        typed={"present": f"当事人：{view.name}\n", "minutes": ""} | (typed or {}),
        set_to={
            "starts_at": view.starts_at.astimezone(SHANGHAI).strftime("%Y-%m-%dT%H:%M") if view.starts_at else "",
            "place": view.place or "",
            "chair": view.chair or "",
        },
        refusal=refusal,
    )
