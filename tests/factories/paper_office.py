"""A paper programme in small: people found eligible, forms in stock, staff; for services and for whole worlds."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select, update

from issuer.access.actor import Actor
from issuer.clock import SimulatedClock
from issuer.paper import mail, making, parcels, stock
from issuer.paper.mail import Destination
from issuer.paper.waybill_file import WaybillRow
from issuer.paper.waybills import assign_waybills
from issuer.records.paper import PaperCertificate
from issuer.records.people import Person, Registration
from issuer.records.sittings import Programme
from issuer.rules.terms import Medium, ReviewOutcome, Role
from tests.factories.small_world import SmallContext, SmallWorld, staff
from tests.factories.world import World

CLERK = staff("clerk", Role.AUTHORITY_ISSUER)
SECOND = staff("second-clerk", Role.AUTHORITY_ISSUER)
DEPARTMENT = staff("department", Role.AUTHORITY_APPROVER)
HOME = Destination("张三", "13800000000", "示例省示例市示例路 1 号 2 单元 301")
ANNOUNCED = date(2025, 10, 8)
WINDOW_OVER = date(2025, 11, 8)
KEPT_UNTIL = date(2030, 6, 15)


@dataclass
class PaperDesk:
    """A small world whose sitting issues paper; `clock` stands on the day of the announcement."""

    world: SmallWorld
    registrations: list[int]

    @property
    def ctx(self) -> SmallContext:
        return self.world.context

    @property
    def clock(self) -> SimulatedClock:
        assert isinstance(self.ctx.clock, SimulatedClock)
        return self.ctx.clock

    @property
    def sitting(self) -> str:
        return self.world.sitting

    def stocked(self, first: str = "A0001", last: str = "A0020") -> None:
        """Forms received by one and confirmed by another."""
        receipt = stock.receive(self.ctx, CLERK, self.world.programme, first, last)
        stock.confirm(self.ctx, SECOND, receipt.id, receipt.count)

    def printed(self) -> list[str]:
        """Everybody's certificate printed and released; serials in order."""
        report = making.print_sitting(self.ctx, CLERK, self.sitting)
        making.release_sitting(self.ctx, CLERK, self.sitting)
        return [serial for serial, _ in report.printed]

    def booked(self, serial: str, waybill: str | None = None) -> None:
        """Mail booked, and a waybill assigned."""
        mail.book(self.ctx, CLERK, serial, HOME)
        if waybill:
            self.labelled(serial, waybill)

    def labelled(self, serial: str, waybill: str) -> None:
        number = self.sheet(serial).management_no
        report = assign_waybills(self.ctx, CLERK, self.sitting, [WaybillRow(2, number, waybill)])
        assert report.assigned == 1, report

    def posted(self, serial: str, waybill: str) -> None:
        """All the way to the courier."""
        self.booked(serial, waybill)
        parcels.pack(self.ctx, CLERK, serial, waybill)
        parcels.post(self.ctx, CLERK, waybill)

    def sheet(self, serial: str) -> PaperCertificate:
        with self.ctx.database.read() as session:
            return session.scalars(select(PaperCertificate).where(PaperCertificate.serial == serial)).one()

    def holder_of(self, serial: str) -> tuple[Actor, int]:
        """The holder as an actor, and the person's number."""
        person = self.sheet(serial).person_id
        return Actor(f"holder:{person}", frozenset(), "holder"), person


def paper_desk(context: SmallContext, people: int = 4) -> PaperDesk:
    """People found eligible in a paper programme, forms in stock, the booking window open."""
    world = SmallWorld(context).build(medium=Medium.PAPER)
    desk = PaperDesk(world, world.register(people, outcome=ReviewOutcome.ELIGIBLE))
    with context.database.write() as session:
        for person in session.scalars(select(Person)):
            person.id_index = context.data_key.blind_index("persons.id_no", person.id_no)
    desk.clock.move_to(ANNOUNCED)
    desk.stocked()
    mail.open_booking(context, CLERK, desk.sitting, ANNOUNCED)
    return desk


def make_paper(world: World) -> None:
    """Turn a world's programme into one that issues paper: twenty forms in stock, window open since today."""
    ctx = world.ctx
    with ctx.database.write() as session:
        session.execute(update(Programme).values(medium=Medium.PAPER))
        programme = session.scalars(select(Programme.code)).one()
    receipt = stock.receive(ctx, CLERK, programme, "Z0000001", "Z0000020")
    stock.confirm(ctx, SECOND, receipt.id, 20)
    making.print_sitting(ctx, CLERK, world.sitting)
    making.release_sitting(ctx, CLERK, world.sitting)
    mail.open_booking(ctx, CLERK, world.sitting)


def serial_of(world: World, admission_no: str) -> str:
    """The serial of the certificate that counts for this candidate."""
    with world.ctx.database.read() as session:
        return session.scalars(
            select(PaperCertificate.serial)
            .join(Registration, Registration.id == PaperCertificate.registration_id)
            .where(Registration.admission_no == admission_no, PaperCertificate.slot == "live")
        ).one()
