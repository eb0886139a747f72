"""Blank forms: received by range of serials and counted by two people, used, spoiled; the balance (R16)."""

from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import record_event
from issuer.errors import ConflictError, InputError, NotFoundError, Words
from issuer.paper.sheets import CLERKS, SECONDS, lawful, require_whole, scanned
from issuer.paper.stock_views import Balance, ReceiptView, balances, receipt_view, receipts
from issuer.ports import ServiceContext
from issuer.records.paper import PaperBlank, PaperReceipt
from issuer.records.sittings import Programme
from issuer.rules.paper_stock import SerialRange, require_enough, require_new, require_second_count
from issuer.rules.terms import Medium

__all__ = [
    "SPOILED",
    "Balance",
    "ReceiptView",
    "balances",
    "confirm",
    "receipts",
    "receive",
    "reject",
    "require_reason",
    "spoil_blank",
    "take_blanks",
]

SPOILED = ("misprint", "damaged", "lost", "faulty-form")
"""Why a form is written off."""
_CHUNK = 1000


def receive(ctx: ServiceContext, actor: Actor, programme_code: str, first: str, last: str) -> ReceiptView:
    """Write down forms that came in, as the first person counted them; they count once another has confirmed.

    Raises ConflictError (R16: serial-range, serials-known; R11: the programme has no paper), NotFoundError.
    """
    actor.require(*CLERKS)
    require_whole(actor)
    with ctx.database.write() as session:
        programme = _paper_programme(session, actor, programme_code, lock=True)
        with lawful():
            asked = SerialRange.between(first, last)
            # Serials are unique whatever the programme, so a scan names one sheet only.
            known = session.scalars(select(PaperReceipt).where(PaperReceipt.state != "rejected"))
            require_new(asked, [_range(row) for row in known])
        row = PaperReceipt(
            programme_code=programme.code,
            prefix=asked.prefix,
            first=asked.first,
            last=asked.last,
            digits=asked.digits,
            state="counted",
            counted_by=actor.username,
            counted_at=ctx.clock.now(),
        )
        session.add(row)
        session.flush()
        details = {"programme": programme.code, "count": len(asked)}
        record_event(
            session, ctx.clock, actor, "paper.stock.receive", f"receipt:{row.id}", clause="R16", details=details
        )
        return receipt_view(row)


def confirm(ctx: ServiceContext, actor: Actor, receipt_id: int, count: int) -> ReceiptView:
    """The second person's count; the forms are in stock from here on.

    Raises ConflictError (R16: two-people, count-differs), NotFoundError, NotAllowedError.
    """
    actor.require(*SECONDS)
    require_whole(actor)
    with ctx.database.write() as session:
        row = _open_receipt(session, actor, receipt_id)
        serials = _range(row)
        with lawful():
            require_second_count(len(serials), count, same_person=row.counted_by == actor.username)
        row.state, row.confirmed_by, row.confirmed_at = "confirmed", actor.username, ctx.clock.now()
        session.flush()
        values = [
            {
                "programme_code": row.programme_code,
                "serial": serial,
                "receipt_id": row.id,
                "state": "in-stock",
                "changed_by": actor.username,
                "changed_at": row.confirmed_at,
            }
            for serial in serials.serials()
        ]
        for start in range(0, len(values), _CHUNK):
            session.execute(insert(PaperBlank), values[start : start + _CHUNK])
        record_event(
            session,
            ctx.clock,
            actor,
            "paper.stock.confirm",
            f"receipt:{row.id}",
            clause="R16",
            details={"programme": row.programme_code, "count": count},
        )
        return receipt_view(row)


def reject(ctx: ServiceContext, actor: Actor, receipt_id: int) -> ReceiptView:
    """The counts do not agree, or the range is wrong: the receipt stays on record and counts for nothing."""
    actor.require(*SECONDS)
    with ctx.database.write() as session:
        row = _open_receipt(session, actor, receipt_id)
        row.state, row.confirmed_by, row.confirmed_at = "rejected", actor.username, ctx.clock.now()
        record_event(session, ctx.clock, actor, "paper.stock.reject", f"receipt:{row.id}", clause="R16")
        return receipt_view(row)


def spoil_blank(ctx: ServiceContext, actor: Actor, serial: str, reason: str) -> None:
    """Write off a form nothing was printed on. Raises InputError, NotFoundError, ConflictError (used or spoiled)."""
    actor.require(*CLERKS)
    require_reason(reason)
    with ctx.database.write() as session:
        row = session.scalars(
            select(PaperBlank).where(PaperBlank.serial == scanned(serial)).with_for_update()
        ).one_or_none()
        if row is None:
            raise NotFoundError(
                "blank-unknown",
                Words("库存中没有该编号的空白证书。", "There is no form with that serial."),
                remedy=Words("核对印刷编号。", "Check the printed serial."),
            )
        _paper_programme(session, actor, row.programme_code)
        if row.state != "in-stock":
            raise ConflictError(
                "blank-not-in-stock",
                Words(f"该空白证书已为 {row.state}。", f"This form is {row.state} already."),
                remedy=Words(
                    "已打印的请在证书页面作废。", "If it was printed on, spoil it on the certificate's page."
                ),
                clause="R16",
            )
        row.state, row.reason, row.changed_by, row.changed_at = "spoiled", reason, actor.username, ctx.clock.now()
        details = {"serial": row.serial, "reason": reason}
        record_event(session, ctx.clock, actor, "paper.stock.spoil", f"blank:{row.id}", clause="R16", details=details)


def take_blanks(session: Session, actor: Actor, programme_code: str, count: int, now: datetime) -> list[PaperBlank]:
    """The next `count` forms in order of their serials, used from here on; raises RuleViolation (stock-short)."""
    # One taker at a time for each programme: two that skipped each other's locks would leave gaps in the serials.
    session.execute(select(Programme.code).where(Programme.code == programme_code).with_for_update())
    ids = select(PaperBlank).where(PaperBlank.programme_code == programme_code, PaperBlank.state == "in-stock")
    rows = list(session.scalars(ids.order_by(PaperBlank.serial).limit(count).with_for_update()))
    require_enough(len(rows), count)
    for row in rows:
        row.state, row.changed_by, row.changed_at = "used", actor.username, now
    return rows


def require_reason(reason: str) -> None:
    """Raise InputError unless the reason is one of SPOILED."""
    if reason not in SPOILED:
        raise InputError(
            "reason-unknown",
            Words("作废原因不在列表中。", "That is no known reason."),
            remedy=Words(f"可选：{'、'.join(SPOILED)}。", f"One of: {', '.join(SPOILED)}."),
        )


def _paper_programme(session: Session, actor: Actor, code: str, *, lock: bool = False) -> Programme:
    query = select(Programme).where(Programme.code == code)
    programme = session.scalars(query.with_for_update() if lock else query).one_or_none()
    if programme is None:
        raise NotFoundError(
            "programme-unknown",
            Words("没有这个考试项目。", "There is no such programme."),
            remedy=Words("核对项目代码。", "Check the programme's code."),
        )
    actor.require_programme(code)
    if programme.medium != Medium.PAPER:
        raise ConflictError(
            "no-paper-issued",
            Words("该项目不发放纸质证书。", "This programme issues no paper."),
            remedy=Words("该项目制发电子证书。", "It makes electronic certificates."),
            clause="R11",
        )
    return programme


def _open_receipt(session: Session, actor: Actor, receipt_id: int) -> PaperReceipt:
    row = session.scalars(select(PaperReceipt).where(PaperReceipt.id == receipt_id).with_for_update()).one_or_none()
    if row is None:
        raise NotFoundError(
            "receipt-unknown",
            Words("没有这笔入库登记。", "There is no such receipt."),
            remedy=Words("在库存页面查看。", "See the stock page."),
        )
    actor.require_programme(row.programme_code)
    if row.state != "counted":
        raise ConflictError(
            "receipt-closed",
            Words(f"该入库登记已办结（{row.state}）。", f"This receipt is {row.state} already."),
            remedy=Words("在库存页面查看。", "See the stock page."),
        )
    return row


def _range(row: PaperReceipt) -> SerialRange:
    return SerialRange(row.prefix, row.first, row.last, row.digits)
