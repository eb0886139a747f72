"""The paper desk: whose turn it is, certificates, one certificate, a sitting."""

from collections.abc import Callable
from datetime import date
from typing import Annotated

from fastapi import APIRouter, File, Form, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import select

from issuer.api import paper_desk
from issuer.console.session import Visit, acts, looks
from issuer.errors import DomainError, InputError, Words
from issuer.long_work import Tell
from issuer.paper import handouts, keeping, mail, making, registers, stock, worklists
from issuer.paper.handouts import MAX_SIGNATURE, Agent, Proof
from issuer.paper.mail import Destination
from issuer.paper.requests import list_replacements
from issuer.paper.sheets import CLERKS, READERS, SECONDS, require_sitting
from issuer.problems import status_of
from issuer.records.sittings import Programme, Sitting
from issuer.roster.overview import show_sitting
from issuer.rules.paper_states import PaperQueue, PaperState
from issuer.rules.terms import Medium, Role

router = APIRouter(prefix="/console/paper", include_in_schema=False)

Looking = Annotated[Visit, looks(*READERS)]
Clerk = Annotated[Visit, acts(*CLERKS)]
ClerkLooking = Annotated[Visit, looks(*CLERKS)]
Second = Annotated[Visit, acts(*SECONDS)]
Short = Annotated[str, Form(max_length=60)]
Text = Annotated[str, Form(max_length=600)]
SHOWN = 50
FEW = 200
"""A print plan for so many people is worked out while its page is made."""
_HOLDERS_TURN = (PaperQueue.AWAITING_HOLDER, PaperQueue.IN_POST, PaperQueue.RETURNED, PaperQueue.KEPT)


@router.get("")
def desk(visit: Looking, sitting: str = "") -> HTMLResponse:
    """Every queue with its count, oldest case and next deadline; what waits for a second person."""
    found = worklists.queues(visit.ctx, visit.actor, sitting=sitting or None)
    pending = list_replacements(visit.ctx, visit.actor, state="accepted", limit=200)
    return visit.render(
        "paper_desk.html",
        ours=[queue for queue in found if queue.queue not in _HOLDERS_TURN],
        theirs=[queue for queue in found if queue.queue in _HOLDERS_TURN],
        sitting=sitting,
        sittings=_sittings(visit),
        balances=stock.balances(visit.ctx, visit.actor),
        receipts=stock.receipts(visit.ctx, visit.actor, state="counted"),
        undecided=sum(row.approved_by is None for row in pending),
        unprinted=sum(row.approved_by is not None for row in pending),
        registers=[row for row in registers.list_registers(visit.ctx, visit.actor) if row.state != "handed-over"],
        may_act=visit.may(*CLERKS),
    )


@router.get("/list")
def list_(visit: Looking, sitting: str = "", state: str = "", queue: str = "", before: int | None = None) -> Response:
    """Certificates by sitting, state or queue; the filters stand in the address."""
    rows = worklists.list_sheets(
        visit.ctx, visit.actor, sitting=sitting, state=state, queue=queue, before=before, limit=SHOWN
    )
    return visit.render(
        "paper_list.html",
        rows=rows,
        following=rows[-1].id if len(rows) == SHOWN else None,
        sitting=sitting,
        state=state,
        queue=queue,
        sittings=_sittings(visit),
        states=list(PaperState),
        queues=[queue for queue in PaperQueue if queue is not PaperQueue.DONE],
    )


@router.get("/find")
def find(visit: Looking, number: str = "") -> Response:
    """Go to the certificate with this serial or management number."""
    try:
        view = worklists.show_sheet(visit.ctx, visit.actor, number)
    except DomainError as refusal:
        return visit.render("problem.html", status_of(refusal), refusal=refusal)
    return RedirectResponse(f"/console/paper/certificates/{view.line.serial}", 303)


@router.get("/certificates/{number}")
def sheet(visit: Looking, number: str) -> HTMLResponse:
    """One certificate: where it is, what may be done with it, what has happened to it."""
    return _sheet(visit, number)


@router.post("/certificates/{number}/act")
def act(visit: Clerk, number: str, name: Short = "", reason: Short = "") -> Response:
    """One step that needs no more than a reason."""
    steps: dict[str, Callable[[], object]] = {
        "release": lambda: making.release(visit.ctx, visit.actor, [number]),
        "spoil": lambda: making.spoil(visit.ctx, visit.actor, number, reason),
        "recall": lambda: making.recall(visit.ctx, visit.actor, number),
        "cancel": lambda: mail.cancel(visit.ctx, visit.actor, number),
        "resend": lambda: mail.resend(visit.ctx, visit.actor, number),
    }
    try:
        if name in steps:
            steps[name]()
    except DomainError as refusal:
        return _sheet(visit, number, refusal)
    return RedirectResponse(f"/console/paper/certificates/{number}", 303)


@router.post("/certificates/{number}/address")
def address(visit: Clerk, number: str, recipient: Text = "", phone: Short = "", address: Text = "") -> Response:
    """Book the mail for the holder, or change its address."""
    destination = Destination(recipient, phone, address)
    try:
        if worklists.show_sheet(visit.ctx, visit.actor, number).line.state == PaperState.AVAILABLE:
            mail.book(visit.ctx, visit.actor, number, destination)
        else:
            mail.change_address(visit.ctx, visit.actor, number, destination)
    except DomainError as refusal:
        return _sheet(visit, number, refusal)
    return RedirectResponse(f"/console/paper/certificates/{number}", 303)


@router.post("/certificates/{number}/collect")
def collect(
    visit: Clerk,
    number: str,
    holder_id_no: Short = "",
    code: Short = "",
    signature: Annotated[UploadFile | None, File()] = None,
    agent_name: Short = "",
    agent_id_no: Short = "",
    letter: Text = "",
) -> Response:
    """Hand it out at the counter, against the ID number shown and a code or a signature."""
    agent = Agent(agent_name, agent_id_no, letter) if agent_name or agent_id_no or letter else None
    picture = signature.file.read(MAX_SIGNATURE + 1) if signature and signature.filename else b""
    proof = Proof("signature", signature=picture) if picture else Proof("code", code=code)
    try:
        handouts.hand_out(visit.ctx, visit.actor, number, holder_id_no=holder_id_no, proof=proof, agent=agent)
    except DomainError as refusal:
        return _sheet(visit, number, refusal)
    return RedirectResponse(f"/console/paper/certificates/{number}", 303)


@router.get("/sittings/{code}")
def sitting(visit: ClerkLooking, code: str) -> HTMLResponse:
    """A sitting's paper: print, release, open the mail booking, exchange files with the courier."""
    return _sitting(visit, code)


@router.post("/sittings/{code}/act")
def act_on_sitting(visit: Clerk, code: str, name: Short = "") -> Response:
    """One act on the whole sitting."""
    steps: dict[str, Callable[[], object]] = {
        "print": lambda: making.print_sitting(visit.ctx, visit.actor, code),
        "release": lambda: making.release_sitting(visit.ctx, visit.actor, code),
    }
    try:
        if name in steps:
            steps[name]()
    except DomainError as refusal:
        return _sitting(visit, code, refusal)
    return RedirectResponse(f"/console/paper/sittings/{code}", 303)


@router.post("/sittings/{code}/window")
def open_window(visit: Clerk, code: str, announced_on: Annotated[str, Form(max_length=10)] = "") -> Response:
    """Open mail booking with the announcement (R12)."""
    try:
        mail.open_booking(visit.ctx, visit.actor, code, _day(announced_on))
    except DomainError as refusal:
        return _sitting(visit, code, refusal)
    return RedirectResponse(f"/console/paper/sittings/{code}", 303)


@router.get("/sittings/{code}/courier.xlsx")
def courier(visit: ClerkLooking, code: str) -> Response:
    """The list for the courier."""
    return paper_desk.courier_list(visit.ctx, visit.actor, code)


@router.post("/sittings/{code}/waybills")
def waybills(
    visit: Clerk,
    code: str,
    file: Annotated[UploadFile, File()],
    mode: Annotated[str, Form(max_length=8)] = "check",
) -> HTMLResponse:
    """Check the courier's file, or take it in."""
    try:
        report = paper_desk.take_waybills(visit.ctx, visit.actor, code, file, dry_run=mode != "import")
    except DomainError as refusal:
        return _sitting(visit, code, refusal)
    return _sitting(visit, code, report=report)


def _sheet(visit: Visit, number: str, refusal: DomainError | None = None) -> HTMLResponse:
    return visit.render(
        "paper_sheet.html",
        status_of(refusal) if refusal else 200,
        sheet=worklists.show_sheet(visit.ctx, visit.actor, number),
        reasons=stock.SPOILED,
        may_act=visit.may(*CLERKS),
        refusal=refusal,
    )


def _sitting(
    visit: Visit, code: str, refusal: DomainError | None = None, report: object | None = None
) -> HTMLResponse:
    with visit.ctx.database.read() as session:
        row, programme = require_sitting(session, visit.actor, code)
        window = mail.window_of(session, code)
    ctx, actor = visit.ctx, visit.actor
    people = show_sitting(ctx, actor, code).registrations

    def reckon(tell: Tell) -> making.PrintReport:
        return making.plan_print(ctx, actor, code, tell)

    work = ctx.works.ask(actor.username, ("print", code), reckon, here=people <= FEW)
    return visit.render(
        "paper_sitting.html",
        status_of(refusal) if refusal else 200,
        sitting=row,
        programme=programme,
        window=window,
        work=work,
        plan=work.result() if work.finished else None,
        queues=worklists.queues(visit.ctx, visit.actor, sitting=code),
        balance=next((b for b in stock.balances(visit.ctx, visit.actor) if b.programme == programme.code), None),
        due=next(iter(keeping.due_list(visit.ctx, visit.actor, sitting=code)), None),
        report=report,
        refusal=refusal,
    )


def _sittings(visit: Visit) -> list[tuple[str, str]]:
    """(code, programme) of the paper sittings within reach, the latest first."""
    with visit.ctx.database.read() as session:
        rows = session.execute(
            select(Sitting.code, Programme.code, Programme.name)
            .join(Programme, Programme.code == Sitting.programme_code)
            .where(Programme.medium == Medium.PAPER)
            .order_by(Sitting.results_released_on.desc(), Sitting.code)
            .limit(100)
        )
        everywhere = bool(visit.actor.roles - {Role.REVIEW_BODY})
        return [(code, name) for code, programme, name in rows if everywhere or programme in visit.actor.programmes]


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as exc:
        raise InputError(
            "day-unreadable",
            Words("日期应写成 2026-11-23。", "Write the day as 2026-11-23."),
            remedy=Words("核对日期。", "Check the day."),
        ) from exc
