"""The demo's second exam, whose certificates are on paper: printed, mailed, fetched, kept (R11–R13).

Eight people: one certificate has arrived, one is on its way, one came back, one waits for a waybill, one was fetched
at the counter, and three people asked for nothing, so that theirs are kept. Every desk of the console has work.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sqlalchemy import select

from issuer.access.actor import Actor
from issuer.context import Context
from issuer.demo.files import PAPER, write_roster
from issuer.demo.people import DemoPerson, invent_for_paper
from issuer.paper import handouts, keeping, mail, making, parcels, stock
from issuer.paper.mail import Destination
from issuer.paper.waybill_file import WaybillRow
from issuer.paper.waybills import assign_waybills
from issuer.records.paper import PaperCertificate
from issuer.records.people import Registration
from issuer.review import service as review
from issuer.roster.service import define_sitting, import_roster
from issuer.rules.terms import ReviewRound

COUNT = 8
SERIALS = ("DEMO0001", "DEMO0020")
WAYBILLS = ("SF0000000000001", "SF0000000000002", "SF0000000000003")


@dataclass(slots=True)
class PaperStory:
    """Acts in the order of their days; the caller moves the clock. `second` counts what `staff` has received."""

    ctx: Context
    staff: Actor
    second: Actor
    body: Actor
    folder: Path

    def take_in(self, today: date) -> None:
        """The sitting and its roster."""
        roster = write_roster(self.folder, self._people, today, PAPER)
        define_sitting(self.ctx, self.staff, (self.folder / "sitting.toml").read_bytes())
        photos = self.folder / "photos.zip"
        import_roster(self.ctx, self.staff, PAPER.sitting, file_name=roster.name, content=roster, photos=photos)

    def decide(self) -> None:
        """Everybody is eligible."""
        review.decide_all_eligible(self.ctx, self.body, PAPER.sitting, ReviewRound.FIRST)

    def make(self) -> None:
        """Forms counted by two, printed, compared; the mail can be booked from today (R12)."""
        review.close_first_round(self.ctx, self.staff, PAPER.sitting)
        receipt = stock.receive(self.ctx, self.staff, PAPER.code, *SERIALS)
        stock.confirm(self.ctx, self.second, receipt.id, receipt.count)
        making.print_sitting(self.ctx, self.staff, PAPER.sitting)
        making.release_sitting(self.ctx, self.staff, PAPER.sitting)
        mail.open_booking(self.ctx, self.staff, PAPER.sitting)

    def send(self) -> None:
        """Four book; three get a waybill and go out, freight collect (R12)."""
        sheets = self._sheets()
        booked = self._people[:4]
        for person in booked:
            sheet = sheets[person.admission_no]
            address = f"示例省{person.city}市示例路 {int(person.admission_no) % 100} 号"
            mail.book(self.ctx, self.staff, sheet.serial, Destination(person.name, person.mobile, address))
        rows = [
            WaybillRow(line, sheets[person.admission_no].management_no, waybill)
            for line, (person, waybill) in enumerate(zip(booked, WAYBILLS, strict=False), start=2)
        ]
        assign_waybills(self.ctx, self.staff, PAPER.sitting, rows)
        for person, waybill in zip(booked, WAYBILLS, strict=False):
            parcels.pack(self.ctx, self.staff, sheets[person.admission_no].serial, waybill)
            parcels.post(self.ctx, self.staff, waybill)

    def arrive(self) -> None:
        """One parcel arrives and one comes back; one holder comes to the counter with a code."""
        parcels.deliver(self.ctx, self.staff, WAYBILLS[0])
        parcels.take_back(self.ctx, self.staff, WAYBILLS[1])
        person = self._people[4]
        sheet = self._sheets()[person.admission_no]
        holder = Actor(f"holder:{sheet.person_id}", frozenset(), "holder")
        code, _ = handouts.make_pickup_code(self.ctx, holder, sheet.serial, sheet.person_id)
        proof = handouts.Proof("code", code)
        handouts.hand_out(self.ctx, self.staff, sheet.serial, holder_id_no=person.id_no, proof=proof)

    def keep(self) -> None:
        """The window is over: what nobody asked for goes into a box (R13)."""
        sheets = self._sheets()
        for person in self._people[5:]:
            keeping.store(self.ctx, self.staff, "BOX-1", sheets[person.admission_no].serial)

    @property
    def _people(self) -> list[DemoPerson]:
        return invent_for_paper(COUNT)

    def _sheets(self) -> dict[str, PaperCertificate]:
        """By admission number."""
        with self.ctx.database.read() as session:
            rows = session.execute(
                select(Registration.admission_no, PaperCertificate)
                .join(PaperCertificate, PaperCertificate.registration_id == Registration.id)
                .where(Registration.sitting_code == PAPER.sitting)
            )
            return {row.admission_no: row.PaperCertificate for row in rows}
