"""Mail booking (R12): the window, one booking by the holder, the address until the courier's scan."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import record_event, record_many
from issuer.clock import Clock
from issuer.errors import ConflictError, InputError, NotFoundError, Words
from issuer.paper.sheets import (
    CLERKS,
    Found,
    find_sheet,
    lawful,
    note_step,
    require_sitting,
    require_whole,
    step,
)
from issuer.ports import ServiceContext
from issuer.records.paper import PaperCertificate
from issuer.records.paper_post import MailBooking, PaperBookingWindow, Parcel
from issuer.rules.paper_mail import (
    UNDER_WAY,
    BookingWindow,
    FreightTerms,
    ParcelState,
    booking_window,
    require_address_changeable,
    require_mended,
    require_open_window,
)
from issuer.rules.paper_states import PaperAction, PaperState, require_valid_registration
from issuer.rules.policy import Policy

_PHONE = re.compile(r"\+?[0-9][0-9 -]{5,19}")


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a certificate is to be sent: personal data, encrypted at rest. Freight is always collect (R12)."""

    recipient: str
    phone: str
    address: str

    def checked(self) -> "Destination":
        """Trimmed; raises InputError when a courier could not use it."""
        made = Destination(*(" ".join(text.split()) for text in (self.recipient, self.phone, self.address)))
        hidden = any(unicodedata.category(char)[0] == "C" for text in (made.recipient, made.address) for char in text)
        sizes = 1 <= len(made.recipient) <= 60 and 6 <= len(made.address) <= 200
        if hidden or not sizes or not _PHONE.fullmatch(made.phone):
            raise InputError(
                "destination-unusable",
                Words("收件人、电话或地址不完整。", "Recipient, telephone or address cannot be used."),
                remedy=Words(
                    "填写收件人（60 字内）、电话和 6 至 200 字的详细地址。",
                    "Give a recipient (up to 60 characters), a telephone number, an address of 6 to 200 characters.",
                ),
            )
        return made


def open_booking(
    ctx: ServiceContext, actor: Actor, sitting_code: str, announced_on: date | None = None
) -> BookingWindow:
    """Open the window with the announcement of the review's results; its days come from the programme's policy.

    Raises ConflictError (booking-window-open), InputError (a day to come), NotFoundError, NotAllowedError.
    """
    actor.require(*CLERKS)
    require_whole(actor)
    today = ctx.clock.today()
    announced_on = announced_on or today
    if announced_on > today:
        raise InputError(
            "day-to-come",
            Words("公告日期不能晚于今日。", "The announcement lies in the future."),
            remedy=Words("公告发布后再开放预约。", "Open the window once it is announced."),
        )
    with ctx.database.write() as session:
        sitting, programme = require_sitting(session, actor, sitting_code)
        if session.get(PaperBookingWindow, sitting.code, with_for_update=True) is not None:
            raise ConflictError(
                "booking-window-open",
                Words("该考次的邮寄预约期已设定。", "This sitting's booking window is set already."),
                remedy=Words("在考次纸质证书页面查看起止日期。", "See its days on the sitting's paper page."),
                clause="R12",
            )
        window = booking_window(announced_on, Policy.from_dict(programme.policy))
        session.add(
            PaperBookingWindow(
                sitting_code=sitting.code,
                opens_on=window.opens_on,
                closes_on=window.closes_on,
                opened_by=actor.username,
                opened_at=ctx.clock.now(),
            )
        )
        session.flush()
        details = {"opens_on": str(window.opens_on), "closes_on": str(window.closes_on)}
        record_event(
            session, ctx.clock, actor, "paper.booking.open", f"sitting:{sitting.code}", clause="R12", details=details
        )
    return window


def window_of(session: Session, sitting_code: str) -> BookingWindow | None:
    """The sitting's window, or None before the announcement."""
    row = session.get(PaperBookingWindow, sitting_code)
    return BookingWindow(row.opens_on, row.closes_on) if row else None


def book(
    ctx: ServiceContext, actor: Actor, reference: str, destination: Destination, *, person_id: int | None = None
) -> int:
    """Book the mail for one certificate; the booking's number.

    A holder passes `person_id` and books their own only. Raises ConflictError (R12 booking-not-open, booking-closed,
    paper-state; R9), InputError, NotFoundError, NotAllowedError.
    """
    with ctx.database.write() as session, lawful():
        found = _own(session, actor, reference, person_id)
        made = destination.checked()
        require_valid_registration(found.registration.void_since is not None)
        require_open_window(window_of(session, found.sitting.code), ctx.clock.now())
        event = step(session, ctx.clock, actor, found.paper, PaperAction.BOOK)
        now = ctx.clock.now()
        row = MailBooking(
            paper_id=found.paper.id,
            state="open",
            revision=1,
            recipient=made.recipient,
            phone=made.phone,
            address=made.address,
            freight=FreightTerms.COLLECT,
            booked_by=actor.username,
            booked_at=now,
            changed_at=now,
        )
        session.add(row)
        session.flush()
        record_many(session, ctx.clock, actor, [event])
    return row.id


def change_address(
    ctx: ServiceContext, actor: Actor, reference: str, destination: Destination, *, person_id: int | None = None
) -> int:
    """Another address, until the courier's scan, or after a return; its revision. A label already made is void then.

    Raises ConflictError (R12 courier-has-it), NotFoundError (no booking), InputError, NotAllowedError.
    """
    with ctx.database.write() as session, lawful():
        found = _own(session, actor, reference, person_id)
        made = destination.checked()
        booking = open_booking_of(session, found.paper.id)
        parcel = current_parcel(session, booking.id)
        require_address_changeable(ParcelState(parcel.state) if parcel else None)
        if parcel is not None and parcel.state in UNDER_WAY:
            parcel.state, parcel.ended_at = ParcelState.CANCELLED, ctx.clock.now()
        booking.recipient, booking.phone, booking.address = made.recipient, made.phone, made.address
        booking.revision, booking.changed_at = booking.revision + 1, ctx.clock.now()
        _remark(session, ctx.clock, actor, found.paper, "address", f"booking:{booking.id}")
        session.flush()
        record_event(
            session,
            ctx.clock,
            actor,
            "paper.address",
            f"paper:{found.paper.id}",
            clause="R12",
            details={"booking": booking.id, "revision": booking.revision},
        )
    return booking.revision


def cancel(ctx: ServiceContext, actor: Actor, reference: str, *, person_id: int | None = None) -> None:
    """Take a booking back before the courier's scan; the certificate waits at the counter again."""
    with ctx.database.write() as session, lawful():
        found = _own(session, actor, reference, person_id)
        booking = open_booking_of(session, found.paper.id)
        parcel = current_parcel(session, booking.id)
        require_address_changeable(ParcelState(parcel.state) if parcel else None)
        event = step(session, ctx.clock, actor, found.paper, PaperAction.CANCEL)
        close_bookings(session, ctx.clock, found.paper.id)
        session.flush()
        record_many(session, ctx.clock, actor, [event])


def resend(ctx: ServiceContext, actor: Actor, reference: str) -> None:
    """A returned certificate goes out again, to an address mended or confirmed since. Raises ConflictError (R12)."""
    actor.require(*CLERKS)
    with ctx.database.write() as session, lawful():
        found = find_sheet(session, actor, reference)
        require_valid_registration(found.registration.void_since is not None)
        booking = open_booking_of(session, found.paper.id)
        returned = session.scalars(
            select(Parcel.revision)
            .where(Parcel.booking_id == booking.id, Parcel.state == ParcelState.RETURNED)
            .order_by(Parcel.revision.desc())
            .limit(1)
        ).one_or_none()
        require_mended(returned or 0, booking.revision)
        event = step(session, ctx.clock, actor, found.paper, PaperAction.RESEND)
        session.flush()
        record_many(session, ctx.clock, actor, [event])


def open_booking_of(session: Session, paper_id: int) -> MailBooking:
    """The sheet's open booking, locked; raises NotFoundError."""
    row = session.scalars(
        select(MailBooking).where(MailBooking.paper_id == paper_id, MailBooking.state == "open").with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFoundError(
            "booking-unknown",
            Words("该证书没有邮寄预约。", "No mail is booked for this certificate."),
            remedy=Words("先预约邮寄，或现场领取。", "Book the mail first, or collect it on site."),
        )
    return row


def current_parcel(session: Session, booking_id: int) -> Parcel | None:
    """The newest envelope of a booking that was not cancelled."""
    return session.scalars(
        select(Parcel)
        .where(Parcel.booking_id == booking_id, Parcel.state != ParcelState.CANCELLED)
        .order_by(Parcel.id.desc())
        .limit(1)
        .with_for_update()
    ).one_or_none()


def close_bookings(session: Session, clock: Clock, paper_id: int) -> None:
    """End whatever mail is under way with a sheet that goes elsewhere."""
    for parcel in session.scalars(select(Parcel).where(Parcel.paper_id == paper_id, Parcel.state.in_(UNDER_WAY))):
        parcel.state, parcel.ended_at = ParcelState.CANCELLED, clock.now()
    query = select(MailBooking).where(MailBooking.paper_id == paper_id, MailBooking.state == "open")
    for booking in session.scalars(query):
        booking.state, booking.changed_at = "cancelled", clock.now()


def _own(session: Session, actor: Actor, reference: str, person_id: int | None) -> Found:
    if actor.via != "holder":
        actor.require(*CLERKS)
    found = find_sheet(session, actor, reference)
    mine = actor.via != "holder" or person_id == found.paper.person_id
    if not mine or found.state in (PaperState.PRINTED, PaperState.SPOILED):
        raise NotFoundError(
            "paper-unknown",
            Words("没有该编号的纸质证书。", "There is no paper certificate with that number."),
            remedy=Words("核对编号。", "Check the number."),
        )
    return found


def _remark(session: Session, clock: Clock, actor: Actor, paper: PaperCertificate, action: str, about: str) -> None:
    paper.version, paper.changed_at = paper.version + 1, clock.now()
    note_step(session, clock, actor, paper, action, "R12", about)
