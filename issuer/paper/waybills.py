"""Waybills given to bookings from a courier's file, row by row (R12)."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import record_event
from issuer.paper.mail import current_parcel
from issuer.paper.sheets import (
    CLERKS,
    note_step,
    require_sitting,
)
from issuer.paper.waybill_file import WaybillRow, bad_row
from issuer.ports import ServiceContext
from issuer.records.paper import PaperCertificate
from issuer.records.paper_post import MailBooking, Parcel
from issuer.records.people import Registration
from issuer.roster.findings import Finding
from issuer.rules.paper_mail import ParcelState
from issuer.rules.paper_states import PaperState
from issuer.rules.terms import Role


@dataclass(frozen=True, slots=True)
class WaybillReport:
    """What a file of tracking numbers did; every row is assigned, unchanged, or has a finding."""

    sitting: str
    rows: int
    assigned: int
    unchanged: int
    findings: tuple[Finding, ...]
    dry_run: bool

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "sitting": self.sitting,
            "rows": self.rows,
            "assigned": self.assigned,
            "unchanged": self.unchanged,
            "findings": [finding.to_json() for finding in self.findings],
            "dry_run": self.dry_run,
        }


class _DryRunError(Exception):
    """Leaves the unit of work without keeping anything."""


def assign_waybills(
    ctx: ServiceContext,
    actor: Actor,
    sitting_code: str,
    rows: Sequence[WaybillRow],
    findings: Sequence[Finding] = (),
    *,
    dry_run: bool = False,
) -> WaybillReport:
    """Give bookings the waybills of a courier's file; good rows go in, others become findings.

    The same file a second time changes nothing. Raises NotFoundError, NotAllowedError.
    """
    actor.require(*CLERKS)
    told, assigned, unchanged = list(findings), 0, 0
    with suppress(_DryRunError), ctx.database.write() as session:
        require_sitting(session, actor, sitting_code)
        for row in rows:
            found = _assign(ctx, session, actor, sitting_code, row)
            if isinstance(found, Finding):
                told.append(found)
            elif found:
                assigned += 1
            else:
                unchanged += 1
        if dry_run:
            raise _DryRunError
        session.flush()
        if assigned:
            record_event(
                session,
                ctx.clock,
                actor,
                "paper.waybills",
                f"sitting:{sitting_code}",
                clause="R12",
                details={"assigned": assigned, "unchanged": unchanged, "refused": len(told)},
            )
    ordered = tuple(sorted(told, key=lambda finding: finding.row))
    return WaybillReport(sitting_code, len(rows) + len(findings), assigned, unchanged, ordered, dry_run)


def _assign(ctx: ServiceContext, session: Session, actor: Actor, sitting: str, row: WaybillRow) -> bool | Finding:
    query = select(PaperCertificate).where(
        PaperCertificate.management_no == row.management_no, PaperCertificate.slot == "live"
    )
    paper = session.scalars(query.with_for_update()).one_or_none()
    if paper is None or paper.sitting_code != sitting or not _within(session, actor, paper):
        return bad_row(row.row, "管理号", "paper-unknown")
    known = session.scalars(select(Parcel).where(Parcel.waybill == row.waybill)).one_or_none()
    if known is not None:
        return False if known.paper_id == paper.id else bad_row(row.row, "运单号", "waybill-taken")
    booking = session.scalars(
        select(MailBooking).where(MailBooking.paper_id == paper.id, MailBooking.state == "open").with_for_update()
    ).one_or_none()
    if booking is None or paper.state != PaperState.BOOKED:
        return bad_row(row.row, "管理号", "not-booked")
    if row.revision is not None and row.revision != booking.revision:
        return bad_row(row.row, "地址版本", "address-changed")
    current = current_parcel(session, booking.id)
    if current is not None and current.state in (ParcelState.LABELLED, ParcelState.PACKED):
        return bad_row(row.row, "运单号", "has-waybill")
    session.add(
        Parcel(
            booking_id=booking.id,
            paper_id=paper.id,
            waybill=row.waybill,
            revision=booking.revision,
            state=ParcelState.LABELLED,
            labelled_at=ctx.clock.now(),
        )
    )
    paper.version, paper.changed_at = paper.version + 1, ctx.clock.now()
    note_step(session, ctx.clock, actor, paper, "label", "R12", row.waybill)
    session.flush()
    return True


def _within(session: Session, actor: Actor, paper: PaperCertificate) -> bool:
    if actor.roles - {Role.REVIEW_BODY} or not actor.cities:
        return True
    return session.get_one(Registration, paper.registration_id).city in actor.cities
