"""`ecert paper …`: stock, printing, mail and pick-up from the command line (R11, R12)."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from issuer.acting import Acting, acting
from issuer.commands import print_json, say

if TYPE_CHECKING:
    from issuer.paper.parcels import Scan

stock_app = typer.Typer(help="空白证书库存 / blank forms", no_args_is_help=True, rich_markup_mode=None)
Sitting = Annotated[str, typer.Option("--sitting", help="考试批次代码 / sitting code")]
Number = Annotated[str, typer.Argument(help="印刷编号或管理号 / serial or management number")]
Waybill = Annotated[str, typer.Argument(help="运单号 / waybill")]
Reason = Annotated[str, typer.Option("--reason", help="misprint | damaged | lost | faulty-form")]


@stock_app.command("list")
@acting
def stock_list(at: Acting) -> None:
    """各项目库存和入库登记 / balances and receipts."""
    from issuer.paper import stock

    lines, receipts = stock.balances(at.ctx, at.actor), stock.receipts(at.ctx, at.actor)
    if at.as_json:
        print_json({"balances": [x.to_json() for x in lines], "receipts": [x.to_json() for x in receipts]})
        return
    for line in lines:
        say(
            f"{line.programme} {line.name}  库存 / in stock {line.in_stock}  已用 / used {line.used}  "
            f"作废 / spoiled {line.spoiled}  下一编号 / next {line.next_serial or '—'}"
        )
    for row in receipts:
        say(f"  #{row.id}  {row.first}–{row.last}  {row.state}  {row.counted_by} → {row.confirmed_by or '…'}")


@stock_app.command("receive")
@acting
def stock_receive(
    at: Acting,
    first: Annotated[str, typer.Argument(help="起始编号 / first serial")],
    last: Annotated[str, typer.Argument(help="截止编号 / last serial")],
    programme: Annotated[str, typer.Option("--programme", help="项目代码 / programme code")],
) -> None:
    """登记到货，须由另一人复核 / write down forms that came in; another person confirms (R16)."""
    from issuer.paper import stock

    row = stock.receive(at.ctx, at.actor, programme, first, last)
    at.tell(row.to_json(), f"入库登记 #{row.id}，待另一人复核 / receipt {row.id}: another person confirms it")


@stock_app.command("confirm")
@acting
def stock_confirm(
    at: Acting,
    receipt: Annotated[int, typer.Argument(help="入库登记编号 / receipt")],
    count: Annotated[int, typer.Option("--count", help="第二人清点的份数 / the second person's count")],
) -> None:
    """第二人复核入库 / the second person's count."""
    from issuer.paper import stock

    row = stock.confirm(at.ctx, at.actor, receipt, count)
    at.tell(row.to_json(), f"已入库 {row.count} 份 / in stock: {row.count}")


@stock_app.command("spoil")
@acting
def stock_spoil(
    at: Acting,
    serial: Annotated[str, typer.Argument(help="印刷编号 / serial")],
    reason: Reason,
) -> None:
    """作废空白证书 / write off a blank form."""
    from issuer.paper import stock

    stock.spoil_blank(at.ctx, at.actor, serial, reason)
    at.tell({"serial": serial, "state": "spoiled"}, f"已作废 / spoiled: {serial}")


@acting
def print_(
    at: Acting,
    sitting: Sitting,
    plan: Annotated[bool, typer.Option("--plan", help="只看将打印什么 / only say what would be printed")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=2000, help="最多份数 / at most")] = 2000,
) -> None:
    """打印纸质证书，占用空白证书 / print paper certificates, each on a form from stock (R11)."""
    from issuer.paper import making

    if plan:
        report = making.plan_print(at.ctx, at.actor, sitting)
    else:
        report = making.print_sitting(at.ctx, at.actor, sitting, limit=limit)
    done = f"可打印 {report.may}，已打印 {len(report.printed)}，已有 {report.already}，不予打印 {len(report.refused)}"
    en = f"may {report.may}, printed {len(report.printed)}, have one {report.already}, refused {len(report.refused)}"
    at.tell(report.to_json(), f"{done} / {en}")


@acting
def release(
    at: Acting,
    sitting: Annotated[str | None, typer.Option("--sitting", help="整批放行 / the whole sitting")] = None,
    numbers: Annotated[list[str] | None, typer.Argument(help="印刷编号 / serials")] = None,
) -> None:
    """核对后放行，可供领取 / compared with the list: they may be claimed."""
    from issuer.paper import making

    if sitting:
        count = making.release_sitting(at.ctx, at.actor, sitting)
    else:
        count = making.release(at.ctx, at.actor, numbers or [])
    at.tell({"released": count}, f"已放行 {count} 份 / released: {count}")


@acting
def spoil(
    at: Acting,
    number: Number,
    reason: Reason,
) -> None:
    """打印作废，可重新打印 / a sheet came out wrong; it may be printed again."""
    from issuer.paper import making

    making.spoil(at.ctx, at.actor, number, reason)
    at.tell({"serial": number, "state": "spoiled"}, f"已作废 / spoiled: {number}")


@acting
def recall(at: Acting, number: Number) -> None:
    """报名无效的，收回作废 / make void: the registration fell (R9)."""
    from issuer.paper import making

    making.recall(at.ctx, at.actor, number)
    at.tell({"serial": number, "state": "void"}, f"已收回作废 / void: {number}")


@acting
def open_booking(
    at: Acting,
    sitting: Sitting,
    on: Annotated[
        datetime | None, typer.Option("--on", formats=["%Y-%m-%d"], help="公告日期 / day of the announcement")
    ] = None,
) -> None:
    """核查结果公告后开放邮寄预约 / open mail booking with the announcement (R12)."""
    from issuer.paper import mail

    window = mail.open_booking(at.ctx, at.actor, sitting, on.date() if on else None)
    days = {"sitting": sitting, "opens_on": str(window.opens_on), "closes_on": str(window.closes_on)}
    at.tell(days, f"预约期 / window: {window.opens_on} – {window.closes_on} 24:00")


@acting
def courier_list(
    at: Acting,
    sitting: Sitting,
    target: Annotated[Path, typer.Argument(help="写入的 .xlsx / workbook to write")],
) -> None:
    """导出邮寄清单（含地址，仅本人可读）/ the list for the courier; the file is yours alone to read."""
    from issuer.own_files import write_own_file
    from issuer.paper import worklists
    from issuer.paper.register_files import table_xlsx

    rows = worklists.courier_rows(at.ctx, at.actor, sitting)
    write_own_file(target, table_xlsx("邮寄清单", worklists.COURIER_HEADS, rows))
    at.tell({"path": str(target), "rows": len(rows)}, f"{target}: {len(rows)}")


@acting
def waybills(
    at: Acting,
    file: Annotated[Path, typer.Argument(help="快递返回的 .xlsx / .csv")],
    sitting: Sitting,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只检查 / check only")] = False,
) -> None:
    """导入运单号，逐行说明问题 / take in tracking numbers; findings row by row."""
    from issuer.paper.waybill_file import read_waybills
    from issuer.paper.waybills import assign_waybills

    rows, findings = read_waybills(file)
    report = assign_waybills(at.ctx, at.actor, sitting, rows, findings, dry_run=dry_run)
    refused = len(report.findings)
    head = f"登记 / assigned {report.assigned}，已有 / unchanged {report.unchanged}，退回 / refused {refused}"
    found = (f"  行 / row {finding.row}  {finding.column}  {finding.message}" for finding in report.findings)
    at.tell(report.to_json(), (head, *found))


@acting
def pack(
    at: Acting,
    certificate: Number,
    waybill: Waybill,
) -> None:
    """证书与运单相符才能装袋，不符即报警 / they belong together, or this is refused (R12)."""
    from issuer.paper import parcels

    done = parcels.pack(at.ctx, at.actor, certificate, waybill)
    _scanned(at, done)


@acting
def post(at: Acting, waybill: Waybill) -> None:
    """快递揽收 / the courier's scan."""
    from issuer.paper import parcels

    done = parcels.post(at.ctx, at.actor, waybill)
    _scanned(at, done)


@acting
def delivered(at: Acting, waybill: Waybill) -> None:
    """签收 / the addressee signed for it."""
    from issuer.paper import parcels

    done = parcels.deliver(at.ctx, at.actor, waybill)
    _scanned(at, done)


@acting
def returned(at: Acting, waybill: Waybill) -> None:
    """退件 / the courier brought it back."""
    from issuer.paper import parcels

    done = parcels.take_back(at.ctx, at.actor, waybill)
    _scanned(at, done)


@acting
def resend(at: Acting, number: Number) -> None:
    """退件改好地址后重寄 / send a returned one again, once its address is mended."""
    from issuer.paper import mail

    mail.resend(at.ctx, at.actor, number)
    at.tell({"serial": number, "state": "booked"}, f"待出新面单 / waiting for a new waybill: {number}")


def _scanned(at: Acting, done: "Scan") -> None:
    at.tell(done.to_json(), f"✓ {done.serial}  {done.state}  {done.reference}")
