"""Blank forms and replacement requests in the console: what takes a form, and two people."""

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from issuer.console.paper import SHOWN, Clerk, Looking, Second, Short, Text
from issuer.console.session import Visit
from issuer.errors import DomainError, InputError, Words
from issuer.paper import replacing, stock
from issuer.paper.requests import list_replacements
from issuer.paper.service import close_replacement, request_replacement
from issuer.paper.sheets import CLERKS, SECONDS
from issuer.problems import status_of

router = APIRouter(prefix="/console/paper", include_in_schema=False)


@router.get("/stock")
def show_stock(visit: Looking) -> HTMLResponse:
    """Balances, receipts, and forms that came in."""
    return _stock(visit)


@router.post("/stock/receive")
def receive(visit: Clerk, programme: Short = "", first: Short = "", last: Short = "") -> Response:
    """The first person's count."""
    try:
        stock.receive(visit.ctx, visit.actor, programme, first, last)
    except DomainError as refusal:
        return _stock(visit, refusal)
    return RedirectResponse("/console/paper/stock", 303)


@router.post("/stock/receipts/{number}")
def second_count(visit: Second, number: int, count: Short = "", name: Short = "confirm") -> Response:
    """The second person's count, or a receipt that counts for nothing."""
    try:
        if name == "cancel":
            stock.reject(visit.ctx, visit.actor, number)
        else:
            stock.confirm(visit.ctx, visit.actor, number, _whole(count))
    except DomainError as refusal:
        return _stock(visit, refusal)
    return RedirectResponse("/console/paper/stock", 303)


@router.post("/stock/spoil")
def spoil_form(visit: Clerk, serial: Short = "", reason: Short = "") -> Response:
    """Write off a form nothing was printed on."""
    try:
        stock.spoil_blank(visit.ctx, visit.actor, serial, reason)
    except DomainError as refusal:
        return _stock(visit, refusal)
    return RedirectResponse("/console/paper/stock", 303)


@router.get("/replacements")
def replacements(visit: Looking, before: int | None = None) -> HTMLResponse:
    """Requests newest first, refused ones too."""
    return _replacements(visit, before)


@router.post("/replacements")
def request(
    visit: Clerk,
    reason: Text = "",
    kind: Short = "",
    management_no: Short = "",
    sitting: Short = "",
    admission_no: Short = "",
) -> Response:
    """Take in a request; refused with clause R14 once an e-certificate was made."""
    try:
        request_replacement(
            visit.ctx,
            visit.actor,
            reason=reason,
            management_no=management_no.strip() or None,
            sitting_code=sitting.strip() or None,
            admission_no=admission_no.strip() or None,
            kind="damaged" if kind == "damaged" else "lost",
        )
    except DomainError as refusal:
        return _replacements(visit, refusal=refusal)
    return RedirectResponse("/console/paper/replacements", 303)


@router.post("/replacements/{request_id}/decision")
def decide(visit: Second, request_id: int, approve: Annotated[bool, Form()] = False, note: Text = "") -> Response:
    """Allow or reject after looking at the statement."""
    try:
        replacing.decide(visit.ctx, visit.actor, request_id, approve=approve, note=note)
    except DomainError as refusal:
        return _replacements(visit, refusal=refusal)
    return RedirectResponse("/console/paper/replacements", 303)


@router.post("/replacements/{request_id}/print")
def print_replacement(visit: Clerk, request_id: int) -> Response:
    """Print it on the next form; the old sheet is void."""
    try:
        serial, _ = replacing.print_replacement(visit.ctx, visit.actor, request_id)
    except DomainError as refusal:
        return _replacements(visit, refusal=refusal)
    return RedirectResponse(f"/console/paper/certificates/{serial}", 303)


@router.post("/replacements/{request_id}/{state}")
def close(visit: Clerk, request_id: int, state: str) -> Response:
    """End a request: fulfilled or withdrawn."""
    try:
        close_replacement(visit.ctx, visit.actor, request_id, state)
    except DomainError as refusal:
        return _replacements(visit, refusal=refusal)
    return RedirectResponse("/console/paper/replacements", 303)


def _stock(visit: Visit, refusal: DomainError | None = None) -> HTMLResponse:
    return visit.render(
        "paper_stock.html",
        status_of(refusal) if refusal else 200,
        balances=stock.balances(visit.ctx, visit.actor),
        receipts=stock.receipts(visit.ctx, visit.actor),
        reasons=stock.SPOILED,
        may_act=visit.may(*CLERKS),
        may_second=visit.may(*SECONDS),
        refusal=refusal,
    )


def _replacements(visit: Visit, before: int | None = None, refusal: DomainError | None = None) -> HTMLResponse:
    rows = list_replacements(visit.ctx, visit.actor, before=before, limit=SHOWN)
    return visit.render(
        "paper_replacements.html",
        status_of(refusal) if refusal else 200,
        rows=rows,
        statements=replacing.statements(visit.ctx, visit.actor, rows) if visit.may(*SECONDS) else {},
        following=rows[-1].id if len(rows) == SHOWN else None,
        may_request=visit.may(*CLERKS),
        may_decide=visit.may(*SECONDS),
        refusal=refusal,
    )


def _whole(text: str) -> int:
    if not (text.strip().isascii() and text.strip().isdigit()):
        raise InputError(
            "count-unreadable",
            Words("复核数量应为数字。", "The count is a number."),
            remedy=Words("填写清点的份数。", "Write how many forms you counted."),
        )
    return int(text.strip())
