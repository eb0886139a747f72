"""Scanning with a hand scanner, boxes that come due, handover registers."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from issuer.api.paper_registers import file_response
from issuer.console.session import Visit, acts, looks
from issuer.errors import DomainError, InputError, Words
from issuer.paper import keeping, parcels, registers
from issuer.paper.parcels import Scan
from issuer.paper.registers import COUNTERSIGNERS
from issuer.paper.sheets import CLERKS, READERS
from issuer.problems import status_of

router = APIRouter(prefix="/console/paper", include_in_schema=False)

Looking = Annotated[Visit, looks(*READERS)]
Clerk = Annotated[Visit, acts(*CLERKS)]
Clerking = Annotated[Visit, looks(*CLERKS)]
Department = Annotated[Visit, acts(*COUNTERSIGNERS)]
Code = Annotated[str, Form(max_length=80)]

MODES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "pack": ("装袋核对", "Pack", ("certificate", "waybill")),
    "post": ("快递揽收", "Post", ("waybill",)),
    "deliver": ("签收", "Delivered", ("waybill",)),
    "return": ("退件", "Returned", ("waybill",)),
    "store": ("入库代管", "Store", ("box", "certificate")),
}
"""What is scanned, in order. The last field sends the form; a box stays for the next certificate."""


@router.get("/scan/{name}")
def scan_page(visit: Clerking, name: str) -> HTMLResponse:
    """The page for the hand scanner; it types like a keyboard and ends with Enter."""
    return _scan_page(visit, name)


@router.post("/scan/{name}")
def scan(visit: Clerk, name: str, certificate: Code = "", waybill: Code = "", box: Code = "") -> HTMLResponse:
    """One scan: green when it fits, red with the reason when it does not."""
    given = {"certificate": certificate.strip(), "waybill": waybill.strip(), "box": box.strip()}
    if not all(given[field] for field in _mode(name)[2]):
        return _scan_page(visit, name, given=given)
    by_mode: dict[str, Callable[[], Scan]] = {
        "pack": lambda: parcels.pack(visit.ctx, visit.actor, certificate, waybill),
        "post": lambda: parcels.post(visit.ctx, visit.actor, waybill),
        "deliver": lambda: parcels.deliver(visit.ctx, visit.actor, waybill),
        "return": lambda: parcels.take_back(visit.ctx, visit.actor, waybill),
        "store": lambda: keeping.store(visit.ctx, visit.actor, box, certificate),
    }
    kept = {"box": given["box"]}
    try:
        done = by_mode[name]()
    except DomainError as refusal:
        return _scan_page(visit, name, given=kept, refusal=refusal, tried=given)
    return _scan_page(visit, name, given=kept, done=done)


@router.get("/keeping")
def keeping_page(visit: Looking) -> HTMLResponse:
    """Boxes by the day they come due, and registers."""
    return _keeping(visit)


@router.post("/registers")
def open_register(visit: Clerk, sitting: Annotated[str, Form(max_length=32)] = "") -> Response:
    """Begin a register."""
    try:
        view = registers.open_register(visit.ctx, visit.actor, sitting)
    except DomainError as refusal:
        return _keeping(visit, refusal)
    return RedirectResponse(f"/console/paper/registers/{view.number}", 303)


@router.get("/registers/{number}.pdf")
def pdf(visit: Looking, number: str) -> Response:
    """The sealed register."""
    return file_response(visit.ctx, visit.actor, number, "pdf")


@router.get("/registers/{number}.xlsx")
def xlsx(visit: Looking, number: str) -> Response:
    """Its lines."""
    return file_response(visit.ctx, visit.actor, number, "xlsx")


@router.get("/registers/{number}")
def register(visit: Looking, number: str) -> HTMLResponse:
    """The count against the boxes, then two people, then the files."""
    return _register(visit, number)


@router.post("/registers/{number}/count")
def count(visit: Clerk, number: str, box: Code = "", certificate: Code = "") -> HTMLResponse:
    """Scan a certificate in its box."""
    if not (box.strip() and certificate.strip()):
        return _register(visit, number, box=box.strip())
    try:
        done = registers.count_one(visit.ctx, visit.actor, number, box, certificate)
    except DomainError as refusal:
        return _register(visit, number, refusal, box=box.strip(), alarm=True)
    return _register(visit, number, box=box.strip(), done=done)


@router.post("/registers/{number}/close")
def close(visit: Clerk, number: str) -> Response:
    """The count equals the boxes."""
    return _move(visit, number, lambda: registers.close_count(visit.ctx, visit.actor, number))


@router.post("/registers/{number}/send-back")
def send_back(visit: Department, number: str) -> Response:
    """The department does not countersign."""
    return _move(visit, number, lambda: registers.send_back(visit.ctx, visit.actor, number))


@router.post("/registers/{number}/countersign")
def countersign(visit: Department, number: str) -> Response:
    """The department takes the boxes over."""
    return _move(visit, number, lambda: registers.countersign(visit.ctx, visit.actor, number))


def _move(visit: Visit, number: str, act: Callable[[], object]) -> Response:
    try:
        act()
    except DomainError as refusal:
        return _register(visit, number, refusal)
    return RedirectResponse(f"/console/paper/registers/{number}", 303)


def _mode(mode: str) -> tuple[str, str, tuple[str, ...]]:
    if mode not in MODES:
        raise InputError(
            "scan-mode",
            Words("没有这种扫描方式。", "There is no such kind of scan."),
            remedy=Words("从纸质证书首页进入。", "Start from the paper desk."),
        )
    return MODES[mode]


def _scan_page(
    visit: Visit,
    mode: str,
    *,
    given: dict[str, str] | None = None,
    done: Scan | None = None,
    refusal: DomainError | None = None,
    tried: dict[str, str] | None = None,
) -> HTMLResponse:
    zh, en, wanted = _mode(mode)
    given = given or {}
    return visit.render(
        "paper_scan.html",
        status_of(refusal) if refusal else 200,
        mode=mode,
        modes=MODES,
        title=Words(zh, en),
        fields=wanted,
        given=given,
        next_field=next((name for name in wanted if not given.get(name)), wanted[-1]),
        done=done,
        refusal=refusal,
        tried=tried or {},
    )


def _keeping(visit: Visit, refusal: DomainError | None = None) -> HTMLResponse:
    rows = registers.list_registers(visit.ctx, visit.actor)
    return visit.render(
        "paper_keeping.html",
        status_of(refusal) if refusal else 200,
        due=keeping.due_list(visit.ctx, visit.actor),
        registers=rows,
        busy={row.sitting: row.number for row in rows if row.state != "handed-over"},
        may_act=visit.may(*CLERKS),
        refusal=refusal,
    )


def _register(
    visit: Visit,
    number: str,
    refusal: DomainError | None = None,
    *,
    box: str = "",
    done: Scan | None = None,
    alarm: bool = False,
) -> HTMLResponse:
    view = registers.show_register(visit.ctx, visit.actor, number)
    return visit.render(
        "paper_register.html",
        status_of(refusal) if refusal else 200,
        register=view,
        boxes=sorted({*view.expected, *view.counted}),
        box=box,
        done=done,
        alarm=alarm,
        may_act=visit.may(*CLERKS),
        may_countersign=visit.may(*COUNTERSIGNERS) and view.counted_by != visit.actor.username,
        refusal=refusal,
    )
