"""Envelopes: the certificate scanned into its own envelope, the courier's scans (R12)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import NewEvent, record_event, record_many
from issuer.errors import DomainError, NotFoundError, Words
from issuer.paper.sheets import (
    CLERKS,
    Found,
    find_sheet,
    lawful,
    locked,
    note_step,
    scanned,
    step,
    with_registration,
)
from issuer.ports import ServiceContext
from issuer.records.paper import PaperCertificate
from issuer.records.paper_post import MailBooking, Parcel
from issuer.rules.paper_mail import Envelope, ParcelState, require_right_envelope
from issuer.rules.paper_states import PaperAction, after, require_valid_registration
from issuer.rules.violation import RuleViolation


@dataclass(frozen=True, slots=True)
class Scan:
    """What a scan did: the sheet, its state, and the waybill or box that was scanned with it."""

    serial: str
    management_no: str
    state: str
    reference: str

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "serial": self.serial,
            "management_no": self.management_no,
            "state": self.state,
            "reference": self.reference,
        }


def pack(ctx: ServiceContext, actor: Actor, certificate: str, waybill: str) -> Scan:
    """Scan a certificate, then the waybill on the envelope: they belong together, or this raises an alarm.

    Raises ConflictError (R12 wrong-envelope, outdated-label, waybill-unknown, envelope-closed, paper-state; R9).
    Every alarm is put on record first.
    """
    actor.require(*CLERKS)
    waybill, alarm = scanned(waybill), None
    with ctx.database.write() as session:
        found = find_sheet(session, actor, certificate)
        parcel = session.scalars(select(Parcel).where(Parcel.waybill == waybill).with_for_update()).one_or_none()
        try:
            with lawful():
                _require_packable(session, found, parcel)
        except DomainError as refusal:
            alarm = refusal
            record_event(
                session,
                ctx.clock,
                actor,
                "paper.pack",
                f"paper:{found.paper.id}",
                outcome="refused",
                clause=refusal.clause or "R12",
                details={"code": refusal.code, "parcel": parcel.id if parcel else None},
            )
        else:
            assert parcel is not None, "the rule refused a waybill nobody knows"
            parcel.state, parcel.packed_at = ParcelState.PACKED, ctx.clock.now()
            found.paper.version, found.paper.changed_at = found.paper.version + 1, ctx.clock.now()
            note_step(session, ctx.clock, actor, found.paper, "pack", "R12", waybill)
            session.flush()
            record_event(
                session,
                ctx.clock,
                actor,
                "paper.pack",
                f"paper:{found.paper.id}",
                clause="R12",
                details={"parcel": parcel.id},
            )
    if alarm is not None:
        raise alarm
    return _scan(found.paper, waybill)


def post(ctx: ServiceContext, actor: Actor, waybill: str) -> Scan:
    """The courier's scan: the parcel is on its way and the address can no longer be changed (R12)."""

    def act(parcel: Parcel, booking: MailBooking, found: Found) -> PaperAction:
        require_valid_registration(found.registration.void_since is not None)
        if parcel.state != ParcelState.PACKED:
            raise RuleViolation(
                "R12",
                "not-packed",
                found=(f"信封状态为 {parcel.state}", f"this envelope is {parcel.state}"),
                expected=("先扫描证书与运单装袋", "the certificate to be scanned into it first"),
            )
        parcel.state, parcel.posted_at = ParcelState.POSTED, ctx.clock.now()
        return PaperAction.POST

    return _by_waybill(ctx, actor, waybill, act)


def deliver(ctx: ServiceContext, actor: Actor, waybill: str) -> Scan:
    """The addressee signed for it."""

    def act(parcel: Parcel, booking: MailBooking, found: Found) -> PaperAction:
        after(found.state, PaperAction.DELIVER)
        _require_posted(parcel)
        parcel.state, parcel.ended_at = ParcelState.DELIVERED, ctx.clock.now()
        booking.state, booking.changed_at = "delivered", ctx.clock.now()
        return PaperAction.DELIVER

    return _by_waybill(ctx, actor, waybill, act)


def take_back(ctx: ServiceContext, actor: Actor, waybill: str) -> Scan:
    """The courier brought the parcel back: it waits for a mended address, or goes into a box."""

    def act(parcel: Parcel, booking: MailBooking, found: Found) -> PaperAction:
        _require_posted(parcel)
        parcel.state, parcel.ended_at = ParcelState.RETURNED, ctx.clock.now()
        return PaperAction.RETURN

    return _by_waybill(ctx, actor, waybill, act)


def _require_packable(session: Session, found: Found, parcel: Parcel | None) -> None:
    require_valid_registration(found.registration.void_since is not None)
    envelope = Envelope(parcel.paper_id, parcel.revision, ParcelState(parcel.state)) if parcel else None
    revision = session.scalars(
        select(MailBooking.revision).where(MailBooking.paper_id == found.paper.id, MailBooking.state == "open")
    ).one_or_none()
    require_right_envelope(found.paper.id, revision or 0, envelope)
    after(found.state, PaperAction.POST)


def _require_posted(parcel: Parcel) -> None:
    if parcel.state != ParcelState.POSTED:
        raise RuleViolation(
            "R12",
            "not-posted",
            found=(f"信封状态为 {parcel.state}", f"this envelope is {parcel.state}"),
            expected=("已交寄的信封", "a parcel that is with the courier"),
        )


def _by_waybill(
    ctx: ServiceContext, actor: Actor, waybill: str, act: Callable[[Parcel, MailBooking, Found], PaperAction]
) -> Scan:
    actor.require(*CLERKS)
    waybill = scanned(waybill)
    with ctx.database.write() as session, lawful():
        paper_id = session.scalars(select(Parcel.paper_id).where(Parcel.waybill == waybill)).one_or_none()
        if paper_id is None:
            raise NotFoundError(
                "waybill-unknown",
                Words("没有登记该运单号。", "No such waybill is on record."),
                remedy=Words("核对扫描的是否为运单条码。", "Make sure that the waybill's bar code was scanned."),
            )
        found = with_registration(session, locked(session, paper_id))
        actor.require_programme(found.programme.code, found.registration.city)
        parcel = session.scalars(select(Parcel).where(Parcel.waybill == waybill).with_for_update()).one()
        booking = session.get_one(MailBooking, parcel.booking_id, with_for_update=True)
        action = act(parcel, booking, found)
        event: NewEvent = step(session, ctx.clock, actor, found.paper, action, reference=waybill)
        session.flush()
        record_many(session, ctx.clock, actor, [event])
    return _scan(found.paper, waybill)


def _scan(paper: PaperCertificate, reference: str) -> Scan:
    return Scan(paper.serial, paper.management_no, paper.state, reference)
