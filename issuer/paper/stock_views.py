"""Blank forms as they are read: receipts, and how many each programme has (R16)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.paper.sheets import READERS
from issuer.ports import ServiceContext
from issuer.records.paper import PaperBlank, PaperReceipt
from issuer.records.sittings import Programme
from issuer.rules.terms import Medium, Role


@dataclass(frozen=True, slots=True)
class Balance:
    """Forms of one programme. received = in_stock + used + spoiled, always."""

    programme: str
    name: str
    received: int
    in_stock: int
    used: int
    spoiled: int
    next_serial: str | None

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "programme": self.programme,
            "name": self.name,
            "received": self.received,
            "in_stock": self.in_stock,
            "used": self.used,
            "spoiled": self.spoiled,
            "next_serial": self.next_serial,
        }


@dataclass(frozen=True, slots=True)
class ReceiptView:
    """Forms that came in."""

    id: int
    programme: str
    first: str
    last: str
    count: int
    state: str
    counted_by: str
    counted_at: datetime
    confirmed_by: str | None

    def to_json(self) -> dict[str, Any]:
        """Plain values, instants in RFC 3339."""
        return {
            "id": self.id,
            "programme": self.programme,
            "first": self.first,
            "last": self.last,
            "count": self.count,
            "state": self.state,
            "counted_by": self.counted_by,
            "counted_at": self.counted_at.isoformat(),
            "confirmed_by": self.confirmed_by,
        }


def balances(ctx: ServiceContext, actor: Actor) -> list[Balance]:
    """How many forms each paper programme has, within the actor's reach (R1)."""
    actor.require(*READERS)
    with ctx.database.read() as session:
        programmes = [row for row in _paper_programmes(session) if _is_own(actor, row.code)]
        counts: dict[tuple[str, str], int] = {
            (code, state): count
            for code, state, count in session.execute(
                select(PaperBlank.programme_code, PaperBlank.state, func.count()).group_by(
                    PaperBlank.programme_code, PaperBlank.state
                )
            )
        }
        return [
            Balance(
                programme=row.code,
                name=row.name,
                received=sum(counts.get((row.code, state), 0) for state in ("in-stock", "used", "spoiled")),
                in_stock=counts.get((row.code, "in-stock"), 0),
                used=counts.get((row.code, "used"), 0),
                spoiled=counts.get((row.code, "spoiled"), 0),
                next_serial=session.scalars(_next(row.code, 1)).first(),
            )
            for row in programmes
        ]


def receipts(ctx: ServiceContext, actor: Actor, *, state: str | None = None, limit: int = 50) -> list[ReceiptView]:
    """Receipts newest first, within the actor's reach."""
    actor.require(*READERS)
    query = select(PaperReceipt).order_by(PaperReceipt.id.desc()).limit(limit)
    if state is not None:
        query = query.where(PaperReceipt.state == state)
    with ctx.database.read() as session:
        return [receipt_view(row) for row in session.scalars(query) if _is_own(actor, row.programme_code)]


def _next(programme_code: str, limit: int) -> Any:
    return (
        select(PaperBlank.serial)
        .where(PaperBlank.programme_code == programme_code, PaperBlank.state == "in-stock")
        .order_by(PaperBlank.serial)
        .limit(limit)
    )


def _paper_programmes(session: Session) -> list[Programme]:
    return list(session.scalars(select(Programme).where(Programme.medium == Medium.PAPER).order_by(Programme.code)))


def _is_own(actor: Actor, programme_code: str) -> bool:
    return bool(actor.roles - {Role.REVIEW_BODY}) or programme_code in actor.programmes


def receipt_view(row: PaperReceipt) -> ReceiptView:
    """A receipt as staff see it."""
    return ReceiptView(
        id=row.id,
        programme=row.programme_code,
        first=_form(row, row.first),
        last=_form(row, row.last),
        count=row.last - row.first + 1,
        state=row.state,
        counted_by=row.counted_by,
        counted_at=row.counted_at,
        confirmed_by=row.confirmed_by,
    )


def _form(row: PaperReceipt, number: int) -> str:
    return f"{row.prefix}{number:0{row.digits}}"
