"""What holders see of their own paper certificate: where it is, until when they may do what, and why not."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from issuer.access.actor import Actor
from issuer.errors import NotFoundError, Words
from issuer.paper.keeping import register_number
from issuer.paper.mail import current_parcel, window_of
from issuer.ports import ServiceContext
from issuer.records.paper import PaperCertificate
from issuer.records.paper_post import MailBooking
from issuer.records.people import Registration
from issuer.records.sittings import Programme, Sitting
from issuer.rules.deadlines import is_over
from issuer.rules.paper_keeping import keeping_due
from issuer.rules.paper_mail import BookingWindow, ParcelState
from issuer.rules.paper_states import PaperState
from issuer.rules.policy import Policy


@dataclass(frozen=True, slots=True)
class HeldPaper:
    """One registration of a paper programme. `state` is None while nothing was made.

    `address_open`: whether the address may still be changed; `waybill` once a label exists; `register` when it was
    handed over or is about to be.
    """

    registration_id: int
    programme: str
    sitting: str
    name: str
    state: str | None
    serial: str
    management_no: str
    void: bool
    window: BookingWindow | None
    window_open: bool
    window_over: bool
    address_open: bool
    recipient: str
    phone: str
    address: str
    waybill: str | None
    kept_until: date
    register: str | None


def held_paper(ctx: ServiceContext, actor: Actor, registration_id: int, person_id: int) -> HeldPaper:
    """The signed-in holder's own; raises NotFoundError, also for somebody else's registration."""
    with ctx.database.read() as session:
        registration = session.get(Registration, registration_id)
        if registration is None or registration.person_id != person_id or actor.via != "holder":
            raise NotFoundError(
                "registration-not-found",
                Words("没有找到您的这项考试记录。", "You have no such registration."),
                remedy=Words("请从“我的考试与证书”打开。", "Open it from your list."),
            )
        sitting = session.get_one(Sitting, registration.sitting_code)
        programme = session.get_one(Programme, sitting.programme_code)
        paper = session.scalars(
            select(PaperCertificate)
            .where(PaperCertificate.registration_id == registration_id, PaperCertificate.slot == "live")
            .limit(1)
        ).one_or_none()
        shown = paper is not None and paper.state != PaperState.PRINTED
        booking = parcel = number = None
        if paper is not None:
            booking = session.scalars(
                select(MailBooking).where(MailBooking.paper_id == paper.id, MailBooking.state == "open")
            ).one_or_none()
            parcel = current_parcel(session, booking.id) if booking else None
            number = register_number(session, paper)
        window, now = window_of(session, sitting.code), ctx.clock.now()
        over = window is not None and is_over(window.closes_on, now)
        due = keeping_due(sitting.exam_ended_on, Policy.from_dict(programme.policy), ctx.clock.today())
        return HeldPaper(
            registration_id=registration.id,
            programme=programme.name,
            sitting=sitting.code,
            name=registration.name,
            state=paper.state if paper and shown else None,
            serial=paper.serial if paper else "",
            management_no=paper.management_no if paper else "",
            void=registration.void_since is not None,
            window=window,
            window_open=window is not None and window.opens_on <= ctx.clock.today() and not over,
            window_over=over,
            address_open=booking is not None
            and (parcel is None or parcel.state not in (ParcelState.POSTED, ParcelState.DELIVERED)),
            recipient=booking.recipient if booking else registration.name,
            phone=booking.phone if booking else registration.mobile or "",
            address=booking.address if booking else "",
            waybill=parcel.waybill if parcel else None,
            kept_until=due.kept_until,
            register=number,
        )
