"""Paper certificates over HTTP: stock, printing, lists, mail, scans, pick-up (R11–R13)."""

import base64
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, UploadFile
from fastapi.responses import JSONResponse, Response

from issuer.access.actor import Actor
from issuer.api.access import Ctx, Reader, requires
from issuer.api.idempotency import Key, once
from issuer.api.models import problems
from issuer.api.paper_models import (
    AddressRequest,
    BoxScan,
    CollectRequest,
    CountRequest,
    Done,
    PackScan,
    PrintAnswer,
    PrintRequest,
    QueueLine,
    Receipt,
    ReceiptRequest,
    ScanAnswer,
    SheetDetail,
    SheetPage,
    SpoiledForm,
    SpoiledSheet,
    StockAnswer,
    WaybillAnswer,
    WaybillScan,
    WindowAnswer,
    WindowRequest,
)
from issuer.api.rosters import XLSX
from issuer.api.uploads import on_disk, sha256_of
from issuer.context import Context
from issuer.errors import InputError, Words
from issuer.holders.files import content_disposition
from issuer.paper import handouts, keeping, mail, making, parcels, stock, worklists
from issuer.paper.handouts import Agent, Proof
from issuer.paper.mail import Destination
from issuer.paper.parcels import Scan
from issuer.paper.register_files import table_xlsx
from issuer.paper.sheets import CLERKS, SECONDS
from issuer.paper.waybill_file import read_waybills
from issuer.paper.waybills import WaybillReport, assign_waybills

router = APIRouter(prefix="/api/v1/paper", tags=["paper"])

Clerk = Annotated[Actor, requires(*CLERKS)]
Second = Annotated[Actor, requires(*SECONDS)]
REFUSALS = problems(404, 409, 422)
DONE = {"state": "done", "count": 1}


@router.get("/queues", response_model=list[QueueLine], responses=problems(422))
def queues(ctx: Ctx, actor: Reader, sitting: str | None = None) -> list[dict[str, Any]]:
    """Whose turn it is: every queue with its count, oldest case and next deadline."""
    return [queue.to_json() for queue in worklists.queues(ctx, actor, sitting=sitting)]


@router.get("/stock", response_model=StockAnswer, responses=problems())
def show_stock(ctx: Ctx, actor: Reader) -> dict[str, Any]:
    """Balances of every paper programme, and the last receipts."""
    return {
        "balances": [line.to_json() for line in stock.balances(ctx, actor)],
        "receipts": [row.to_json() for row in stock.receipts(ctx, actor)],
    }


@router.post("/stock/receipts", status_code=201, response_model=Receipt, responses=REFUSALS)
def receive(ctx: Ctx, actor: Clerk, body: ReceiptRequest, key: Key = None) -> JSONResponse:
    """Write down forms that came in; they count once another person has confirmed the number."""
    act = lambda: stock.receive(ctx, actor, body.programme, body.first, body.last).to_json()  # noqa: E731
    return once(ctx, actor, key, "paper.receive", body.model_dump(), act, 201)


@router.post("/stock/receipts/{number}/confirm", response_model=Receipt, responses=REFUSALS)
def confirm(ctx: Ctx, actor: Second, number: int, body: CountRequest, key: Key = None) -> JSONResponse:
    """The second person's count."""
    act = lambda: stock.confirm(ctx, actor, number, body.count).to_json()  # noqa: E731
    return once(ctx, actor, key, "paper.confirm", {"id": number, "count": body.count}, act)


@router.post("/stock/receipts/{number}/cancel", response_model=Receipt, responses=REFUSALS)
def cancel_receipt(ctx: Ctx, actor: Second, number: int, key: Key = None) -> JSONResponse:
    """The counts do not agree: the receipt counts for nothing."""
    return once(ctx, actor, key, "paper.receipt", {"id": number}, lambda: stock.reject(ctx, actor, number).to_json())


@router.post("/stock/spoiled", response_model=Done, responses=REFUSALS)
def spoil_form(ctx: Ctx, actor: Clerk, body: SpoiledForm, key: Key = None) -> JSONResponse:
    """Write off a form nothing was printed on."""
    act = _done(lambda: stock.spoil_blank(ctx, actor, body.serial, body.reason))
    return once(ctx, actor, key, "paper.spoil-form", body.model_dump(), act)


@router.get("/sittings/{sitting}/plan", response_model=PrintAnswer, responses=REFUSALS)
def plan(ctx: Ctx, actor: Clerk, sitting: str) -> dict[str, Any]:
    """What a print run would do now; nothing is written."""
    return making.plan_print(ctx, actor, sitting).to_json()


@router.post("/sittings/{sitting}/print", response_model=PrintAnswer, responses=REFUSALS)
def print_(ctx: Ctx, actor: Clerk, sitting: str, body: PrintRequest, key: Key = None) -> JSONResponse:
    """Spend a form on everybody who may have a certificate and has none."""
    act = lambda: making.print_sitting(ctx, actor, sitting, limit=body.limit).to_json()  # noqa: E731
    return once(ctx, actor, key, "paper.print", {"sitting": sitting, **body.model_dump()}, act)


@router.post("/sittings/{sitting}/release", response_model=Done, responses=REFUSALS)
def release_all(ctx: Ctx, actor: Clerk, sitting: str, key: Key = None) -> JSONResponse:
    """The whole run was compared with its list: everything printed may be claimed."""
    act = lambda: {"state": "done", "count": making.release_sitting(ctx, actor, sitting)}  # noqa: E731
    return once(ctx, actor, key, "paper.release-all", {"sitting": sitting}, act)


@router.post("/sittings/{sitting}/booking-window", response_model=WindowAnswer, responses=REFUSALS)
def open_window(ctx: Ctx, actor: Clerk, sitting: str, body: WindowRequest, key: Key = None) -> JSONResponse:
    """Open mail booking with the announcement of the review's results (R12)."""

    def act() -> dict[str, Any]:
        window = mail.open_booking(ctx, actor, sitting, body.announced_on)
        return {"sitting": sitting, "opens_on": str(window.opens_on), "closes_on": str(window.closes_on)}

    return once(ctx, actor, key, "paper.window", {"sitting": sitting, **body.model_dump(mode="json")}, act)


@router.get(
    "/sittings/{sitting}/courier.xlsx",
    response_class=Response,
    responses=REFUSALS | {200: {"content": {XLSX: {}}, "description": "Addresses of what is booked"}},
)
def courier_list(ctx: Ctx, actor: Clerk, sitting: str) -> Response:
    """The list for the courier, to come back with waybills; every cell is text. The export is put on record."""
    content = table_xlsx("邮寄清单", worklists.COURIER_HEADS, worklists.courier_rows(ctx, actor, sitting))
    headers = {"Content-Disposition": content_disposition(f"邮寄清单-{sitting}.xlsx"), "Cache-Control": "no-store"}
    return Response(content, media_type=XLSX, headers=headers)


@router.post("/sittings/{sitting}/waybills", response_model=WaybillAnswer, responses=problems(404, 409, 413, 422))
def waybills(
    ctx: Ctx,
    actor: Clerk,
    sitting: str,
    file: Annotated[UploadFile, File(description=".xlsx, .csv")],
    dry_run: Annotated[bool, Form()] = False,
    key: Key = None,
) -> JSONResponse:
    """Take in the courier's tracking numbers; the same file a second time changes nothing."""
    with on_disk(file) as (content,):
        asked = {"sitting": sitting, "file": sha256_of(content), "dry_run": dry_run}
    act = lambda: take_waybills(ctx, actor, sitting, file, dry_run=dry_run).to_json()  # noqa: E731
    return once(ctx, actor, None if dry_run else key, "paper.waybills", asked, act)


def take_waybills(ctx: Context, actor: Actor, sitting: str, file: UploadFile, *, dry_run: bool) -> WaybillReport:
    """Read an upload and assign what it holds. Raises what `read_waybills` and `assign_waybills` raise."""
    with on_disk(file) as (path,):
        if path is None:
            raise InputError(
                "file-missing",
                Words("没有选择文件，未作任何改动。", "No file was chosen; nothing was changed."),
                remedy=Words("选择快递公司返回的表格。", "Choose the courier's spreadsheet."),
            )
        rows, findings = read_waybills(path)
    return assign_waybills(ctx, actor, sitting, rows, findings, dry_run=dry_run)


@router.get("/certificates", response_model=SheetPage, responses=problems(422))
def sheets(
    ctx: Ctx,
    actor: Reader,
    sitting: str | None = None,
    state: str | None = None,
    queue: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> dict[str, Any]:
    """Certificates newest first, by sitting, state or queue."""
    limit = min(max(limit, 1), 200)
    rows = worklists.list_sheets(ctx, actor, sitting=sitting, state=state, queue=queue, before=before, limit=limit)
    return {"items": [row.to_json() for row in rows], "next": rows[-1].id if len(rows) == limit else None}


@router.get("/certificates/{management_no}", response_model=SheetDetail, responses=REFUSALS)
def sheet(ctx: Ctx, actor: Reader, management_no: str) -> dict[str, Any]:
    """One certificate by its serial or management number, with its history."""
    return worklists.show_sheet(ctx, actor, management_no).to_json()


@router.post("/certificates/{management_no}/release", response_model=Done, responses=REFUSALS)
def release(ctx: Ctx, actor: Clerk, management_no: str, key: Key = None) -> JSONResponse:
    """A printed sheet was compared and may be claimed."""
    act = _done(lambda: making.release(ctx, actor, [management_no]))
    return once(ctx, actor, key, "paper.release", {"no": management_no}, act)


@router.post("/certificates/{management_no}/spoil", response_model=Done, responses=REFUSALS)
def spoil(ctx: Ctx, actor: Clerk, management_no: str, body: SpoiledSheet, key: Key = None) -> JSONResponse:
    """A sheet came out wrong; the person may be printed again."""
    act = _done(lambda: making.spoil(ctx, actor, management_no, body.reason))
    return once(ctx, actor, key, "paper.spoil", {"no": management_no, **body.model_dump()}, act)


@router.post("/certificates/{management_no}/recall", response_model=Done, responses=REFUSALS)
def recall(ctx: Ctx, actor: Clerk, management_no: str, key: Key = None) -> JSONResponse:
    """Make a sheet void because the registration fell (R9)."""
    act = _done(lambda: making.recall(ctx, actor, management_no))
    return once(ctx, actor, key, "paper.recall", {"no": management_no}, act)


@router.post("/certificates/{management_no}/book", response_model=Done, responses=REFUSALS)
def book(ctx: Ctx, actor: Clerk, management_no: str, body: AddressRequest, key: Key = None) -> JSONResponse:
    """Book the mail on the holder's behalf, freight collect (R12)."""
    act = _done(lambda: mail.book(ctx, actor, management_no, Destination(**body.model_dump())))
    return once(ctx, actor, key, "paper.book", {"no": management_no, **body.model_dump()}, act)


@router.post("/certificates/{management_no}/address", response_model=Done, responses=REFUSALS)
def address(ctx: Ctx, actor: Clerk, management_no: str, body: AddressRequest, key: Key = None) -> JSONResponse:
    """Another address, until the courier's scan or after a return; a label already made is void then."""
    act = _done(lambda: mail.change_address(ctx, actor, management_no, Destination(**body.model_dump())))
    return once(ctx, actor, key, "paper.address", {"no": management_no, **body.model_dump()}, act)


@router.post("/certificates/{management_no}/cancel-booking", response_model=Done, responses=REFUSALS)
def cancel_booking(ctx: Ctx, actor: Clerk, management_no: str, key: Key = None) -> JSONResponse:
    """Take a booking back before the courier's scan."""
    act = _done(lambda: mail.cancel(ctx, actor, management_no))
    return once(ctx, actor, key, "paper.cancel", {"no": management_no}, act)


@router.post("/certificates/{management_no}/resend", response_model=Done, responses=REFUSALS)
def resend(ctx: Ctx, actor: Clerk, management_no: str, key: Key = None) -> JSONResponse:
    """A returned certificate goes out again, to a mended address."""
    act = _done(lambda: mail.resend(ctx, actor, management_no))
    return once(ctx, actor, key, "paper.resend", {"no": management_no}, act)


@router.post("/certificates/{management_no}/collect", response_model=Done, responses=REFUSALS)
def collect(ctx: Ctx, actor: Clerk, management_no: str, body: CollectRequest, key: Key = None) -> JSONResponse:
    """Hand it out on site, against the holder's ID number and a proof; once."""
    agent = Agent(**body.agent.model_dump()) if body.agent else None

    def act() -> dict[str, Any]:
        handouts.hand_out(ctx, actor, management_no, holder_id_no=body.holder_id_no, proof=_proof(body), agent=agent)
        return DONE

    return once(ctx, actor, key, "paper.collect", {"no": management_no, **body.model_dump()}, act)


@router.post("/scans/pack", response_model=ScanAnswer, responses=REFUSALS)
def pack(ctx: Ctx, actor: Clerk, body: PackScan, key: Key = None) -> JSONResponse:
    """Certificate and waybill belong together, or this is a 409 with the alarm's code (wrong-envelope)."""
    act = lambda: parcels.pack(ctx, actor, body.certificate, body.waybill).to_json()  # noqa: E731
    return once(ctx, actor, key, "paper.pack", body.model_dump(), act)


@router.post("/scans/post", response_model=ScanAnswer, responses=REFUSALS)
def post(ctx: Ctx, actor: Clerk, body: WaybillScan, key: Key = None) -> JSONResponse:
    """The courier's scan: from here on the address stands."""
    return _scan(ctx, actor, key, body, "paper.post", parcels.post)


@router.post("/scans/deliver", response_model=ScanAnswer, responses=REFUSALS)
def deliver(ctx: Ctx, actor: Clerk, body: WaybillScan, key: Key = None) -> JSONResponse:
    """The addressee signed for it."""
    return _scan(ctx, actor, key, body, "paper.deliver", parcels.deliver)


@router.post("/scans/return", response_model=ScanAnswer, responses=REFUSALS)
def take_back(ctx: Ctx, actor: Clerk, body: WaybillScan, key: Key = None) -> JSONResponse:
    """The courier brought it back."""
    return _scan(ctx, actor, key, body, "paper.return", parcels.take_back)


@router.post("/scans/store", response_model=ScanAnswer, responses=REFUSALS)
def store(ctx: Ctx, actor: Clerk, body: BoxScan, key: Key = None) -> JSONResponse:
    """Put an unclaimed certificate into a box (R13)."""
    act = lambda: keeping.store(ctx, actor, body.box, body.certificate).to_json()  # noqa: E731
    return once(ctx, actor, key, "paper.store", body.model_dump(), act)


def _scan(
    ctx: Context, actor: Actor, key: str | None, body: WaybillScan, route: str, act: Callable[..., Scan]
) -> JSONResponse:
    return once(ctx, actor, key, route, body.model_dump(), lambda: act(ctx, actor, body.waybill).to_json())


def _done(act: Callable[[], Any]) -> Callable[[], dict[str, Any]]:
    def run() -> dict[str, Any]:
        act()
        return DONE

    return run


def _proof(body: CollectRequest) -> Proof:
    if (body.code is None) == (body.signature is None):
        raise InputError(
            "proof-missing",
            Words("须提供提货码或签名图片之一。", "Give either the pick-up code or a signature."),
            remedy=Words(
                "请持证人在 /my/ 取码，或现场签名。", "A code comes from /my/; a signature is made on site."
            ),
        )
    if body.code is not None:
        return Proof("code", code=body.code)
    try:
        return Proof("signature", signature=base64.b64decode(body.signature or "", validate=True))
    except ValueError as exc:  # binascii.Error, and of characters that are no ASCII a plain ValueError
        raise InputError(
            "signature-unusable",
            Words("签名图片不是 base64。", "The picture of the signature is not base64."),
            remedy=Words("上传 PNG 或 JPEG 图片。", "Send a PNG or JPEG."),
        ) from exc
