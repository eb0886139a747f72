"""Whatever staff and holders try in whatever order: one place each, one live sheet each, no paper beside electronic,
forms that add up, nothing deleted, and a history that explains every state."""

import tempfile
from datetime import timedelta
from pathlib import Path

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import func, select

from issuer.audit import verify_chain
from issuer.errors import DomainError
from issuer.paper import handouts, keeping, mail, making, parcels, replacing, stock
from issuer.paper.handouts import Proof
from issuer.paper.service import request_replacement
from issuer.paper.waybill_file import WaybillRow
from issuer.paper.waybills import assign_waybills
from issuer.records.certificates import ECertificate, Holding
from issuer.records.database import make_engine
from issuer.records.paper import PaperCertificate, PaperEvent
from issuer.records.paper_post import Parcel
from issuer.records.people import Registration
from issuer.rules.paper_states import PaperState, place_of
from tests.factories.paper_office import CLERK, HOME, SECOND, PaperDesk, paper_desk
from tests.factories.small_world import small_context
from tests.issuer.paper.test_paper_life import signature

PEOPLE = st.integers(0, 2)
WAYBILLS = st.integers(1, 6)


class Paper(RuleBasedStateMachine):
    """Three people, twenty forms, any act at any time; refusals are fine, half-done things are not."""

    @initialize()
    def begin(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="ecert-paper-")
        folder = Path(self._folder.name)
        engine = make_engine(f"sqlite:///{folder / 'issuer.sqlite3'}")
        self.desk: PaperDesk = paper_desk(small_context(engine, folder), 3)
        self.desk.printed()
        self.seen = 0

    def _try(self, act: object) -> None:
        try:
            act()  # type: ignore[operator]
        except DomainError:
            return

    def _sheet(self, person: int) -> PaperCertificate | None:
        with self.desk.ctx.database.read() as session:
            return session.scalars(
                select(PaperCertificate)
                .where(PaperCertificate.registration_id == self.desk.registrations[person])
                .order_by(PaperCertificate.id.desc())
                .limit(1)
            ).one_or_none()

    def _serial(self, person: int) -> str:
        sheet = self._sheet(person)
        return sheet.serial if sheet else "NONE"

    @rule()
    def print_and_release(self) -> None:
        self._try(lambda: making.print_sitting(self.desk.ctx, CLERK, self.desk.sitting))
        self._try(lambda: making.release_sitting(self.desk.ctx, CLERK, self.desk.sitting))

    @rule(person=PEOPLE)
    def spoil(self, person: int) -> None:
        self._try(lambda: making.spoil(self.desk.ctx, CLERK, self._serial(person), "misprint"))

    @rule(person=PEOPLE, number=WAYBILLS, steps=st.integers(1, 6), back=st.booleans())
    def send(self, person: int, number: int, steps: int, back: bool) -> None:
        """Some way along the road of an envelope, from wherever the sheet is; the waybill may be somebody else's."""
        ctx, serial, waybill = self.desk.ctx, self._serial(person), f"SF{number:08}"
        sheet = self._sheet(person)
        row = WaybillRow(2, sheet.management_no if sheet else "NONE", waybill)
        end = parcels.take_back if back else parcels.deliver
        road = (
            lambda: mail.book(ctx, CLERK, serial, HOME),
            lambda: mail.change_address(ctx, CLERK, serial, HOME),
            lambda: mail.resend(ctx, CLERK, serial),
            lambda: assign_waybills(ctx, CLERK, self.desk.sitting, [row]),
            lambda: parcels.pack(ctx, CLERK, serial, waybill),
            lambda: parcels.post(ctx, CLERK, waybill),
            lambda: end(ctx, CLERK, waybill),
        )
        for act in road[: steps + 1]:
            self._try(act)

    def collect(self, person: int) -> None:
        """At the counter, out of a box, or back from the post."""
        proof = Proof("signature", signature=signature())
        number = f"P{person + 1:08}"
        self._try(
            lambda: handouts.hand_out(self.desk.ctx, CLERK, self._serial(person), holder_id_no=number, proof=proof)
        )

    @rule(person=PEOPLE, late=st.booleans(), claimed=st.booleans())
    def store(self, person: int, late: bool, claimed: bool) -> None:
        if late:
            self.desk.clock.move_to(self.desk.clock.today() + timedelta(days=31))
        self._try(lambda: keeping.store(self.desk.ctx, CLERK, "BOX-1", self._serial(person)))
        if claimed:
            self.collect(person)

    @rule(person=PEOPLE)
    def claim(self, person: int) -> None:
        self.collect(person)

    @rule(person=PEOPLE)
    def replace(self, person: int) -> None:
        ctx, registration = self.desk.ctx, self.desk.registrations[person]
        try:
            number = request_replacement(ctx, CLERK, registration_id=registration, reason="遗失")
        except DomainError:
            return
        replacing.decide(ctx, SECOND, number, approve=True)
        self._try(lambda: replacing.print_replacement(ctx, CLERK, number))

    @rule(person=PEOPLE)
    def made_electronically(self, person: int) -> None:
        """What issuing does under the holding's lock, with its own question about paper."""
        with self.desk.ctx.database.write() as session:
            registration = session.get_one(Registration, self.desk.registrations[person])
            holding = session.scalars(
                select(Holding).where(Holding.person_id == registration.person_id)
            ).one_or_none()
            if holding is not None and (holding.paper_made_at or holding.paper_replacement_open):
                return
            made = holding is not None and holding.e_certificate_made_at is not None
        if not made:
            self.desk.world.certificate(self.desk.registrations[person])

    @invariant()
    def everything_holds(self) -> None:
        if not hasattr(self, "desk"):
            return
        with self.desk.ctx.database.read() as session:
            sheets = session.scalars(select(PaperCertificate)).all()
            assert len(sheets) >= self.seen, "nothing is deleted"
            self.seen = len(sheets)
            live = [sheet.person_id for sheet in sheets if sheet.slot == "live"]
            assert len(live) == len(set(live)), "one live sheet each"
            electronic = set(session.scalars(select(ECertificate.person_id)))
            assert not electronic & {sheet.person_id for sheet in sheets}, "never paper beside electronic"
            for sheet in sheets:
                state = PaperState(sheet.state)
                last = session.scalars(
                    select(PaperEvent).where(PaperEvent.paper_id == sheet.id, PaperEvent.version == sheet.version)
                ).one()
                assert (last.state, last.place) == (state, place_of(state)), "the history says where it is"
                assert (sheet.box_id is not None) == (state is PaperState.SAFEKEEPING)
                posted = session.scalar(
                    select(func.count()).where(Parcel.paper_id == sheet.id, Parcel.state == "posted")
                )
                assert posted == (1 if state is PaperState.POSTED else 0), "with the courier, or not"
            assert verify_chain(session).intact
        (balance,) = stock.balances(self.desk.ctx, CLERK)
        assert balance.received == balance.in_stock + balance.used + balance.spoiled == 20
        assert balance.used + balance.spoiled == len(sheets)

    def teardown(self) -> None:
        if hasattr(self, "_folder"):
            self.desk.ctx.database.engine.dispose()
            self._folder.cleanup()


Paper.TestCase.settings = settings(
    max_examples=12, stateful_step_count=16, deadline=None, derandomize=True, phases=[Phase.generate]
)
TestPaper = Paper.TestCase
